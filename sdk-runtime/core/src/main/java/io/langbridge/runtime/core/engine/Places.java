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
            fits &= axis.length == tokens && Arrays.stream(axis).allMatch(at -> at >= 0 && at < capacity);
        }
        if (!fits) {
            throw new IllegalArgumentException("Positions must be " + Rope.Sections.AXES
                    + " lists of as many numbers below " + capacity + " each");
        }
        if (tokens > capacity - length) {
            throw new IllegalStateException("The cache holds " + length + " of at most " + capacity
                    + " positions; there is no room for " + tokens + " more");
        }
        int[] values = new int[tokens * axes.length];
        for (int token = 0; token < tokens; token++) {
            for (int i = 0; i < axes.length; i++) {
                values[token * axes.length + i] = positions[axes[i]][token];
            }
            int last = 0;
            for (int[] axis : positions) {
                last = Math.max(last, axis[token]);
            }
            next[length + token + 1] = last + 1;
        }
        table.fill(length, values);
        filled = length + tokens;
    }

    /** Makes sure that places up to {@code end} are filled: where nothing was said, one by one. */
    public void reach(int end) {
        if (end <= filled) {
            return;
        }
        int to = Math.min(capacity, Math.max(end, filled + AHEAD));
        int[] values = new int[(to - filled) * axes.length];
        for (int place = filled; place < to; place++) {
            // Room that was promised may be larger than what there are positions for.
            int position = Math.min(next[place], capacity - 1);
            Arrays.fill(values, (place - filled) * axes.length, (place - filled + 1) * axes.length, position);
            next[place + 1] = position + 1;
        }
        table.fill(filled, values);
        filled = to;
    }

    /** Forgets all behind {@code length} tokens. */
    public void rewind(int length) {
        filled = Math.min(filled, length);
    }
}
