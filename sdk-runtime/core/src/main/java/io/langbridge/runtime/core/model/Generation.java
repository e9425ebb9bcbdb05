package io.langbridge.runtime.core.model;

import io.langbridge.Answer;
import io.langbridge.AnswerStream.Piece;
import io.langbridge.FinishReason;
import io.langbridge.Message;
import io.langbridge.ModelListener;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.family.Positions;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.lifecycle.Opening;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.StreamingDecoder;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One answer in the making: prefill, then token after token. The caller's thread waits in {@link #next()}; the work
 * happens in a thread of the model, under the model's lock, so that closing the model waits for the step that runs and
 * no longer. Does not know the stream that the caller holds, so that a dropped one can be found.
 */
final class Generation implements Admission.Guest {
    private static final Logger LOG = LoggerFactory.getLogger(Generation.class);

    /** In place of a token, where none was to be chosen. */
    private static final int NOTHING = -1;

    /**
     * More than a template writes to open an answer: there the next prompt may differ, if thoughts are left out of it.
     */
    private static final int WORDS_BEFORE_ANSWER = 16;

    private final LoadedModel model;
    private final long number = Listeners.nextRequest();
    private List<Message> messages;
    private final SessionSource sessions;
    private final Sampler sampler;
    private final Set<Integer> stopTokens;
    private final int maxNewTokens;
    private final StopStrings stopStrings;
    private final @Nullable Boolean wantsThinking;
    private final StreamingDecoder decoder;
    private final StringBuilder text = new StringBuilder();
    private final long created = System.nanoTime();
    private final long timeoutNanos;
    /** In place of an answer; or null. */
    private final @Nullable LabelScores labels;

    /** Null where the model has no words for it. */
    private @Nullable Thinking thinking;
    /** Whether the last piece was a thought. */
    private boolean thinks;

    private int[] tokenIds = new int[16];
    /** Where in the text what each of them added begins. */
    private int[] starts = new int[16];

    private int newTokens;
    /** How many of them the decoder has read. */
    private int readTokens;

    /** Tokens that come next whatever the decoder says; it reads them together with the one that follows. */
    private final Queue<Integer> forced = new ArrayDeque<>();

    private @Nullable CachedSession session;
    private int promptTokens;
    private int visualTokens;
    private int cachedTokens;
    private long encodeNanos;
    private long adapterNanos;
    private long prefillNanos;
    private long firstTokenNanos;
    private long decodeNanos;
    private @Nullable Throwable failure;
    private volatile @Nullable FinishReason finishReason;

    /** Guarded by this object, as what follows. */
    private @Nullable FinishReason stop;

    private @Nullable FutureTask<@Nullable Piece> step;
    /** The thread that reads and prepares a picture, which alone may be interrupted. */
    private @Nullable Thread preparing;

    private boolean working;
    private boolean released;

    /** Ends a step of an answer that was stopped. */
    private static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Stopped() {
            super(null, null, false, false);
        }
    }

    /** Where the KV cache comes from and goes back to. */
    interface SessionSource {
        /**
         * A cache with room for {@code needed} positions, the one that shares most with the prompt if there is a
         * choice.
         */
        CachedSession take(long[] prompt, int needed);

        /**
         * Called once, when the answer has ended or was given up.
         *
         * @param session what {@link #take} gave, or null if it came to nothing before
         * @param messages the conversation, its pictures encoded as far as it came
         * @param answer what was said, or null if it failed
         */
        void giveBack(@Nullable CachedSession session, List<Message> messages, @Nullable Answer answer);
    }

    Generation(
            LoadedModel model,
            List<Message> messages,
            SessionSource sessions,
            Sampler sampler,
            Set<Integer> stopTokens,
            int maxNewTokens,
            List<String> stopStrings,
            @Nullable Boolean wantsThinking,
            @Nullable Duration timeout,
            @Nullable LabelScores labels) {
        this.model = model;
        this.messages = messages;
        this.sessions = sessions;
        this.sampler = sampler;
        this.stopTokens = stopTokens;
        this.maxNewTokens = maxNewTokens;
        this.stopStrings = new StopStrings(stopStrings);
        this.wantsThinking = wantsThinking;
        this.decoder = model.tokenizer().newStreamingDecoder();
        this.labels = labels;
        this.timeoutNanos = timeout == null ? Long.MAX_VALUE : nanos(timeout);
    }

    private static long nanos(Duration timeout) {
        return timeout.compareTo(Duration.ofNanos(Long.MAX_VALUE)) < 0 ? timeout.toNanos() : Long.MAX_VALUE;
    }

    /** The next piece, or null at the end. Waits; an interrupt ends the answer and stays. */
    @Nullable
    Piece next() {
        return advance(false);
    }

    /** The whole answer. */
    Answer finish() {
        while (finishReason == null) {
            advance(true);
        }
        rethrow();
        return snapshot();
    }

    private @Nullable Piece advance(boolean toTheEnd) {
        model.listeners().refuseIfTelling();
        if (finishReason != null) {
            rethrow();
            return null;
        }
        if (Thread.currentThread().isInterrupted()) {
            cancel();
        }
        FutureTask<@Nullable Piece> task = begin(toTheEnd);
        return task == null ? null : await(task);
    }

    /** Who asks again after a failure hears of it again. */
    private void rethrow() {
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
    }

    /** Null if it was closed in the meantime. */
    private @Nullable FutureTask<@Nullable Piece> begin(boolean toTheEnd) {
        synchronized (this) {
            if (released) {
                return null;
            }
            working = true;
        }
        FutureTask<@Nullable Piece> task;
        try {
            model.admission().enter(this);
            task = model.threads().submit(() -> work(toTheEnd));
        } catch (RuntimeException | Error e) {
            failure = e;
            end(FinishReason.CANCELLED);
            idle();
            throw e;
        }
        synchronized (this) {
            step = task;
        }
        if (isStopped()) {
            withdraw(); // it may have been stopped before it could be seen
        }
        return task;
    }

    private @Nullable Piece await(FutureTask<@Nullable Piece> task) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return isStopped() ? task.get() : task.get(remainingNanos(), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                    cancel();
                } catch (TimeoutException e) {
                    if (isStopped()) {
                        withdraw();
                    }
                } catch (ExecutionException e) {
                    throw Opening.failure(e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Ends the answer as soon as what runs is done; for any thread. */
    @Override
    public void cancel() {
        stop(FinishReason.CANCELLED);
        model.wake(this);
        withdraw();
        release(); // nobody may ever read on
    }

    private synchronized void stop(FinishReason reason) {
        if (stop == null && finishReason == null) {
            stop = reason;
            if (preparing != null) {
                preparing.interrupt();
            }
        }
    }

    /** A step that waits for a thread need not: it has nothing to do but to end. */
    private void withdraw() {
        FutureTask<@Nullable Piece> task;
        synchronized (this) {
            task = step;
        }
        if (task != null && model.threads().withdraw(task)) {
            task.run();
        }
    }

    @Override
    public boolean isStopped() {
        if (remainingNanos() <= 0) {
            stop(FinishReason.TIMED_OUT);
        }
        synchronized (this) {
            return stop != null;
        }
    }

    /** Among all answers, by when they began. */
    long number() {
        return number;
    }

    synchronized boolean isCancelled() {
        return stop == FinishReason.CANCELLED;
    }

    @Override
    public long remainingNanos() {
        return timeoutNanos == Long.MAX_VALUE ? timeoutNanos : timeoutNanos - (System.nanoTime() - created);
    }

    void close() {
        if (finishReason == null) {
            cancel();
        }
        release(); // the thread that works uses the KV cache, and gives it back when the step is done
    }

    @Override
    public void endIfIdle() {
        if (isStopped()) {
            release();
        }
    }

    /** In a thread of the model: one step, or as many as there are unless others want the thread. */
    private @Nullable Piece work(boolean toTheEnd) {
        try {
            Piece piece = step();
            while (toTheEnd
                    && piece != null
                    && finishReason == null
                    && !model.threads().areWanted()) {
                piece = step();
            }
            return piece;
        } finally {
            idle();
        }
    }

    private @Nullable Piece step() {
        if (isStopped() || !model.enter()) {
            stopNow();
            return null;
        }
        try {
            return session == null ? first() : following();
        } catch (Stopped e) {
            stopNow();
            return null;
        } catch (RuntimeException | Error e) {
            if (session != null) {
                session.forget();
            }
            failure = e;
            end(FinishReason.CANCELLED);
            throw e;
        } finally {
            model.leave();
        }
    }

    /** Nobody works any more; what was stopped meanwhile is given back. */
    private void idle() {
        synchronized (this) {
            working = false;
            step = null;
        }
        model.admission().rests(this);
        if (finishReason != null || isStopped()) {
            release();
        }
    }

    private void stopNow() {
        synchronized (this) {
            end(stop == null ? FinishReason.CANCELLED : stop);
        }
    }

    private void goOn() {
        if (isStopped()) {
            throw new Stopped();
        }
    }

    private Piece first() {
        long start = System.nanoTime();
        model.listeners().tell(listener -> listener.started(number, Duration.ofNanos(start - created)));
        List<int[]> words = model.text(messages, wantsThinking);
        thinking = model.thinking(words);
        if (thinking != null) {
            sampler.mayThink(thinking.isInside(), Boolean.FALSE.equals(wantsThinking) ? null : model.thinkingToken());
        }
        messages = model.encodePictures(messages, words, this);
        Prompt prompt = model.prompt(messages, words, this);
        goOn();
        promptTokens = prompt.length();
        visualTokens = prompt.visualTokens();
        model.requireRoom(promptTokens - visualTokens, visualTokens);
        sampler.promptIs(promptTokens);
        sampler.see(model.idsSeen(prompt));
        force();
        if (labels != null) {
            model.requireRoom(promptTokens - visualTokens + labels.longest(), visualTokens);
        }
        long[] keys = prompt.keys();
        int needed = (int) Math.min(model.mostPositions(), (long) promptTokens + maxNewTokens);
        CachedSession taken = sessions.take(keys, needed);
        session = taken;
        taken.session.ownedBy(this);
        long prefillStart = System.nanoTime();
        cachedTokens = taken.rewind(keys);
        Positions positions = model.positions();
        if (positions != null) {
            taken.session.place(prompt.positions(cachedTokens, positions));
        }
        DecoderConfig decoder = model.decoder().config();
        if (decoder.opensPictures()) {
            taken.session.lookAhead(prompt.ahead(cachedTokens, decoder.opensPrompts()));
        }
        int[] marks = {prompt.behindPictures() - cachedTokens, promptTokens - WORDS_BEFORE_ANSWER - cachedTokens};
        int id = prefill(taken, prompt.embeddings(cachedTokens, model.decoder()), keys, cachedTokens, marks);
        prefillNanos = System.nanoTime() - prefillStart;
        ModelListener.Prompt told =
                new ModelListener.Prompt(promptTokens, visualTokens, cachedTokens, Duration.ofNanos(prefillNanos));
        model.listeners().tell(listener -> listener.prefilled(number, told));
        if (id == NOTHING) {
            end(FinishReason.STOP_TOKEN);
            return new Piece("", NOTHING, false);
        }
        Piece piece = accept(id);
        firstTokenNanos = System.nanoTime() - start;
        Duration time = Duration.ofNanos(firstTokenNanos);
        model.listeners().tell(listener -> listener.firstToken(number, time));
        return piece;
    }

    /**
     * Runs what the cache does not hold yet, chunk by chunk; what has run stays if it is stopped.
     *
     * @param keys of all positions
     * @param held how many of them the cache holds
     * @param marks where another question, and another turn, would go on from; counted from what runs
     * @return the token that follows
     */
    private int prefill(CachedSession taken, FloatTensor rest, long[] keys, int held, int... marks) {
        DecoderSession running = taken.session;
        int all = rest.size(0);
        int from = 0;
        while (true) {
            int end = running.cutsAnywhere() ? all : next(marks, from, all);
            int count = running.portion(end - from);
            if (count == all - from) {
                break;
            }
            goOn();
            running.fill(rest.rows(from, from + count));
            from += count;
            taken.holds(Arrays.copyOf(keys, held + from));
            if (from == end) {
                running.mark();
            }
        }
        goOn();
        FloatTensor last = rest.rows(from, all);
        if (labels != null) {
            FloatBuffer logits = running.prefill(last);
            taken.holds(keys);
            labels.run(running, logits, this::goOn);
            return NOTHING;
        }
        Integer next = forced.poll();
        if (next == null) {
            next = running.prefill(last, sampler);
        } else {
            running.prefill(last);
        }
        taken.holds(keys);
        return next;
    }

    private static int next(int[] marks, int from, int all) {
        return Arrays.stream(marks).filter(mark -> mark > from).min().orElse(all);
    }

    private Piece following() {
        long start = System.nanoTime();
        Integer next = forced.poll();
        Piece piece = accept(next != null ? next : read(Objects.requireNonNull(session)));
        decodeNanos += System.nanoTime() - start;
        return piece;
    }

    /** Has the decoder read the tokens that it has not seen, and returns the one that follows. */
    private int read(CachedSession running) {
        int[] unread = Arrays.copyOfRange(tokenIds, readTokens, newTokens);
        long[] keys = running.with(unread);
        readTokens = newTokens;
        if (unread.length > 1) {
            Prompt more = new Prompt();
            more.add(unread);
            return prefill(running, more.embeddings(0, model.decoder()), keys, keys.length - unread.length);
        }
        int id = running.session.step(unread[0], sampler);
        running.holds(keys);
        return id;
    }

    private void force() {
        for (int id : sampler.forced()) {
            forced.add(id);
        }
    }

    private Piece accept(int id) {
        if (newTokens == tokenIds.length) {
            tokenIds = Arrays.copyOf(tokenIds, 2 * newTokens);
            starts = Arrays.copyOf(starts, 2 * newTokens);
        }
        starts[newTokens] = text.length();
        tokenIds[newTokens++] = id;
        String piece;
        if (stopTokens.contains(id)) {
            piece = rest(FinishReason.STOP_TOKEN);
        } else {
            piece = said(decoder.next(id), false);
            if (stopStrings.found()) {
                end(FinishReason.STOP_STRING);
            } else if (forced.isEmpty() && sampler.isComplete()) {
                piece = withRest(piece, FinishReason.STOP_TOKEN);
            } else if (newTokens == maxNewTokens) {
                piece = withRest(piece, FinishReason.MAX_NEW_TOKENS);
            } else if (promptTokens + newTokens == model.mostPositions()) {
                piece = withRest(piece, FinishReason.CONTEXT_FULL);
            }
        }
        if (!thinks) {
            text.append(piece);
        }
        if (sampler.isFree() && (thinking == null || !thinking.isInside())) {
            sampler.answers();
        }
        if (finishReason == null && forced.isEmpty()) {
            force();
        }
        return new Piece(piece, id, thinks);
    }

    /** What is certain of the text, or of the thoughts before it; {@link #thinks} says which. */
    private String said(String more, boolean atTheEnd) {
        Thinking before = thinking;
        if (before == null) {
            return stopStrings.next(more);
        }
        String said = before.next(more);
        thinks = before.thinks();
        if (atTheEnd) {
            boolean thought = thinks;
            String rest = before.flush();
            thinks = rest.isEmpty() ? thought : before.thinks();
            said = thinks == thought ? said + rest : rest;
        }
        return thinks ? said : stopStrings.next(said);
    }

    /** A piece is of one kind: behind a thought that has ended, it is the text that begins. */
    private String withRest(String piece, FinishReason reason) {
        boolean thought = thinks;
        String rest = rest(reason);
        if (rest.isEmpty()) {
            thinks = thought;
        }
        return thinks == thought ? piece + rest : rest;
    }

    /** Ends the answer; returns the text that was held back. */
    private String rest(FinishReason reason) {
        String rest = said(decoder.flush(), true);
        end(stopStrings.found() ? FinishReason.STOP_STRING : reason);
        return rest + stopStrings.flush();
    }

    private void end(FinishReason reason) {
        finishReason = reason;
    }

    /** Gives everything back, unless a step runs, which does so at its end; the first call counts. */
    void release() {
        synchronized (this) {
            if (released || working) {
                return;
            }
            released = true;
        }
        if (finishReason == null) {
            stopNow();
        }
        boolean open = model.enter(); // closing waits; or it was closed, and what there is is closed here
        Answer said = null;
        try {
            said = failure == null ? snapshot() : null;
            if (session != null) {
                session.session.rests();
                if (said != null && open) {
                    turnEnds(session);
                }
            }
            sessions.giveBack(session, messages, said);
        } catch (RuntimeException e) {
            LOG.warn("The KV cache of an answer that has ended cannot be given back", e);
        } finally {
            model.ended(this);
            model.admission().leave(this);
            if (open) {
                model.leave();
            }
        }
        tellTheEnd(said);
    }

    /** What could not be marked goes back all the same. */
    private static void turnEnds(CachedSession session) {
        try {
            session.turnEnds();
        } catch (RuntimeException | Error e) {
            LOG.warn("The end of an answer cannot be marked, and the next does not go on from there", e);
            session.forget();
        }
    }

    private void tellTheEnd(@Nullable Answer said) {
        Throwable thrown = failure;
        if (said != null) {
            model.listeners()
                    .tell(listener -> listener.finished(number, said.finishReason(), said.usage(), said.timings()));
        } else if (thrown != null) {
            model.listeners().tell(listener -> listener.failed(number, thrown));
        }
    }

    private Answer snapshot() {
        return new Answer(
                thinking == null ? "" : thinking.thought(),
                text.toString(),
                Arrays.copyOf(tokenIds, newTokens),
                Objects.requireNonNull(finishReason),
                new Answer.Usage(promptTokens, visualTokens, cachedTokens, newTokens),
                new Answer.Timings(
                        Duration.ofNanos(encodeNanos),
                        Duration.ofNanos(adapterNanos),
                        Duration.ofNanos(prefillNanos),
                        Duration.ofNanos(firstTokenNanos),
                        Duration.ofNanos(decodeNanos)),
                probabilities(),
                model.name());
    }

    private List<Answer.TokenProbability> probabilities() {
        List<Sampler.Likelihood> likelihoods = sampler.likelihoods();
        List<Answer.TokenProbability> probabilities = new ArrayList<>();
        for (int i = 0; i < Math.min(newTokens, likelihoods.size()); i++) {
            Sampler.Likelihood likelihood = likelihoods.get(i);
            int start = Math.min(starts[i], text.length());
            List<Answer.TokenProbability> others = new ArrayList<>();
            for (int k = 0; k < likelihood.others().length; k++) {
                others.add(probability(likelihood.others()[k], start, likelihood.theirs()[k], Collections.emptyList()));
            }
            probabilities.add(
                    probability(tokenIds[i], start, likelihood.logProbability(), Collections.unmodifiableList(others)));
        }
        return probabilities;
    }

    private Answer.TokenProbability probability(
            int id, int start, double logProbability, List<Answer.TokenProbability> others) {
        String written = model.tokenizer().decode(new int[] {id}, false);
        return new Answer.TokenProbability(id, written, start, logProbability, others);
    }

    /** Reads and prepares a picture; being stopped interrupts that. */
    <T> T prepare(Supplier<T> picture) {
        synchronized (this) {
            goOn();
            preparing = Thread.currentThread();
        }
        try {
            return picture.get();
        } catch (RuntimeException e) {
            goOn(); // what an interrupt leads to is no failure
            throw e;
        } finally {
            synchronized (this) {
                preparing = null;
                Thread.interrupted();
            }
        }
    }

    /** Called between two tiles, and between other steps. */
    Runnable checkpoint() {
        return this::goOn;
    }

    /** Adds the time that a picture took. */
    void encoded(EncodedPicture picture, boolean before, long nanos) {
        encodeNanos += nanos;
        ModelListener.Encoding told = new ModelListener.Encoding(picture.tiles(), before, Duration.ofNanos(nanos));
        model.listeners().tell(listener -> listener.encoded(number, told));
    }

    /** Adds to the time that the adapter took. */
    void addAdapterTime(long nanos) {
        adapterNanos += nanos;
    }
}
