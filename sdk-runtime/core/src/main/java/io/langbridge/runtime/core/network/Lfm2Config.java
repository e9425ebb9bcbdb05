package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Weights;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * LFM2: layers with a short convolution, and among them some with attention.
 *
 * @param intermediateSize of the MLP, as its weights have it
 * @param convLayer per layer, whether it is one with a convolution
 * @param convLCache how many rows the convolution sees, its own the last
 * @param convBias whether the convolution and the projections around it have a bias
 */
@SuppressWarnings("ArrayRecordComponent")
public record Lfm2Config(
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        boolean[] convLayer,
        int convLCache,
        boolean convBias,
        int numAttentionHeads,
        int numKeyValueHeads,
        Rope rope,
        int vocabSize,
        int maxPositionEmbeddings,
        float normEps,
        boolean tieWordEmbeddings)
        implements DecoderConfig {
    /** Parts of names that other decoders have for the same. */
    private static final Map<String, String> COMMON;

    static {
        Map<String, String> names = new LinkedHashMap<>();
        names.put(".self_attn.q_layernorm.", ".self_attn.q_norm.");
        names.put(".self_attn.k_layernorm.", ".self_attn.k_norm.");
        names.put(".feed_forward.w1.", ".feed_forward.gate_proj.");
        names.put(".feed_forward.w3.", ".feed_forward.up_proj.");
        names.put(".feed_forward.w2.", ".feed_forward.down_proj.");
        COMMON = Collections.unmodifiableMap(names);
    }

    @Override
    public String modelType() {
        return "lfm2";
    }

    int headDim() {
        return hiddenSize / numAttentionHeads;
    }

    @Override
    public Weights weights(Weights stored) {
        return Checkpoints.renamed(stored, Lfm2Config::common);
    }

    private static String common(String name) {
        String renamed = name;
        for (Map.Entry<String, String> each : COMMON.entrySet()) {
            renamed = renamed.replace(each.getKey(), each.getValue());
        }
        return renamed;
    }

    @Override
    public Network network() {
        return Lfm2.network(this);
    }

    @Override
    public Lfm2Config tied(boolean tied) {
        return new Lfm2Config(
                hiddenSize,
                intermediateSize,
                numHiddenLayers,
                convLayer,
                convLCache,
                convBias,
                numAttentionHeads,
                numKeyValueHeads,
                rope,
                vocabSize,
                maxPositionEmbeddings,
                normEps,
                tied);
    }
}
