package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.network.Gemma4Config;
import io.langbridge.runtime.core.network.Rope;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the language model's part of Gemma 4's {@code config.json}. */
final class Gemma4ConfigReader {
    static final Set<String> NAMES = Collections.unmodifiableSet(new HashSet<>(
            Arrays.asList("Gemma4ForCausalLM", "gemma4_text", "Gemma4ForConditionalGeneration", "gemma4")));

    private static final Set<String> OF_A_LAYER =
            Collections.unmodifiableSet(new HashSet<>(Arrays.asList("head_dim", "num_key_value_heads")));

    private Gemma4ConfigReader() {}

    static Gemma4Config read(Json json) {
        DecoderConfigReader.refuseUnsupported(json, "hidden_activation", "gelu_pytorch_tanh");
        if (json.booleanOr("enable_moe_block", false)) {
            throw new UnsupportedModelException(json.at("enable_moe_block")
                    + " is true, as in Gemma 4 26B-A4B; layers with experts are not supported, E2B and E4B have none.");
        }
        String open = json.stringOr("use_bidirectional_attention", "vision");
        if (!open.equals("vision")) {
            throw new UnsupportedModelException(json.at("use_bidirectional_attention") + " is '" + open
                    + "'; only 'vision' and null, where text is read from left to right, are supported.");
        }
        int layers = DecoderConfigReader.layers(json, 30);
        int heads = json.positiveOr("num_attention_heads", 8);
        int window = json.positiveOr("sliding_window", 512);
        boolean[] sliding = DecoderConfigReader.slidingLayers(json, layers, window, i -> (i + 1) % 6 != 0);
        sliding[layers - 1] = false; // whatever the file says, as in the reference
        boolean sharesProjection = json.booleanOr("attention_k_eq_v", false);
        int shared = shared(json, sliding);
        return new Gemma4Config(
                json.positiveOr("hidden_size", 2304),
                json.positiveOr("intermediate_size", 9216),
                layers,
                heads,
                heads(json, sliding, true, heads, sharesProjection),
                heads(json, sliding, false, heads, sharesProjection),
                window,
                sliding,
                json.booleanOr("attention_bias", false),
                sharesProjection,
                shared,
                json.booleanOr("use_double_wide_mlp", false),
                notNegative(json, "hidden_size_per_layer_input", 256),
                vocabPerLayer(json),
                notNegative(json, "pad_token_id", 0),
                json.positiveOr("vocab_size", 262_144),
                json.positiveOr("max_position_embeddings", 131_072),
                json.epsilonOr("rms_norm_eps", 1e-6),
                json.isNull("final_logit_softcapping")
                        ? 0
                        : (float) DecoderConfigReader.positiveOr(json, "final_logit_softcapping", 0),
                false,
                json.booleanOr("tie_word_embeddings", true));
    }

    private static int notNegative(Json json, String key, int absent) {
        int value = json.isNull(key) ? 0 : json.intOr(key, absent);
        if (value < 0) {
            throw new CheckpointException(json.at(key) + " must not be negative, as " + value + " is.");
        }
        return value;
    }

    private static int vocabPerLayer(Json json) {
        int vocab = json.positiveOr("vocab_size", 262_144);
        int perLayer = json.positiveOr("vocab_size_per_layer_input", 262_144);
        if (notNegative(json, "hidden_size_per_layer_input", 256) > 0 && perLayer < vocab) {
            throw new UnsupportedModelException(json.at("vocab_size_per_layer_input") + " is " + perLayer
                    + ", less than vocab_size " + vocab + "; only tables with a row for every token are supported.");
        }
        return perLayer;
    }

    /** How many of the last layers look at another's keys and values: one of their kind must be before them. */
    private static int shared(Json json, boolean[] sliding) {
        String key = "num_kv_shared_layers";
        int shared = notNegative(json, key, 0);
        int first = sliding.length - shared;
        for (int i = Math.max(0, first); i < sliding.length; i++) {
            boolean found = false;
            for (int before = 0; before < first; before++) {
                found |= sliding[before] == sliding[i];
            }
            if (!found) {
                throw new CheckpointException(
                        json.at(key) + " is " + shared + ", but no layer before the last " + shared
                                + " of " + sliding.length + " is a " + kind(sliding[i]) + " layer as layer " + i
                                + " is, whose keys and values it could look at.");
            }
        }
        return shared;
    }

    private static String kind(boolean sliding) {
        return sliding ? "sliding_attention" : "full_attention";
    }

    /**
     * Heads of one kind of layers. {@code per_layer_config}, as transformers 5 writes it, wins over the published keys
     * of full layers.
     */
    private static Gemma4Config.Heads heads(
            Json json, boolean[] sliding, boolean ofSliding, int heads, boolean sharesProjection) {
        int headDim = DecoderConfigReader.headDim(json, 256);
        int keyValueHeads = DecoderConfigReader.keyValueHeads(json, heads, 4);
        Json layers = json.object("per_layer_config");
        if (layers != null) {
            Json one = ofKind(layers, sliding, ofSliding);
            if (one != null) {
                headDim = DecoderConfigReader.headDim(one, headDim);
                keyValueHeads = DecoderConfigReader.keyValueHeads(one, heads, keyValueHeads);
            }
        } else if (!ofSliding) {
            headDim = json.positiveOr("global_head_dim", 512);
            if (sharesProjection) {
                keyValueHeads = json.positiveOr("num_global_key_value_heads", keyValueHeads);
            }
        }
        boolean any = false;
        for (boolean each : sliding) {
            any |= each == ofSliding;
        }
        return new Gemma4Config.Heads(keyValueHeads, headDim, any ? rope(json, ofSliding) : new Rope(10_000, null));
    }

    /** What stands for every layer of a kind; null if there is nothing. */
    private static @Nullable Json ofKind(Json layers, boolean[] sliding, boolean ofSliding) {
        Json found = null;
        boolean any = false;
        for (int i = 0; i < sliding.length; i++) {
            if (sliding[i] != ofSliding) {
                continue;
            }
            Json one = DecoderConfigReader.filled(layers, String.valueOf(i));
            if (one != null && !OF_A_LAYER.containsAll(one.keys())) {
                throw new UnsupportedModelException(layers.at(String.valueOf(i)) + " has the keys " + one.keys()
                        + "; supported are head_dim and num_key_value_heads.");
            }
            if (any && !same(found, one)) {
                throw new UnsupportedModelException(layers.at(String.valueOf(i)) + " differs from those of other "
                        + kind(ofSliding) + " layers; only one size of heads for each kind is supported.");
            }
            found = one;
            any = true;
        }
        return found;
    }

    private static boolean same(@Nullable Json a, @Nullable Json b) {
        return a == null || b == null
                ? a == b
                : OF_A_LAYER.stream()
                        .allMatch(key -> Objects.equals(
                                a.has(key) ? a.requiredInt(key) : null, b.has(key) ? b.requiredInt(key) : null));
    }

    private static Rope rope(Json json, boolean sliding) {
        double theta = sliding ? 10_000 : 1_000_000;
        Json all = DecoderConfigReader.filled(json, "rope_parameters");
        if (all == null) {
            return new Rope(theta, sliding ? null : new Rope.ProportionalScaling(1, 0.25));
        }
        Json one = DecoderConfigReader.filled(all, kind(sliding));
        if (one == null) {
            throw new CheckpointException(json.at("rope_parameters") + " has nothing for " + kind(sliding)
                    + "; it must say how these rotate.");
        }
        double given = DecoderConfigReader.positiveOr(one, "rope_theta", 10_000);
        if (one.stringOr("rope_type", "default").equals("proportional")) {
            double part = one.doubleOr("partial_rotary_factor", 1);
            if (!(part >= 0 && part <= 1)) {
                throw new CheckpointException(
                        one.at("partial_rotary_factor") + " is " + part + ", not at least 0 and at most 1.");
            }
            return new Rope(
                    given, new Rope.ProportionalScaling(DecoderConfigReader.positiveOr(one, "factor", 1), part));
        }
        return DecoderConfigReader.rope(json, one, given, json.positiveOr("max_position_embeddings", 131_072), null);
    }
}
