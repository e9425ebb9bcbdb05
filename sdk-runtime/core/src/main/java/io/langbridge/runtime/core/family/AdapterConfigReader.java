package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.AdapterConfig;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads an adapter's shape from {@code config.json}, and what that leaves open from the weights. */
final class AdapterConfigReader {
    private static final Pattern MLP = Pattern.compile("mlp([1-9][0-9]?)x_gelu");

    private AdapterConfigReader() {}

    /**
     * Reads the authors' keys: {@code mm_projector_type}, {@code mm_hidden_size}, {@code mlp_hidden_size},
     * {@code mm_vocab_size} and {@code hidden_size}. A key that is absent is derived from the weights.
     *
     * @param config null if there is none
     * @param weights named {@code 0.weight} .. or {@code weight}
     */
    static AdapterConfig ofAuthors(@Nullable Json config, Weights weights) {
        String declared = config == null ? null : config.string("mm_projector_type");
        String type = declared == null ? typeOf(weights) : declared;
        if (type.equals("mm_vocab")) {
            return new AdapterConfig.LangBridge(
                    size(config, "mm_hidden_size", weights, "0.weight", 1),
                    size(config, "mlp_hidden_size", weights, "0.weight", 0),
                    size(config, "mm_vocab_size", weights, "3.weight", 0),
                    // Ours: the authors have no key for it.
                    config != null && config.booleanOr("mm_vocab_softmax", false));
        }
        if (type.equals("linear")) {
            return new AdapterConfig.Linear(
                    size(config, "mm_hidden_size", weights, "weight", 1),
                    size(config, "hidden_size", weights, "weight", 0));
        }
        Matcher mlp = MLP.matcher(type);
        if (!mlp.matches()) {
            throw new UnsupportedModelException((config == null ? weights.source() : config.at("mm_projector_type"))
                    + " is '" + type + "'; supported adapters are mm_vocab (LangBridge), linear and mlp2x_gelu (or"
                    + " another number of layers).");
        }
        int depth = Integer.parseInt(mlp.group(1));
        return new AdapterConfig.Mlp(
                size(config, "mm_hidden_size", weights, "0.weight", 1),
                size(null, "", weights, "0.weight", 0),
                size(config, "hidden_size", weights, 2 * (depth - 1) + ".weight", 0),
                depth,
                weights.contains("0.bias"));
    }

    /** Reads {@code multi_modal_projector} of transformers: always two layers. */
    static AdapterConfig ofTransformers(Json config, int mmHiddenSize, int llmHiddenSize) {
        String activation = config.stringOr("projector_hidden_act", "gelu");
        if (!activation.equals("gelu")) {
            throw new UnsupportedModelException(
                    config.at("projector_hidden_act") + " is '" + activation + "'; only gelu is supported.");
        }
        return new AdapterConfig.Mlp(
                mmHiddenSize, llmHiddenSize, 2, config.booleanOr("multimodal_projector_bias", true));
    }

    private static String typeOf(Weights weights) {
        if (weights.contains("weight")) {
            return "linear";
        }
        if (weights.contains("3.weight")) {
            return "mm_vocab";
        }
        int depth = 0;
        while (weights.contains(2 * depth + ".weight")) {
            depth++;
        }
        if (depth == 0) {
            throw new CheckpointException("There is no adapter in " + weights.source()
                    + "; looked for mm_projector.weight,"
                    + " mm_projector.0.weight and multi_modal_projector.linear_1.weight.");
        }
        return "mlp" + depth + "x_gelu";
    }

    private static int size(@Nullable Json config, String key, Weights weights, String tensor, int axis) {
        if (config != null && config.has(key)) {
            return config.requiredPositive(key);
        }
        long[] shape = weights.get(tensor).shape();
        if (shape.length != 2 || shape[axis] < 1 || shape[axis] > Integer.MAX_VALUE) {
            throw new CheckpointException("Tensor " + weights.get(tensor).name() + " in " + weights.source()
                    + " is not a matrix of a possible size.");
        }
        return (int) shape[axis];
    }
}
