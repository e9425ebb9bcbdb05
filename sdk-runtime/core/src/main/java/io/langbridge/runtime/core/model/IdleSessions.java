package io.langbridge.runtime.core.model;

import io.langbridge.Answer;
import io.langbridge.InsufficientMemoryException;
import io.langbridge.Message;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.IntToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps KV caches between two uses: of the model those of its last requests, so that another question about the same
 * picture runs only what is new, and of a chat its own. A request takes the one that shares most with its prompt,
 * unless it would waste more of it than it saves and there is room for another. What was used longest ago goes first.
 * Requests that run side by side open their own. Thread-safe.
 */
final class IdleSessions implements Generation.SessionSource {
    private static final Logger LOG = LoggerFactory.getLogger(IdleSessions.class);

    private final SharedDecoder decoder;
    private final int limit;
    private final int most;
    private final long budget;
    private final IntToLongFunction bytes;
    /** The one used longest ago is first. */
    private final Deque<CachedSession> idle = new ArrayDeque<>();

    /** Those that were taken and not given back, and what they have. */
    private int taken;

    private long bytesTaken;
    private boolean closed;

    /**
     * Without any as yet.
     *
     * @param limit most positions that one may have
     * @param most that are kept
     * @param budget bytes that they may have, together with those that are taken
     * @param bytes that one of so many positions has; some of them it has for any number
     */
    IdleSessions(SharedDecoder decoder, int limit, int most, long budget, IntToLongFunction bytes) {
        this.decoder = decoder;
        this.limit = limit;
        this.most = most;
        this.budget = budget;
        this.bytes = bytes;
    }

    @Override
    public CachedSession take(long[] prompt, int needed) {
        CachedSession old;
        List<CachedSession> surplus;
        synchronized (this) {
            idle.removeIf(session -> !session.session.isOpen()); // it could not be moved from a row
            old = choose(prompt, needed);
            if (old != null) {
                idle.remove(old);
            }
            surplus = beyond(most, budget - bytes.applyAsLong(needed), 0);
        }
        surplus.forEach(CachedSession::close);
        CachedSession session = prepare(old, prompt, needed);
        synchronized (this) {
            taken++;
            bytesTaken += bytes(session);
        }
        return session;
    }

    private CachedSession prepare(@Nullable CachedSession old, long[] prompt, int needed) {
        try {
            return CachedSession.prepare(old, prompt, needed, limit, decoder);
        } catch (InsufficientMemoryException | OutOfMemoryError e) {
            LOG.debug("No memory for {} positions beside what they would go on from", needed, e);
            return CachedSession.prepare(null, prompt, needed, limit, decoder);
        }
    }

    private long bytes(CachedSession session) {
        return bytes.applyAsLong(session.session.capacity());
    }

    /** Which one to go on from, or to use anew; null to open another. */
    private @Nullable CachedSession choose(long[] prompt, int needed) {
        CachedSession best = null;
        int shared = -1;
        for (CachedSession session : idle) {
            int common = session.usable(prompt);
            if (common >= shared) { // of equal ones the last used
                best = session;
                shared = common;
            }
        }
        if (best == null) {
            return null;
        }
        boolean room = idle.size() + taken < most && bytes() + bytes.applyAsLong(needed) <= budget;
        // A short prompt may share most of itself with a long one, and leave little of that.
        if (2 * shared >= Math.min(prompt.length, best.length()) && (!room || 4 * shared >= best.length())) {
            return best;
        }
        return room ? null : idle.peekFirst();
    }

    private long bytes() {
        long all = bytesTaken;
        for (CachedSession session : idle) {
            all += bytes(session);
        }
        return all;
    }

    /** Takes out what is not to be kept; at least so many are, whatever those have that are taken. */
    private List<CachedSession> beyond(int count, long memory, int least) {
        List<CachedSession> surplus = new ArrayList<>();
        long all = bytes();
        while (idle.size() > count || all > memory && idle.size() > least) {
            CachedSession oldest = idle.removeFirst();
            all -= bytes(oldest);
            surplus.add(oldest);
        }
        return surplus;
    }

    @Override
    public void giveBack(@Nullable CachedSession session, List<Message> messages, @Nullable Answer answer) {
        if (session != null) {
            giveBack(session);
        }
    }

    void giveBack(CachedSession session) {
        List<CachedSession> surplus;
        boolean usable = session.session.isOpen();
        synchronized (this) {
            taken--;
            bytesTaken -= bytes(session);
            if (!usable) {
                return;
            }
            if (session.length() > 0) {
                idle.addLast(session);
            } else {
                idle.addFirst(session); // what it held is not known
            }
            int count = closed ? 0 : most;
            surplus = beyond(count, budget, Math.min(1, count));
        }
        surplus.forEach(CachedSession::close);
    }

    /** Frees all that is kept now. */
    void clear() {
        List<CachedSession> all;
        synchronized (this) {
            all = beyond(0, 0, 0);
        }
        all.forEach(CachedSession::close);
    }

    /** Frees the caches, and from now on what is given back. */
    void close() {
        synchronized (this) {
            closed = true;
        }
        clear();
    }
}
