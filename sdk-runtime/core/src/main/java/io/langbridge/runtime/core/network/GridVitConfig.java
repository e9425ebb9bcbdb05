package io.langbridge.runtime.core.network;

import java.util.List;

/**
 * A vision tower that sees a picture at its own shape, keys as in {@code config.json}: Qwen2-VL, Qwen2.5-VL and
 * Qwen3-VL.
 *
 * @param gated whether layers have RMS norms and a gated MLP (Qwen2.5-VL), and not layer norms and a plain one
 * @param mlp names of the two products of a plain MLP
 * @param patchBias whether the patch embedding has a bias
 * @param positionsPerSide of the square table of positions that is stretched over the picture; 0 if there is none
 * @param cellsPerWindow merged cells along the side of a window, outside of {@code fullLayers}; 0 if there are no
 *     windows
 * @param fullLayers layers in which all patches see each other though others have windows
 * @param deepLayers layers whose results are features too, beside the last one's
 */
public record GridVitConfig(
        int hiddenSize,
        int intermediateSize,
        int depth,
        int numHeads,
        int patchSize,
        int mergeSize,
        Activation hiddenAct,
        double ropeTheta,
        boolean gated,
        List<String> mlp,
        boolean patchBias,
        int positionsPerSide,
        int cellsPerWindow,
        List<Integer> fullLayers,
        List<Integer> deepLayers) {

    public GridVitConfig {
        mlp = List.copyOf(mlp);
        fullLayers = List.copyOf(fullLayers);
        deepLayers = List.copyOf(deepLayers);
    }
}
