package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.network.Lfm2Config;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Reads the configuration of LFM2. */
final class Lfm2ConfigReader {
    static final Set<String> NAMES = Collections.unmodifiableSet(new HashSet<>(
            Arrays.asList("Lfm2ForCausalLM", "lfm2", "Lfm2VlForConditionalGeneration", "lfm2_vl", "lfm2-vl")));

    private Lfm2ConfigReader() {}

    static Lfm2Config read(Json json) {
        Quantisation.refuse(json);
        int layers = DecoderConfigReader.layers(json, 32);
        int heads = json.positiveOr("num_attention_heads", 32);
        int hidden = json.positiveOr("hidden_size", 2560);
        if (hidden % heads != 0 || hidden / heads % 2 != 0) {
            throw new CheckpointException(json.at("hidden_size") + " is " + hidden + ", of which " + heads
                    + " heads (num_attention_heads) do not get an even number each.");
        }
        int maxPositions = json.positiveOr("max_position_embeddings", 128_000);
        return new Lfm2Config(
                hidden,
                intermediateSize(json),
                layers,
                convLayers(json, layers),
                kernel(json),
                json.booleanOr("conv_bias", false),
                heads,
                DecoderConfigReader.keyValueHeads(json, heads, 8),
                DecoderConfigReader.rope(json, 1e6, maxPositions, none -> null),
                json.positiveOr("vocab_size", 65_536),
                maxPositions,
                json.epsilonOr("norm_eps", 1e-5),
                // Older files call it by the first name.
                json.booleanOr("tie_embedding", json.booleanOr("tie_word_embeddings", true)));
    }

    private static int kernel(Json json) {
        int kernel = json.positiveOr("conv_L_cache", 3);
        if (kernel < 2) {
            throw new UnsupportedModelException(
                    json.at("conv_L_cache") + " is " + kernel + "; a convolution over at least 2 rows is supported.");
        }
        return kernel;
    }

    /** What the file says is adjusted, unless it says that it is not to be. */
    private static int intermediateSize(Json json) {
        int size = json.positiveOr("block_ff_dim", json.positiveOr("intermediate_size", 12_288));
        if (!json.booleanOr("block_auto_adjust_ff_dim", true)) {
            return size;
        }
        int adjusted = 2 * size / 3;
        if (!json.isNull("block_ffn_dim_multiplier")) {
            adjusted = (int) (DecoderConfigReader.positiveOr(json, "block_ffn_dim_multiplier", 1) * adjusted);
            int multiple = json.positiveOr("block_multiple_of", 256);
            adjusted = (adjusted + multiple - 1) / multiple * multiple;
        }
        if (adjusted < 1) {
            throw new CheckpointException(json.at("intermediate_size") + " is " + size + ", too small.");
        }
        return adjusted;
    }

    private static boolean[] convLayers(Json json, int layers) {
        boolean[] conv = new boolean[layers];
        if (!json.has("layer_types")) {
            Set<Long> full = json.has("full_attn_idxs") ? new HashSet<>(json.longs("full_attn_idxs")) : null;
            for (int i = 0; i < layers; i++) {
                conv[i] = full != null && !full.contains((long) i);
            }
            return conv;
        }
        List<String> types = DecoderConfigReader.layerTypes(json, layers);
        for (int i = 0; i < layers; i++) {
            conv[i] = switch (types.get(i)) {
                case "conv" -> true;
                case "full_attention" -> false;
                default ->
                    throw new UnsupportedModelException(json.at("layer_types") + " has '" + types.get(i)
                            + "'; supported here are conv and full_attention.");
            };
        }
        return conv;
    }
}
