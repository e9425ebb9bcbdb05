package io.langbridge.runtime.core.network;

import io.langbridge.UnsupportedModelException;

/**
 * How queries and keys of a layer are rotated by their positions.
 *
 * @param rope the angles
 * @param width how many values of a head are rotated, from its first on: element k pairs with {@code k + width / 2}
 */
public record Rotary(Rope rope, int width) {
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
}
