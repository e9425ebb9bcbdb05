package io.langbridge.runtime.core.model;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A KV cache that knows what it holds, so that the next prompt need only run where it differs. For one thread at a
 * time.
 */
final class CachedSession implements AutoCloseable {
    /** Capacities are multiples of this, so that a little longer prompt finds room. */
    private static final int GRANULARITY = 256;

    final SharedSession session;
    private long[] keys = new long[0];

    private CachedSession(SharedSession session) {
        this.session = session;
    }

    /**
     * Goes on in a cache where it is large enough, or in a larger one that takes over what it shares with the prompt,
     * or in an empty one.
     *
     * @param old a cache that is free, closed here if it is too small or this fails; or null
     * @param needed positions of prompt and answer
     * @param limit most positions a cache may have
     */
    static CachedSession prepare(
            @Nullable CachedSession old, long[] prompt, int needed, int limit, SharedDecoder decoder) {
        if (old != null && old.session.capacity() >= needed) {
            return old;
        }
        if (old == null) {
            return open(needed, limit, decoder);
        }
        try (CachedSession smaller = old) {
            int kept = smaller.rewind(prompt);
            if (kept > 0) {
                return open(needed, limit, decoder).goingOnFrom(smaller);
            }
        }
        return open(needed, limit, decoder);
    }

    private static CachedSession open(int needed, int limit, SharedDecoder decoder) {
        int rounded = (needed + GRANULARITY - 1) / GRANULARITY * GRANULARITY;
        return new CachedSession(decoder.open(Math.min(Math.max(rounded, needed), Math.max(limit, needed))));
    }

    private CachedSession goingOnFrom(CachedSession other) {
        try {
            session.takeOver(other.session, 0);
            keys = other.keys;
            return this;
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** How many positions it holds. */
    int length() {
        return keys.length;
    }

    /** How many positions of a prompt need not run. */
    int usable(long[] prompt) {
        return session.rewindable(Math.min(common(prompt), prompt.length - 1));
    }

    /** How many positions at the start of a prompt are held already. */
    private int common(long[] prompt) {
        int n = Math.min(keys.length, prompt.length);
        int i = 0;
        while (i < n && keys[i] == prompt[i]) {
            i++;
        }
        return i;
    }

    /**
     * Goes back to what it has in common with a prompt, or further if the session cannot stop there. The last position
     * of the prompt always runs again, for its logits.
     *
     * @return positions kept
     */
    int rewind(long[] prompt) {
        int kept = session.rewind(Math.min(common(prompt), prompt.length - 1));
        keys = Arrays.copyOf(keys, kept);
        return kept;
    }

    /** Notes that the cache now holds these positions. */
    void holds(long[] prompt) {
        keys = prompt;
    }

    /** What it would hold if these tokens followed. */
    long[] with(int... tokenIds) {
        long[] longer = Arrays.copyOf(keys, keys.length + tokenIds.length);
        for (int i = 0; i < tokenIds.length; i++) {
            longer[keys.length + i] = tokenIds[i];
        }
        return longer;
    }

    /** Notes that a turn is over: the next may go on from here. */
    void turnEnds() {
        if (keys.length > 0) {
            session.mark();
        }
    }

    /** Empties the cache's record after a failure, when its content is not known. */
    void forget() {
        keys = new long[0];
    }

    @Override
    public void close() {
        session.close();
    }
}
