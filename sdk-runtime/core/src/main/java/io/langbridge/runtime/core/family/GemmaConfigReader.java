package io.langbridge.runtime.core.family;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.network.GemmaConfig;
import io.langbridge.runtime.core.network.Rope;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the configuration of Gemma 2 and Gemma 3; published files leave out much of it. */
final class GemmaConfigReader {
    static final Set<String> NAMES = Collections.unmodifiableSet(new HashSet<>(Arrays.asList(
            "Gemma2ForCausalLM",
            "gemma2",
            "Gemma3ForCausalLM",
            "gemma3_text",
            "Gemma3ForConditionalGeneration",
            "gemma3")));

    private GemmaConfigReader() {}

    /** @param looksAhead whether the whole model says which tokens see others behind them */
    static GemmaConfig read(Json json, String name, boolean looksAhead) {
        boolean third = !name.equalsIgnoreCase("gemma2ForCausalLM") && !name.equals("gemma2");
        DecoderConfigReader.refuseUnsupported(json, "hidden_activation", "gelu_pytorch_tanh");
        if (!looksAhead && json.booleanOr("use_bidirectional_attention", false)) {
            throw new UnsupportedModelException(json.at("use_bidirectional_attention")
                    + " is true; such a model reads texts and writes none, and only those that write are supported.");
        }
        int layers = DecoderConfigReader.layers(json, 26);
        int heads = json.positiveOr("num_attention_heads", 8);
        int window = json.positiveOr("sliding_window", 4096);
        int maxPositions = json.positiveOr("max_position_embeddings", third ? 131_072 : 8192);
        int pattern = third ? json.positiveOr("sliding_window_pattern", 6) : 2;
        Rope rope = third
                ? rope(json, "full_attention", "rope_theta", 1e6)
                : DecoderConfigReader.rope(json, 10_000, maxPositions, none -> null);
        return new GemmaConfig(
                third ? "gemma3" : "gemma2",
                json.positiveOr("hidden_size", 2304),
                json.positiveOr("intermediate_size", 9216),
                layers,
                heads,
                DecoderConfigReader.keyValueHeads(json, heads, 4),
                DecoderConfigReader.headDim(json, 256),
                json.positiveOr("vocab_size", third ? 262_208 : 256_000),
                maxPositions,
                json.epsilonOr("rms_norm_eps", 1e-6),
                json.booleanOr("attention_bias", false),
                third,
                DecoderConfigReader.positiveOr(json, "query_pre_attn_scalar", 256),
                window,
                DecoderConfigReader.slidingLayers(json, layers, window, i -> (i + 1) % pattern != 0),
                rope,
                third ? rope(json, "sliding_attention", "rope_local_base_freq", 1e4) : rope,
                cap(json, "attn_logit_softcapping", third ? 0 : 50),
                cap(json, "final_logit_softcapping", third ? 0 : 30),
                GemmaConfig.Opens.NOTHING,
                json.booleanOr("tie_word_embeddings", true));
    }

    /** Null is "no cap", but a key that is absent is the default. */
    private static float cap(Json json, String key, double absent) {
        return json.isNull(key) ? 0 : (float) DecoderConfigReader.positiveOr(json, key, absent);
    }

    /**
     * The rotation of one kind of layer. Older files have one {@code rope_scaling}, which is for layers that see
     * everything, and wins over what stands in {@code rope_parameters}.
     */
    private static Rope rope(Json json, String kind, String thetaKey, double absent) {
        Json all = DecoderConfigReader.filled(json, "rope_parameters");
        Json parameters = all == null ? null : DecoderConfigReader.filled(all, kind);
        double theta = DecoderConfigReader.positiveOr(json, thetaKey, absent);
        if (parameters != null) {
            theta = DecoderConfigReader.positiveOr(parameters, "rope_theta", theta);
        }
        @Nullable
        Json scaling = kind.equals("full_attention") ? DecoderConfigReader.filled(json, "rope_scaling") : null;
        if (scaling != null) {
            theta = DecoderConfigReader.positiveOr(scaling, "rope_theta", theta);
            parameters = scaling;
        }
        return parameters == null
                ? new Rope(theta, null)
                : DecoderConfigReader.rope(
                        json, parameters, theta, json.positiveOr("max_position_embeddings", 131_072), null);
    }
}
