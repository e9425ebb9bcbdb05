package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Which of the vision encoder's results the adapter was trained on.
 *
 * @param layers indices into the hidden states, negative from the end; what they give stands side by side
 * @param patches true leaves out the class token
 */
public record FeatureSelection(List<Integer> layers, boolean patches) {
    /** What all LLaVA and LangBridge models use: the last but one hidden state, patches only. */
    public static final FeatureSelection DEFAULT = new FeatureSelection(-2, true);

    public FeatureSelection {
        layers = Collections.unmodifiableList(new ArrayList<>(layers));
    }

    /** What one layer gives. */
    public FeatureSelection(int layer, boolean patches) {
        this(Collections.singletonList(layer), patches);
    }

    /** Reads {@code mm_vision_select_layer} and {@code mm_vision_select_feature}. */
    static FeatureSelection ofAuthors(Json config) {
        String feature = config.stringOr("mm_vision_select_feature", "patch");
        return new FeatureSelection(
                layers(config, "mm_vision_select_layer", DEFAULT),
                switch (feature) {
                    case "patch" -> true;
                    case "cls_patch" -> false;
                    default ->
                        throw new UnsupportedModelException(config.at("mm_vision_select_feature") + " is '" + feature
                                + "'; supported are patch and cls_patch.");
                });
    }

    /** Reads {@code vision_feature_layer} and {@code vision_feature_select_strategy}. */
    static FeatureSelection ofTransformers(Json config) {
        return ofTransformers(config, DEFAULT);
    }

    /** The same, with what the family has where the file says nothing. */
    static FeatureSelection ofTransformers(Json config, FeatureSelection absent) {
        String strategy = config.stringOr("vision_feature_select_strategy", absent.patches ? "default" : "full");
        return new FeatureSelection(
                layers(config, "vision_feature_layer", absent),
                switch (strategy) {
                    case "default" -> true;
                    case "full" -> false;
                    default ->
                        throw new UnsupportedModelException(config.at("vision_feature_select_strategy") + " is '"
                                + strategy + "'; supported are default and full.");
                });
    }

    /** One number or several. */
    private static List<Integer> layers(Json config, String key, FeatureSelection absent) {
        if (!config.has(key)) {
            return absent.layers;
        }
        List<Integer> layers = new ArrayList<>();
        for (long layer : config.longs(key)) {
            // What is beyond any encoder stays so.
            layers.add((int) Math.max(Integer.MIN_VALUE, Math.min(layer, Integer.MAX_VALUE)));
        }
        if (layers.isEmpty()) {
            throw new CheckpointException(config.at(key) + " is empty; it must name at least one layer.");
        }
        return layers;
    }
}
