package io.langbridge.runtime.core.model;

import io.langbridge.InsufficientMemoryException;
import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rows of a batch, for sessions that step together. An attention kernel reads one tensor of equally long rows, so a
 * session is copied into a row when it first steps beside others, and what was added there is copied back when it steps
 * with them no more. Who steps alone is never copied. The rows in use are the first ones, and in a step each of them
 * takes part.
 *
 * <p>Memory: a session has as many positions as its request needs, and so has its row; a session so long that the rows
 * beside it would be mostly empty has none. What is taken once stays, for those who come next. For one thread at a
 * time.
 */
final class SharedRows implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SharedRows.class);

    /** The rows may have as many times the positions that the sessions in them have. */
    private static final int MOST_PADDING = 2;

    private final DecoderNetwork network;
    private final Runnable spare;
    private final int most;
    /** Positions that all rows may have, beside those of the sessions; fewer once there was no memory for so many. */
    private long budget;

    private final List<SharedSession> seated = new ArrayList<>();
    private @Nullable DecoderBatch batch;
    private int capacity;

    /**
     * Without rows as yet.
     *
     * @param most rows
     * @param budget positions that they may have together
     * @param spare frees caches that nobody uses now
     */
    SharedRows(DecoderNetwork network, int most, long budget, Runnable spare) {
        this.network = network;
        this.spare = spare;
        this.most = most;
        this.budget = budget;
    }

    /**
     * Gives rows to sessions, and takes those of all others.
     *
     * @param together who wait for a step, in any order
     * @return those that have a row now, by row: at least two of {@code together}, or none
     */
    List<SharedSession> seat(List<SharedSession> together) {
        List<SharedSession> wanted = fitting(together);
        for (int i = seated.size() - 1; i >= 0; i--) {
            if (!wanted.contains(seated.get(i))) {
                leave(i);
            }
        }
        if (wanted.isEmpty()) {
            return wanted;
        }
        if (!holds(wanted.size(), longest(wanted))) {
            enlarge(wanted);
        }
        for (SharedSession session : wanted) {
            if (!seated.contains(session)) {
                session.moveTo(rows().sequence(seated.size()));
                seated.add(session);
            }
        }
        return Collections.unmodifiableList(seated);
    }

    /** The shortest, as many as the rows may hold; the longest is the last. */
    private List<SharedSession> fitting(List<SharedSession> together) {
        List<SharedSession> wanted = new ArrayList<>(together);
        wanted.sort(Comparator.comparingInt(SharedSession::capacity));
        while (wanted.size() > most) {
            wanted.remove(wanted.size() - 1);
        }
        while (wanted.size() > 1 && !fits(wanted)) {
            wanted.remove(wanted.size() - 1);
        }
        return wanted.size() > 1 ? wanted : Collections.emptyList();
    }

    private boolean fits(List<SharedSession> wanted) {
        int longest = longest(wanted);
        return holds(wanted.size(), longest) || (long) wanted.size() * longest <= limit(wanted);
    }

    private static int longest(List<SharedSession> inOrder) {
        return inOrder.get(inOrder.size() - 1).capacity();
    }

    private long limit(List<SharedSession> wanted) {
        long positions = wanted.stream().mapToLong(SharedSession::capacity).sum();
        return Math.min(MOST_PADDING * positions, budget);
    }

    private boolean holds(int count, int longest) {
        return batch != null && batch.sequences() >= count && capacity >= longest;
    }

    private DecoderBatch rows() {
        if (batch == null) {
            throw new IllegalStateException("There are no rows");
        }
        return batch;
    }

    /** Larger than needed where that is allowed, so that not everybody who joins moves all others. */
    private void enlarge(List<SharedSession> wanted) {
        long limit = limit(wanted);
        int count = wanted.size();
        int positions = Math.max(longest(wanted), capacity);
        int rows = Math.max(count, batch == null ? 0 : batch.sequences());
        if ((long) rows * positions > limit) {
            rows = count;
            positions = longest(wanted);
        }
        int even = Math.min(most, Integer.highestOneBit(2 * rows - 1));
        rows = (long) even * positions <= limit ? even : rows;
        close();
        try {
            batch = open(rows, positions);
        } catch (RuntimeException | Error e) {
            budget = Math.min(budget, (long) rows * positions - 1); // asking again at every step would take its time
            throw e;
        }
        capacity = positions;
    }

    private DecoderBatch open(int count, int positions) {
        try {
            return network.open(count, positions);
        } catch (InsufficientMemoryException | OutOfMemoryError e) {
            LOG.debug("No memory for {} rows of {} positions beside what is kept", count, positions, e);
            spare.run();
            return network.open(count, positions);
        }
    }

    /** The last row takes the place that becomes free. */
    private void leave(int row) {
        seated.get(row).moveBack();
        SharedSession last = seated.remove(seated.size() - 1);
        if (row < seated.size()) {
            last.moveTo(rows().sequence(row));
            seated.set(row, last);
        }
    }

    /**
     * One step of those that {@link #seat} gave.
     *
     * @return {@code [rows, vocab]}, written over by the next step
     */
    FloatTensor step() {
        int[] tokens = new int[rows().sequences()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = i < seated.size() ? seated.get(i).token() : DecoderBatch.NONE;
        }
        return rows().step(tokens);
    }

    /** Has all go on alone, and frees the rows. */
    @Override
    public void close() {
        while (!seated.isEmpty()) {
            leave(seated.size() - 1);
        }
        if (batch != null) {
            batch.close();
            batch = null;
            capacity = 0;
        }
    }
}
