package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.network.Activation;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Factors that move size from activations to the weights that follow, or back, so that neither has channels much larger
 * than the others (SmoothQuant, arXiv 2211.10438). How large activations are is estimated from the weights they come
 * from, for inputs whose channels are alike, as they are after an RMS norm.
 */
final class Smoothing {
    /** Values of a weight that are read at a time. */
    private static final int READ_FLOATS = 1 << 16;

    private Smoothing() {}

    /**
     * Per channel of {@code silu(gate) * up}: divide {@code up} by it and multiply {@code down} with it.
     *
     * @param norm weight of the norm before, {@code [hidden]}, or null if there is none
     */
    static Change.Scale ofMlp(StoredTensor gate, StoredTensor up, StoredTensor down, Change.@Nullable Scale norm) {
        return scale(identities(gate, up, down) + norm, () -> forMlp(gate, up, down, values(norm)));
    }

    private static float[] forMlp(StoredTensor gate, StoredTensor up, StoredTensor down, float @Nullable [] norm) {
        float[] gates = rowNorms(gate, norm);
        float[] activations = rowNorms(up, norm);
        for (int i = 0; i < activations.length; i++) {
            // SiLU is near x / 2 for small x, and x or 0 for large: its root mean square lies between g / 2 and g /
            // 1.4.
            double g = gates[i];
            activations[i] = (float) (activations[i] * g * Math.sqrt(0.25 + 0.25 * g * g / (g * g + 4)));
        }
        return factors(activations, columnNorms(down));
    }

    /**
     * Per channel of what an activation function gives: divide that by it and multiply {@code second} with it.
     *
     * @param bias of {@code first}, {@code [inner]}, or null
     * @param norm weight of the norm before, {@code [hidden]}
     * @param offset its bias, or null
     */
    static Change.Scale ofActivation(
            Activation function,
            StoredTensor first,
            @Nullable StoredTensor bias,
            Change.Scale norm,
            Change.@Nullable Scale offset,
            StoredTensor second) {
        String biasIdentity = bias == null ? "" : StoredWeights.identity(bias);
        return scale(
                identities(first) + biasIdentity + identities(second) + norm + offset + function,
                () -> forActivation(
                        function,
                        first,
                        bias == null ? null : StoredWeights.finite(bias),
                        norm.values(),
                        values(offset),
                        second));
    }

    private static float[] forActivation(
            Activation function,
            StoredTensor first,
            float @Nullable [] bias,
            float[] norm,
            float @Nullable [] offset,
            StoredTensor second) {
        float[] deviations = rowNorms(first, norm);
        float[] means = bias == null ? new float[deviations.length] : bias.clone();
        if (offset != null) {
            addProduct(first, offset, means);
        }
        // Root mean squares over a normal distribution, which is near enough by sums over a grid.
        double slope = function == Activation.SILU ? 1 : 1.702; // GELU is x * sigmoid(1.702 x) within 0.02
        float[] activations = new float[deviations.length];
        for (int i = 0; i < activations.length; i++) {
            double squares = 0;
            double all = 0;
            for (double z = -4; z <= 4; z += 0.25) {
                double share = Math.exp(-z * z / 2);
                double x = means[i] + deviations[i] * z;
                double y = x / (1 + Math.exp(-slope * x));
                squares += share * y * y;
                all += share;
            }
            activations[i] = (float) Math.sqrt(squares / all);
        }
        return factors(activations, columnNorms(second));
    }

    /** Adds {@code weight x} to {@code sums}. */
    static void addProduct(StoredTensor weight, float[] x, float[] sums) {
        forRows(weight, (first, rows, values, in) -> {
            for (int row = 0; row < rows; row++) {
                float sum = 0;
                for (int i = 0; i < in; i++) {
                    sum += values[row * in + i] * x[i];
                }
                sums[first + row] += sum;
            }
        });
    }

    /**
     * Per channel of the values that attention mixes: divide {@code v_proj} by it and multiply {@code o_proj} with it,
     * in every head that reads the channel.
     *
     * @param norm weight of the norm before, {@code [hidden]}, or null if there is none
     */
    static Change.Scale ofValues(StoredTensor values, StoredTensor output, Change.@Nullable Scale norm, int headDim) {
        return scale(identities(values, output) + norm, () -> forValues(values, output, values(norm), headDim));
    }

    private static float[] forValues(StoredTensor values, StoredTensor output, float @Nullable [] norm, int headDim) {
        float[] activations = rowNorms(values, norm);
        float[] read = columnNorms(output);
        int group = read.length / activations.length;
        float[] together = new float[activations.length];
        for (int i = 0; i < read.length; i++) {
            int head = i / headDim / group;
            int channel = head * headDim + i % headDim;
            together[channel] = Math.max(together[channel], read[i]);
        }
        return factors(activations, together);
    }

    /** The same per channel of all heads, {@code [heads * head_dim]}. */
    static float[] forHeads(float[] ofValues, int heads, int headDim) {
        float[] all = new float[heads * headDim];
        int group = all.length / ofValues.length;
        for (int i = 0; i < all.length; i++) {
            all[i] = ofValues[i / headDim / group * headDim + i % headDim];
        }
        return all;
    }

    private static Change.Scale scale(String of, Supplier<float[]> values) {
        return new Change.Scale("smoothing 1 of " + of, values);
    }

    private static String identities(StoredTensor... tensors) {
        return Arrays.stream(tensors).map(StoredWeights::identity).collect(Collectors.joining());
    }

    private static float @Nullable [] values(Change.@Nullable Scale scale) {
        return scale == null ? null : scale.values();
    }

    /** The square root of the quotient makes both sides equal, which is the least that the larger one can be. */
    private static float[] factors(float[] activations, float[] weights) {
        float[] factors = new float[activations.length];
        double logarithms = 0;
        int counted = 0;
        for (int i = 0; i < factors.length; i++) {
            double factor = Math.sqrt((double) activations[i] / weights[i]);
            boolean usable = factor > 0 && factor < Float.MAX_VALUE;
            factors[i] = usable ? (float) factor : 0;
            logarithms += usable ? Math.log(factor) : 0;
            counted += usable ? 1 : 0;
        }
        float mean = counted == 0 ? 1 : (float) Math.exp(logarithms / counted);
        for (int i = 0; i < factors.length; i++) {
            factors[i] = factors[i] > 0 ? factors[i] / mean : 1;
        }
        return factors;
    }

    private static float[] rowNorms(StoredTensor weight, float @Nullable [] inputFactors) {
        float[] norms = new float[(int) weight.shape()[0]];
        forRows(weight, (first, rows, values, in) -> {
            int row = 0;
            for (; row + 4 <= rows; row += 4) { // four sums do not wait for each other
                int at = row * in;
                float a = 0;
                float b = 0;
                float c = 0;
                float d = 0;
                for (int i = 0; i < in; i++, at++) {
                    float factor = inputFactors == null ? 1 : inputFactors[i];
                    a += square(values[at] * factor);
                    b += square(values[at + in] * factor);
                    c += square(values[at + 2 * in] * factor);
                    d += square(values[at + 3 * in] * factor);
                }
                norms[first + row] = a;
                norms[first + row + 1] = b;
                norms[first + row + 2] = c;
                norms[first + row + 3] = d;
            }
            for (; row < rows; row++) {
                float sum = 0;
                for (int i = 0; i < in; i++) {
                    sum += square(values[row * in + i] * (inputFactors == null ? 1 : inputFactors[i]));
                }
                norms[first + row] = sum;
            }
        });
        return roots(norms);
    }

    private static float square(float value) {
        return value * value;
    }

    private static float[] columnNorms(StoredTensor weight) {
        float[] norms = new float[(int) weight.shape()[1]];
        forRows(weight, (first, rows, values, in) -> {
            for (int from = 0; from < rows * in; from += in) {
                for (int i = 0; i < in; i++) {
                    norms[i] += square(values[from + i]);
                }
            }
        });
        return roots(norms);
    }

    /** Some rows of a weight, {@code [rows, in]}. */
    private interface Rows {
        void accept(int first, int rows, float[] values, int in);
    }

    private static void forRows(StoredTensor weight, Rows action) {
        int out = (int) weight.shape()[0];
        int in = (int) weight.shape()[1];
        int most = Math.max(1, READ_FLOATS / in);
        float[] values = new float[Math.min(most, out) * in];
        for (int first = 0; first < out; first += most) {
            int rows = Math.min(most, out - first);
            weight.read((long) first * in, FloatBuffer.wrap(values, 0, rows * in));
            action.accept(first, rows, values, in);
        }
    }

    private static float[] roots(float[] squares) {
        float[] roots = Arrays.copyOf(squares, squares.length);
        for (int i = 0; i < roots.length; i++) {
            roots[i] = (float) Math.sqrt(roots[i]);
        }
        return roots;
    }
}
