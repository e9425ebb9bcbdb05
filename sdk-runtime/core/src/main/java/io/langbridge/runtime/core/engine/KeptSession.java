package io.langbridge.runtime.core.engine;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The account that a session keeps of its sequence, the same for every engine: how many positions it holds, where its
 * tokens stand and which see others behind them, and the marks it can go back to where what layers keep cannot be cut.
 * The methods are synchronized only so that closing from another thread waits for what runs.
 *
 * @param <C> a copy of what cannot be cut
 */
public abstract class KeptSession<C> implements DecoderSession {
    private final int capacity;
    private final int chunk;
    /** Whether something cannot be cut. */
    private final boolean sumsUp;
    /** Where tokens may see some behind them; otherwise null. */
    private final @Nullable LookAhead ahead;
    /** In the order of their positions; only where something cannot be cut. */
    private final List<Mark<C>> marks = new ArrayList<>();

    private int length;
    /** Whether a run failed, so that what cannot be cut is of no known position. */
    private boolean lost;

    private boolean closed;

    /** A copy of what cannot be cut as it was at a position. */
    private record Mark<C>(int length, C copy) {}

    /**
     * Begins an empty sequence.
     *
     * @param chunk most positions of a prompt that run at a time
     * @param sumsUp whether layers keep something that cannot be cut
     * @param opensPictures whether tokens may see some behind them
     */
    protected KeptSession(int capacity, int chunk, boolean sumsUp, boolean opensPictures) {
        this.capacity = capacity;
        this.chunk = chunk;
        this.sumsUp = sumsUp;
        ahead = opensPictures ? new LookAhead(capacity) : null;
    }

    /** Where tokens stand; null if positions have one axis. */
    protected abstract @Nullable Places places();

    /**
     * Copies what cannot be cut.
     *
     * @param old a copy that is not needed any more and may be used again, or null
     */
    protected abstract C copied(@Nullable C old);

    /** Puts a copy back, which stays. */
    protected abstract void restore(C copy);

    /** Puts what cannot be cut to where a sequence begins. */
    protected abstract void clear();

    /** Frees a copy that is not needed any more. */
    protected void free(C copy) {}

    /** Copies what another session keeps of positions {@code first} to {@code end - 1}, and all that cannot be cut. */
    protected abstract void copy(KeptSession<C> other, int first, int end);

    @Override
    public final synchronized int length() {
        return length;
    }

    @Override
    public final int capacity() {
        return capacity;
    }

    @Override
    public final int chunk() {
        return chunk;
    }

    @Override
    public final boolean cutsAnywhere() {
        return !sumsUp;
    }

    @Override
    public final synchronized void place(int[][] positions) {
        requireRoom(0);
        Places places = places();
        if (places == null) {
            DecoderSession.super.place(positions);
        } else {
            places.place(length, positions);
        }
    }

    @Override
    public final synchronized void lookAhead(int... of) {
        requireRoom(0);
        if (ahead == null) {
            DecoderSession.super.lookAhead(of);
        } else {
            ahead.say(length, of);
        }
    }

    @Override
    public final synchronized int portion(int tokens) {
        int portion = possiblePortion(tokens);
        return portion == 0 ? tokens : portion;
    }

    /** As {@link #portion}, but 0 if they do not begin with tokens that can run alone. */
    protected final int possiblePortion(int tokens) {
        return ahead == null ? Math.min(tokens, chunk) : ahead.portion(length, tokens, chunk);
    }

    /** How many behind them the next tokens see; null if none can. */
    protected final int @Nullable [] seenAhead(int tokens) {
        return ahead == null ? null : ahead.of(length, tokens);
    }

    /**
     * Makes sure that so many more tokens fit.
     *
     * @throws IllegalStateException if not, if this is closed, or if a run failed and it was not rewound
     */
    public final synchronized void requireRoom(int tokens) {
        requireOpen();
        if (lost) {
            throw new IllegalStateException("A run of this sequence failed; rewind it before the next");
        }
        if (tokens > capacity - length) {
            throw new IllegalStateException("The cache holds " + length + " of at most " + capacity
                    + " positions; there is no room for " + tokens + " more");
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("The decoder session is closed");
        }
    }

    /** Says where so many more tokens stand, as far as there is room for them. */
    public final synchronized void reach(int tokens) {
        Places places = places();
        if (places != null) {
            places.reach(Math.min(capacity, length + tokens));
        }
    }

    /** Notes that a run begins, which may fail. */
    public final synchronized void runBegins() {
        lost = sumsUp;
    }

    /** Notes what was appended in it. */
    public final synchronized void appended(int tokens) {
        lost = false;
        length += tokens;
    }

    @Override
    public final synchronized void mark() {
        requireRoom(0);
        if (sumsUp && (marks.isEmpty() || last().length < length)) {
            // The first is often behind the pictures, which all that follows is about.
            C oldest = marks.size() == MARKS ? marks.remove(1).copy : null;
            marks.add(new Mark<>(length, copied(oldest)));
        }
    }

    @Override
    public final synchronized int rewind(int position) {
        requireOpen();
        if (position < 0 || position > length) {
            throw new IllegalArgumentException(
                    "The cache holds " + length + " positions and cannot go back to " + position);
        }
        int wanted = ahead == null ? position : ahead.rewind(position);
        boolean restores = sumsUp && (lost || wanted < length);
        length = restores ? restored(wanted) : wanted;
        Places places = places();
        if (places != null) {
            places.rewind(length);
        }
        return length;
    }

    @Override
    public final synchronized int rewindable(int position) {
        if (!sumsUp || position == length && !lost) {
            return position;
        }
        return marks.stream()
                .mapToInt(Mark::length)
                .filter(mark -> mark <= position)
                .max()
                .orElse(0);
    }

    private Mark<C> last() {
        return marks.get(marks.size() - 1);
    }

    /** Goes to the latest mark up to there. */
    private int restored(int position) {
        while (!marks.isEmpty() && last().length > position) {
            free(marks.remove(marks.size() - 1).copy);
        }
        lost = false;
        if (marks.isEmpty()) {
            clear();
            return 0;
        }
        restore(last().copy);
        return last().length;
    }

    @Override
    public final synchronized void takeOver(DecoderSession from, int known) {
        if (!getClass().isInstance(from)) {
            DecoderSession.super.takeOver(from, known);
            return;
        }
        @SuppressWarnings("unchecked") // of the same class
        KeptSession<C> other = (KeptSession<C>) from;
        requireOpen();
        synchronized (other) {
            other.requireRoom(0);
            if (other.length > capacity) {
                throw new IllegalArgumentException(
                        "There is room for " + capacity + " positions, not for " + other.length);
            }
            Places places = places();
            Places others = other.places();
            if (places != null && others != null) {
                places.takeOver(others, Math.min(known, other.length));
            }
            if (ahead != null && other.ahead != null) {
                ahead.takeOver(other.ahead);
            }
            copy(other, Math.min(known, other.length), other.length);
            marks.forEach(mark -> free(mark.copy));
            marks.clear();
            marks.addAll(other.marks);
            other.marks.clear();
            length = other.length;
            lost = false;
            other.lost = sumsUp; // what it sums up will not be of its length for long
        }
    }

    /** Engines free what they hold too. */
    @Override
    public synchronized void close() {
        closed = true;
        marks.forEach(mark -> free(mark.copy));
        marks.clear();
    }
}
