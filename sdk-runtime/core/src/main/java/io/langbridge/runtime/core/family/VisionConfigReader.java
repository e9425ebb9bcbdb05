package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.VisionConfig.Kind;
import org.jspecify.annotations.Nullable;

/** Reads {@code config.json} of CLIP and SigLIP. Keys that are absent have the reference's defaults. */
public final class VisionConfigReader {
    private VisionConfigReader() {}

    /**
     * Reads a whole {@code config.json}, of a complete CLIP or SigLIP model or of its vision encoder alone.
     *
     * @throws UnsupportedModelException if it is another architecture
     * @throws CheckpointException if a value is missing or impossible
     */
    public static VisionConfig read(Json config, FeatureSelection selection) {
        Json vision = config.object("vision_config");
        String modelType = config.stringOr("model_type", "");
        return read(vision == null ? config : vision, kind(config, modelType), selection);
    }

    /**
     * Reads {@code vision_config} of a LLaVA model.
     *
     * @param absent what it is where the file does not say
     */
    static VisionConfig readNested(@Nullable Json vision, Json config, FeatureSelection selection, Kind absent) {
        if (vision == null) {
            // What LlavaConfig and LlavaOnevisionConfig put in its place.
            return absent == Kind.CLIP ? clipLarge(336, config, selection) : siglipLarge(26, config, selection);
        }
        String type = absent == Kind.CLIP ? "clip_vision_model" : "siglip_vision_model";
        return read(vision, kind(vision, vision.stringOr("model_type", type)), selection);
    }

    /**
     * The shape of an encoder that published LLaVA checkpoints name instead of describing.
     *
     * @param name {@code mm_vision_tower}
     * @param config what to name in errors
     * @return null if it is not one of them
     */
    static @Nullable VisionConfig knownOrNull(String name, Json config, FeatureSelection selection) {
        return switch (name) {
            case "openai/clip-vit-large-patch14-336" -> clipLarge(336, config, selection);
            case "openai/clip-vit-large-patch14" -> clipLarge(224, config, selection);
            case "google/siglip-so400m-patch14-384" -> siglipLarge(27, config, selection);
            default -> null;
        };
    }

    private static VisionConfig siglipLarge(int layers, Json config, FeatureSelection selection) {
        return checked(
                new VisionConfig(
                        Kind.SIGLIP,
                        1152,
                        4304,
                        layers,
                        16,
                        384,
                        14,
                        Activation.GELU_TANH,
                        1e-6f,
                        selection.layers(),
                        selection.patches()),
                config);
    }

    private static VisionConfig clipLarge(int imageSize, Json config, FeatureSelection selection) {
        return checked(
                new VisionConfig(
                        Kind.CLIP,
                        1024,
                        4096,
                        24,
                        16,
                        imageSize,
                        14,
                        Activation.QUICK_GELU,
                        1e-5f,
                        selection.layers(),
                        selection.patches()),
                config);
    }

    private static Kind kind(Json config, String modelType) {
        return switch (modelType) {
            case "clip", "clip_vision_model" -> Kind.CLIP;
            case "siglip", "siglip_vision_model" -> Kind.SIGLIP;
            default ->
                throw new UnsupportedModelException(config.at("model_type") + " is '" + modelType
                        + "'; supported vision encoders are clip, clip_vision_model, siglip and siglip_vision_model.");
        };
    }

    static VisionConfig read(Json json, Kind kind, FeatureSelection selection) {
        boolean clip = kind == Kind.CLIP;
        if (json.intOr("num_channels", 3) != 3) {
            throw new UnsupportedModelException(
                    json.at("num_channels") + " is " + json.intOr("num_channels", 3) + "; only 3 (RGB) is supported.");
        }
        return checked(
                new VisionConfig(
                        kind,
                        json.positiveOr("hidden_size", 768),
                        json.positiveOr("intermediate_size", 3072),
                        json.positiveOr("num_hidden_layers", 12),
                        json.positiveOr("num_attention_heads", 12),
                        json.positiveOr("image_size", 224),
                        json.positiveOr("patch_size", clip ? 32 : 16),
                        activation(json, clip ? "quick_gelu" : "gelu_pytorch_tanh"),
                        json.epsilonOr("layer_norm_eps", clip ? 1e-5 : 1e-6),
                        selection.layers(),
                        selection.patches()),
                json);
    }

    static VisionConfig checked(VisionConfig config, Json json) {
        if (config.hiddenSize() % config.numAttentionHeads() != 0) {
            throw new CheckpointException(json.at("hidden_size") + " is " + config.hiddenSize()
                    + ", which is not divisible by num_attention_heads " + config.numAttentionHeads() + ".");
        }
        if (config.patchSize() > config.imageSize()) {
            throw new CheckpointException(json.at("patch_size") + " is " + config.patchSize()
                    + ", larger than image_size " + config.imageSize() + ".");
        }
        int layers = config.numHiddenLayers();
        for (int layer : config.selectLayers()) {
            if (layer >= -layers - 1 && layer <= layers) {
                continue;
            }
            throw new CheckpointException("Layer " + layer + " is asked for, but " + json.source()
                    + " describes an encoder with " + layers + " layers: " + (-layers - 1) + " to " + layers
                    + " are possible.");
        }
        return config;
    }

    static Activation activation(Json json, String absent) {
        String name = json.stringOr("hidden_act", absent);
        return switch (name) {
            case "quick_gelu" -> Activation.QUICK_GELU;
            case "gelu" -> Activation.GELU;
            case "gelu_pytorch_tanh" -> Activation.GELU_TANH;
            case "silu" -> Activation.SILU;
            default ->
                throw new UnsupportedModelException(json.at("hidden_act") + " is '" + name
                        + "'; supported are quick_gelu, gelu, gelu_pytorch_tanh and silu.");
        };
    }
}
