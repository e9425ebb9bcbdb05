package io.langbridge.testing;

import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.BusyException;
import io.langbridge.FinishReason;
import io.langbridge.Message;
import io.langbridge.ModelListener;
import io.langbridge.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** An answer that is being said. Says it in the thread that reads. */
final class FakeStream implements AnswerStream {
    private final FakeModel model;
    private final Plan plan;
    private final int cachedTokens;
    private final Ending ending;
    private final long number = Listeners.nextRequest();
    private final long created = System.nanoTime();
    private final long timeoutNanos;
    private final Pieces iterator = new Pieces();
    private List<Message> messages;

    /** Written by the thread that reads, and seen by others when it does not work. */
    private final StringBuilder text = new StringBuilder();

    private int said;
    private boolean prefilled;
    private boolean readToTheEnd;
    private long started;
    private long firstToken;
    private long lastToken;
    private volatile @Nullable Throwable failure;
    private volatile @Nullable FinishReason finishReason;
    private volatile boolean closed;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition stopped = lock.newCondition();
    /** Guarded by the lock, as what follows. */
    private @Nullable FinishReason stop;

    private boolean working;
    private boolean released;

    /** Is told the end, once. */
    interface Ending {
        /**
         * The answer has ended.
         *
         * @param messages the conversation, its pictures encoded
         * @param answer what was said, or null if it failed or did not come to saying anything
         */
        void ended(List<Message> messages, @Nullable Answer answer);
    }

    FakeStream(FakeModel model, Plan plan, Request request, int cachedTokens, Ending ending) {
        this.model = model;
        this.plan = plan;
        this.messages = request.messages();
        this.cachedTokens = Math.min(cachedTokens, plan.promptTokens - 1);
        this.ending = ending;
        Duration timeout = request.timeout();
        this.timeoutNanos = timeout == null || timeout.compareTo(Duration.ofNanos(Long.MAX_VALUE)) >= 0
                ? Long.MAX_VALUE
                : timeout.toNanos();
    }

    @Override
    public Iterator<Piece> iterator() {
        if (closed) {
            throw new IllegalStateException("The stream is closed; begin another one with stream(..)");
        }
        if (readToTheEnd) {
            throw new IllegalStateException("The stream has been read to its end; answer() has the whole text, and"
                    + " stream(..) begins another one");
        }
        return iterator;
    }

    private final class Pieces implements Iterator<Piece> {
        private @Nullable Piece next;

        @Override
        public boolean hasNext() {
            if (next == null) {
                next = advance();
                readToTheEnd = next == null;
            }
            return next != null;
        }

        @Override
        public Piece next() {
            if (!hasNext()) {
                throw new NoSuchElementException("The answer has ended; answer() says why");
            }
            Piece piece = Objects.requireNonNull(next);
            next = null;
            return piece;
        }
    }

    @Override
    public Answer answer() {
        try {
            while (finishReason == null) {
                advance();
            }
            rethrow();
            return snapshot();
        } finally {
            readToTheEnd = true;
        }
    }

    private @Nullable Piece advance() {
        model.listeners().refuseIfTelling();
        if (finishReason != null) {
            rethrow();
            return null;
        }
        if (Thread.currentThread().isInterrupted()) {
            cancel();
        }
        if (!begin()) {
            return null;
        }
        try {
            return step();
        } catch (RuntimeException | Error e) {
            failure = e;
            finishReason = FinishReason.CANCELLED;
            throw e;
        } finally {
            idle();
        }
    }

    private void rethrow() {
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
    }

    private boolean begin() {
        lock.lock();
        try {
            working = !released;
            return working;
        } finally {
            lock.unlock();
        }
    }

    private void idle() {
        lock.lock();
        try {
            working = false;
        } finally {
            lock.unlock();
        }
        if (finishReason != null || isStopped()) {
            release();
        }
    }

    private @Nullable Piece step() {
        if (isStopped() || !model.enter()) {
            return stopNow();
        }
        try {
            if (!prefilled) {
                prefill();
            }
            if (said == plan.stallAfter) {
                stall();
            }
            if (isStopped()) {
                return stopNow();
            }
            if (said == plan.pieces.size()) {
                return end();
            }
            return say();
        } finally {
            model.leave();
        }
    }

    private void prefill() {
        started = System.nanoTime();
        RuntimeException refused = plan.pieces.isEmpty() ? plan.failure : null;
        if (refused instanceof BusyException) {
            throw refused;
        }
        Duration waited = Duration.ofNanos(started - created);
        model.listeners().tell(listener -> listener.started(number, waited));
        plan.requireRoom();
        if (refused != null && plan.stallAfter != 0) {
            throw refused;
        }
        messages = encodePictures();
        ModelListener.Prompt told = new ModelListener.Prompt(
                plan.promptTokens, plan.visualTokens, cachedTokens, Duration.ofNanos(System.nanoTime() - started));
        prefilled = true;
        model.listeners().tell(listener -> listener.prefilled(number, told));
    }

    private List<Message> encodePictures() {
        List<Message> result = new ArrayList<>();
        for (Message message : messages) {
            List<Message.Part> parts = new ArrayList<>();
            for (Message.Part part : message.parts()) {
                Message.Part encoded =
                        part instanceof Message.ImagePart ? new Message.EncodedImagePart(new FakePicture()) : part;
                parts.add(encoded);
                if (encoded instanceof Message.EncodedImagePart picture) {
                    boolean before = part instanceof Message.EncodedImagePart;
                    ModelListener.Encoding told =
                            new ModelListener.Encoding(picture.image().tiles(), before, Duration.ZERO);
                    model.listeners().tell(listener -> listener.encoded(number, told));
                }
            }
            result.add(new Message(message.role(), parts));
        }
        return result;
    }

    /** Waits for whatever ends the answer. */
    private void stall() {
        boolean interrupted = false;
        lock.lock();
        try {
            while (!isStopped()) {
                try {
                    long unused = stopped.awaitNanos(remainingNanos());
                } catch (InterruptedException e) {
                    interrupted = true;
                    stop(FinishReason.CANCELLED);
                }
            }
        } finally {
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Piece say() {
        String piece = plan.pieces.get(said);
        int id = plan.tokenId(said);
        said++;
        text.append(piece);
        lastToken = System.nanoTime();
        if (said == plan.pieces.size() && plan.failure == null) {
            finishReason = plan.reason;
        }
        if (said == 1) {
            firstToken = lastToken;
            Duration time = Duration.ofNanos(firstToken - started);
            model.listeners().tell(listener -> listener.firstToken(number, time));
        }
        return new Piece(piece, id, false);
    }

    private @Nullable Piece end() {
        if (plan.failure != null) {
            throw plan.failure;
        }
        finishReason = plan.reason;
        return null;
    }

    private @Nullable Piece stopNow() {
        lock.lock();
        try {
            finishReason = stop == null ? FinishReason.CANCELLED : stop;
            return null;
        } finally {
            lock.unlock();
        }
    }

    private boolean isStopped() {
        // What is said before an answer stalls must not depend on how fast the machine is.
        if (said >= plan.stallAfter && remainingNanos() <= 0) {
            stop(FinishReason.TIMED_OUT);
        }
        lock.lock();
        try {
            return stop != null;
        } finally {
            lock.unlock();
        }
    }

    private long remainingNanos() {
        return timeoutNanos == Long.MAX_VALUE ? timeoutNanos : timeoutNanos - (System.nanoTime() - created);
    }

    private void stop(FinishReason reason) {
        lock.lock();
        try {
            if (stop == null && finishReason == null) {
                stop = reason;
                stopped.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void cancel() {
        stop(FinishReason.CANCELLED);
        release();
    }

    @Override
    public boolean isCancelled() {
        lock.lock();
        try {
            return stop == FinishReason.CANCELLED;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        closed = true;
        cancel();
    }

    /** Gives everything back, unless a step runs, which does so at its end; the first call counts. */
    private void release() {
        Throwable thrown;
        Answer answer;
        lock.lock();
        try {
            if (released || working) {
                return;
            }
            released = true;
            if (finishReason == null) {
                finishReason = stop == null ? FinishReason.CANCELLED : stop;
            }
            thrown = failure;
            answer = thrown == null ? snapshot() : null;
            ending.ended(messages, prefilled ? answer : null);
            model.ended(this);
        } finally {
            lock.unlock();
        }
        model.listeners().tell(listener -> {
            if (answer != null) {
                listener.finished(number, answer.finishReason(), answer.usage(), answer.timings());
            } else if (thrown != null) {
                listener.failed(number, thrown);
            }
        });
    }

    private Answer snapshot() {
        int[] ids = new int[said];
        Arrays.setAll(ids, plan::tokenId);
        return new Answer(
                "",
                text.toString(),
                ids,
                Objects.requireNonNull(finishReason),
                prefilled
                        ? new Answer.Usage(plan.promptTokens, plan.visualTokens, cachedTokens, said)
                        : new Answer.Usage(0, 0, 0, 0),
                new Answer.Timings(
                        Duration.ZERO,
                        Duration.ZERO,
                        Duration.ZERO,
                        Duration.ofNanos(said == 0 ? 0 : firstToken - started),
                        Duration.ofNanos(lastToken - firstToken)),
                Collections.emptyList(),
                "FakeModel");
    }
}
