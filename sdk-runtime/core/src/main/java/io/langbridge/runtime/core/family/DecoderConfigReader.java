package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.network.Rotary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code config.json} of decoders, as transformers 4 and 5 write it, and of the LLaVA models whose authors add
 * their own keys to one of these. Keys that are absent have the reference's defaults.
 */
public final class DecoderConfigReader {
    private static final int MAX_LAYERS = 10_000;

    /** What Ministral 3 has where the file says nothing. */
    private static final Rope MINISTRAL3_ROPE = new Rope(1e6, new Rope.YarnScaling(16, 1, 32, 1, 16_384, true));

    private static final Rotary.Growth MINISTRAL3_GROWTH = new Rotary.Growth(0.1, 16_384);

    private DecoderConfigReader() {}

    /** What differs between the families when a key is absent. */
    private enum Family {
        QWEN2(151_936, 22_016, 32, 32_768),
        QWEN3(151_936, 22_016, 32, 32_768),
        LLAMA(32_000, 11_008, 0, 2_048),
        MISTRAL(32_000, 14_336, 8, 131_072),
        /** The decoder of Qwen2-VL and Qwen2.5-VL. */
        QWEN2_VL(152_064, 29_568, 8, 32_768, 8192, 80, 64, 1e-5, 1_000_000),
        QWEN3_VL(151_936, 22_016, 32, 128_000, 4096, 32, 32, 1e-6, 500_000),
        GRANITE(32_000, 11_008, 0, 2048),
        /** OLMo 2. */
        OLMO2(50_304, 11_008, 0, 2048, 4096, 32, 32, 1e-5, 10_000),
        SMOLLM3(128_256, 11_008, 4, 32_768, 2048, 36, 16, 1e-6, 2_000_000),
        /** Phi-3, Phi-3.5 and Phi-4-mini. */
        PHI3(32_064, 8192, 0, 4096, 3072, 32, 32, 1e-5, 10_000),
        MINISTRAL3(131_072, 14_336, 8, 262_144, 4096, 34, 32, 1e-5, 1_000_000);

        final int vocabSize;
        final int intermediateSize;
        /** 0: as many as query heads. */
        final int keyValueHeads;

        final int maxPositions;
        final int hiddenSize;
        final int layers;
        final int heads;
        final double epsilon;
        final double theta;

        Family(int vocabSize, int intermediateSize, int keyValueHeads, int maxPositions) {
            this(vocabSize, intermediateSize, keyValueHeads, maxPositions, 4096, 32, 32, 1e-6, 10_000);
        }

        Family(
                int vocabSize,
                int intermediateSize,
                int keyValueHeads,
                int maxPositions,
                int hiddenSize,
                int layers,
                int heads,
                double epsilon,
                double theta) {
            this.vocabSize = vocabSize;
            this.intermediateSize = intermediateSize;
            this.keyValueHeads = keyValueHeads;
            this.maxPositions = maxPositions;
            this.hiddenSize = hiddenSize;
            this.layers = layers;
            this.heads = heads;
            this.epsilon = epsilon;
            this.theta = theta;
        }

        /** {@code mrope_section}; null if positions are one number. */
        @Nullable
        List<Integer> sections() {
            return switch (this) {
                case QWEN2_VL -> Arrays.asList(16, 24, 24);
                case QWEN3_VL -> Arrays.asList(24, 20, 20);
                default -> null;
            };
        }

        boolean isQwen2() {
            return this == QWEN2 || this == QWEN2_VL;
        }

        /** Whether attention may have biases, and then all its projections do. */
        boolean hasAttentionBias() {
            return switch (this) {
                case QWEN2, QWEN2_VL, MISTRAL, MINISTRAL3, PHI3 -> false;
                default -> true;
            };
        }

        boolean hasMlpBias() {
            return this == LLAMA || this == GRANITE || this == SMOLLM3;
        }

        boolean isQwen3() {
            return this == QWEN3 || this == QWEN3_VL;
        }
    }

    /**
     * Reads a decoder's {@code config.json}.
     *
     * @throws UnsupportedModelException if it is another architecture or needs something that is not supported
     * @throws CheckpointException if a value is missing or impossible
     */
    public static DecoderConfig read(Json config) {
        return read(config, null, false);
    }

    /**
     * Reads {@code text_config} of a whole model. If it does not say what it is, it is what belongs to the model, or
     * else Llama.
     *
     * @param config all of {@code config.json}
     */
    static DecoderConfig readNested(Json text, Json config) {
        String whole = Families.nameOf(config);
        boolean known = named(whole) != null
                || Qwen35ConfigReader.reads(whole)
                || GemmaConfigReader.NAMES.contains(whole)
                || Gemma4ConfigReader.NAMES.contains(whole)
                || Lfm2ConfigReader.NAMES.contains(whole);
        boolean paliGemma = PaliGemma.NAMES.contains(whole);
        return read(text, paliGemma ? "gemma" : known ? whole : "llama", paliGemma);
    }

    private static DecoderConfig read(Json json, @Nullable String absentType, boolean looksAhead) {
        String name = name(json, absentType);
        if (Qwen35ConfigReader.reads(name)) {
            return Qwen35ConfigReader.read(json);
        }
        if (GemmaConfigReader.NAMES.contains(name)) {
            return GemmaConfigReader.read(json, name, looksAhead);
        }
        if (Gemma4ConfigReader.NAMES.contains(name)) {
            return Gemma4ConfigReader.read(json);
        }
        if (Lfm2ConfigReader.NAMES.contains(name)) {
            return Lfm2ConfigReader.read(json);
        }
        Family family = family(json, name);
        refuseUnsupported(json, "hidden_act", "silu");

        int hidden = json.positiveOr("hidden_size", family.hiddenSize);
        int heads = json.positiveOr("num_attention_heads", family.heads);
        int layers = layers(json, family.layers);
        int keyValueHeads = keyValueHeads(json, family, heads);
        int headDim = headDim(json, family, hidden, heads);
        int maxPositions = json.positiveOr("max_position_embeddings", family.maxPositions);
        double part = family == Family.PHI3 ? rotatedPart(json) : 1;
        Rope rope = family == Family.PHI3
                ? phi3Rope(json, maxPositions, (int) (headDim * part) / 2)
                : family == Family.MINISTRAL3 && ropeParameters(json) == null
                        ? MINISTRAL3_ROPE
                        : rope(
                                json,
                                family.theta,
                                maxPositions,
                                parameters -> sections(parameters, family, headDim / 2));
        if (rope.scaling() instanceof Rope.LongScaling) {
            // Beyond it other factors hold for all positions, also for those that were kept before.
            maxPositions = Math.min(maxPositions, originalPositions(json, ropeParameters(json)));
        }
        boolean attentionBias = family.hasAttentionBias() && json.booleanOr("attention_bias", false);
        int window = window(json, family);
        boolean[] sliding = slidingLayers(json, family, layers, window);
        return new LlamaConfig(
                name(family),
                hidden,
                json.positiveOr("intermediate_size", family.intermediateSize),
                layers,
                heads,
                keyValueHeads,
                headDim,
                json.positiveOr("vocab_size", family.vocabSize),
                maxPositions,
                json.epsilonOr("rms_norm_eps", family.epsilon),
                rope,
                family.isQwen2() || attentionBias,
                attentionBias,
                family.hasMlpBias() && json.booleanOr("mlp_bias", false),
                family.isQwen3() || family == Family.OLMO2,
                window,
                sliding,
                0,
                json.booleanOr("tie_word_embeddings", family == Family.SMOLLM3),
                variant(json, family, layers, part));
    }

    private static LlamaConfig.Variant variant(Json json, Family family, int layers, double part) {
        boolean granite = family == Family.GRANITE;
        return new LlamaConfig.Variant(
                family == Family.OLMO2,
                family == Family.SMOLLM3 ? stillLayers(json, layers) : null,
                part,
                granite ? (float) positiveOr(json, "embedding_multiplier", 1) : 1,
                granite ? (float) positiveOr(json, "residual_multiplier", 1) : 1,
                granite ? (float) positiveOr(json, "attention_multiplier", 1) : 0,
                granite ? (float) positiveOr(json, "logits_scaling", 1) : 1,
                family == Family.MINISTRAL3 ? growth(json) : null);
    }

    private static boolean[] stillLayers(Json json, int layers) {
        boolean[] still = new boolean[layers];
        if (!json.has("no_rope_layers")) {
            int interval = json.positiveOr("no_rope_layer_interval", 4);
            for (int i = 0; i < layers; i++) {
                still[i] = (i + 1) % interval == 0;
            }
            return still;
        }
        List<Long> rotated = json.longs("no_rope_layers");
        if (rotated.size() < layers) {
            throw new CheckpointException(json.at("no_rope_layers") + " has " + rotated.size()
                    + " entries, but there are " + layers + " layers.");
        }
        for (int i = 0; i < layers; i++) {
            still[i] = rotated.get(i) == 0; // the name says the contrary
        }
        return still;
    }

    private static Rotary.@Nullable Growth growth(Json json) {
        Json parameters = ropeParameters(json);
        if (parameters == null) {
            return MINISTRAL3_GROWTH;
        }
        double beta = parameters.doubleOr("llama_4_scaling_beta", 0);
        int length = originalPositions(json, parameters);
        return beta == 0 ? null : new Rotary.Growth(beta, length);
    }

    private static int originalPositions(Json json, @Nullable Json parameters) {
        String key = "original_max_position_embeddings";
        int outside = json.positiveOr(key, json.positiveOr("max_position_embeddings", 4096));
        return parameters == null ? outside : parameters.positiveOr(key, outside);
    }

    private static double rotatedPart(Json json) {
        String key = "partial_rotary_factor";
        Json parameters = ropeParameters(json);
        Json at = parameters != null && parameters.has(key) ? parameters : json;
        double part = at.doubleOr(key, 1);
        if (!(part > 0 && part <= 1)) {
            throw new CheckpointException(at.at(key) + " is " + part + ", not more than 0 and at most 1.");
        }
        return part;
    }

    private static Rope phi3Rope(Json json, int maxPositions, int pairs) {
        Json parameters = ropeParameters(json);
        double theta = theta(json, Family.PHI3.theta);
        if (parameters == null) {
            return new Rope(theta, null);
        }
        String typeKey = parameters.has("rope_type") ? "rope_type" : "type";
        String type = parameters.stringOr(typeKey, "default");
        switch (type) {
            case "default" -> {
                return new Rope(theta(parameters, theta), null);
            }
            case "longrope", "su", "yarn" -> { // the latter two are older names of the first
                return new Rope(theta(parameters, theta), longScaling(json, parameters, maxPositions, pairs));
            }
            default ->
                throw new UnsupportedModelException(
                        parameters.at(typeKey) + " is '" + type + "'; supported are default and longrope.");
        }
    }

    private static Rope.Scaling longScaling(Json json, Json parameters, int maxPositions, int pairs) {
        List<Float> factors = new ArrayList<>();
        parameters.doubles("short_factor").forEach(each -> factors.add(each.floatValue()));
        if (factors.size() != pairs || factors.stream().anyMatch(each -> !(each > 0))) {
            throw new CheckpointException(parameters.at("short_factor") + " must hold " + pairs
                    + " numbers above 0, one for each rotated pair of a head, not " + factors + ".");
        }
        int original = originalPositions(json, parameters);
        double factor = positiveOr(parameters, "factor", (double) maxPositions / original);
        double absent = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
        return new Rope.LongScaling(factors, positiveOr(parameters, "attention_factor", absent));
    }

    private static Rope.Scaling yarn(Json json, Json parameters, int maxPositions) {
        int original = originalPositions(json, parameters);
        double factor = parameters.isNull("factor") ? (double) maxPositions / original : positive(parameters, "factor");
        double mscale = parameters.doubleOr("mscale", 0);
        double mscaleAllDim = parameters.doubleOr("mscale_all_dim", 0);
        double absent = mscale != 0 && mscaleAllDim != 0
                ? yarnScale(factor, mscale) / yarnScale(factor, mscaleAllDim)
                : yarnScale(factor, 1);
        return new Rope.YarnScaling(
                factor,
                positiveOr(parameters, "attention_factor", absent),
                positiveOr(parameters, "beta_fast", 32),
                positiveOr(parameters, "beta_slow", 1),
                original,
                parameters.booleanOr("truncate", true));
    }

    private static double yarnScale(double factor, double mscale) {
        return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }

    static int layers(Json json, int absent) {
        int layers = json.positiveOr("num_hidden_layers", absent);
        if (layers > MAX_LAYERS) {
            throw new CheckpointException(
                    json.at("num_hidden_layers") + " is " + layers + ", more than any model has.");
        }
        return layers;
    }

    private static String name(Family family) {
        return family.name().toLowerCase(Locale.ROOT);
    }

    /** The architecture comes first: early LLaVA models of the authors all have the model_type "llava". */
    private static String nameKey(Json json) {
        boolean named =
                json.has("architectures") && !json.strings("architectures").isEmpty();
        return named ? "architectures" : "model_type";
    }

    private static String name(Json json, @Nullable String absentType) {
        if (nameKey(json).equals("architectures")) {
            return json.strings("architectures").get(0);
        }
        String modelType = json.string("model_type");
        return String.valueOf(modelType == null ? absentType : modelType);
    }

    private static Family family(Json json, String name) {
        Family family = named(name);
        if (family == null) {
            throw new UnsupportedModelException(json.at(nameKey(json)) + " is '" + name
                    + "'; supported decoders are Qwen2ForCausalLM (Qwen2, Qwen2.5), Qwen3ForCausalLM,"
                    + " Qwen3_5ForCausalLM, LlamaForCausalLM (Llama 2 and 3, SmolLM2, Vicuna), SmolLM3ForCausalLM,"
                    + " MistralForCausalLM, Ministral3ForCausalLM, GraniteForCausalLM, Olmo2ForCausalLM, Phi3ForCausalLM"
                    + " (Phi-3, Phi-4-mini), Lfm2ForCausalLM, Gemma2ForCausalLM, Gemma3ForCausalLM and Gemma4ForCausalLM, and LLaVA models"
                    + " of these.");
        }
        return family;
    }

    private static @Nullable Family named(String name) {
        return switch (name) {
            case "Qwen2ForCausalLM",
                    "LlavaQwenForCausalLM",
                    "LlavaQwen2ForCausalLM",
                    "qwen2",
                    "llava_qwen",
                    "llava_qwen2",
                    "llava-qwen2" -> Family.QWEN2;
            case "Qwen3ForCausalLM", "qwen3", "LightOnOcrForConditionalGeneration", "lighton_ocr" -> Family.QWEN3;
            case "LlamaForCausalLM", "LlavaLlamaForCausalLM", "llama", "llava_llama" -> Family.LLAMA;
            case "MistralForCausalLM",
                    "LlavaMistralForCausalLM",
                    "mistral",
                    "llava_mistral",
                    "Mistral3ForConditionalGeneration",
                    "mistral3" -> Family.MISTRAL;
            case "Qwen2VLForConditionalGeneration",
                    "Qwen2_5_VLForConditionalGeneration",
                    "qwen2_vl",
                    "qwen2_vl_text",
                    "qwen2_5_vl",
                    "qwen2_5_vl_text" -> Family.QWEN2_VL;
            case "Qwen3VLForConditionalGeneration", "qwen3_vl", "qwen3_vl_text" -> Family.QWEN3_VL;
            case "GraniteForCausalLM", "granite" -> Family.GRANITE;
            case "Olmo2ForCausalLM", "olmo2" -> Family.OLMO2;
            case "SmolLM3ForCausalLM", "smollm3" -> Family.SMOLLM3;
            case "Phi3ForCausalLM", "phi3" -> Family.PHI3;
            case "Ministral3ForCausalLM", "ministral3" -> Family.MINISTRAL3;
            default -> null;
        };
    }

    static void refuseUnsupported(Json json, String key, String supported) {
        Quantisation.refuse(json);
        String activation = json.stringOr(key, supported);
        if (!activation.equals(supported)) {
            throw new UnsupportedModelException(
                    json.at(key) + " is '" + activation + "'; only " + supported + " is supported.");
        }
    }

    private static int keyValueHeads(Json json, Family family, int heads) {
        boolean asQueries = family.keyValueHeads == 0 || json.isNull("num_key_value_heads");
        return keyValueHeads(json, heads, asQueries ? heads : family.keyValueHeads);
    }

    static int keyValueHeads(Json json, int heads, int absent) {
        String key = "num_key_value_heads";
        int keyValueHeads = json.positiveOr(key, absent);
        if (heads % keyValueHeads != 0) {
            throw new CheckpointException(json.at(key) + " is " + keyValueHeads
                    + ", which does not divide num_attention_heads " + heads + ".");
        }
        return keyValueHeads;
    }

    private static int headDim(Json json, Family family, int hidden, int heads) {
        boolean fixed = family.isQwen3() || family == Family.MINISTRAL3;
        int absent = fixed ? 128 : hidden / heads;
        if (!fixed && !json.has("head_dim") && hidden % heads != 0) {
            throw new CheckpointException(json.at("hidden_size") + " is " + hidden
                    + ", which is not divisible by num_attention_heads " + heads + ".");
        }
        return headDim(json, absent);
    }

    static int headDim(Json json, int absent) {
        int headDim = json.positiveOr("head_dim", absent);
        if (headDim % 2 != 0) {
            throw new CheckpointException(
                    json.at("head_dim") + " is " + headDim + "; rotary position embedding needs an even number.");
        }
        return headDim;
    }

    private static int window(Json json, Family family) {
        String key = "sliding_window";
        boolean used = switch (family) {
            case MISTRAL -> true;
            case PHI3, MINISTRAL3 -> json.has(key);
            case QWEN2, QWEN3, QWEN2_VL, SMOLLM3 -> json.booleanOr("use_sliding_window", false);
            default -> false;
        };
        // null is "no window", but a key that is absent is the default window.
        return used && !json.isNull(key) ? json.positiveOr(key, 4096) : 0;
    }

    private static boolean[] slidingLayers(Json json, Family family, int layers, int window) {
        switch (family) {
            case LLAMA, GRANITE, OLMO2 -> {
                return new boolean[layers];
            }
            case MISTRAL, PHI3, MINISTRAL3 -> {
                return slidingLayers(json, layers, window, i -> window > 0);
            }
            case SMOLLM3 -> {
                boolean[] still = stillLayers(json, layers);
                return window == 0 ? new boolean[layers] : slidingLayers(json, layers, window, i -> still[i]);
            }
            default -> {
                int firstSliding = json.intOr("max_window_layers", family == Family.QWEN2_VL ? 80 : 28);
                return slidingLayers(json, layers, window, i -> window > 0 && i >= firstSliding);
            }
        }
    }

    /** {@code layer_types}; {@code absent} says it where that is. */
    static boolean[] slidingLayers(Json json, int layers, int window, IntPredicate absent) {
        boolean[] sliding = new boolean[layers];
        if (!json.has("layer_types")) {
            for (int i = 0; i < layers; i++) {
                sliding[i] = absent.test(i);
            }
            return sliding;
        }
        List<String> types = layerTypes(json, layers);
        for (int i = 0; i < layers; i++) {
            sliding[i] = switch (types.get(i)) {
                case "full_attention" -> false;
                case "sliding_attention" -> true;
                default ->
                    throw new UnsupportedModelException(json.at("layer_types") + " has '" + types.get(i)
                            + "'; supported are full_attention and sliding_attention.");
            };
            if (sliding[i] && window == 0) {
                throw new CheckpointException(
                        json.at("layer_types") + " has sliding_attention, but there is no" + " sliding_window.");
            }
        }
        return sliding;
    }

    static List<String> layerTypes(Json json, int layers) {
        List<String> types = json.strings("layer_types");
        if (types.size() != layers) {
            throw new CheckpointException(
                    json.at("layer_types") + " has " + types.size() + " entries, but there are " + layers + " layers.");
        }
        return types;
    }

    /**
     * As the reference reads them: {@code rope_scaling}, which people add by hand, wins over the
     * {@code rope_parameters} that transformers 5 writes, and takes no value from them.
     */
    static @Nullable Json ropeParameters(Json json) {
        Json scaling = filled(json, "rope_scaling");
        return scaling == null ? filled(json, "rope_parameters") : scaling;
    }

    static Rope rope(
            Json json, double absentTheta, int maxPositions, Function<Json, Rope.@Nullable Sections> sections) {
        Json parameters = ropeParameters(json);
        if (parameters == null) {
            return new Rope(theta(json, absentTheta), null, sections.apply(json));
        }
        for (String key : parameters.keys()) {
            if (parameters.isObject(key)) {
                throw new UnsupportedModelException(parameters.at(key)
                        + " holds settings for one kind of layer; only one rotary embedding for all layers is"
                        + " supported.");
            }
        }
        double theta = theta(parameters, theta(json, absentTheta));
        return rope(json, parameters, theta, maxPositions, sections.apply(parameters));
    }

    /** {@code parameters} are those of {@code json}, or of one kind of its layers. */
    static Rope rope(Json json, Json parameters, double theta, int maxPositions, Rope.@Nullable Sections shared) {
        String typeKey = parameters.has("rope_type") ? "rope_type" : "type";
        String type = parameters.stringOr(typeKey, "default");
        if (type.equals("mrope") && shared != null) {
            type = "default"; // so older files call what the sections say
        }
        if (!type.equals("default")) {
            requireWholeHeads(parameters);
            requireWholeHeads(json);
        }
        return new Rope(
                theta,
                switch (type) {
                    case "default" -> null;
                    // Turns more slowly only beyond max_position_embeddings, which no context is longer than.
                    case "dynamic" -> null;
                    case "linear" -> new Rope.LinearScaling(positive(parameters, "factor"));
                    case "llama3" -> llama3(parameters, maxPositions);
                    case "yarn" -> yarn(json, parameters, maxPositions);
                    default ->
                        throw new UnsupportedModelException(parameters.at(typeKey) + " is '" + type
                                + "'; supported are default, linear, dynamic, llama3 and yarn.");
                },
                shared);
    }

    /** How the frequencies are shared among the axes of a position; null if it has but one. */
    private static Rope.@Nullable Sections sections(Json parameters, Family family, int frequencies) {
        String key = "mrope_section";
        List<Integer> absent = family.sections();
        if (absent == null) {
            if (parameters.has(key)) {
                throw new UnsupportedModelException(
                        parameters.at(key)
                                + " is for positions of several axes; only Qwen2-VL, Qwen2.5-VL, Qwen3-VL and Qwen3.5 are read with them.");
            }
            return null;
        }
        List<Integer> sizes = new ArrayList<>();
        if (parameters.has(key)) {
            parameters.longs(key).forEach(size -> sizes.add((int) Math.max(-1, Math.min(size, frequencies + 1))));
        } else {
            sizes.addAll(absent);
        }
        boolean interleaved = family == Family.QWEN3_VL;
        int sum = sizes.stream().mapToInt(Integer::intValue).sum();
        boolean possible = !sizes.contains(-1) && (interleaved || sum == frequencies);
        if (sizes.size() != Rope.Sections.AXES || !possible) {
            throw new CheckpointException(parameters.at(key) + " must share the " + frequencies
                    + " frequencies of a head among 3 axes, not " + sizes + ".");
        }
        return new Rope.Sections(sizes, interleaved);
    }

    static @Nullable Json filled(Json json, String key) {
        Json object = json.object(key);
        return object == null || object.keys().isEmpty() ? null : object;
    }

    private static void requireWholeHeads(Json json) {
        if (json.doubleOr("partial_rotary_factor", 1) != 1) {
            throw new UnsupportedModelException(json.at("partial_rotary_factor") + " is "
                    + json.requiredDouble("partial_rotary_factor") + "; only heads that rotate as a whole, 1, are"
                    + " supported.");
        }
    }

    private static Rope.Scaling llama3(Json parameters, int maxPositions) {
        double low = positive(parameters, "low_freq_factor");
        double high = positive(parameters, "high_freq_factor");
        if (high <= low) {
            throw new CheckpointException(
                    parameters.at("high_freq_factor") + " is " + high + ", not more than low_freq_factor " + low + ".");
        }
        return new Rope.Llama3Scaling(
                positive(parameters, "factor"),
                low,
                high,
                parameters.positiveOr("original_max_position_embeddings", maxPositions));
    }

    private static double theta(Json json, double absent) {
        return positiveOr(json, "rope_theta", absent);
    }

    static double positiveOr(Json json, String key, double absent) {
        return json.has(key) ? positive(json, key) : absent;
    }

    private static double positive(Json json, String key) {
        double value = json.requiredDouble(key);
        if (value <= 0) {
            throw new CheckpointException(json.at(key) + " must be more than 0, not " + value + ".");
        }
        return value;
    }
}
