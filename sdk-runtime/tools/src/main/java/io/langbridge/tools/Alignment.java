package io.langbridge.tools;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.explain.Embeddings;
import io.langbridge.runtime.core.explain.Nearest;
import io.langbridge.runtime.core.explain.Strongest;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.BinaryOperator;

/**
 * How far visual tokens lie among the words of a language model: for each token the nearest embeddings by cosine, and
 * how much of the token lies in the space that these span. LangBridge (section 3) finds that an MLP adapter learns to
 * put its tokens there, step by step. Immutable.
 *
 * @since 0.1
 */
public final class Alignment {
    /** A direction that is left with less than this part of its length is made of the others. */
    private static final double DEPENDENT = 1e-6;

    /** Visual tokens looked at together: 38 MB of products with a block of embeddings. */
    private static final int TOKENS = 2304;

    private final int[][] ids;
    private final float[][] cosines;
    private final double[] spanRatios;

    private Alignment(int[][] ids, float[][] cosines, double[] spanRatios) {
        this.ids = ids;
        this.cosines = cosines;
        this.spanRatios = spanRatios;
    }

    /**
     * Measures visual tokens.
     *
     * @param visualTokens {@code [n, llm_hidden]}
     * @param embeddings of the language model
     * @param usable rows that are words
     * @param neighbours how many of the nearest, at least 1 and at most the width of the language model
     * @param product {@code [m, d]} and {@code [n, d]} to {@code [m, n]}: the first times the second transposed
     * @throws CheckpointException if a visual token or an embedding is not a number
     */
    static Alignment of(
            FloatTensor visualTokens,
            Embeddings embeddings,
            BitSet usable,
            int neighbours,
            BinaryOperator<FloatTensor> product) {
        if (neighbours < 1 || neighbours > embeddings.width() || neighbours > usable.cardinality()) {
            throw new IllegalArgumentException("neighbours must be from 1 to the width of the language model, "
                    + embeddings.width() + ", and to the number of its words, " + usable.cardinality() + ", not "
                    + neighbours);
        }
        int n = visualTokens.size(0);
        Strongest[] nearest = new Strongest[n];
        try {
            Nearest search = new Nearest(embeddings, usable, product);
            for (int from = 0; from < n; from += TOKENS) {
                int to = Math.min(from + TOKENS, n);
                Strongest[] found = search.of(visualTokens.rows(from, to), neighbours, false);
                System.arraycopy(found, 0, nearest, from, found.length);
            }
        } catch (ArithmeticException e) {
            throw new CheckpointException(
                    "A visual token has no cosine with an embedding (" + e.getMessage()
                            + "); weights of the encoder, the adapter or the embeddings are damaged, or training went"
                            + " wrong",
                    e);
        }
        int[][] ids = new int[n][neighbours];
        float[][] cosines = new float[n][neighbours];
        double[] spanRatios = new double[n];
        float[] token = new float[embeddings.width()];
        FloatBuffer tokens = visualTokens.data();
        for (int i = 0; i < n; i++) {
            tokens.get(token);
            double[][] rows = new double[neighbours][];
            for (int rank = 0; rank < neighbours; rank++) {
                ids[i][rank] = nearest[i].index(rank);
                cosines[i][rank] = nearest[i].value(rank);
                rows[rank] =
                        doubles(embeddings.read(ids[i][rank], ids[i][rank] + 1).toArray());
            }
            spanRatios[i] = spanRatio(doubles(token), rows);
        }
        return new Alignment(ids, cosines, spanRatios);
    }

    private static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    /** Length of the projection of a vector onto the span of some directions, by its own length. Overwrites both. */
    static double spanRatio(double[] vector, double[][] directions) {
        double length = length(vector);
        if (length == 0) {
            return 0;
        }
        double inside = 0;
        for (int i = 0; i < directions.length; i++) {
            double[] direction = directions[i];
            double before = length(direction);
            // Twice: once leaves rounding errors where directions are nearly the same.
            for (int pass = 0; pass < 2; pass++) {
                for (int j = 0; j < i; j++) {
                    subtract(direction, dot(direction, directions[j]), directions[j]);
                }
            }
            double left = length(direction);
            double scale = left <= DEPENDENT * before ? 0 : 1 / left;
            for (int x = 0; x < direction.length; x++) {
                direction[x] *= scale;
            }
            double part = dot(vector, direction);
            inside += part * part;
        }
        return Math.min(1, Math.sqrt(inside) / length);
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double length(double[] a) {
        return Math.sqrt(dot(a, a));
    }

    private static void subtract(double[] from, double factor, double[] direction) {
        for (int i = 0; i < from.length; i++) {
            from[i] -= factor * direction[i];
        }
    }

    /** {@return number of visual tokens} */
    public int tokens() {
        return ids.length;
    }

    /** {@return number of neighbours of each} */
    public int neighbours() {
        return ids.length == 0 ? 0 : ids[0].length;
    }

    /**
     * The nearest words of a visual token.
     *
     * @param token from 0
     * @return ids, nearest first; a copy
     */
    public int[] nearest(int token) {
        return ids[token].clone();
    }

    /**
     * Cosines with the nearest words of a visual token.
     *
     * @param token from 0
     * @return nearest first; a copy
     */
    public float[] cosines(int token) {
        return cosines[token].clone();
    }

    /**
     * How much of a visual token lies in the span of its nearest words: length of the projection by its own.
     *
     * @param token from 0
     * @return 0 to 1
     */
    public double spanRatio(int token) {
        return spanRatios[token];
    }

    /** {@return mean of {@link #spanRatio}} */
    public double meanSpanRatio() {
        return Arrays.stream(spanRatios).average().orElse(0);
    }

    /** {@return median of {@link #spanRatio}} */
    public double medianSpanRatio() {
        double[] sorted = spanRatios.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        if (sorted.length == 0) {
            return 0;
        }
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** {@return mean cosine with all the nearest words} */
    public double meanCosine() {
        return mean(neighbours());
    }

    /** {@return mean cosine with the nearest word of each visual token alone} */
    public double meanNearestCosine() {
        return mean(Math.min(1, neighbours()));
    }

    private double mean(int ranks) {
        double sum = 0;
        for (float[] each : cosines) {
            for (int rank = 0; rank < ranks; rank++) {
                sum += each[rank];
            }
        }
        return cosines.length == 0 ? 0 : sum / cosines.length / ranks;
    }
}
