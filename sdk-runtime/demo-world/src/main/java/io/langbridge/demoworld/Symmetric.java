package io.langbridge.demoworld;

import java.util.Arrays;
import java.util.Comparator;
import java.util.function.DoubleUnaryOperator;

/**
 * Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations.
 *
 * @param values largest first
 * @param vectors the vector of each value, of length 1, as a row
 */
record Symmetric(double[] values, double[][] vectors) {
    private static final int SWEEPS = 60;
    private static final double SMALL = 1e-12;

    /** Decomposes {@code matrix}, which stays as it is. */
    static Symmetric of(double[][] matrix) {
        int n = matrix.length;
        double[][] a = Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
        double[][] v = new double[n][n];
        for (int i = 0; i < n; i++) {
            v[i][i] = 1;
        }
        for (int sweep = 0; sweep < SWEEPS && !isDiagonal(a); sweep++) {
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    rotate(a, v, p, q);
                }
            }
        }
        Integer[] order = new Integer[n];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingDouble(i -> -a[i][i]));
        return new Symmetric(
                Arrays.stream(order).mapToDouble(i -> a[i][i]).toArray(),
                Arrays.stream(order).map(i -> v[i]).toArray(double[][]::new));
    }

    private static boolean isDiagonal(double[][] a) {
        double all = 0;
        double off = 0;
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a.length; j++) {
                double square = a[i][j] * a[i][j];
                all += square;
                off += i == j ? 0 : square;
            }
        }
        return off <= SMALL * SMALL * all;
    }

    /** Makes {@code a[p][q]} zero. */
    private static void rotate(double[][] a, double[][] v, int p, int q) {
        if (a[p][q] == 0) {
            return;
        }
        double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        double tan = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        double cos = 1 / Math.sqrt(tan * tan + 1);
        double sin = tan * cos;
        for (double[] row : a) {
            double left = row[p];
            row[p] = cos * left - sin * row[q];
            row[q] = sin * left + cos * row[q];
        }
        turn(a[p], a[q], cos, sin);
        turn(v[p], v[q], cos, sin);
    }

    private static void turn(double[] first, double[] second, double cos, double sin) {
        for (int k = 0; k < first.length; k++) {
            double value = first[k];
            first[k] = cos * value - sin * second[k];
            second[k] = sin * value + cos * second[k];
        }
    }

    /** {@return the matrix with the same vectors and other values; those that are nearly zero stay zero} */
    double[][] with(DoubleUnaryOperator value) {
        int n = values.length;
        double[][] result = new double[n][n];
        for (int k = 0; k < n; k++) {
            if (values[k] <= SMALL * values[0]) {
                continue;
            }
            double factor = value.applyAsDouble(values[k]);
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    result[i][j] += factor * vectors[k][i] * vectors[k][j];
                }
            }
        }
        return result;
    }
}
