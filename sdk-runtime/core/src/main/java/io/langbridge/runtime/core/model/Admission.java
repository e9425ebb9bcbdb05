package io.langbridge.runtime.core.model;

import io.langbridge.BusyException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Lets so many answers run at a time, the others in the order in which they came. Thread-safe. */
final class Admission {
    private static final int QUEUED_PER_RUNNING = 64;

    private final int most;
    private final int mostWaiting;
    private final ReentrantLock lock = new ReentrantLock();
    private final Set<Generation> inside = new HashSet<>();
    private final Deque<Turn> waiting = new ArrayDeque<>();

    /**
     * Sets the limits.
     *
     * @param most answers at a time, or null for no limit
     * @param mostWaiting null for the default
     */
    Admission(@Nullable Integer most, @Nullable Integer mostWaiting) {
        this.most = most == null ? Integer.MAX_VALUE : most;
        long queued = mostWaiting == null ? (long) QUEUED_PER_RUNNING * this.most : mostWaiting;
        this.mostWaiting = (int) Math.min(Integer.MAX_VALUE, queued);
    }

    private static final class Turn {
        final Generation generation;
        final Condition changed;
        boolean come;

        Turn(Generation generation, Condition changed) {
            this.generation = generation;
            this.changed = changed;
        }
    }

    /**
     * Waits for a place. Comes back without one if the answer is stopped meanwhile, which {@link #wake} tells; every
     * call is followed by {@link #leave}.
     *
     * @throws BusyException if too many wait
     */
    void enter(Generation generation) {
        lock.lock();
        try {
            if (generation.isStopped()) {
                return;
            }
            if (!isFree()) {
                endExpired();
            }
            if (isFree()) {
                inside.add(generation);
                return;
            }
            if (waiting.size() >= mostWaiting) {
                throw new BusyException(inside.size(), waiting.size());
            }
            Turn turn = new Turn(generation, lock.newCondition());
            waiting.add(turn);
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
                if (turn.come || turn.generation.isStopped()) {
                    return;
                }
                long nanos = turn.generation.remainingNanos();
                for (Generation other : inside) {
                    long left = other.remainingNanos();
                    // One that is expired and works ends by itself.
                    nanos = left > 0 ? Math.min(nanos, left) : nanos;
                }
                try {
                    turn.changed.await(nanos, TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true;
                    turn.generation.cancel();
                }
            }
        } finally {
            waiting.remove(turn);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Makes room where the time is over though nobody reads; outside the lock, which is held. */
    private void endExpired() {
        List<Generation> expired = new ArrayList<>();
        for (Generation generation : inside) {
            if (generation.remainingNanos() <= 0) {
                expired.add(generation);
            }
        }
        if (!expired.isEmpty()) {
            lock.unlock();
            try {
                expired.forEach(Generation::endIfIdle);
            } finally {
                lock.lock();
            }
        }
    }

    /** Gives a place back, if there was one. */
    void leave(Generation generation) {
        lock.lock();
        try {
            inside.remove(generation);
            while (inside.size() < most && !waiting.isEmpty()) {
                Turn next = waiting.remove();
                next.come = true;
                inside.add(next.generation);
                next.changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Has an answer that waits see that it is stopped. */
    void wake(Generation generation) {
        lock.lock();
        try {
            for (Turn turn : waiting) {
                if (turn.generation == generation) {
                    turn.changed.signal();
                }
            }
        } finally {
            lock.unlock();
        }
    }
}
