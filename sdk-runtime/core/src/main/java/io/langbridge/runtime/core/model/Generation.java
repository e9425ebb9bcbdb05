package io.langbridge.runtime.core.model;

import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.FinishReason;
import io.langbridge.Message;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.text.StreamingDecoder;
import java.time.Duration;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One answer in the making: prefill, then token after token. Work happens in {@link #advance()}, under the model's
 * lock, so that closing the model waits for the step that runs and no longer.
 */
final class Generation implements AnswerStream {
    private final LoadedModel model;
    private List<Message> messages;
    private final SessionSource sessions;
    private final Sampler sampler;
    private final Set<Integer> stopTokens;
    private final int maxNewTokens;
    private final StopStrings stopStrings;
    private final StreamingDecoder decoder;
    private final StringBuilder text = new StringBuilder();
    private final Iterator<Piece> pieces = new Pieces();

    private int[] tokenIds = new int[16];
    private int newTokens;
    private @Nullable CachedSession session;
    private int promptTokens;
    private int visualTokens;
    private int cachedTokens;
    private int lastToken;
    private long encodeNanos;
    private long adapterNanos;
    private long prefillNanos;
    private long firstTokenNanos;
    private long decodeNanos;
    private @Nullable FinishReason finishReason;
    private boolean failed;
    private boolean released;
    private boolean working;
    private volatile boolean cancelled;

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
            List<String> stopStrings) {
        this.model = model;
        this.messages = messages;
        this.sessions = sessions;
        this.sampler = sampler;
        this.stopTokens = stopTokens;
        this.maxNewTokens = maxNewTokens;
        this.stopStrings = new StopStrings(stopStrings);
        this.decoder = model.tokenizer().newStreamingDecoder();
    }

    @Override
    public Iterator<Piece> iterator() {
        return pieces;
    }

    @Override
    public void cancel() {
        cancelled = true;
    }

    @Override
    public boolean isCancelled() {
        return cancelled;
    }

    @Override
    public Answer answer() {
        while (pieces.hasNext()) {
            pieces.next();
        }
        return snapshot();
    }

    @Override
    public void close() {
        cancelled = cancelled || finishReason == null;
        synchronized (this) {
            if (working) {
                return; // the thread that works uses the KV cache, and gives it back when the step is done
            }
        }
        release();
    }

    /** The next piece, or null at the end. */
    private @Nullable Piece advance() {
        if (finishReason != null) {
            return null;
        }
        if (cancelled || !model.enter()) {
            finish(FinishReason.CANCELLED);
            release();
            return null;
        }
        if (!begin()) {
            model.leave();
            finish(FinishReason.CANCELLED);
            return null;
        }
        try {
            return session == null ? first() : following();
        } catch (RuntimeException | Error e) {
            if (session != null) {
                session.forget();
            }
            failed = true;
            finish(FinishReason.CANCELLED);
            throw e;
        } finally {
            model.leave();
            synchronized (this) {
                working = false;
            }
            if (finishReason != null || cancelled) {
                release();
            }
        }
    }

    /** False if it was closed in the meantime. */
    private synchronized boolean begin() {
        working = !released;
        return working;
    }

    private @Nullable Piece first() {
        long start = System.nanoTime();
        List<int[]> words = model.text(messages);
        messages = model.encodePictures(messages, words, this);
        Prompt prompt = model.prompt(messages, words, this);
        if (cancelled) {
            finish(FinishReason.CANCELLED);
            return null;
        }
        promptTokens = prompt.length();
        visualTokens = prompt.visualTokens();
        model.requireRoom(promptTokens - visualTokens, visualTokens);
        sampler.promptIs(promptTokens);
        sampler.see(model.idsSeen(prompt));
        long[] keys = prompt.keys();
        int needed = (int) Math.min(model.contextLength(), (long) promptTokens + maxNewTokens);
        CachedSession taken = sessions.take(keys, needed);
        session = taken;
        long prefillStart = System.nanoTime();
        cachedTokens = taken.rewind(keys);
        FloatTensor rest = prompt.embeddings(cachedTokens, model.decoder());
        int id = taken.session.prefill(rest, sampler);
        taken.holds(keys);
        prefillNanos = System.nanoTime() - prefillStart;
        Piece piece = accept(id);
        firstTokenNanos = System.nanoTime() - start;
        return piece;
    }

    private @Nullable Piece following() {
        CachedSession running = Objects.requireNonNull(session);
        long start = System.nanoTime();
        int id = running.session.step(lastToken, sampler);
        running.holdsAlso(lastToken);
        Piece piece = accept(id);
        decodeNanos += System.nanoTime() - start;
        return piece;
    }

    private Piece accept(int id) {
        if (newTokens == tokenIds.length) {
            tokenIds = Arrays.copyOf(tokenIds, 2 * newTokens);
        }
        tokenIds[newTokens++] = id;
        lastToken = id;
        String piece;
        if (stopTokens.contains(id)) {
            piece = end(FinishReason.STOP_TOKEN);
        } else {
            piece = stopStrings.next(decoder.next(id));
            if (stopStrings.found()) {
                finish(FinishReason.STOP_STRING);
            } else if (newTokens == maxNewTokens) {
                piece += end(FinishReason.MAX_NEW_TOKENS);
            } else if (promptTokens + newTokens == model.contextLength()) {
                piece += end(FinishReason.CONTEXT_FULL);
            }
        }
        text.append(piece);
        return new Piece(piece, id);
    }

    /** Ends the answer; returns the text that was held back. */
    private String end(FinishReason reason) {
        String rest = stopStrings.next(decoder.flush());
        finish(stopStrings.found() ? FinishReason.STOP_STRING : reason);
        return rest + stopStrings.flush();
    }

    private void finish(FinishReason reason) {
        finishReason = reason;
    }

    /** Gives the KV cache back; the first call counts. The model calls it when it closes. */
    synchronized void release() {
        if (!released) {
            released = true;
            model.ended(this);
            sessions.giveBack(session, messages, failed ? null : snapshot());
        }
    }

    private Answer snapshot() {
        return new Answer(
                text.toString(),
                Arrays.copyOf(tokenIds, newTokens),
                finishReason == null ? FinishReason.CANCELLED : finishReason,
                new Answer.Usage(promptTokens, visualTokens, cachedTokens, newTokens),
                new Answer.Timings(
                        Duration.ofNanos(encodeNanos),
                        Duration.ofNanos(adapterNanos),
                        Duration.ofNanos(prefillNanos),
                        Duration.ofNanos(firstTokenNanos),
                        Duration.ofNanos(decodeNanos)));
    }

    /** Adds to the time that the encoder took. */
    void addEncodeTime(long nanos) {
        encodeNanos += nanos;
    }

    /** Adds to the time that the adapter took. */
    void addAdapterTime(long nanos) {
        adapterNanos += nanos;
    }

    private final class Pieces implements Iterator<Piece> {
        private @Nullable Piece next;

        @Override
        public boolean hasNext() {
            if (next == null) {
                next = advance();
            }
            return next != null;
        }

        @Override
        public Piece next() {
            if (!hasNext()) {
                throw new NoSuchElementException("The answer has ended: " + finishReason);
            }
            Piece piece = Objects.requireNonNull(next);
            next = null;
            return piece;
        }
    }
}
