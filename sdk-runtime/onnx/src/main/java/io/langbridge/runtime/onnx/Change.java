package io.langbridge.runtime.onnx;

import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How the weight of a layer changes when what comes in and what goes out are written in another basis: {@code W' =
 * Out^T diag(outScale) W diag(inScale) In} for {@code W} of shape {@code [out, in]}.
 *
 * @param inScale factor per input channel, or null
 * @param in basis of the input, or null for the channels as they are
 * @param outScale factor per output channel, or null
 * @param out basis of the output, or null for the channels as they are
 */
record Change(
        @Nullable Scale inScale,
        @Nullable Orthogonal in,
        @Nullable Scale outScale,
        @Nullable Orthogonal out) {
    /** Leaves the weight as it is. */
    static final Change NONE = new Change(null, null, null, null);

    /** Factors that are made when they are first needed, from whatever {@code recipe} names. */
    static final class Scale {
        private final String recipe;
        private final Supplier<float[]> maker;
        private float @Nullable [] values;

        Scale(String recipe, Supplier<float[]> maker) {
            this.recipe = recipe;
            this.maker = maker;
        }

        synchronized float[] values() {
            float[] known = values;
            if (known == null) {
                known = maker.get();
                values = known;
            }
            return known;
        }

        /** One over each factor. */
        Scale inverse() {
            return new Scale("1 / " + recipe, () -> {
                float[] inverse = values().clone();
                for (int i = 0; i < inverse.length; i++) {
                    inverse[i] = 1 / inverse[i];
                }
                return inverse;
            });
        }

        @Override
        public String toString() {
            return recipe;
        }
    }

    /** All that the changed values depend on beside the weight's own. */
    @Override
    public String toString() {
        return Arrays.asList(inScale, in, outScale, out).toString();
    }

    /** Changes rows {@code [rows, inputs]} of a weight; the output's basis needs all of them. */
    void apply(float[] rows, int firstRow, int inputs, Scratch scratch) {
        int count = rows.length / inputs;
        float[] columnFactors = inScale == null ? null : inScale.values();
        if (outScale != null) {
            float[] rowFactors = outScale.values();
            for (int row = 0; row < count; row++) {
                float factor = rowFactors[firstRow + row];
                int from = row * inputs;
                for (int i = 0; i < inputs; i++) {
                    rows[from + i] = rows[from + i] * (columnFactors == null ? 1 : columnFactors[i]) * factor;
                }
            }
        } else if (columnFactors != null && in == null) {
            for (int from = 0; from < rows.length; from += inputs) {
                for (int i = 0; i < inputs; i++) {
                    rows[from + i] *= columnFactors[i];
                }
            }
        }
        if (in != null) {
            in.apply(rows, count, outScale == null ? columnFactors : null, scratch);
        }
        if (out != null) {
            out.applyToColumns(rows, inputs, scratch);
        }
    }

    /** Memory that {@link #apply} needs beside the rows. */
    long workBytes() {
        return Math.max(in == null ? 0 : in.workBytes(), out == null ? 0 : out.workBytes());
    }

    /** Changes a bias, {@code [out]}. */
    void applyToBias(float[] bias) {
        if (outScale != null) {
            float[] factors = outScale.values();
            for (int i = 0; i < bias.length; i++) {
                bias[i] *= factors[i];
            }
        }
        if (out != null) {
            out.apply(bias, 1);
        }
    }
}
