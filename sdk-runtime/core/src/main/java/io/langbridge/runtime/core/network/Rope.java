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
    /** Nothing is rotated: all angles are 0. */
    public static final Rope STILL = new Rope(1, new ProportionalScaling(1, 0));

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
     * {@code yarn}: frequencies that turn often over the original length are kept, those that turn seldom divided, with
     * a ramp between.
     *
     * @param attentionFactor what cosines and sines are multiplied with
     * @param truncate whether the ramp begins and ends at whole pairs
     */
    public record YarnScaling(
            double factor,
            double attentionFactor,
            double betaFast,
            double betaSlow,
            int originalMaxPositionEmbeddings,
            boolean truncate)
            implements Scaling {
        /** How much of a pair is divided, 0 to 1. */
        float divided(int pair, int headDim, double theta) {
            double low = pairOf(betaFast, headDim, theta);
            double high = pairOf(betaSlow, headDim, theta);
            low = Math.max(truncate ? Math.floor(low) : low, 0);
            high = Math.min(truncate ? Math.ceil(high) : high, headDim - 1);
            double width = low == high ? 0.001 : high - low;
            return (float) Math.max(0, Math.min(1, (pair - low) / width));
        }

        /** The pair that turns so often over the original length. */
        private double pairOf(double turns, int headDim, double theta) {
            return headDim * Math.log(originalMaxPositionEmbeddings / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
        }
    }

    /**
     * {@code longrope}, within the original length: each frequency is divided by a number of its own.
     *
     * @param shortFactor one for each pair
     * @param attentionFactor what cosines and sines are multiplied with
     */
    public record LongScaling(List<Float> shortFactor, double attentionFactor) implements Scaling {
        public LongScaling {
            shortFactor = List.copyOf(shortFactor);
        }
    }

    /** What cosines and sines are multiplied with. */
    public double attentionFactor() {
        if (scaling instanceof YarnScaling yarn) {
            return yarn.attentionFactor();
        }
        return scaling instanceof LongScaling longer ? longer.attentionFactor() : 1;
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
            if (scaling instanceof YarnScaling yarn) {
                float kept = 1 - yarn.divided(i, headDim, theta);
                frequency = (float) (frequency / yarn.factor()) * (1 - kept) + frequency * kept;
            } else if (scaling instanceof LongScaling longer) {
                frequency = (float) (1.0
                        / (longer.shortFactor().get(i) * (float) Math.pow(theta, (float) (2 * i) / headDim)));
            }
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
        if (!(scaling instanceof Llama3Scaling llama3)) {
            return frequency; // changed already
        }
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
