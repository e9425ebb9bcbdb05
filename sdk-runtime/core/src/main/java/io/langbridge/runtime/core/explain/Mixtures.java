package io.langbridge.runtime.core.explain;

import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.HashMap;
import java.util.Map;

/**
 * Vectors rebuilt from a few rows of an embedding table, none of them with a minus sign: one row after the other is
 * added, each time the one nearest to what is still missing, and all factors are found anew (non-negative orthogonal
 * matching pursuit, as SpLiCE explains pictures). Reads the table once for each word.
 */
final class Mixtures {
    /** More change the factors no more. */
    private static final int SWEEPS = 30;

    private static final float NOTHING = 1e-4f;

    /** Of a vector's squared length, what rounding leaves. */
    private static final double ROUNDING = 1e-8;

    private final Nearest nearest;
    private final int width;
    private final Map<Integer, float[]> directions = new HashMap<>();

    /**
     * Prepares.
     *
     * @param width of the vectors
     */
    Mixtures(Nearest nearest, int width) {
        this.nearest = nearest;
        this.width = width;
    }

    /**
     * Rebuilds vectors.
     *
     * @param vectors {@code [n][width]}, unchanged
     * @param k most rows for each
     * @return for each vector the rows that it is made of; a value is the factor of the row at length one, a strength
     *     the share of the vector's squared length by which less was missing when the row came in
     * @throws ArithmeticException if a vector or a row is not a number
     */
    Strongest[] of(float[][] vectors, int k) {
        Mixture[] mixtures = new Mixture[vectors.length];
        for (int i = 0; i < mixtures.length; i++) {
            mixtures[i] = new Mixture(vectors[i], k);
        }
        for (int step = 0; step < k && mixtures.length > 0; step++) {
            FloatTensor missing = FloatTensor.allocate(mixtures.length, width);
            for (int i = 0; i < mixtures.length; i++) {
                missing.rows(i, i + 1).data().put(mixtures[i].missing);
            }
            Strongest[] found = nearest.of(missing, 1, false);
            for (int i = 0; i < mixtures.length; i++) {
                boolean helps = found[i].size() > 0 && found[i].value(0) > NOTHING;
                if (helps && mixtures[i].lacksSomething()) {
                    int row = found[i].index(0);
                    mixtures[i].add(row, directions.computeIfAbsent(row, nearest::direction));
                }
            }
        }
        Strongest[] strongest = new Strongest[mixtures.length];
        for (int i = 0; i < strongest.length; i++) {
            strongest[i] = mixtures[i].strongest();
        }
        return strongest;
    }

    /** One vector on its way. */
    private static final class Mixture {
        private final float[] vector;
        private final double length;
        private final float[] missing;
        private final int[] rows;
        private final float[][] directions;
        private final double[] along;
        private final double[][] products;
        private final double[] factors;
        private final double[] shares;
        private int size;

        Mixture(float[] vector, int k) {
            this.vector = vector;
            this.length = dot(vector, vector);
            this.missing = vector.clone();
            this.rows = new int[k];
            this.directions = new float[k][];
            this.along = new double[k];
            this.products = new double[k][k];
            this.factors = new double[k];
            this.shares = new double[k];
        }

        boolean lacksSomething() {
            return dot(missing, missing) > ROUNDING * length;
        }

        void add(int row, float[] direction) {
            for (int i = 0; i < size; i++) {
                if (rows[i] == row) {
                    return; // nothing better is left
                }
                products[i][size] = dot(directions[i], direction);
                products[size][i] = products[i][size];
            }
            rows[size] = row;
            directions[size] = direction;
            along[size] = dot(vector, direction);
            size++;
            double before = dot(missing, missing);
            for (int sweep = 0; sweep < SWEEPS; sweep++) {
                for (int i = 0; i < size; i++) {
                    double left = along[i];
                    for (int j = 0; j < size; j++) {
                        left -= j == i ? 0 : factors[j] * products[i][j];
                    }
                    factors[i] = Math.max(0, left);
                }
            }
            System.arraycopy(vector, 0, missing, 0, vector.length);
            for (int i = 0; i < size; i++) {
                for (int j = 0; j < missing.length; j++) {
                    missing[j] -= (float) (factors[i] * directions[i][j]);
                }
            }
            shares[size - 1] = (before - dot(missing, missing)) / length;
        }

        Strongest strongest() {
            Strongest strongest = new Strongest(rows.length, false);
            for (int i = 0; i < size; i++) {
                if (factors[i] > 0) {
                    strongest.offer(rows[i], (float) factors[i], (float) shares[i]);
                }
            }
            return strongest;
        }

        private static double dot(float[] a, float[] b) {
            double sum = 0;
            for (int i = 0; i < a.length; i++) {
                sum += (double) a[i] * b[i];
            }
            return sum;
        }
    }
}
