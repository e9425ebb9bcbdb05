package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class QuantizerTest {
    private static final int ROWS = 64;
    private static final int INPUTS = 300; // two blocks of 128 and a part of one

    private final float[] weights = RandomWeights.values(ROWS * INPUTS, 3);

    /** What the kernel computes with. */
    private float[] unpacked(int bits) {
        ByteBuffer values = ByteBuffer.allocate(ROWS * 3 * 128 * bits / 8);
        FloatBuffer scales = FloatBuffer.allocate(ROWS * 3);
        Quantizer.blocks(weights, INPUTS, bits, 128, values, scales);
        assertThat(values.hasRemaining()).isFalse();
        float[] all = new float[weights.length];
        for (int row = 0; row < ROWS; row++) {
            for (int i = 0; i < INPUTS; i++) {
                int at = row * 3 * 128 + i;
                int raw = bits == 8 ? values.get(at) & 0xff : values.get(at / 2) >> 4 * (at % 2) & 0xf;
                all[row * INPUTS + i] = (raw - (bits == 8 ? 128 : 8)) * scales.get(row * 3 + i / 128);
            }
        }
        return all;
    }

    private double error(float[] rounded) {
        double[] exact = new double[weights.length];
        Arrays.setAll(exact, i -> weights[i]);
        return Errors.relative(rounded, exact);
    }

    @Test
    void eightBitsInBlocksLoseLittle() {
        assertThat(error(unpacked(8))).isLessThan(0.0065);
    }

    @Test
    void fourBitsFindBetterScalesThanTheLargestValueGives() {
        float[] simple = weights.clone();
        for (int row = 0; row < simple.length; row += INPUTS) {
            for (int from = 0; from < INPUTS; from += 128) {
                int to = Math.min(INPUTS, from + 128);
                float largest = 0;
                for (int i = from; i < to; i++) {
                    largest = Math.max(largest, Math.abs(simple[row + i]));
                }
                for (int i = from; i < to; i++) {
                    simple[row + i] = Math.round(simple[row + i] * 7 / largest) * largest / 7;
                }
            }
        }
        assertThat(error(unpacked(4))).isLessThan(0.9 * error(simple));
    }

    @Test
    void zerosStayZero() {
        Arrays.fill(weights, 0);
        assertThat(unpacked(4)).containsOnly(0f);
        assertThat(unpacked(8)).containsOnly(0f);
    }

    @Test
    void columnsHaveOneScaleForEachOutput() {
        byte[] values = new byte[weights.length];
        FloatBuffer scales = FloatBuffer.allocate(ROWS);
        Quantizer.columns(weights, 0, ROWS, INPUTS, values, scales);
        float[] rounded = new float[weights.length];
        for (int row = 0; row < ROWS; row++) {
            for (int i = 0; i < INPUTS; i++) {
                rounded[row * INPUTS + i] = values[i * ROWS + row] * scales.get(row);
            }
        }
        assertThat(error(rounded)).isCloseTo(0.0067, within(0.0006));
    }
}
