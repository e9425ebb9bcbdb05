package io.langbridge.runtime.onnx;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** Rounds weights to few bits, symmetrically around zero. */
final class Quantizer {
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
     */
    static void blocks(float[] weights, int inputs, int bits, int block, ByteBuffer values, FloatBuffer scales) {
        int zero = 1 << bits - 1;
        byte[] rounded = new byte[block];
        byte[] packed = new byte[block * bits / 8];
        for (int row = 0; row < weights.length; row += inputs) {
            for (int from = 0; from < inputs; from += block) {
                int count = Math.min(block, inputs - from);
                float scale = bits == 4 ? leastError(weights, row + from, count) : largest(weights, row + from, count);
                scales.put(scale);
                float inverse = scale == 0 ? 0 : 1 / scale;
                for (int i = 0; i < block; i++) {
                    int value = i < count ? Math.round(weights[row + from + i] * inverse) : 0;
                    rounded[i] = (byte) (Math.max(-zero, Math.min(zero - 1, value)) + zero);
                }
                if (bits == 4) {
                    for (int i = 0; i < packed.length; i++) {
                        packed[i] = (byte) (rounded[2 * i] | rounded[2 * i + 1] << 4);
                    }
                    values.put(packed);
                } else {
                    values.put(rounded);
                }
            }
        }
    }

    /** The scale at which the largest value is 127. */
    private static float largest(float[] weights, int from, int count) {
        float largest = 0;
        for (int i = from; i < from + count; i++) {
            largest = Math.max(largest, Math.abs(weights[i]));
        }
        return largest / 127;
    }

    /**
     * The scale of least squared error among those at which the largest value, with its sign, is -8, and smaller ones.
     * Each is improved to the best for the values it rounds to.
     */
    private static float leastError(float[] weights, int from, int count) {
        float extreme = 0;
        float squares = 0;
        for (int i = from; i < from + count; i++) {
            squares += weights[i] * weights[i];
            if (Math.abs(weights[i]) > Math.abs(extreme)) {
                extreme = weights[i];
            }
        }
        if (extreme == 0) {
            return 0;
        }
        float best = 0;
        float bestGain = -1;
        for (int sign = 1; sign >= -1; sign -= 2) {
            for (float share : SHARES) {
                float inverse = -8 * sign / (extreme * share);
                float products = 0;
                float norm = 0;
                for (int i = from; i < from + count; i++) {
                    // rint without a call: adding 1.5 * 2^23 leaves the rounded value in the low bits.
                    float value = (weights[i] * inverse + 12582912f) - 12582912f;
                    value = Math.max(-8, Math.min(7, value));
                    products += value * weights[i];
                    norm += value * value;
                }
                // Squared error at the best scale for these values is squares - gain.
                float gain = norm == 0 ? 0 : products * products / norm;
                if (gain > bestGain) {
                    bestGain = gain;
                    best = norm == 0 ? extreme / (-8 * sign) : products / norm;
                }
            }
        }
        return squares == 0 ? 0 : best;
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
        for (int first = 0; first < rows; first += together) {
            int last = Math.min(rows, first + together);
            float[] inverse = new float[last - first];
            for (int row = first; row < last; row++) {
                float scale = largest(weights, row * inputs, inputs);
                scales.put(scale);
                inverse[row - first] = scale == 0 ? 0 : 1 / scale;
            }
            for (int i = 0; i < inputs; i++) {
                for (int row = first; row < last; row++) {
                    values[i * outputs + column + row] =
                            (byte) Math.round(weights[row * inputs + i] * inverse[row - first]);
                }
            }
        }
    }
}
