package io.langbridge.runtime.core.network;

import io.langbridge.UnsupportedModelException;
import org.jspecify.annotations.Nullable;

/**
 * How queries and keys of a layer are rotated by their positions.
 *
 * @param rope the angles
 * @param width how many values of a head are rotated, from its first on: element k pairs with {@code k + width / 2}
 * @param growth what queries are multiplied with as well, and keys are not; null if it is 1
 */
public record Rotary(Rope rope, int width, @Nullable Growth growth) {
    /**
     * Grows with the position: {@code 1 + beta * log(1 + floor(position / length))}.
     *
     * @param length of the texts that a model learnt before longer ones
     */
    public record Growth(double beta, int length) {}

    /** The same for queries and keys. */
    public Rotary(Rope rope, int width) {
        this(rope, width, null);
    }

    public Rotary {
        if (width < 2 || width % 2 != 0) {
            throw new UnsupportedModelException("The rotary position embedding goes over " + width
                    + " values of each head (head_dim, or a part of it); it needs an even number");
        }
    }

    /** The angle per position of every rotated pair, {@code [width / 2]}. */
    public float[] inverseFrequencies() {
        return rope.inverseFrequencies(width);
    }

    /** How keys are rotated. */
    public Rotary ofKeys() {
        return growth == null ? this : new Rotary(rope, width, null);
    }

    /** What cosines and sines are multiplied with, at a position. */
    public float factor(int position) {
        double grown =
                growth == null ? 1 : 1 + growth.beta() * Math.log(1 + Math.floor((double) position / growth.length()));
        return (float) (rope.attentionFactor() * grown);
    }
}
