package io.langbridge.runtime.core.explain;

import org.jspecify.annotations.Nullable;

/**
 * The k strongest of many values, strongest first; the first one of equals. How strong one is may be counted from
 * what is usual for it. Not thread-safe.
 */
public final class Strongest {
    private final boolean byMagnitude;
    private final int[] indices;
    private final float[] values;
    private final float[] strengths;
    private int size;

    /**
     * Begins with none.
     *
     * @param byMagnitude whether negative values count by their size
     */
    public Strongest(int k, boolean byMagnitude) {
        this.byMagnitude = byMagnitude;
        this.indices = new int[k];
        this.values = new float[k];
        this.strengths = new float[k];
    }

    /**
     * Takes {@code count} values from the start of a row, whose indices begin at {@code from}.
     *
     * @throws ArithmeticException if one is NaN
     */
    public void offer(float[] row, int count, int from) {
        offer(row, null, count, from);
    }

    /**
     * Takes values whose strength is what they are above something.
     *
     * @param above one for each value; null for 0
     */
    void offer(float[] row, float @Nullable [] above, int count, int from) {
        float weakest = weakest();
        for (int i = 0; i < count; i++) {
            float lead = above == null ? row[i] : row[i] - above[i];
            float strength = byMagnitude ? Math.abs(lead) : lead;
            if (strength > weakest) {
                insert(from + i, row[i], strength);
                weakest = weakest();
            } else if (Float.isNaN(strength)) {
                throw new ArithmeticException("value " + (from + i) + " is not a number");
            }
        }
    }

    private float weakest() {
        return size < values.length ? Float.NEGATIVE_INFINITY : strengths[size - 1];
    }

    private void insert(int index, float value, float strength) {
        int at = size < values.length ? size++ : size - 1;
        while (at > 0 && strengths[at - 1] < strength) {
            indices[at] = indices[at - 1];
            values[at] = values[at - 1];
            strengths[at] = strengths[at - 1];
            at--;
        }
        indices[at] = index;
        values[at] = value;
        strengths[at] = strength;
    }

    /** What decides the order. */
    float strength(int rank) {
        return strengths[rank];
    }

    /** How many there are, at most k. */
    public int size() {
        return size;
    }

    /** Where the value of a rank stood. */
    public int index(int rank) {
        return indices[rank];
    }

    /** The value of a rank, the strongest first. */
    public float value(int rank) {
        return values[rank];
    }
}
