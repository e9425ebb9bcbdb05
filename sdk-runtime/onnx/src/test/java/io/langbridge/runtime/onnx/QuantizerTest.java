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
        Quantizer.blocks(weights, INPUTS, bits, 128, values, scales, new Scratch());
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

    /** One block after the other and one value after the other, with the bits that files in caches have. */
    @Test
    void manyBlocksAreRoundedAsOneAlone() {
        for (int i = 0; i < INPUTS; i++) {
            weights[i] = 0;
            weights[INPUTS + i] *= 1e-30f;
            weights[2 * INPUTS + i] = (i % 9 - 4) * 0.25f; // ties
        }
        int bytes = ROWS * 3 * 128;
        ByteBuffer four = ByteBuffer.allocate(bytes / 2);
        ByteBuffer eight = ByteBuffer.allocate(bytes);
        FloatBuffer scalesOfFour = FloatBuffer.allocate(ROWS * 3);
        FloatBuffer scalesOfEight = FloatBuffer.allocate(ROWS * 3);
        Scratch scratch = new Scratch();
        Quantizer.blocks(weights, INPUTS, 4, 128, four, scalesOfFour, scratch);
        Quantizer.blocks(weights, INPUTS, 8, 128, eight, scalesOfEight, scratch);
        for (int index = 0; index < ROWS * 3; index++) {
            float[] block = new float[128];
            int from = index % 3 * 128;
            System.arraycopy(weights, index / 3 * INPUTS + from, block, 0, Math.min(128, INPUTS - from));
            float largest = 0;
            for (float value : block) {
                largest = Math.max(largest, Math.abs(value));
            }
            assertThat(scalesOfEight.get(index)).isEqualTo(largest / 127);
            assertThat(scalesOfFour.get(index)).isEqualTo(leastError(block));
            for (int i = 0; i < 128; i++) {
                int at = index * 128 + i;
                assertThat(eight.get(at) & 0xff).isEqualTo(rounded(block[i], scalesOfEight.get(index), 128));
                assertThat(four.get(at / 2) >> 4 * (at % 2) & 0xf)
                        .isEqualTo(rounded(block[i], scalesOfFour.get(index), 8));
            }
        }
    }

    private static int rounded(float value, float scale, int zero) {
        int rounded = scale == 0 ? 0 : Math.round(value * (1 / scale));
        return Math.max(-zero, Math.min(zero - 1, rounded)) + zero;
    }

    private static float leastError(float... block) {
        float extreme = 0;
        for (float value : block) {
            extreme = Math.abs(value) > Math.abs(extreme) ? value : extreme;
        }
        float best = 0;
        float bestGain = -1;
        for (int sign = 1; sign >= -1 && extreme * extreme != 0; sign -= 2) {
            for (float share : new float[] {1f, 0.96f, 0.92f, 0.88f, 0.84f, 0.8f, 0.76f, 0.72f}) {
                float inverse = -8 * sign / (extreme * share);
                float products = 0;
                float norm = 0;
                for (float value : block) {
                    float whole = (float) Math.max(-8, Math.min(7, Math.rint(value * inverse)));
                    products += whole * value;
                    norm += whole * whole;
                }
                float gain = norm == 0 ? 0 : products * products / norm;
                if (gain > bestGain) {
                    bestGain = gain;
                    best = norm == 0 ? extreme / (-8 * sign) : products / norm;
                }
            }
        }
        return best;
    }
}
