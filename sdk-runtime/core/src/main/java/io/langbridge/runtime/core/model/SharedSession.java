package io.langbridge.runtime.core.model;

import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A sequence of one request or chat whose steps are computed together with those of others, see {@link SharedDecoder}.
 * For one thread at a time; that thread may wait in a step while another one moves the sequence between its own cache
 * and a row beside others. The methods are synchronized because a sequence is also moved away from a row that it does
 * not use any more, which its owner need not notice.
 */
public final class SharedSession implements DecoderSession {
    /** Where its next token is; guarded by the decoder's lock. */
    enum State {
        /** It is not decoding, or has not come back in time. */
        OUT,
        /** Its token waits for a step. */
        WAITS,
        /** A step runs. */
        RUNS,
        /** Logits are read. */
        CHOOSES,
        /** The owner has the next token, and will come back with it. */
        AWAY
    }

    private static final Logger LOG = LoggerFactory.getLogger(SharedSession.class);

    private final SharedDecoder decoder;
    private final DecoderSession own;
    /** {@link #own}, or a row beside others. */
    private DecoderSession home;
    /** Positions that {@link #own} holds of what is in a row. */
    private int known;

    private @Nullable Generation owner;
    private boolean closed;

    State state = State.OUT;
    private int token;
    private @Nullable Sampler sampler;
    /** What a step gave: an id, logits or a failure. */
    private int chosen;

    private @Nullable FloatBuffer logits;
    private @Nullable Throwable failure;

    SharedSession(SharedDecoder decoder, DecoderSession own) {
        this.decoder = decoder;
        this.own = own;
        home = own;
    }

    /** Says for whom it runs, who may be stopped while it waits for its turn. */
    void ownedBy(Generation generation) {
        owner = generation;
    }

    /** Which of those that wait for their turn comes first. */
    long number() {
        return owner == null ? 0 : owner.number();
    }

    /** Ends a wait where the answer was stopped: by an exception. */
    void goOn() {
        if (owner != null) {
            owner.checkpoint().run();
        }
    }

    long remainingNanos() {
        return owner == null ? Long.MAX_VALUE : owner.remainingNanos();
    }

    /** The token of its next step. */
    int token() {
        return token;
    }

    /** Goes on in a row, or in another one. */
    synchronized void moveTo(DecoderSession row) {
        row.takeOver(home, 0);
        if (home == own) {
            known = own.length();
        }
        home = row;
    }

    /** Goes on in its own cache. */
    synchronized void moveBack() {
        DecoderSession row = home;
        home = own;
        if (!closed) {
            try {
                own.takeOver(row, known);
            } catch (IllegalStateException e) {
                // A run of the row failed, and its owner begins anew.
                LOG.debug("What a failed run left is not copied", e);
            } catch (RuntimeException | Error e) {
                LOG.warn("A sequence cannot go on from the row that it had beside others", e);
                closed = true;
                own.close(); // so that its owner is told, and does not go on from less than it had
            }
        }
    }

    /** Notes what is to be appended next. */
    void offer(int tokenId, Sampler chooser) {
        token = tokenId;
        sampler = chooser;
        logits = null;
        failure = null;
    }

    /** Steps without others, and chooses. */
    void stepAlone() {
        try {
            chosen = home.step(token, Objects.requireNonNull(sampler));
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        sampler = null;
    }

    /** Steps without others, and leaves the choice to its owner. */
    void stepBeside() {
        try {
            logits = home.step(token);
        } catch (RuntimeException | Error e) {
            failure = e;
        }
    }

    /** Has stepped with others. */
    void stepped(FloatTensor row) {
        logits = row.data();
    }

    /**
     * Steps without others after a step with them failed: nothing was appended to any, and maybe one of them alone is
     * to blame. What cannot be cut may be lost in that, and then that is the failure.
     */
    void stepAgain(Throwable together) {
        stepBeside();
        if (failure != null && !cutsAnywhere()) {
            failure = together;
        }
    }

    /** The next token; chooses it, if that has not been done. */
    int choose() {
        if (failure instanceof RuntimeException e) {
            throw e;
        }
        if (failure instanceof Error e) {
            throw e;
        }
        Sampler chooser = sampler;
        if (chooser == null) {
            return chosen;
        }
        sampler = null;
        return chooser.next(Objects.requireNonNull(logits));
    }

    /** Whether it can go on: not if it was closed, or could not be moved. */
    synchronized boolean isOpen() {
        return !closed;
    }

    @Override
    public synchronized int length() {
        return home.length();
    }

    @Override
    public int capacity() {
        return own.capacity();
    }

    @Override
    public synchronized void place(int[][] positions) {
        home.place(positions);
    }

    @Override
    public synchronized void lookAhead(int... ahead) {
        home.lookAhead(ahead);
    }

    @Override
    public synchronized int portion(int tokens) {
        return home.portion(tokens);
    }

    @Override
    public int chunk() {
        return own.chunk();
    }

    @Override
    public boolean cutsAnywhere() {
        return own.cutsAnywhere();
    }

    @Override
    public synchronized void mark() {
        home.mark();
    }

    @Override
    public synchronized int rewind(int length) {
        int left = home.rewind(length);
        known = Math.min(known, left);
        return left;
    }

    @Override
    public synchronized int rewindable(int length) {
        return home.rewindable(length);
    }

    /** Goes on in the place of another one of the same decoder, which is to be closed; for whom nothing runs. */
    @Override
    public void takeOver(DecoderSession other, int unused) {
        SharedSession from = (SharedSession) other;
        synchronized (from) {
            synchronized (this) {
                own.takeOver(from.home, 0);
            }
        }
    }

    @Override
    public FloatBuffer prefill(FloatTensor inputsEmbeds) {
        return decoder.inTurn(this, () -> {
            synchronized (this) {
                return home.prefill(inputsEmbeds);
            }
        });
    }

    @Override
    public int prefill(FloatTensor inputsEmbeds, Sampler chooser) {
        return decoder.inTurn(this, () -> {
            synchronized (this) {
                return home.prefill(inputsEmbeds, chooser);
            }
        });
    }

    @Override
    public void fill(FloatTensor inputsEmbeds) {
        int unused = decoder.inTurn(this, () -> {
            synchronized (this) {
                home.fill(inputsEmbeds);
                return inputsEmbeds.size(0);
            }
        });
    }

    @Override
    public FloatBuffer step(int tokenId) {
        return decoder.inTurn(this, () -> {
            synchronized (this) {
                return home.step(tokenId);
            }
        });
    }

    @Override
    public int step(int tokenId, Sampler chooser) {
        return decoder.step(this, tokenId, chooser);
    }

    /** Says that no step will follow soon, so that nobody waits for it. */
    void rests() {
        decoder.rests(this);
        owner = null;
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            own.close();
        }
        decoder.rests(this);
    }
}
