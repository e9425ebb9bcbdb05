package io.langbridge.runtime.core.family;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;

/**
 * Which of the vision encoder's results the adapter was trained on.
 *
 * @param layer index into the hidden states, negative from the end
 * @param patches true leaves out the class token
 */
public record FeatureSelection(int layer, boolean patches) {
    /** What all LLaVA and LangBridge models use: the last but one hidden state, patches only. */
    public static final FeatureSelection DEFAULT = new FeatureSelection(-2, true);

    /** Reads {@code mm_vision_select_layer} and {@code mm_vision_select_feature}. */
    static FeatureSelection ofAuthors(Json config) {
        String feature = config.stringOr("mm_vision_select_feature", "patch");
        return new FeatureSelection(
                config.intOr("mm_vision_select_layer", DEFAULT.layer),
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
        String strategy = config.stringOr("vision_feature_select_strategy", "default");
        if (config.has("vision_feature_layer") && !config.isNumber("vision_feature_layer")) {
            throw new UnsupportedModelException(
                    config.at("vision_feature_layer") + " is not one number; only one layer is supported.");
        }
        return new FeatureSelection(
                config.intOr("vision_feature_layer", DEFAULT.layer),
                switch (strategy) {
                    case "default" -> true;
                    case "full" -> false;
                    default ->
                        throw new UnsupportedModelException(config.at("vision_feature_select_strategy") + " is '"
                                + strategy + "'; supported are default and full.");
                });
    }
}
