package io.langbridge.runtime.core.network;

/**
 * The vision tower of Gemma 4, keys as in {@code config.json}.
 *
 * @param headDim of each head, a multiple of 4
 * @param poolingKernelSize patches along the side of a visual token
 * @param positionEmbeddingSize of each of the two tables of positions, along a picture and down
 * @param ropeTheta of the rotation by columns in one half of a head and by rows in the other
 * @param standardize whether visual tokens have their mean taken off and are multiplied, by numbers in the file
 * @param useClippedLinears whether what goes in and out of products is kept between numbers in the file
 */
public record Gemma4VitConfig(
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int headDim,
        int patchSize,
        int poolingKernelSize,
        int positionEmbeddingSize,
        float rmsNormEps,
        double ropeTheta,
        boolean standardize,
        boolean useClippedLinears) {}
