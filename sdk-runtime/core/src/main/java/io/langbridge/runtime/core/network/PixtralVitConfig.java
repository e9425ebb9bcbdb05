package io.langbridge.runtime.core.network;

/**
 * Pixtral's vision tower, keys as in {@code config.json}.
 *
 * @param layersToRun of its layers, as many as the selected features need
 */
public record PixtralVitConfig(
        int hiddenSize,
        int intermediateSize,
        int layersToRun,
        int numAttentionHeads,
        int patchSize,
        Activation hiddenAct,
        double ropeTheta) {}
