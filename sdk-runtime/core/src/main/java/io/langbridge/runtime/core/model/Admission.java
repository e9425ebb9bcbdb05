package io.langbridge.runtime.core.model;

import io.langbridge.BusyException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets so many work at a time, the others in the order in which they came. A place is kept until it is given back;
 * where places are lent, one that rests for long while others wait gives way to the first of them, and waits before all
 * others when it comes back. Thread-safe.
 */
final class Admission {
    private static final int QUEUED_PER_RUNNING = 64;
    /** Who does nothing for so long gives way where places are lent: far longer than a reader takes for a piece. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final int most;
    private final int mostWaiting;
    /** How long a place may rest while others wait; null if that may be for ever. */
    private final @Nullable Long patience;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Guest, Place> inside = new HashMap<>();
    private final Deque<Turn> waiting = new ArrayDeque<>();
    /** Who gave way, and has not come back. */
    private final Set<Guest> gaveWay = new HashSet<>();

    /** Who wants a place. */
    interface Guest {
        /** Whether it is to end, so that it needs none. */
        boolean isStopped();

        /** How long it may still take. */
        long remainingNanos();

        /** Called where its thread is interrupted while it waits. */
        void cancel();

        /** Has it end, and give its place back, if its time is over though nobody works for it. */
        void endIfIdle();
    }

    private static final class Place {
        boolean rests;
        long since;
    }

    private static final class Turn {
        final Guest guest;
        final Condition changed;
        boolean come;

        Turn(Guest guest, Condition changed) {
            this.guest = guest;
            this.changed = changed;
        }
    }

    /**
     * Sets the limits.
     *
     * @param most at a time
     * @param mostWaiting one more is refused
     * @param patience nanoseconds that a place may rest while others wait; null for any time
     */
    Admission(int most, int mostWaiting, @Nullable Long patience) {
        this.most = most;
        this.mostWaiting = mostWaiting;
        this.patience = patience;
    }

    /**
     * For the requests to a model. As many are inside as may step together: more would take rows from each other. What
     * is allowed beyond that waits, and is not refused; as applications may read such streams in any order, places are
     * lent then.
     *
     * @param rows that step together
     * @param concurrent requests that are answered at a time, or null for no limit
     * @param queued requests that may wait for them, or null for the default
     */
    static Admission of(int rows, @Nullable Integer concurrent, @Nullable Integer queued) {
        if (concurrent == null) {
            return new Admission(rows, Integer.MAX_VALUE, PATIENCE_NANOS);
        }
        long waiting = queued == null ? (long) QUEUED_PER_RUNNING * concurrent : queued;
        long beyond = Math.max(0, concurrent - rows);
        return new Admission(
                Math.min(rows, concurrent),
                (int) Math.min(Integer.MAX_VALUE, waiting + beyond),
                beyond > 0 ? PATIENCE_NANOS : null);
    }

    /**
     * Waits for a place, unless it has one. Comes back without one if it is stopped meanwhile, which {@link #wake}
     * tells; every call is followed by {@link #leave}, and by {@link #rests} where it does nothing before the next.
     *
     * @throws BusyException if too many wait
     */
    void enter(Guest guest) {
        lock.lock();
        try {
            Place place = inside.get(guest);
            if (place != null) {
                place.rests = false;
                return;
            }
            if (guest.isStopped()) {
                return;
            }
            if (!isFree()) {
                endExpired();
            }
            boolean returns = gaveWay.remove(guest);
            if (isFree()) {
                inside.put(guest, new Place());
                return;
            }
            if (!returns && waiting.size() >= mostWaiting) {
                throw new BusyException(inside.size(), waiting.size());
            }
            Turn turn = new Turn(guest, lock.newCondition());
            if (returns) {
                waiting.addFirst(turn);
            } else {
                waiting.addLast(turn);
            }
            await(turn);
        } finally {
            lock.unlock();
        }
    }

    private boolean isFree() {
        return inside.size() < most && waiting.isEmpty();
    }

    /** With the lock held, which it gives back while it waits. */
    private void await(Turn turn) {
        boolean interrupted = false;
        try {
            while (true) {
                endExpired();
                long nanos = waiting.peek() == turn ? lend() : Long.MAX_VALUE;
                if (turn.come || turn.guest.isStopped()) {
                    return;
                }
                nanos = Math.min(nanos, turn.guest.remainingNanos());
                for (Guest other : inside.keySet()) {
                    long left = other.remainingNanos();
                    // One that is expired and works ends by itself.
                    nanos = left > 0 ? Math.min(nanos, left) : nanos;
                }
                try {
                    turn.changed.await(nanos, TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                    turn.guest.cancel();
                }
            }
        } finally {
            if (waiting.remove(turn)) {
                wakeFirst();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Gives the place that has rested longest to the first who waits; returns how long there is none that may be. */
    private long lend() {
        if (patience == null) {
            return Long.MAX_VALUE;
        }
        long now = System.nanoTime();
        Guest idlest = null;
        long longest = -1;
        for (Map.Entry<Guest, Place> other : inside.entrySet()) {
            Place place = other.getValue();
            if (place.rests && now - place.since > longest) {
                idlest = other.getKey();
                longest = now - place.since;
            }
        }
        if (idlest == null || longest < patience) {
            return idlest == null ? Long.MAX_VALUE : patience - longest;
        }
        inside.remove(idlest);
        gaveWay.add(idlest);
        admit();
        return Long.MAX_VALUE;
    }

    /** Makes room where the time is over though nobody reads; outside the lock, which is held. */
    private void endExpired() {
        List<Guest> expired = new ArrayList<>();
        for (Guest guest : inside.keySet()) {
            if (guest.remainingNanos() <= 0) {
                expired.add(guest);
            }
        }
        if (!expired.isEmpty()) {
            lock.unlock();
            try {
                expired.forEach(Guest::endIfIdle);
            } finally {
                lock.lock();
            }
        }
    }

    /** Says that nothing is done at its place until it {@link #enter enters} again. */
    void rests(Guest guest) {
        if (patience == null) {
            return;
        }
        lock.lock();
        try {
            Place place = inside.get(guest);
            if (place != null) {
                place.rests = true;
                place.since = System.nanoTime();
                wakeFirst();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Gives a place back, if there was one. */
    void leave(Guest guest) {
        lock.lock();
        try {
            gaveWay.remove(guest);
            inside.remove(guest);
            admit();
        } finally {
            lock.unlock();
        }
    }

    private void admit() {
        while (inside.size() < most && !waiting.isEmpty()) {
            Turn next = waiting.remove();
            next.come = true;
            inside.put(next.guest, new Place());
            next.changed.signal();
        }
        wakeFirst();
    }

    /** It alone waits for places that rest. */
    private void wakeFirst() {
        if (patience != null && !waiting.isEmpty()) {
            Objects.requireNonNull(waiting.peek()).changed.signal();
        }
    }

    /** Has one that waits see that it is stopped. */
    void wake(Guest guest) {
        lock.lock();
        try {
            for (Turn turn : waiting) {
                if (turn.guest == guest) {
                    turn.changed.signal();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Has all that wait see whether they are stopped. */
    void wakeAll() {
        lock.lock();
        try {
            waiting.forEach(turn -> turn.changed.signal());
        } finally {
            lock.unlock();
        }
    }

    /** How many wait. */
    int waiting() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }
}
