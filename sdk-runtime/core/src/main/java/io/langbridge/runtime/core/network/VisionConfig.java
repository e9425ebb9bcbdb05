package io.langbridge.runtime.core.network;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A vision encoder's shape, keys as in {@code config.json}.
 *
 * @param selectLayers indices into the hidden states, negative from the end ({@code mm_vision_select_layer} or
 *     {@code vision_feature_layer}), whose features stand side by side; -2 alone in all LLaVA models
 * @param selectPatches true leaves out the class token ({@code patch}, {@code default}), false keeps it
 *     ({@code cls_patch}, {@code full})
 */
public record VisionConfig(
        Kind kind,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int imageSize,
        int patchSize,
        Activation hiddenAct,
        float layerNormEps,
        List<Integer> selectLayers,
        boolean selectPatches) {

    public VisionConfig {
        selectLayers = Collections.unmodifiableList(new ArrayList<>(selectLayers));
    }

    /** With the features of one layer. */
    public VisionConfig(
            Kind kind,
            int hiddenSize,
            int intermediateSize,
            int numHiddenLayers,
            int numAttentionHeads,
            int imageSize,
            int patchSize,
            Activation hiddenAct,
            float layerNormEps,
            int selectLayer,
            boolean selectPatches) {
        this(
                kind,
                hiddenSize,
                intermediateSize,
                numHiddenLayers,
                numAttentionHeads,
                imageSize,
                patchSize,
                hiddenAct,
                layerNormEps,
                Collections.singletonList(selectLayer),
                selectPatches);
    }

    /** Family; decides the class token, {@code pre_layrnorm} and the pooling head. */
    public enum Kind {
        CLIP,
        SIGLIP
    }

    /** Patches along one side of a tile. */
    public int patchesPerSide() {
        return imageSize / patchSize;
    }

    /** Patches of one tile. */
    public int patches() {
        return patchesPerSide() * patchesPerSide();
    }

    /** Tokens of one tile inside the tower: the patches, and for CLIP the class token. */
    public int tokens() {
        return patches() + (kind == Kind.CLIP ? 1 : 0);
    }

    /** Layers that must run for the selected features, 0 to {@link #numHiddenLayers()}. */
    public int layersToRun() {
        return selectLayers.stream().mapToInt(this::layersBehind).max().orElse(0);
    }

    /** Layers that run for what {@code layer} of {@link #selectLayers()} gives. */
    public int layersBehind(int layer) {
        return layer < 0 ? numHiddenLayers + 1 + layer : layer;
    }
}
