package io.langbridge.runtime.onnx;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;

/** Rounds weights to few bits, symmetrically around zero. */
final class Quantizer {
    /** Blocks that are looked at side by side: as many as make a loop over them worth its beginning and its end. */
    private static final int LINE = 256;

    /** Scales tried for a block, as shares of the one that holds its largest value. */
    private static final float[] SHARES = {1f, 0.96f, 0.92f, 0.88f, 0.84f, 0.8f, 0.76f, 0.72f};

    private Quantizer() {}

    /**
     * Rounds rows to blocks as {@code MatMulNBits} takes them: {@code [rows, blocks, block * bits / 8]}, values around
     * {@code 2^(bits - 1)}, the last block filled up with zeros.
     *
     * @param weights {@code [rows, inputs]}
     * @param bits 4 or 8
     * @param values gets the values
     * @param scales gets {@code [rows, blocks]}
     * @param scratch memory that is used again
     */
    static void blocks(
            float[] weights, int inputs, int bits, int block, ByteBuffer values, FloatBuffer scales, Scratch scratch) {
        int zero = 1 << bits - 1;
        int rowBlocks = (inputs + block - 1) / block;
        float[] found = scratch.floats(weights.length / inputs * rowBlocks);
        if (bits == 4) {
            leastError(weights, inputs, block, found, scratch);
        }
        byte[] rounded = new byte[block];
        int index = 0;
        for (int row = 0; row < weights.length; row += inputs) {
            for (int from = 0; from < inputs; from += block, index++) {
                int count = Math.min(block, inputs - from);
                float scale = bits == 4 ? found[index] : largest(weights, row + from, count) / 127;
                found[index] = scale;
                float inverse = inverse(scale);
                for (int i = 0; i < count; i++) {
                    int value = round(weights[row + from + i] * inverse, zero);
                    rounded[i] = (byte) Math.max(0, Math.min(2 * zero - 1, value));
                }
                Arrays.fill(rounded, count, block, (byte) zero);
                if (bits == 4) {
                    for (int i = 0; i < block / 2; i++) {
                        rounded[i] = (byte) (rounded[2 * i] | rounded[2 * i + 1] << 4);
                    }
                }
                values.put(rounded, 0, block * bits / 8);
            }
        }
        scales.put(found);
        scratch.giveBack(found);
    }

    /** {@code Math.round(value) + zero} where that is above 0, and at most 0 where it is not; exact in float64. */
    private static int round(float value, int zero) {
        return (int) (value + (zero + 0.5));
    }

    /** That of a scale near 0 would be infinite, and no product with a weight of 0. */
    private static float inverse(float scale) {
        return scale == 0 ? 0 : Math.min(1 / scale, Float.MAX_VALUE);
    }

    /** The largest size of finite values. */
    private static float largest(float[] weights, int from, int count) {
        int end = from + count;
        int a = 0;
        int b = 0;
        int c = 0;
        int d = 0;
        int i = from;
        // Bits without the sign are in the order of sizes, and whole numbers are compared faster; four do not wait for
        // each other.
        for (; i + 4 <= end; i += 4) {
            a = Math.max(a, Float.floatToRawIntBits(weights[i]) & Integer.MAX_VALUE);
            b = Math.max(b, Float.floatToRawIntBits(weights[i + 1]) & Integer.MAX_VALUE);
            c = Math.max(c, Float.floatToRawIntBits(weights[i + 2]) & Integer.MAX_VALUE);
            d = Math.max(d, Float.floatToRawIntBits(weights[i + 3]) & Integer.MAX_VALUE);
        }
        for (; i < end; i++) {
            a = Math.max(a, Float.floatToRawIntBits(weights[i]) & Integer.MAX_VALUE);
        }
        return Float.intBitsToFloat(Math.max(Math.max(a, b), Math.max(c, d)));
    }

    /**
     * For each block the scale of least squared error among those at which the largest value, with its sign, is -8, and
     * smaller ones. Each is improved to the best for the values it rounds to.
     *
     * @param scales gets {@code [rows, blocks]}
     */
    private static void leastError(float[] weights, int inputs, int block, float[] scales, Scratch scratch) {
        int together = LINE;
        float[][] values = scratch.lines(block, LINE);
        float[] inverses = new float[together];
        float[] products = new float[together];
        float[] norms = new float[together];
        float[] extremes = new float[together];
        float[] gains = new float[together];
        int rowBlocks = (inputs + block - 1) / block;
        Arrays.fill(scales, 0);
        for (int first = 0; first < scales.length; first += together) {
            int width = Math.min(together, scales.length - first);
            turn(weights, inputs, block, rowBlocks, first, values, width);
            extremes(values, extremes, width);
            Arrays.fill(gains, -1);
            for (int sign = 1; sign >= -1; sign -= 2) {
                for (float share : SHARES) {
                    for (int k = 0; k < width; k++) {
                        inverses[k] = extremes[k] == 0 ? 0 : -8 * sign / (extremes[k] * share);
                    }
                    Arrays.fill(products, 0);
                    Arrays.fill(norms, 0);
                    for (float[] line : values) {
                        add(line, inverses, products, norms, width);
                    }
                    for (int k = 0; k < width; k++) {
                        // Squared error at the best scale for these values is that of the block - gain.
                        float gain = norms[k] == 0 ? 0 : products[k] * products[k] / norms[k];
                        if (gain > gains[k]) {
                            gains[k] = gain;
                            scales[first + k] = norms[k] == 0 ? extremes[k] / (-8 * sign) : products[k] / norms[k];
                        }
                    }
                }
            }
            for (int k = 0; k < width; k++) {
                if (extremes[k] * extremes[k] == 0) {
                    scales[first + k] = 0;
                }
            }
        }
        scratch.giveBack(values);
    }

    /** Puts blocks side by side, filled up with zeros: each step of all of them is one loop. */
    private static void turn(
            float[] weights, int inputs, int block, int rowBlocks, int first, float[][] values, int width) {
        for (int k = 0; k < width; k++) {
            int row = (first + k) / rowBlocks;
            int from = (first + k) % rowBlocks * block;
            int count = Math.min(block, inputs - from);
            int at = row * inputs + from;
            for (int i = 0; i < count; i++) {
                values[i][k] = weights[at + i];
            }
            for (int i = count; i < block; i++) {
                values[i][k] = 0;
            }
        }
    }

    /** The first of the values of largest size of each block, with its sign. */
    private static void extremes(float[][] values, float[] extremes, int width) {
        Arrays.fill(extremes, 0);
        for (float[] line : values) {
            for (int k = 0; k < width; k++) {
                if (Math.abs(line[k]) > Math.abs(extremes[k])) {
                    extremes[k] = line[k];
                }
            }
        }
    }

    /** Adds what rounding to -8 .. 7 makes of a value of each block; more in one loop is not made vectors of. */
    private static void add(float[] values, float[] inverses, float[] products, float[] norms, int width) {
        for (int k = 0; k < width; k++) {
            // rint without a call: adding 1.5 * 2^23 leaves the rounded value in the low bits.
            float rounded = (values[k] * inverses[k] + 12582912f) - 12582912f;
            rounded = Math.max(-8, Math.min(7, rounded));
            products[k] += rounded * values[k];
            norms[k] += rounded * rounded;
        }
    }

    /**
     * Rounds rows of a matrix to 8 bits with one scale for each, and writes them in the order in which integer products
     * take it, {@code [inputs, outputs]}.
     *
     * @param weights {@code [rows, inputs]}
     * @param column of the first row
     * @param outputs rows of the whole matrix
     * @param values gets the values in their places
     * @param scales gets {@code [rows]}
     */
    static void columns(float[] weights, int column, int outputs, int inputs, byte[] values, FloatBuffer scales) {
        int together = 16; // a cache line of what is written, and few enough rows to stay in the cache
        int rows = weights.length / inputs;
        float[] inverses = new float[together];
        for (int first = 0; first < rows; first += together) {
            int count = Math.min(together, rows - first);
            for (int row = 0; row < count; row++) {
                float scale = largest(weights, (first + row) * inputs, inputs) / 127;
                scales.put(scale);
                inverses[row] = inverse(scale);
            }
            for (int i = 0; i < inputs; i++) {
                int at = i * outputs + column + first;
                int from = first * inputs + i;
                for (int row = 0; row < count; row++) {
                    values[at + row] = (byte) (round(weights[from + row * inputs] * inverses[row], 128) - 128);
                }
            }
        }
    }
}
