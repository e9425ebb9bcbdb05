package io.langbridge;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators.AbstractSpliterator;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Answers many requests, a few at a time, in their order. Whoever reads the answers also reads the requests, as many as
 * find a place; each runs in a thread of its own, which costs nothing beside an answer and leaves nothing to close.
 */
final class BatchAnswers extends AbstractSpliterator<BatchAnswer> {
    static final int AT_ONCE = 8;

    /** So many are read for each that runs: one slow answer must not leave places empty behind it. */
    private static final int READ_AHEAD = 2;

    private final VisionLanguageModel model;
    private final Spliterator<Request> requests;
    private final int atOnce;
    /** Guarded by this object, as what follows; in the order of their requests. */
    private final Deque<Running> begun = new ArrayDeque<>();

    private int running;
    private boolean allRead;

    /** A request on its way. */
    private final class Running implements Runnable {
        private final Request request;
        private final @Nullable AnswerStream stream;
        private @Nullable BatchAnswer result;
        private @Nullable Error error;

        Running(Request request, AnswerStream stream) {
            this.request = request;
            this.stream = stream;
        }

        Running(Request request, RuntimeException refused) {
            this.request = request;
            this.stream = null;
            this.result = BatchAnswer.failed(request, refused);
        }

        @Override
        public void run() {
            BatchAnswer came = null;
            Error thrown = null;
            try (AnswerStream closed = Objects.requireNonNull(stream)) {
                came = BatchAnswer.of(request, closed.answer());
            } catch (RuntimeException e) {
                came = BatchAnswer.failed(request, e);
            } catch (Error e) {
                thrown = e;
            }
            synchronized (BatchAnswers.this) {
                result = came;
                error = thrown;
                running--;
                BatchAnswers.this.notifyAll();
            }
        }

        void cancel() {
            if (stream != null) {
                stream.cancel();
            }
        }

        boolean isDone() {
            return result != null || error != null;
        }

        BatchAnswer result() {
            if (error != null) {
                throw error;
            }
            return Objects.requireNonNull(result);
        }
    }

    private BatchAnswers(VisionLanguageModel model, Spliterator<Request> requests, int atOnce) {
        super(requests.estimateSize(), Spliterator.ORDERED | Spliterator.NONNULL);
        this.model = model;
        this.requests = requests;
        this.atOnce = atOnce;
    }

    static Stream<BatchAnswer> of(VisionLanguageModel model, Stream<Request> requests, int atOnce) {
        Objects.requireNonNull(requests, "requests");
        if (atOnce < 1) {
            throw new IllegalArgumentException("atOnce must be at least 1, not " + atOnce);
        }
        BatchAnswers answers = new BatchAnswers(model, requests.sequential().spliterator(), atOnce);
        return StreamSupport.stream(answers, false).onClose(answers::close).onClose(requests::close);
    }

    /** Whoever reads a part would wait for the others. */
    @Override
    public @Nullable Spliterator<BatchAnswer> trySplit() {
        return null;
    }

    @Override
    public boolean tryAdvance(Consumer<? super BatchAnswer> action) {
        Running first = null;
        boolean interrupted = false;
        try {
            while (first == null) {
                if (!interrupted) {
                    beginMore();
                }
                try {
                    first = awaitFirst(interrupted);
                    if (first == null && isEmpty()) {
                        return false;
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                    cancel();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        action.accept(first.result());
        return true;
    }

    /** Null if there is a place for another request before the first is answered, or none is left. */
    private synchronized @Nullable Running awaitFirst(boolean interrupted) throws InterruptedException {
        while (!begun.isEmpty()) {
            if (begun.element().isDone()) {
                return begun.remove();
            }
            if (!interrupted && hasPlace()) {
                return null;
            }
            wait();
        }
        return null;
    }

    private synchronized boolean isEmpty() {
        return begun.isEmpty();
    }

    private synchronized boolean hasPlace() {
        return !allRead && running < atOnce && begun.size() < READ_AHEAD * atOnce;
    }

    private void beginMore() {
        try {
            while (hasPlace()) {
                if (!requests.tryAdvance(this::begin)) {
                    allRead();
                }
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private synchronized void allRead() {
        allRead = true;
    }

    private void begin(Request request) {
        Objects.requireNonNull(request, "request");
        AnswerStream stream;
        try {
            stream = model.stream(request);
        } catch (LangBridgeException e) {
            synchronized (this) {
                begun.add(new Running(request, e));
            }
            return;
        }
        Running next = new Running(request, stream);
        Thread thread = new Thread(next, "langbridge-batch");
        thread.setDaemon(true);
        if (Thread.currentThread().isInterrupted()) {
            next.cancel(); // as answer(..) does for who is interrupted
        }
        synchronized (this) {
            thread.start(); // its end waits for this
            begun.add(next);
            running++;
        }
    }

    private void cancel() {
        List<Running> all;
        synchronized (this) {
            all = new ArrayList<>(begun);
        }
        all.forEach(Running::cancel);
    }

    /** Ends what runs, and waits for it, which takes no longer than a step: nothing is left when this is done. */
    private void close() {
        allRead();
        cancel();
        boolean interrupted = false;
        synchronized (this) {
            while (running > 0) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
