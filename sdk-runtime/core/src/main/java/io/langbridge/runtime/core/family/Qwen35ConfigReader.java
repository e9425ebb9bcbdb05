package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.network.Qwen35Config;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.network.Rotary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Reads the language model's part of Qwen3.5's {@code config.json}. */
final class Qwen35ConfigReader {
    private Qwen35ConfigReader() {}

    /** Whether it is for this architecture or {@code model_type}. */
    static boolean reads(String name) {
        return switch (name) {
            case "Qwen3_5ForCausalLM", "qwen3_5_text", "Qwen3_5ForConditionalGeneration", "qwen3_5" -> true;
            default -> false;
        };
    }

    static Qwen35Config read(Json json) {
        DecoderConfigReader.refuseUnsupported(json, "hidden_act", "silu");
        int layers = DecoderConfigReader.layers(json, 32);
        int heads = json.positiveOr("num_attention_heads", 16);
        int valueHeads = json.positiveOr("linear_num_value_heads", 32);
        int headDim = json.positiveOr("head_dim", 256);
        return new Qwen35Config(
                json.positiveOr("hidden_size", 4096),
                json.positiveOr("intermediate_size", 12_288),
                layers,
                linearLayers(json, layers),
                heads,
                dividing(json, "num_key_value_heads", 4, "num_attention_heads", heads),
                headDim,
                json.booleanOr("attention_bias", false),
                rotary(json, headDim),
                dividing(json, "linear_num_key_heads", 16, "linear_num_value_heads", valueHeads),
                valueHeads,
                json.positiveOr("linear_key_head_dim", 128),
                json.positiveOr("linear_value_head_dim", 128),
                json.positiveOr("linear_conv_kernel_dim", 4),
                json.positiveOr("vocab_size", 248_320),
                json.positiveOr("max_position_embeddings", 32_768),
                json.epsilonOr("rms_norm_eps", 1e-6),
                json.booleanOr("tie_word_embeddings", false));
    }

    private static int dividing(Json json, String key, int absent, String of, int heads) {
        int value = json.positiveOr(key, absent);
        if (heads % value != 0) {
            throw new CheckpointException(
                    json.at(key) + " is " + value + ", which does not divide " + of + " " + heads + ".");
        }
        return value;
    }

    private static boolean[] linearLayers(Json json, int layers) {
        boolean[] linear = new boolean[layers];
        if (!json.has("layer_types")) {
            int interval = json.positiveOr("full_attention_interval", 4);
            for (int i = 0; i < layers; i++) {
                linear[i] = (i + 1) % interval != 0;
            }
            return linear;
        }
        List<String> types = DecoderConfigReader.layerTypes(json, layers);
        for (int i = 0; i < layers; i++) {
            linear[i] = switch (types.get(i)) {
                case "linear_attention" -> true;
                case "full_attention" -> false;
                default ->
                    throw new UnsupportedModelException(json.at("layer_types") + " has '" + types.get(i)
                            + "'; supported here are linear_attention and full_attention.");
            };
        }
        return linear;
    }

    private static Rotary rotary(Json json, int headDim) {
        Json given = DecoderConfigReader.ropeParameters(json);
        Json parameters = given == null ? json : given;
        double part = parameters.doubleOr("partial_rotary_factor", json.doubleOr("partial_rotary_factor", 0.25));
        if (!(part > 0 && part <= 1)) {
            throw new CheckpointException(
                    parameters.at("partial_rotary_factor") + " is " + part + ", not more than 0 and at most 1.");
        }
        int maxPositions = json.positiveOr("max_position_embeddings", 32_768);
        Rope rope = DecoderConfigReader.rope(json, 10_000, maxPositions, Qwen35ConfigReader::sections);
        return new Rotary(rope, (int) (headDim * part));
    }

    /** They may be more than there are frequencies. */
    private static Rope.Sections sections(Json parameters) {
        String key = "mrope_section";
        List<Integer> sizes = new ArrayList<>();
        if (parameters.has(key)) {
            parameters.longs(key).forEach(size -> sizes.add((int) Math.max(-1, Math.min(size, 1 << 16))));
        } else {
            sizes.addAll(Arrays.asList(11, 11, 10));
        }
        if (sizes.size() != Rope.Sections.AXES || sizes.contains(-1)) {
            throw new CheckpointException(
                    parameters.at(key) + " must have a size for each of 3 axes, not " + sizes + ".");
        }
        return new Rope.Sections(sizes, true);
    }
}
