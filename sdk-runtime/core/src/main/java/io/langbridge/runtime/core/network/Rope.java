package io.langbridge.runtime.core.network;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rotary position embedding: {@code rope_theta} and {@code rope_scaling}, or {@code rope_parameters} since transformers
 * 5.
 *
 * @param theta base of the frequencies
 * @param scaling how they are rescaled, or null
 * @param sections which of a position's axes each frequency goes by; null if a position is one number
 */
public record Rope(
        double theta, @Nullable Scaling scaling, @Nullable Sections sections) {
    /** Positions are one number each. */
    public Rope(double theta, @Nullable Scaling scaling) {
        this(theta, scaling, null);
    }

    /**
     * {@code mrope_section}: a position is a time, a row and a column.
     *
     * @param sizes how many frequencies go by each axis
     * @param interleaved whether frequencies take turns as far as rows and columns go, and not in three runs
     */
    public record Sections(List<Integer> sizes, boolean interleaved) {
        /** Axes of a position. */
        public static final int AXES = 3;

        public Sections {
            sizes = List.copyOf(sizes);
        }

        /** The axis that each of so many frequencies goes by. */
        public int[] axes(int frequencies) {
            int[] axes = new int[frequencies];
            int end = 0;
            for (int axis = 0; axis < AXES; axis++) {
                int from = interleaved ? axis : end;
                end = interleaved ? AXES * sizes.get(axis) : end + sizes.get(axis);
                for (int i = from; i < Math.min(end, frequencies); i += interleaved ? AXES : 1) {
                    axes[i] = axis;
                }
            }
            return axes;
        }
    }

    /** How the frequencies are rescaled for longer contexts. */
    public sealed interface Scaling {}

    /** {@code linear}: all frequencies divided by {@code factor}. */
    public record LinearScaling(double factor) implements Scaling {}

    /** {@code llama3}: low frequencies divided by {@code factor}, high ones kept, a smooth change between. */
    public record Llama3Scaling(
            double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositionEmbeddings)
            implements Scaling {}

    /**
     * {@code proportional}: only the first frequencies rotate, as if all did; the rest have an angle of 0.
     *
     * @param factor that frequencies are divided by
     * @param part of a head that rotates, {@code partial_rotary_factor}
     */
    public record ProportionalScaling(double factor, double part) implements Scaling {
        /** How many pairs of a head rotate. */
        int pairs(int headDim) {
            return (int) Math.floor(part * headDim / 2);
        }
    }

    /**
     * The angle per position of every rotated pair.
     *
     * @return {@code [headDim / 2]}; the reference computes them in float32, and so does this
     */
    public float[] inverseFrequencies(int headDim) {
        float[] frequencies = new float[headDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            float frequency = (float) (1.0 / Math.pow(theta, (float) (2 * i) / headDim));
            boolean still = scaling instanceof ProportionalScaling part && i >= part.pairs(headDim);
            frequencies[i] = still ? 0 : scaling == null ? frequency : rescale(frequency, scaling);
        }
        return frequencies;
    }

    private static float rescale(float frequency, Scaling scaling) {
        if (scaling instanceof LinearScaling linear) {
            return (float) (frequency / linear.factor());
        }
        if (scaling instanceof ProportionalScaling proportional) {
            return (float) (frequency / proportional.factor());
        }
        Llama3Scaling llama3 = (Llama3Scaling) scaling;
        double wavelength = 2 * Math.PI / frequency;
        double lowWavelength = llama3.originalMaxPositionEmbeddings() / llama3.lowFreqFactor();
        double highWavelength = llama3.originalMaxPositionEmbeddings() / llama3.highFreqFactor();
        if (wavelength < highWavelength) {
            return frequency;
        }
        if (wavelength > lowWavelength) {
            return (float) (frequency / llama3.factor());
        }
        double smooth = (llama3.originalMaxPositionEmbeddings() / wavelength - llama3.lowFreqFactor())
                / (llama3.highFreqFactor() - llama3.lowFreqFactor());
        return (float) ((1 - smooth) * frequency / llama3.factor() + smooth * frequency);
    }
}
