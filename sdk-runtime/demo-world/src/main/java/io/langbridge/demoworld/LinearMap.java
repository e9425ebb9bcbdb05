package io.langbridge.demoworld;

import java.util.Arrays;

/**
 * What takes a token from one language model's embeddings to another's: {@code token matrix + offset}. Found in closed
 * form from tokens that both have.
 *
 * @param matrix {@code [from, to]}
 * @param offset {@code [to]}
 */
record LinearMap(double[][] matrix, double[] offset) {
    /**
     * Least squares.
     *
     * @param from rows of the tokens in the one language model
     * @param to the same tokens in the other
     * @param weights how much each counts
     * @param ridge what is added to the variances, as a share of their mean; 0 for the pseudo-inverse
     * @param centred whether means are taken off before and put on after
     */
    static LinearMap leastSquares(double[][] from, double[][] to, double[] weights, double ridge, boolean centred) {
        double[] fromMean = centred ? mean(from, weights) : new double[from[0].length];
        double[] toMean = centred ? mean(to, weights) : new double[to[0].length];
        double[][] variance = products(from, fromMean, from, fromMean, weights);
        double more = ridge * trace(variance) / variance.length;
        double[][] inverse = Symmetric.of(plus(variance, more)).with(value -> 1 / value);
        return between(fromMean, product(inverse, products(from, fromMean, to, toMean, weights)), toMean);
    }

    /** Turning, one factor for all directions, and shifting: keeps all angles as far as widths allow. */
    static LinearMap procrustes(double[][] from, double[][] to, double[] weights) {
        double[] fromMean = mean(from, weights);
        double[] toMean = mean(to, weights);
        double[][] cross = products(from, fromMean, to, toMean, weights);
        double[][] turn =
                product(cross, Symmetric.of(product(transposed(cross), cross)).with(value -> 1 / Math.sqrt(value)));
        double[][] variance = products(from, fromMean, from, fromMean, weights);
        double scale =
                trace(product(transposed(turn), cross)) / trace(product(transposed(turn), product(variance, turn)));
        return between(fromMean, times(turn, scale), toMean);
    }

    /** Everything to the mean of these tokens: nothing is told. */
    static LinearMap nothing(int from, double[][] to, double[] weights) {
        return new LinearMap(new double[from][to[0].length], mean(to, weights));
    }

    /** Coefficients of tokens to their mixture. */
    static LinearMap mixture(double[][] tokens) {
        return new LinearMap(tokens, new double[tokens[0].length]);
    }

    /** The same in the {@code rank} directions in which what comes out varies most. */
    LinearMap ofRank(int rank, double[][] from, double[] weights) {
        double[] fromMean = mean(from, weights);
        double[][] variance = products(from, fromMean, from, fromMean, weights);
        double[][] directions = Symmetric.of(product(transposed(matrix), product(variance, matrix)))
                .vectors();
        double[][] most = Arrays.copyOf(directions, rank);
        return between(fromMean, product(product(matrix, transposed(most)), most), of(fromMean));
    }

    /** The same with all that comes out this much longer. */
    LinearMap times(double factor) {
        return new LinearMap(
                times(matrix, factor),
                Arrays.stream(offset).map(value -> factor * value).toArray());
    }

    double[] of(double[] token) {
        double[] result = offset.clone();
        for (int i = 0; i < token.length; i++) {
            add(result, token[i], matrix[i]);
        }
        return result;
    }

    /** {@return how much of the variance around the mean it explains, at most 1} */
    double explained(double[][] from, double[][] to, double[] weights) {
        double[] toMean = mean(to, weights);
        double wrong = 0;
        double all = 0;
        for (int i = 0; i < from.length; i++) {
            double[] found = of(from[i]);
            for (int k = 0; k < toMean.length; k++) {
                wrong += weights[i] * Math.pow(to[i][k] - found[k], 2);
                all += weights[i] * Math.pow(to[i][k] - toMean[k], 2);
            }
        }
        return 1 - wrong / all;
    }

    private static LinearMap between(double[] fromMean, double[][] matrix, double[] toMean) {
        double[] offset = toMean.clone();
        for (int i = 0; i < fromMean.length; i++) {
            add(offset, -fromMean[i], matrix[i]);
        }
        return new LinearMap(matrix, offset);
    }

    static double[] mean(double[][] rows, double[] weights) {
        double[] mean = new double[rows[0].length];
        double total = Arrays.stream(weights).sum();
        for (int i = 0; i < rows.length; i++) {
            add(mean, weights[i] / total, rows[i]);
        }
        return mean;
    }

    /** {@code (left - leftMean)^T weights (right - rightMean)}. */
    private static double[][] products(
            double[][] left, double[] leftMean, double[][] right, double[] rightMean, double[] weights) {
        double[][] sum = new double[leftMean.length][rightMean.length];
        double[] difference = new double[rightMean.length];
        for (int i = 0; i < left.length; i++) {
            for (int k = 0; k < difference.length; k++) {
                difference[k] = right[i][k] - rightMean[k];
            }
            for (int j = 0; j < leftMean.length; j++) {
                add(sum[j], weights[i] * (left[i][j] - leftMean[j]), difference);
            }
        }
        return sum;
    }

    private static void add(double[] sum, double factor, double[] row) {
        for (int k = 0; k < sum.length; k++) {
            sum[k] += factor * row[k];
        }
    }

    static double[][] product(double[][] left, double[][] right) {
        double[][] result = new double[left.length][right[0].length];
        for (int i = 0; i < left.length; i++) {
            for (int j = 0; j < right.length; j++) {
                add(result[i], left[i][j], right[j]);
            }
        }
        return result;
    }

    static double[][] transposed(double[][] matrix) {
        double[][] result = new double[matrix[0].length][matrix.length];
        for (int i = 0; i < matrix.length; i++) {
            for (int j = 0; j < result.length; j++) {
                result[j][i] = matrix[i][j];
            }
        }
        return result;
    }

    static double[][] times(double[][] matrix, double factor) {
        return Arrays.stream(matrix)
                .map(row -> Arrays.stream(row).map(value -> factor * value).toArray())
                .toArray(double[][]::new);
    }

    private static double[][] plus(double[][] matrix, double onDiagonal) {
        double[][] result = times(matrix, 1);
        for (int i = 0; i < result.length; i++) {
            result[i][i] += onDiagonal;
        }
        return result;
    }

    private static double trace(double[][] matrix) {
        double sum = 0;
        for (int i = 0; i < matrix.length; i++) {
            sum += matrix[i][i];
        }
        return sum;
    }
}
