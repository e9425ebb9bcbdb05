package io.langbridge.runtime.images.webp;

import java.util.Arrays;

/** The inverse transforms: section 14 of RFC 6386, in its 16-bit arithmetic. */
final class Residual {
    private static final int SQRT2_COS_MINUS_1 = 20091;
    private static final int SQRT2_SIN = 35468;

    private final int[] columns = new int[16];

    /** Walsh-Hadamard: 16 sums of a macroblock become the first coefficients of its luma blocks. */
    void sums(short[] sums, int from, short[] coefficients) {
        for (int i = 0; i < 4; i++) {
            int outer = sums[from + i] + sums[from + 12 + i];
            int inner = sums[from + 4 + i] + sums[from + 8 + i];
            int innerDifference = sums[from + 4 + i] - sums[from + 8 + i];
            int outerDifference = sums[from + i] - sums[from + 12 + i];
            columns[i] = outer + inner;
            columns[4 + i] = innerDifference + outerDifference;
            columns[8 + i] = outer - inner;
            columns[12 + i] = outerDifference - innerDifference;
        }
        for (int i = 0; i < 16; i += 4) {
            int outer = columns[i] + columns[i + 3] + 3;
            int inner = columns[i + 1] + columns[i + 2];
            int innerDifference = columns[i + 1] - columns[i + 2];
            int outerDifference = columns[i] - columns[i + 3] + 3;
            coefficients[16 * i] = (short) (outer + inner >> 3);
            coefficients[16 * i + 16] = (short) (innerDifference + outerDifference >> 3);
            coefficients[16 * i + 32] = (short) (outer - inner >> 3);
            coefficients[16 * i + 48] = (short) (outerDifference - innerDifference >> 3);
        }
        Arrays.fill(sums, from, from + 16, (short) 0);
    }

    /** Adds what 16 coefficients stand for to 4 x 4 predicted samples, and clears the coefficients. */
    void add(short[] coefficients, int from, byte[] samples, int at, int stride) {
        for (int i = 0; i < 4; i++) {
            int c0 = coefficients[from + i];
            int c1 = coefficients[from + 4 + i];
            int c2 = coefficients[from + 8 + i];
            int c3 = coefficients[from + 12 + i];
            int even = c0 + c2;
            int evenDifference = c0 - c2;
            int oddDifference = sin(c1) - cos(c3);
            int odd = cos(c1) + sin(c3);
            columns[i] = even + odd;
            columns[4 + i] = evenDifference + oddDifference;
            columns[8 + i] = evenDifference - oddDifference;
            columns[12 + i] = even - odd;
        }
        Arrays.fill(coefficients, from, from + 16, (short) 0);
        int row = at;
        for (int i = 0; i < 16; i += 4, row += stride) {
            int even = columns[i] + columns[i + 2] + 4;
            int evenDifference = columns[i] - columns[i + 2] + 4;
            int oddDifference = sin(columns[i + 1]) - cos(columns[i + 3]);
            int odd = cos(columns[i + 1]) + sin(columns[i + 3]);
            add(samples, row, even + odd >> 3);
            add(samples, row + 1, evenDifference + oddDifference >> 3);
            add(samples, row + 2, evenDifference - oddDifference >> 3);
            add(samples, row + 3, even - odd >> 3);
        }
    }

    /** The same where only the first coefficient is not 0. */
    static void addFlat(short[] coefficients, int from, byte[] samples, int at, int stride) {
        int level = coefficients[from] + 4 >> 3;
        coefficients[from] = 0;
        for (int row = at; row < at + 4 * stride; row += stride) {
            for (int x = row; x < row + 4; x++) {
                add(samples, x, level);
            }
        }
    }

    private static void add(byte[] samples, int at, int difference) {
        samples[at] = Prediction.clamp((samples[at] & 0xff) + difference);
    }

    private static int cos(int value) {
        return value + (value * SQRT2_COS_MINUS_1 >> 16);
    }

    private static int sin(int value) {
        return value * SQRT2_SIN >> 16;
    }
}
