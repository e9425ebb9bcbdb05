package io.langbridge.runtime.core.model;

import io.langbridge.InsufficientMemoryException;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.model.SharedSession.State;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A decoder that several requests use at a time. Those that decode step together, which reads every weight once for all
 * of them; parts of prompts run in between, one at a time. Requests join with their first step and leave when they do
 * not come back, always between two tokens. Thread-safe.
 *
 * <p>There is no thread for this. Whoever brings a token while nothing runs, and finds that nobody else is about to
 * bring one, runs the step for all who wait; the others sleep until their logits are there and choose the next token
 * each in its own thread. So a request alone runs in its thread as if there were no others, a model without requests
 * has nothing that must be ended, and no order of arrival leaves a token without somebody to run it: who waits can
 * always become the one who runs.
 */
public final class SharedDecoder implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SharedDecoder.class);

    /** Rows where nothing says how many requests there may be. */
    static final int ROWS = 16;
    /** More rows than that cost threads and memory, and are hardly faster. */
    private static final int MOST_ROWS = 64;

    /**
     * How long those who decode have behind a part of a prompt before the next part runs, as a share of the time that
     * it took: a prompt is done in less than one and a half times what it takes alone. So nobody waits longer for a
     * step than a part takes, and there is one between any two parts.
     */
    private static final double STEPS_PER_PART = 0.4;

    /** Who was in the last step is waited for: for so long, or for that share of the time that the step took. */
    private static final long LEAST_GRACE_NANOS = 2_000_000;

    private static final int GRACE_SHARE = 5;

    private final DecoderNetwork network;
    private final SharedRows rows;
    private final Runnable spare;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /** Guarded by the lock, as what follows: who decodes. */
    private final Set<SharedSession> members = new LinkedHashSet<>();
    /** Who waits to run a part of a prompt, the oldest request first. */
    private final Queue<SharedSession> prompts = new PriorityQueue<>(Comparator.comparingLong(SharedSession::number));

    private boolean running;
    /** Whether steps come before the next part of a prompt, and until when. */
    private boolean owes;

    private long owesUntil;
    /** Until when who was in the last step is waited for. */
    private long graceEnds;

    /** How many wait until nobody reads logits of the rows. */
    private int waitForRows;

    private boolean warned;

    /**
     * Of one decoder.
     *
     * @param rows most that step together
     * @param budget positions that rows for that may have together, beside the caches of the requests
     */
    public SharedDecoder(DecoderNetwork network, int rows, long budget) {
        this(network, rows, budget, () -> {});
    }

    /** @param spare frees caches that nobody uses now, where there is no memory for others */
    SharedDecoder(DecoderNetwork network, int rows, long budget, Runnable spare) {
        this.network = network;
        this.rows = new SharedRows(network, rows, budget, spare);
        this.spare = spare;
    }

    /** How many step together: as many as there may be requests. */
    static int rows(@Nullable Integer maxConcurrentRequests) {
        return maxConcurrentRequests == null ? ROWS : Math.min(MOST_ROWS, maxConcurrentRequests);
    }

    /** Opens an empty KV cache; see {@link DecoderNetwork#open(int)}. */
    public SharedSession open(int capacity) {
        try {
            return new SharedSession(this, network.open(capacity));
        } catch (InsufficientMemoryException | OutOfMemoryError e) {
            LOG.debug("No memory for {} positions beside what is kept", capacity, e);
            spare.run();
        }
        try {
            return new SharedSession(this, network.open(capacity));
        } catch (InsufficientMemoryException | OutOfMemoryError e) {
            LOG.debug("No memory for {} positions beside rows that are shared", capacity, e);
            giveUpRows();
            return new SharedSession(this, network.open(capacity));
        }
    }

    /** Frees the rows between two steps; the next that several take has new ones. */
    private void giveUpRows() {
        lock.lock();
        try {
            waitForRows++;
            while (running || members.stream().anyMatch(member -> member.state == State.CHOOSES)) {
                changed.awaitUninterruptibly();
            }
            rows.close(); // with the lock held, as nobody else may move sequences meanwhile
        } finally {
            waitForRows--;
            lock.unlock();
        }
    }

    /** Runs a part of a prompt, or what else runs for one sequence without others. */
    <T> T inTurn(SharedSession session, Supplier<T> work) {
        lock.lock();
        try {
            takeOut(session);
            prompts.add(session);
            try {
                await(session, () -> !running && prompts.peek() == session && (!owes || !areStepsComing()));
            } finally {
                prompts.remove(session);
                changed.signalAll();
            }
            running = true;
        } finally {
            lock.unlock();
        }
        long start = System.nanoTime();
        try {
            return work.get();
        } finally {
            long end = System.nanoTime();
            lock.lock();
            try {
                running = false;
                owes = !members.isEmpty();
                owesUntil = end + (long) (STEPS_PER_PART * (end - start));
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Whether somebody will step who need not be waited for long. */
    private boolean areStepsComing() {
        boolean grace = System.nanoTime() - graceEnds < 0;
        for (SharedSession member : members) {
            if (member.state != State.AWAY || grace) {
                return true;
            }
        }
        return false;
    }

    /** Appends a token and chooses the next, together with all who do so now. */
    int step(SharedSession session, int token, Sampler sampler) {
        lock.lock();
        try {
            session.offer(token, sampler);
            session.state = State.WAITS;
            members.add(session);
            await(session, () -> session.state == State.CHOOSES || session.state == State.WAITS && mayStep());
            if (session.state == State.WAITS) {
                lead();
            }
        } finally {
            lock.unlock();
        }
        try {
            return session.choose();
        } finally {
            lock.lock();
            try {
                if (session.state == State.CHOOSES) {
                    session.state = State.AWAY;
                }
                if (System.nanoTime() - graceEnds >= 0 || waitForRows > 0) {
                    changed.signalAll(); // they wait for this alone
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /** Whether a step may begin: nothing runs, nobody reads logits, and nobody is about to join. */
    private boolean mayStep() {
        if (running || !prompts.isEmpty() && !owes) {
            return false;
        }
        boolean grace = System.nanoTime() - graceEnds < 0;
        for (SharedSession member : members) {
            if (member.state == State.CHOOSES || member.state == State.AWAY && grace) {
                return false;
            }
        }
        return true;
    }

    /** With the lock held, which is given back while the step runs. */
    private void lead() {
        List<SharedSession> together = new ArrayList<>();
        for (SharedSession member : new ArrayList<>(members)) {
            if (member.state == State.WAITS) {
                member.state = State.RUNS;
                together.add(member);
            } else {
                takeOut(member);
            }
        }
        running = true;
        lock.unlock();
        long start = System.nanoTime();
        try {
            compute(together);
        } finally {
            long end = System.nanoTime();
            lock.lock();
            running = false;
            // Steps have a length: the last one begins if half of it still fits.
            owes &= end + (end - start) / 2 - owesUntil < 0;
            graceEnds = end + Math.max(LEAST_GRACE_NANOS, (end - start) / GRACE_SHARE);
            for (SharedSession member : together) {
                member.state = State.CHOOSES;
            }
            changed.signalAll();
        }
    }

    /** One step for each; what fails is kept for its owner. */
    private void compute(List<SharedSession> together) {
        List<SharedSession> seated = seated(together);
        if (together.size() == 1) {
            together.get(0).stepAlone();
            return;
        }
        if (!seated.isEmpty()) {
            stepTogether(seated);
        }
        for (SharedSession session : together) {
            if (!seated.contains(session)) {
                session.stepBeside();
            }
        }
    }

    private List<SharedSession> seated(List<SharedSession> together) {
        try {
            return new ArrayList<>(rows.seat(together));
        } catch (RuntimeException | Error e) {
            if (!warned) {
                warned = true;
                LOG.warn("{} requests cannot run together and run one after the other", together.size(), e);
            }
            rows.close();
            return new ArrayList<>();
        }
    }

    private void stepTogether(List<SharedSession> seated) {
        try {
            FloatTensor logits = rows.step();
            for (int i = 0; i < seated.size(); i++) {
                seated.get(i).stepped(logits.rows(i, i + 1));
            }
        } catch (RuntimeException | Error e) {
            LOG.debug("A step of {} together failed and is taken one by one", seated.size(), e);
            for (SharedSession session : seated) {
                session.stepAgain(e);
            }
        }
    }

    /** Waits until something is so; ends with an exception if the answer is stopped before its turn. */
    private void await(SharedSession session, BooleanSupplier come) {
        while (true) {
            // Read first: what it keeps waiting may end while this looks.
            long grace = graceEnds - System.nanoTime();
            if (come.getAsBoolean()) {
                return;
            }
            boolean runs = session.state == State.RUNS;
            if (!runs) {
                requireGoOn(session);
            }
            long nanos = runs ? Long.MAX_VALUE : session.remainingNanos();
            try {
                long unused = changed.awaitNanos(grace > 0 && !runs ? Math.min(nanos, grace) : nanos);
            } catch (InterruptedException e) {
                // Threads of the model are interrupted while they prepare a picture; this came too late for that.
                LOG.trace("Interrupted while waiting for a step");
            }
        }
    }

    private void requireGoOn(SharedSession session) {
        try {
            session.goOn();
        } catch (RuntimeException e) {
            takeOut(session);
            changed.signalAll();
            throw e;
        }
    }

    private void takeOut(SharedSession session) {
        members.remove(session);
        session.state = State.OUT;
    }

    /** Nobody is to wait for it. */
    void rests(SharedSession session) {
        lock.lock();
        try {
            if (session.state != State.RUNS) {
                takeOut(session);
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Has those who wait see that they were stopped. */
    void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Frees the rows; nothing may run any more. */
    @Override
    public void close() {
        rows.close();
    }
}
