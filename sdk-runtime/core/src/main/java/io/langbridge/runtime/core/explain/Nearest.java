package io.langbridge.runtime.core.explain;

import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;

/** Cosines between vectors and the rows of an embedding table. Never more than a block of rows is in memory. */
public final class Nearest {
    /** Rows at a time: 15 MB of a table of width 896, and 9 MB of products with the 576 tokens of a tile. */
    private static final int BLOCK = 4096;

    private final Embeddings table;
    private final BitSet usable;
    private final BinaryOperator<FloatTensor> product;

    /**
     * Prepares a search.
     *
     * @param usable rows that may be found
     * @param product {@code [m, d]} and {@code [n, d]} to {@code [m, n]}: the first times the second transposed
     */
    public Nearest(Embeddings table, BitSet usable, BinaryOperator<FloatTensor> product) {
        this.table = table;
        this.usable = usable;
        this.product = product;
    }

    /**
     * The k rows nearest to each vector.
     *
     * @param vectors {@code [n, d]}
     * @throws ArithmeticException if a cosine is NaN
     */
    public Strongest[] of(FloatTensor vectors, int k, boolean byMagnitude) {
        return of(vectors, 0, k, byMagnitude);
    }

    /**
     * The k rows whose cosines with each vector are most above their mean over all vectors.
     *
     * @param vectors {@code [n, d]}
     * @param share how much of the mean counts, 0 to 1
     * @throws ArithmeticException if a cosine is NaN
     */
    Strongest[] of(FloatTensor vectors, double share, int k, boolean byMagnitude) {
        int n = vectors.size(0);
        float[] lengths = inverseLengths(vectors);
        Strongest[] nearest = new Strongest[n];
        for (int i = 0; i < n; i++) {
            nearest[i] = new Strongest(k, byMagnitude);
        }
        for (int from = 0; from < table.rows(); from += BLOCK) {
            int to = Math.min(from + BLOCK, table.rows());
            FloatTensor rows = table.read(from, to);
            float[] rowLengths = inverseLengths(rows);
            FloatBuffer products = product.apply(vectors, rows).data();
            float[] above = share == 0 ? null : means(products.duplicate(), lengths, rowLengths, share);
            float[] cosines = new float[to - from];
            for (int i = 0; i < n; i++) {
                products.get(cosines);
                for (int row = 0; row < cosines.length; row++) {
                    cosines[row] *= lengths[i] * rowLengths[row];
                }
                offerUsable(nearest[i], cosines, above, from);
            }
        }
        return nearest;
    }

    /** A share of the mean of each row's cosines. */
    private static float[] means(FloatBuffer products, float[] lengths, float[] rowLengths, double share) {
        double[] sums = new double[rowLengths.length];
        for (float length : lengths) {
            for (int row = 0; row < sums.length; row++) {
                sums[row] += products.get() * (double) length;
            }
        }
        float[] means = new float[sums.length];
        for (int row = 0; row < means.length; row++) {
            means[row] = (float) (share * sums[row] * rowLengths[row] / lengths.length);
        }
        return means;
    }

    /** Offers the runs of rows that may be found. */
    private void offerUsable(Strongest nearest, float[] cosines, float @Nullable [] above, int from) {
        int to = from + cosines.length;
        int start = usable.nextSetBit(from);
        if (start == from && usable.nextClearBit(from) >= to) {
            nearest.offer(cosines, above, cosines.length, from);
            return;
        }
        while (start >= 0 && start < to) {
            int end = Math.min(usable.nextClearBit(start), to);
            float[] run = Arrays.copyOfRange(cosines, start - from, end - from);
            float[] aboveRun = above == null ? null : Arrays.copyOfRange(above, start - from, end - from);
            nearest.offer(run, aboveRun, run.length, start);
            start = usable.nextSetBit(end);
        }
    }

    /**
     * Cosines with some rows.
     *
     * @param vectors {@code [n, d]}
     * @return for each row, one value per vector
     */
    float[][] cosines(FloatTensor vectors, int[] rows) {
        float[] lengths = inverseLengths(vectors);
        float[][] cosines = new float[rows.length][];
        for (int i = 0; i < rows.length; i++) {
            FloatTensor row = table.read(rows[i], rows[i] + 1);
            float[] values = product.apply(row, vectors).toArray();
            float length = inverseLengths(row)[0];
            for (int j = 0; j < values.length; j++) {
                values[j] *= length * lengths[j];
            }
            cosines[i] = values;
        }
        return cosines;
    }

    /** One over the length of each row; 0 for a row of zeros, which is near to nothing. */
    static float[] inverseLengths(FloatTensor rows) {
        int d = rows.size(1);
        float[] inverse = new float[rows.size(0)];
        float[] row = new float[d];
        FloatBuffer values = rows.data();
        for (int i = 0; i < inverse.length; i++) {
            values.get(row);
            double sum = 0;
            for (float x : row) {
                sum += (double) x * x;
            }
            inverse[i] = sum == 0 ? 0 : (float) (1 / Math.sqrt(sum));
        }
        return inverse;
    }
}
