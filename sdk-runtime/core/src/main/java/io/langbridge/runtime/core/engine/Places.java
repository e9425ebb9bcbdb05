package io.langbridge.runtime.core.engine;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.network.Rotary;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the tokens of one sequence stand whose positions have several axes. An engine keeps the angles of each place in
 * the cache in a table of the sequence's own; this says which position each frequency has there. Not thread-safe.
 */
public final class Places {
    /** Places filled at a time where tokens follow one by one. */
    private static final int AHEAD = 64;

    private final int[] axes;
    private final int capacity;
    private final Table table;
    /** Behind as many tokens, where the next stands. */
    private final int[] next;
    /** Where tokens stand, {@code [axes][tokens]}, as far as they are filled. */
    private final int[][] at;

    /** Places in the table that hold something. */
    private int filled;

    /** The sequence's angles. */
    public interface Table {
        /**
         * Fills places.
         *
         * @param first of them
         * @param positions {@code [places * frequencies]}
         */
        void fill(int first, int[] positions);
    }

    /**
     * Begins an empty sequence.
     *
     * @param frequencies that the table has angles for
     * @param capacity most tokens
     */
    public Places(Rope.Sections sections, int frequencies, int capacity, Table table) {
        axes = sections.axes(frequencies);
        next = new int[capacity + 1];
        at = new int[Rope.Sections.AXES][capacity];
        this.capacity = capacity;
        this.table = table;
    }

    /**
     * How a decoder's frequencies share the axes of its positions.
     *
     * @return null if positions have one axis
     * @throws UnsupportedModelException if its layers differ in this
     */
    public static Rope.@Nullable Sections sections(List<Rotary> rotaries) {
        boolean several = rotaries.stream().anyMatch(rotary -> rotary.rope().sections() != null);
        if (several && rotaries.size() > 1) {
            throw new UnsupportedModelException("Layers rotate in " + rotaries.size()
                    + " ways, by positions of several axes; one way is supported");
        }
        return several ? rotaries.get(0).rope().sections() : null;
    }

    /** See {@link DecoderSession#place}; the tokens come behind {@code length} others. */
    public void place(int length, int[][] positions) {
        int tokens = positions.length == 0 ? 0 : positions[0].length;
        boolean fits = positions.length == Rope.Sections.AXES;
        for (int[] axis : positions) {
            fits &= axis.length == tokens && Arrays.stream(axis).allMatch(this::isKnown);
        }
        if (!fits) {
            throw new IllegalArgumentException("Positions must be " + Rope.Sections.AXES
                    + " lists of as many numbers below " + capacity + " each");
        }
        if (tokens > capacity - length) {
            throw new IllegalStateException("The cache holds " + length + " of at most " + capacity
                    + " positions; there is no room for " + tokens + " more");
        }
        for (int token = 0; token < tokens; token++) {
            int last = 0;
            for (int axis = 0; axis < positions.length; axis++) {
                at[axis][length + token] = positions[axis][token];
                last = Math.max(last, positions[axis][token]);
            }
            next[length + token + 1] = last + 1;
        }
        fill(length, length + tokens);
    }

    private boolean isKnown(int position) {
        return position >= 0 && position < capacity;
    }

    private void fill(int first, int end) {
        int[] values = new int[(end - first) * axes.length];
        for (int place = first; place < end; place++) {
            for (int i = 0; i < axes.length; i++) {
                values[(place - first) * axes.length + i] = at[axes[i]][place];
            }
        }
        table.fill(first, values);
        filled = end;
    }

    /** Makes sure that places up to {@code end} are filled: where nothing was said, one by one. */
    public void reach(int end) {
        if (end <= filled) {
            return;
        }
        int to = Math.min(capacity, Math.max(end, filled + AHEAD));
        for (int place = filled; place < to; place++) {
            // Room that was promised may be larger than what there are positions for.
            int position = Math.min(next[place], capacity - 1);
            for (int[] axis : at) {
                axis[place] = position;
            }
            next[place + 1] = position + 1;
        }
        fill(filled, to);
    }

    /**
     * Has tokens stand where they do in another sequence.
     *
     * @param known so many places are filled like that already
     * @throws IllegalArgumentException if this has no room for one of them
     */
    public void takeOver(Places other, int known) {
        int end = Math.min(capacity, other.filled);
        for (int axis = 0; axis < at.length; axis++) {
            if (!Arrays.stream(other.at[axis], 0, end).allMatch(this::isKnown)) {
                throw new IllegalArgumentException("Positions must be below " + capacity);
            }
            System.arraycopy(other.at[axis], 0, at[axis], 0, end);
        }
        System.arraycopy(other.next, 0, next, 0, end + 1);
        fill(Math.min(known, end), end);
    }

    /** Forgets all behind {@code length} tokens. */
    public void rewind(int length) {
        filled = Math.min(filled, length);
    }
}
