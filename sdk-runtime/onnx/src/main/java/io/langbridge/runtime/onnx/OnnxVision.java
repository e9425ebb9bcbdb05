package io.langbridge.runtime.onnx;

import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.engine.VisionNetwork;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.VisionConfig.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * CLIP's and SigLIP's vision tower. A graph takes one tile: all its shapes are fixed, and the memory it needs does not
 * grow with the number of tiles.
 */
final class OnnxVision implements VisionNetwork {
    private static final String PIXELS = "pixel_values";
    private static final String FEATURES = "features";
    private static final String LAST_HIDDEN_STATE = "last_hidden_state";
    private static final String POOLER_OUTPUT = "pooler_output";

    private final VisionConfig config;
    private final boolean pools;
    private final LoadedGraph graph;
    private final LazyGraph traceGraph;

    OnnxVision(VisionConfig config, Weights weights, EngineOptions options) {
        this.config = config;
        pools = weights.contains(config.kind() == Kind.CLIP ? "post_layernorm.weight" : "head.probe");
        graph = new Tower(config, weights, options.precision()).features().load(options);
        traceGraph = new LazyGraph(
                "vision encoder",
                () -> new Tower(config, weights, options.precision())
                        .trace(pools)
                        .load(options));
    }

    @Override
    public VisionConfig config() {
        return config;
    }

    @Override
    public FloatTensor features(FloatTensor pixels) {
        int tiles = tiles(pixels);
        int tokens = config.selectPatches() ? config.patches() : config.tokens();
        FloatTensor features = FloatTensor.allocate(tiles, tokens, config.hiddenSize());
        for (int tile = 0; tile < tiles; tile++) {
            try (Bindings bindings = bindPixels(pixels, tile)) {
                bindings.output(FEATURES, features.rows(tile, tile + 1), tokens, config.hiddenSize());
                bindings.run(graph);
            }
        }
        return features;
    }

    @Override
    public Trace trace(FloatTensor pixels) {
        int tiles = tiles(pixels);
        List<FloatTensor> hiddenStates = new ArrayList<>();
        for (int i = 0; i <= config.numHiddenLayers(); i++) {
            hiddenStates.add(FloatTensor.allocate(tiles, config.tokens(), config.hiddenSize()));
        }
        FloatTensor last = FloatTensor.allocate(tiles, config.tokens(), config.hiddenSize());
        FloatTensor pooled = pools ? FloatTensor.allocate(tiles, config.hiddenSize()) : null;
        LoadedGraph loaded = traceGraph.get();
        for (int tile = 0; tile < tiles; tile++) {
            try (Bindings bindings = bindPixels(pixels, tile)) {
                for (int i = 0; i < hiddenStates.size(); i++) {
                    bindings.output(
                            Tower.hiddenState(i),
                            hiddenStates.get(i).rows(tile, tile + 1),
                            config.tokens(),
                            config.hiddenSize());
                }
                bindings.output(LAST_HIDDEN_STATE, last.rows(tile, tile + 1), config.tokens(), config.hiddenSize());
                if (pooled != null) {
                    bindings.output(POOLER_OUTPUT, pooled.rows(tile, tile + 1), 1, config.hiddenSize());
                }
                bindings.run(loaded);
            }
        }
        return new Trace(hiddenStates, last, pooled);
    }

    private int tiles(FloatTensor pixels) {
        int[] shape = pixels.shape();
        int size = config.imageSize();
        if (shape.length != 4 || shape[0] < 1 || shape[1] != 3 || shape[2] != size || shape[3] != size) {
            throw new IllegalArgumentException("Pixels must have the shape [tiles, 3, " + size + ", " + size
                    + "] with at least one tile, not " + Arrays.toString(shape));
        }
        return shape[0];
    }

    private Bindings bindPixels(FloatTensor pixels, int tile) {
        int size = config.imageSize();
        return new Bindings().input(PIXELS, pixels.rows(tile, tile + 1), 1, 3, size, size);
    }

    @Override
    public void close() {
        try {
            graph.close();
        } finally {
            traceGraph.close();
        }
    }

    /** The network from top to bottom. Shapes are {@code [tokens, hidden]} unless noted. */
    private static final class Tower {
        private final VisionConfig config;
        private final int hidden;
        private final NetworkBuilder network;
        private final OnnxGraph graph;

        Tower(VisionConfig config, Weights weights, Precision precision) {
            this.config = config;
            hidden = config.hiddenSize();
            network = new NetworkBuilder("vision encoder", weights, precision, true, name -> false);
            graph = network.graph;
            graph.input(PIXELS, OnnxGraph.Type.FLOAT, 1, 3, config.imageSize(), config.imageSize());
        }

        static String hiddenState(int layer) {
            return "hidden_states." + layer;
        }

        /** Up to the selected layer, and of that the selected tokens. */
        NetworkBuilder features() {
            String x = embeddings();
            for (int i = 0; i < config.layersToRun(); i++) {
                x = layer(x, i);
            }
            if (config.kind() == Kind.CLIP && config.selectPatches()) {
                graph.node(
                                "Slice",
                                x,
                                graph.constant("first_patch", 1),
                                graph.constant("end", config.tokens()),
                                graph.constant("token_axis", 0))
                        .to(FEATURES);
            } else {
                graph.node("Identity", x).to(FEATURES);
            }
            graph.output(FEATURES, OnnxGraph.Type.FLOAT, "selected", hidden);
            return network;
        }

        /** The whole tower with all that is on the way. */
        NetworkBuilder trace(boolean pools) {
            String x = output(embeddings(), hiddenState(0), config.tokens());
            for (int i = 0; i < config.numHiddenLayers(); i++) {
                x = output(layer(x, i), hiddenState(i + 1), config.tokens());
            }
            boolean clip = config.kind() == Kind.CLIP;
            String last = output(clip ? x : postLayerNorm(x), LAST_HIDDEN_STATE, config.tokens());
            if (pools) {
                output(clip ? postLayerNorm(classToken(last)) : attentionPooling(last), POOLER_OUTPUT, 1);
            }
            return network;
        }

        private String output(String x, String name, int rows) {
            graph.node("Identity", x).to(name);
            graph.output(name, OnnxGraph.Type.FLOAT, rows, hidden);
            return name;
        }

        private String embeddings() {
            int patch = config.patchSize();
            String kernel = network.weight("embeddings.patch_embedding.weight", hidden, 3, patch, patch);
            boolean clip = config.kind() == Kind.CLIP;
            // [1, hidden, rows, columns]: pixels beyond the last whole patch are left out, as in the reference.
            OnnxGraph.Node conv = clip
                    ? graph.node("Conv", PIXELS, kernel)
                    : graph.node("Conv", PIXELS, kernel, network.weight("embeddings.patch_embedding.bias", hidden));
            String grid = conv.with("kernel_shape", patch, patch)
                    .with("strides", patch, patch)
                    .to("patch_grid");
            String columns = network.reshape(grid, "patch_columns", hidden, config.patches());
            String x = graph.node("Transpose", columns).with("perm", 1, 0).to("patches");
            if (clip) {
                String classEmbedding =
                        network.reshape(network.weight("embeddings.class_embedding", hidden), "class", 1, hidden);
                x = graph.node("Concat", classEmbedding, x).with("axis", 0).to("tokens");
            }
            x = network.add(
                    x, network.weight("embeddings.position_embedding.weight", config.tokens(), hidden), "embeddings");
            return clip ? network.layerNorm(x, "pre_layrnorm", hidden, config.layerNormEps()) : x;
        }

        private String layer(String x, int index) {
            String name = "encoder.layers." + index;
            String normed = network.layerNorm(x, name + ".layer_norm1", hidden, config.layerNormEps());
            String attended = attention(normed, name + ".self_attn");
            String middle = network.add(x, attended, name + ".middle");
            normed = network.layerNorm(middle, name + ".layer_norm2", hidden, config.layerNormEps());
            return network.add(middle, mlp(normed, name + ".mlp"), name);
        }

        private String attention(String x, String name) {
            String q = network.linear(x, name + ".q_proj", hidden, hidden, true);
            String k = network.linear(x, name + ".k_proj", hidden, hidden, true);
            String v = network.linear(x, name + ".v_proj", hidden, hidden, true);
            String heads = multiHead(q, k, v, name, config.tokens());
            return network.linear(heads, name + ".out_proj", hidden, hidden, true);
        }

        private String multiHead(String q, String k, String v, String name, int queries) {
            String attended = graph.microsoft(
                            "MultiHeadAttention",
                            network.reshape(q, name + ".q", 1, queries, hidden),
                            network.reshape(k, name + ".k", 1, config.tokens(), hidden),
                            network.reshape(v, name + ".v", 1, config.tokens(), hidden))
                    .with("num_heads", config.numAttentionHeads())
                    .to(name + ".heads");
            return network.reshape(attended, name + ".attended", queries, hidden);
        }

        private String mlp(String x, String name) {
            String inner = network.linear(x, name + ".fc1", hidden, config.intermediateSize(), true);
            inner = network.activation(config.hiddenAct(), inner);
            return network.linear(inner, name + ".fc2", config.intermediateSize(), hidden, true);
        }

        private String postLayerNorm(String x) {
            return network.layerNorm(x, "post_layernorm", hidden, config.layerNormEps());
        }

        /** CLIP: {@code [1, hidden]}. */
        private String classToken(String x) {
            return graph.node("Gather", x, graph.constant("class_position", 0))
                    .with("axis", 0)
                    .to("class_token");
        }

        /** SigLIP: a learnt query attends to all tokens, {@code [1, hidden]}. */
        private String attentionPooling(String x) {
            String name = "head.attention";
            String sizes = graph.constant("in_proj.sizes", hidden, hidden, hidden);
            String weight = network.weight(name + ".in_proj_weight", 3L * hidden, hidden);
            String bias = network.weight(name + ".in_proj_bias", 3L * hidden);
            graph.node("Split", weight, sizes).with("axis", 0).to("w.q", "w.k", "w.v");
            graph.node("Split", bias, sizes).with("axis", 0).to("b.q", "b.k", "b.v");
            String probe = network.reshape(network.weight("head.probe", 1, 1, hidden), "probe", 1, hidden);
            String q = graph.node("Gemm", probe, "w.q", "b.q").with("transB", 1).to("pooling.q");
            String k = graph.node("Gemm", x, "w.k", "b.k").with("transB", 1).to("pooling.k");
            String v = graph.node("Gemm", x, "w.v", "b.v").with("transB", 1).to("pooling.v");
            String pooled = network.linear(multiHead(q, k, v, name, 1), name + ".out_proj", hidden, hidden, true);
            String normed = network.layerNorm(pooled, "head.layernorm", hidden, config.layerNormEps());
            return network.add(pooled, mlp(normed, "head.mlp"), "head");
        }
    }
}
