package io.langbridge.runtime.core.model;

import io.langbridge.BusyException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Lets so many work at a time, the others in the order in which they came. A place is kept until it is given back;
 * where places are lent, one that rests for long while others wait gives way to the first of them. Those who come back
 * wait in order too, and have every other place that becomes free. Thread-safe.
 */
final class Admission {
    private static final int QUEUED_PER_RUNNING = 64;
    /** Who does nothing for so long gives way where places are lent: far longer than a reader takes for a piece. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** One who gave way before gives way so many times sooner: it holds up others at each piece. */
    private static final int SOONER = 10;

    private final int most;
    private final int mostBegun;
    private final int mostWaiting;
    /** How long a place may rest while others wait; null if that may be for ever. */
    private final @Nullable Long patience;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Guest, Place> inside = new HashMap<>();
    /** Who has not been inside. */
    private final Deque<Turn> waiting = new ArrayDeque<>();
    /** Who gave way, and has not come back. */
    private final Set<Guest> gaveWay = new HashSet<>();
    /** Who gave way, and wants to go on. */
    private final Deque<Turn> returning = new ArrayDeque<>();
    /** Whether the next place is for one of them. */
    private boolean returnersTurn = true;

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
        /** Whether its owner gave way before. */
        final boolean again;

        boolean rests;
        long since;

        Place(boolean again) {
            this.again = again;
        }
    }

    private static final class Turn {
        final Guest guest;
        final Condition changed;
        final boolean returns;
        boolean come;

        Turn(Guest guest, Condition changed, boolean returns) {
            this.guest = guest;
            this.changed = changed;
            this.returns = returns;
        }
    }

    /**
     * Sets the limits.
     *
     * @param most at a time
     * @param mostBegun those who gave way included: they hold memory
     * @param mostWaiting of those who gave way and those who have not begun; one more is refused
     * @param patience nanoseconds that a place may rest while others wait; null for any time
     */
    Admission(int most, int mostBegun, int mostWaiting, @Nullable Long patience) {
        this.most = most;
        this.mostBegun = mostBegun;
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
            return new Admission(rows, Integer.MAX_VALUE, Integer.MAX_VALUE, PATIENCE_NANOS);
        }
        long waiting = queued == null ? (long) QUEUED_PER_RUNNING * concurrent : queued;
        long beyond = Math.max(0, concurrent - rows);
        return new Admission(
                Math.min(rows, concurrent),
                concurrent,
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
                inside.put(guest, new Place(returns));
                return;
            }
            if (!returns && begun() - inside.size() + waiting.size() >= mostWaiting) {
                throw new BusyException(begun(), waiting.size());
            }
            Turn turn = new Turn(guest, lock.newCondition(), returns);
            queueOf(turn).addLast(turn);
            await(turn);
        } finally {
            lock.unlock();
        }
    }

    private boolean isFree() {
        return inside.size() < most && waiting.isEmpty() && returning.isEmpty();
    }

    private int begun() {
        return inside.size() + gaveWay.size() + returning.size();
    }

    private Deque<Turn> queueOf(Turn turn) {
        return turn.returns ? returning : waiting;
    }

    /** Whose turn it is; null if nobody waits. It alone sees to it that places become free. */
    private @Nullable Turn first() {
        if (waiting.isEmpty() || returning.isEmpty()) {
            return waiting.isEmpty() ? returning.peek() : waiting.peek();
        }
        return returnersTurn || begun() >= mostBegun ? returning.peek() : waiting.peek();
    }

    /** With the lock held, which it gives back while it waits. */
    private void await(Turn turn) {
        boolean interrupted = false;
        try {
            while (true) {
                endExpired();
                if (turn.come || turn.guest.isStopped()) {
                    return;
                }
                long nanos = turn.guest.remainingNanos();
                if (first() == turn) {
                    nanos = Math.min(nanos, Math.min(lend(turn), untilOneExpires()));
                }
                if (turn.come) {
                    return;
                }
                try {
                    turn.changed.await(nanos, TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                    unlocked(turn.guest::cancel);
                }
            }
        } finally {
            if (queueOf(turn).remove(turn)) {
                wakeFirst();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** With the lock held, but not while this runs. */
    private void unlocked(Runnable work) {
        lock.unlock();
        try {
            work.run();
        } finally {
            lock.lock();
        }
    }

    /** Gives the place that has rested longest to the first who waits; returns how long there is none that may be. */
    private long lend(Turn first) {
        if (patience == null || !first.returns && begun() >= mostBegun) {
            return Long.MAX_VALUE;
        }
        long now = System.nanoTime();
        Guest idlest = null;
        long least = Long.MAX_VALUE;
        for (Map.Entry<Guest, Place> other : inside.entrySet()) {
            Place place = other.getValue();
            long left = (place.again ? patience / SOONER : patience) - (now - place.since);
            if (place.rests && left < least) {
                idlest = other.getKey();
                least = left;
            }
        }
        if (idlest == null || least > 0) {
            return least;
        }
        inside.remove(idlest);
        gaveWay.add(idlest);
        admit();
        return Long.MAX_VALUE;
    }

    /** Those who have begun and may have nobody who works for them. */
    private List<Guest> held() {
        List<Guest> held = new ArrayList<>(inside.keySet());
        held.addAll(gaveWay);
        return held;
    }

    private long untilOneExpires() {
        long nanos = Long.MAX_VALUE;
        for (Guest guest : held()) {
            long left = guest.remainingNanos();
            // One that is expired and works ends by itself.
            nanos = left > 0 ? Math.min(nanos, left) : nanos;
        }
        return nanos;
    }

    /** Makes room where the time is over though nobody reads; outside the lock, which is held. */
    private void endExpired() {
        List<Guest> expired = new ArrayList<>();
        for (Guest guest : held()) {
            if (guest.remainingNanos() <= 0) {
                expired.add(guest);
            }
        }
        if (!expired.isEmpty()) {
            unlocked(() -> expired.forEach(Guest::endIfIdle));
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
        Turn next = first();
        while (inside.size() < most && next != null) {
            queueOf(next).remove();
            returnersTurn = !next.returns;
            next.come = true;
            inside.put(next.guest, new Place(next.returns));
            next.changed.signal();
            next = first();
        }
        wakeFirst();
    }

    /** Has it see who has a place now, and how long. */
    private void wakeFirst() {
        Turn first = first();
        if (first != null) {
            first.changed.signal();
        }
    }

    /** Has one that waits see that it is stopped. */
    void wake(Guest guest) {
        lock.lock();
        try {
            for (Turn turn : turns()) {
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
            turns().forEach(turn -> turn.changed.signal());
        } finally {
            lock.unlock();
        }
    }

    private List<Turn> turns() {
        List<Turn> turns = new ArrayList<>(returning);
        turns.addAll(waiting);
        return turns;
    }

    /** How many wait. */
    int waiting() {
        lock.lock();
        try {
            return turns().size();
        } finally {
            lock.unlock();
        }
    }
}
