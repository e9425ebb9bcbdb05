package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.config.Activation;
import io.langbridge.runtime.core.config.DecoderConfig;

/** The decoder from top to bottom. Shapes are {@code [tokens, width]} unless noted. */
final class DecoderGraph {
    static final String INPUTS_EMBEDS = "inputs_embeds";
    static final String LOGITS = "logits";
    static final String COS = "cos";
    static final String SIN = "sin";
    /** Position of the first token of this run. */
    static final String FIRST_POSITION = "first_position";
    /** Position of the last token of this run. */
    static final String LAST_POSITION = "last_position";
    /** Positions in the cache after this run. */
    static final String TOTAL_LENGTH = "total_length";

    static final String EMBED_TOKENS = "model.embed_tokens.weight";

    private final DecoderConfig config;
    private final int hidden;
    private final NetworkBuilder network;
    private final OnnxGraph graph;

    private DecoderGraph(DecoderConfig config, Weights weights) {
        this.config = config;
        hidden = config.hiddenSize();
        network = new NetworkBuilder(config.modelType() + " decoder", weights);
        graph = network.graph;
    }

    static String pastKey(int layer) {
        return "past." + layer + ".key";
    }

    static String pastValue(int layer) {
        return "past." + layer + ".value";
    }

    static String presentKey(int layer) {
        return "present." + layer + ".key";
    }

    static String presentValue(int layer) {
        return "present." + layer + ".value";
    }

    static String hiddenState(int layer) {
        return "hidden_states." + layer;
    }

    /**
     * Builds the network.
     *
     * @param trace false: logits of the last position only; true: logits of all positions, and the hidden states from
     *     the output of layer 1 on, the last one after the final norm
     */
    static NetworkBuilder build(DecoderConfig config, Weights weights, boolean trace) {
        return new DecoderGraph(config, weights).model(trace);
    }

    private NetworkBuilder model(boolean trace) {
        graph.input(INPUTS_EMBEDS, OnnxGraph.Type.FLOAT, "tokens", hidden);
        graph.input(FIRST_POSITION, OnnxGraph.Type.INT64, 1);
        graph.input(LAST_POSITION, OnnxGraph.Type.INT32, 1);
        graph.input(TOTAL_LENGTH, OnnxGraph.Type.INT32, 1);
        graph.input(COS, OnnxGraph.Type.FLOAT, "positions", config.headDim() / 2);
        graph.input(SIN, OnnxGraph.Type.FLOAT, "positions", config.headDim() / 2);

        // The residual stream is x + delta; the sum is made by the norm that reads it, in one pass.
        String x = INPUTS_EMBEDS;
        String normed = network.rmsNorm(x, "model.layers.0.input_layernorm", hidden, config.rmsNormEps());
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            String layer = "model.layers." + i;
            String attended = attention(normed, layer + ".self_attn", i);
            String middle = layer + ".middle";
            normed = addAndNorm(x, attended, layer + ".post_attention_layernorm", middle);
            String delta = mlp(normed, layer + ".mlp");
            boolean last = i == config.numHiddenLayers() - 1;
            x = hiddenState(i + 1) + ".sum";
            normed = addAndNorm(
                    middle, delta, last ? "model.norm" : "model.layers." + (i + 1) + ".input_layernorm", x);
            if (trace) {
                graph.node("Identity", last ? normed : x).to(hiddenState(i + 1));
                graph.output(hiddenState(i + 1), OnnxGraph.Type.FLOAT, "tokens", hidden);
            }
        }
        if (!trace) {
            normed = graph.node("Slice", normed, graph.constant("last_token", -1),
                            graph.constant("end", Integer.MAX_VALUE), graph.constant("token_axis", 0))
                    .to("last_hidden");
        }
        String head = config.tieWordEmbeddings() ? EMBED_TOKENS : "lm_head.weight";
        network.product(normed, head, hidden, config.vocabSize(), "", LOGITS);
        graph.output(LOGITS, OnnxGraph.Type.FLOAT, trace ? "tokens" : 1, config.vocabSize());
        return network;
    }

    /** Adds {@code x} and {@code delta} under the name {@code sum} and returns the norm of that. */
    private String addAndNorm(String x, String delta, String norm, String sum) {
        return graph.microsoft("SkipSimplifiedLayerNormalization", x, delta, network.weight(norm + ".weight", hidden))
                .with("epsilon", config.rmsNormEps())
                .to(norm, "", "", sum);
    }

    /** The operator appends keys and values to the cache, masks what is to come and divides queries into groups. */
    private String attention(String x, String name, int layer) {
        int heads = config.numAttentionHeads();
        int kvHeads = config.numKeyValueHeads();
        int headDim = config.headDim();
        String q = headsOf(x, name, "q", heads);
        String k = headsOf(x, name, "k", kvHeads);
        String v = network.linear(x, name + ".v_proj", hidden, kvHeads * headDim, config.qkvBias());
        v = network.reshape(v, name + ".v", 1, -1, (long) kvHeads * headDim);

        for (String cache : new String[] {pastKey(layer), pastValue(layer)}) {
            graph.input(cache, OnnxGraph.Type.FLOAT, 1, kvHeads, "capacity", headDim);
        }
        for (String cache : new String[] {presentKey(layer), presentValue(layer)}) {
            graph.output(cache, OnnxGraph.Type.FLOAT, 1, kvHeads, "capacity", headDim);
        }
        OnnxGraph.Node node = graph.microsoft("GroupQueryAttention", q, k, v, pastKey(layer), pastValue(layer),
                        LAST_POSITION, TOTAL_LENGTH)
                .with("num_heads", heads)
                .with("kv_num_heads", kvHeads)
                .with("scale", (float) (1 / Math.sqrt(headDim)));
        if (config.slidingWindow() > 0 && config.slidingLayer()[layer]) {
            node.with("local_window_size", config.slidingWindow());
        }
        String attended = node.to(name + ".heads", presentKey(layer), presentValue(layer));
        attended = network.reshape(attended, name + ".attended", -1, (long) heads * headDim);
        return network.linear(attended, name + ".o_proj", heads * headDim, hidden, config.outputBias());
    }

    /**
     * Queries or keys, {@code [1, tokens, heads * head_dim]}: normed over each head if the model does so, then rotated.
     * The attention operator could rotate too, but only where head_dim is a multiple of 16.
     */
    private String headsOf(String x, String name, String part, int heads) {
        int headDim = config.headDim();
        String y = network.linear(x, name + "." + part + "_proj", hidden, heads * headDim, config.qkvBias());
        if (config.qkNorm()) {
            y = network.reshape(y, name + "." + part + "_heads", -1, headDim);
            y = network.rmsNorm(y, name + "." + part + "_norm", headDim, config.rmsNormEps());
        }
        y = network.reshape(y, name + "." + part, 1, -1, (long) heads * headDim);
        return graph.microsoft("RotaryEmbedding", y, FIRST_POSITION, COS, SIN)
                .with("interleaved", 0)
                .to(y + "_rotated");
    }

    private String mlp(String x, String name) {
        int inner = config.intermediateSize();
        String gate = network.linear(x, name + ".gate_proj", hidden, inner, config.mlpBias());
        String up = network.linear(x, name + ".up_proj", hidden, inner, config.mlpBias());
        String gated = graph.node("Mul", network.activation(Activation.SILU, gate), up).to(name + ".gated");
        return network.linear(gated, name + ".down_proj", inner, hidden, config.mlpBias());
    }
}
