package io.langbridge.runtime.onnx;

import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.DecoderConfig;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The decoder from top to bottom. Shapes are {@code [tokens, width]} unless noted.
 *
 * <p>Where weights are quantised, the residual stream is written in another basis, in which no channel is much larger
 * than the others: an RMS norm without its weight commutes with that, and the weights that read and write the stream
 * are changed accordingly, those of the norms with them. The same is done inside the heads of values, and before
 * {@code down_proj} on the fly.
 */
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

    /** Channels mixed before {@code down_proj}: enough to spread what is large, few enough to cost little. */
    private static final int MLP_BLOCK = 64;

    static final String EMBED_TOKENS = "model.embed_tokens.weight";

    private final DecoderConfig config;
    private final int hidden;
    private final NetworkBuilder network;
    private final OnnxGraph graph;
    private final Weights weights;
    private final Precision precision;
    /** Basis of the residual stream, or null for the checkpoint's own. */
    private final @Nullable Orthogonal stream;

    /** Whether values are mixed within their heads; not in a trace, which shows them. */
    private final boolean mixesValues;
    /** Whether the graph only fills the cache. */
    private final boolean fills;
    /** Whether the graph shows all that is in between. */
    private final boolean trace;

    /** Whether queries, keys and values are made together. */
    private final boolean together;

    private final OnnxGraph.Type cacheType;
    private final Map<String, String> castRotation = new HashMap<>();

    private String ones = "";
    private String scale = "";
    private String lastPosition = "";
    private boolean mixes;

    private DecoderGraph(
            DecoderConfig config,
            Weights weights,
            Precision precision,
            boolean trace,
            boolean fills,
            boolean halfKvCache) {
        this.trace = trace;
        cacheType = halfKvCache ? OnnxGraph.Type.FLOAT16 : OnnxGraph.Type.FLOAT;
        this.fills = fills;
        this.config = config;
        this.weights = weights;
        this.precision = precision;
        hidden = config.hiddenSize();
        stream = precision == Precision.FULL ? null : Orthogonal.mixing(hidden, false);
        mixesValues = stream != null && !trace;
        together = precision != Precision.FULL && !config.qkNorm() && config.headDim() % 16 == 0;
        network = new NetworkBuilder(config.modelType() + " decoder", weights, precision, fills, this::isFine);
        graph = network.graph;
    }

    /**
     * Whether a weight is rounded with care: the stream is still small when the first layer writes to it, so what that
     * rounds weighs most, as measured. That is slower by far for many positions, so there only what weighs most of it.
     */
    private boolean isFine(String weight) {
        return weight.startsWith(fills ? "model.layers.0.mlp.down_proj." : "model.layers.0.");
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

    /** Builds the network, which gives the logits of the last position. */
    static NetworkBuilder build(DecoderConfig config, Weights weights, Precision precision, boolean halfKvCache) {
        return new DecoderGraph(config, weights, precision, false, false, halfKvCache).model();
    }

    /** Builds the network for what comes before the last position of a prompt: it gives no logits. */
    static NetworkBuilder buildFilling(
            DecoderConfig config, Weights weights, Precision precision, boolean halfKvCache) {
        return new DecoderGraph(config, weights, precision, false, true, halfKvCache).model();
    }

    /**
     * Builds the network that gives the logits of all positions, and the hidden states from the output of layer 1 on,
     * the last one after the final norm.
     */
    static NetworkBuilder buildTrace(DecoderConfig config, Weights weights, Precision precision) {
        return new DecoderGraph(config, weights, precision, true, false, false).model();
    }

    private NetworkBuilder model() {
        graph.input(INPUTS_EMBEDS, OnnxGraph.Type.FLOAT, "tokens", hidden);
        graph.input(FIRST_POSITION, OnnxGraph.Type.INT64, 1);
        graph.input(LAST_POSITION, OnnxGraph.Type.INT32, 1);
        graph.input(TOTAL_LENGTH, OnnxGraph.Type.INT32, 1);
        graph.input(COS, OnnxGraph.Type.FLOAT, "positions", config.headDim() / 2);
        graph.input(SIN, OnnxGraph.Type.FLOAT, "positions", config.headDim() / 2);

        // The residual stream is x + delta; the sum is made by the norm that reads it, in one pass.
        String x = changeBasis(INPUTS_EMBEDS);
        String normed = firstNorm(x, "model.layers.0.input_layernorm");
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            String layer = "model.layers." + i;
            String attended = attention(normed, layer, i);
            if (fills && i == config.numHiddenLayers() - 1) {
                return network;
            }
            boolean last = i == config.numHiddenLayers() - 1;
            if (last && !trace) {
                x = lastToken(x, "last_stream");
            }
            String middle = layer + ".middle";
            normed = addAndNorm(x, attended, layer + ".post_attention_layernorm", middle);
            String delta = mlp(normed, layer);
            x = hiddenState(i + 1) + ".sum";
            normed = addAndNorm(middle, delta, last ? "model.norm" : "model.layers." + (i + 1) + ".input_layernorm", x);
            if (trace) {
                showHiddenState(last ? normed : x, i + 1, last);
                graph.output(hiddenState(i + 1), OnnxGraph.Type.FLOAT, "tokens", hidden);
            }
        }
        if (precision != Precision.FULL && !trace && !config.tieWordEmbeddings()) {
            network.requireFinite(EMBED_TOKENS, config.vocabSize(), hidden); // rows of it are read as they are needed
        }
        String head = config.tieWordEmbeddings() ? EMBED_TOKENS : "lm_head.weight";
        network.product(normed, head, hidden, config.vocabSize(), "", LOGITS, reading("model.norm"), precision);
        graph.output(LOGITS, OnnxGraph.Type.FLOAT, trace ? "tokens" : 1, config.vocabSize());
        return network;
    }

    /** Nobody reads the others behind the last layer's attention. */
    private String lastToken(String x, String output) {
        if (lastPosition.isEmpty()) {
            lastPosition = graph.constant("last_token", -1);
            graph.constant("end", Integer.MAX_VALUE);
            graph.constant("token_axis", 0);
        }
        return graph.node("Slice", x, lastPosition, "end", "token_axis").to(output);
    }

    private String changeBasis(String embeddings) {
        if (stream == null) {
            return embeddings;
        }
        String basis = network.made("basis", stream.toString(), stream::toArray, hidden, hidden);
        return graph.node("MatMul", embeddings, basis).to("stream");
    }

    /** In the checkpoint's own basis. */
    private void showHiddenState(String x, int index, boolean normed) {
        String name = hiddenState(index);
        if (stream == null) {
            graph.node("Identity", x).to(name);
            return;
        }
        String back = graph.node("Gemm", x, "basis").with("transB", 1).to(normed ? name + ".unscaled" : name);
        if (normed) {
            graph.node("Mul", back, network.weight("model.norm.weight", hidden)).to(name);
        }
    }

    /** A weight that reads the stream behind a norm. */
    private Change reading(String norm) {
        return stream == null ? Change.NONE : new Change(network.scale(norm + ".weight", hidden), stream, null, null);
    }

    /** The norm's weight, which is in the weights that follow if those are changed. */
    private String normWeight(String norm) {
        if (stream == null) {
            return network.weight(norm + ".weight", hidden);
        }
        if (ones.isEmpty()) {
            float[] values = new float[hidden];
            Arrays.fill(values, 1);
            ones = graph.constant("ones", values, hidden);
        }
        return ones;
    }

    private String firstNorm(String x, String norm) {
        return graph.node("SimplifiedLayerNormalization", x, normWeight(norm))
                .with("epsilon", config.rmsNormEps())
                .with("axis", -1)
                .to(norm);
    }

    /** Adds {@code x} and {@code delta} under the name {@code sum} and returns the norm of that. */
    private String addAndNorm(String x, String delta, String norm, String sum) {
        return graph.microsoft("SkipSimplifiedLayerNormalization", x, delta, normWeight(norm))
                .with("epsilon", config.rmsNormEps())
                .to(norm, "", "", sum);
    }

    /** The operator appends keys and values to the cache, masks what is to come and divides queries into groups. */
    private String attention(String x, String layerName, int layer) {
        String name = layerName + ".self_attn";
        Change reading = reading(layerName + ".input_layernorm");
        Values valuesChange = valuesChange(layerName, reading);
        int heads = config.numAttentionHeads();
        int kvHeads = config.numKeyValueHeads();
        int headDim = config.headDim();
        for (String cache : new String[] {pastKey(layer), pastValue(layer)}) {
            graph.input(cache, cacheType, 1, kvHeads, "capacity", headDim);
        }
        for (String cache : new String[] {presentKey(layer), presentValue(layer)}) {
            graph.output(cache, cacheType, 1, kvHeads, "capacity", headDim);
        }
        List<String> qkv = together
                ? List.of(stackedHeads(x, name, reading, valuesChange.written()), "", "", rotation(COS), rotation(SIN))
                : separateHeads(x, name, reading, valuesChange.written());
        OnnxGraph.Node node = graph.microsoft(
                        "GroupQueryAttention",
                        qkv.get(0),
                        qkv.get(1),
                        qkv.get(2),
                        pastKey(layer),
                        pastValue(layer),
                        LAST_POSITION,
                        TOTAL_LENGTH,
                        qkv.get(3),
                        qkv.get(4))
                .with("num_heads", heads)
                .with("kv_num_heads", kvHeads)
                .with("scale", 1f); // queries are scaled before: the kernel is slow for one token if it has to
        if (together) {
            node.with("do_rotary", 1);
        }
        if (config.slidingWindow() > 0 && config.slidingLayer()[layer]) {
            node.with("local_window_size", config.slidingWindow());
        }
        String attended = node.to(name + ".heads", presentKey(layer), presentValue(layer));
        if (fills && layer == config.numHiddenLayers() - 1) {
            return attended; // keys and values are in the cache; nobody reads the rest
        }
        if (cacheType != OnnxGraph.Type.FLOAT) {
            attended = graph.node("Cast", attended)
                    .with("to", OnnxGraph.Type.FLOAT.number)
                    .to(name + ".float_heads");
        }
        attended = network.reshape(attended, name + ".attended", -1, (long) heads * headDim);
        if (!trace && layer == config.numHiddenLayers() - 1) {
            attended = lastToken(attended, name + ".last_attended");
        }
        return network.linear(
                attended, name + ".o_proj", heads * headDim, hidden, config.outputBias(), valuesChange.read());
    }

    /**
     * Queries, keys and values side by side out of one product, {@code [1, tokens, width]}, which the attention
     * operator takes apart and rotates: few large steps are faster than many small ones.
     */
    private String stackedHeads(String x, String name, Change reading, Change ofValues) {
        int width = config.numAttentionHeads() * config.headDim();
        int kvWidth = config.numKeyValueHeads() * config.headDim();
        boolean bias = config.qkvBias();
        float factor = queryScale();
        Change.Scale ofQueries = new Change.Scale("queries times " + factor, () -> {
            float[] factors = new float[width];
            Arrays.fill(factors, factor);
            return factors;
        });
        String all = network.linear(
                x,
                name + ".qkv_proj",
                hidden,
                List.of(
                        new NetworkBuilder.Layer(
                                name + ".q_proj",
                                width,
                                bias,
                                new Change(reading.inScale(), reading.in(), ofQueries, null)),
                        new NetworkBuilder.Layer(name + ".k_proj", kvWidth, bias, reading),
                        new NetworkBuilder.Layer(name + ".v_proj", kvWidth, bias, ofValues)));
        return cached(network.reshape(all, name + ".qkv", 1, -1, width + 2L * kvWidth));
    }

    /** The same one by one, for the attention operator: queries, keys, values, and no rotation. */
    private List<String> separateHeads(String x, String name, Change reading, Change ofValues) {
        String q = headsOf(x, name, "q", config.numAttentionHeads(), reading);
        String k = headsOf(x, name, "k", config.numKeyValueHeads(), reading);
        int width = config.numKeyValueHeads() * config.headDim();
        String v = network.linear(x, name + ".v_proj", hidden, width, config.qkvBias(), ofValues);
        v = network.reshape(v, name + ".v", 1, -1, width);
        if (scale.isEmpty()) {
            scale = graph.constant("query_scale", new float[] {queryScale()});
        }
        q = graph.node("Mul", q, scale).to(q + "_scaled");
        return List.of(cached(q), cached(k), cached(v), "", "");
    }

    private float queryScale() {
        return (float) (1 / Math.sqrt(config.headDim()));
    }

    /** Cosines or sines in the type of the cache. */
    private String rotation(String table) {
        return castRotation.computeIfAbsent(table, this::cached);
    }

    /** In the type of the cache, in which the operator takes all it gets. */
    private String cached(String x) {
        return cacheType == OnnxGraph.Type.FLOAT
                ? x
                : graph.node("Cast", x).with("to", cacheType.number).to(x + ".cached");
    }

    /**
     * Queries or keys, {@code [1, tokens, heads * head_dim]}: normed over each head if the model does so, then rotated.
     * The attention operator rotates too, but not where norms come first or head_dim is no multiple of 16.
     */
    private String headsOf(String x, String name, String part, int heads, Change reading) {
        int headDim = config.headDim();
        String y = network.linear(x, name + "." + part + "_proj", hidden, heads * headDim, config.qkvBias(), reading);
        if (config.qkNorm()) {
            y = network.reshape(y, name + "." + part + "_heads", -1, headDim);
            y = network.rmsNorm(y, name + "." + part + "_norm", headDim, config.rmsNormEps());
        }
        y = network.reshape(y, name + "." + part, 1, -1, (long) heads * headDim);
        return graph.microsoft("RotaryEmbedding", y, FIRST_POSITION, COS, SIN)
                .with("interleaved", 0)
                .to(y + "_rotated");
    }

    /**
     * What values are changed by.
     *
     * @param written what {@code v_proj} gives
     * @param read what {@code o_proj} takes
     */
    private record Values(Change written, Change read) {}

    private Values valuesChange(String layer, Change reading) {
        if (!mixesValues) {
            return new Values(reading, stream == null ? Change.NONE : new Change(null, null, null, stream));
        }
        int headDim = config.headDim();
        int heads = config.numAttentionHeads();
        int kvHeads = config.numKeyValueHeads();
        StoredTensor v = weights.get(layer + ".self_attn.v_proj.weight");
        StoredTensor o = weights.get(layer + ".self_attn.o_proj.weight");
        Change.Scale norm = network.scale(layer + ".input_layernorm.weight", hidden);
        Change.Scale scale = new Change.Scale(
                "smoothing 1 of " + NetworkBuilder.identity(v) + NetworkBuilder.identity(o) + norm,
                () -> Smoothing.ofValues(v, o, norm.values(), headDim));
        Change.Scale ofHeads =
                new Change.Scale(scale + " for " + heads, () -> Smoothing.forHeads(scale.values(), heads, headDim));
        return new Values(
                new Change(reading.inScale(), stream, scale.inverse(), Orthogonal.blocks(kvHeads * headDim, headDim)),
                new Change(ofHeads, Orthogonal.blocks(heads * headDim, headDim), null, stream));
    }

    private String mlp(String x, String layer) {
        String name = layer + ".mlp";
        int inner = config.intermediateSize();
        Change reading = reading(layer + ".post_attention_layernorm");
        Change scaled = reading;
        Change writing = Change.NONE;
        int block = Math.min(MLP_BLOCK, Integer.lowestOneBit(inner));
        if (stream != null) {
            StoredTensor gate = weights.get(name + ".gate_proj.weight");
            StoredTensor up = weights.get(name + ".up_proj.weight");
            StoredTensor down = weights.get(name + ".down_proj.weight");
            Change.Scale norm = network.scale(layer + ".post_attention_layernorm.weight", hidden);
            Change.Scale scale = new Change.Scale(
                    "smoothing 1 of " + NetworkBuilder.identity(gate) + NetworkBuilder.identity(up)
                            + NetworkBuilder.identity(down) + norm,
                    () -> Smoothing.ofMlp(gate, up, down, norm.values()));
            scaled = new Change(reading.inScale(), stream, scale.inverse(), null);
            writing = new Change(scale, Orthogonal.blocks(inner, block), null, stream);
        }
        String gate = network.linear(x, name + ".gate_proj", hidden, inner, config.mlpBias(), reading);
        String up = network.linear(x, name + ".up_proj", hidden, inner, config.mlpBias(), scaled);
        String gated =
                graph.node("Mul", network.activation(Activation.SILU, gate), up).to(name + ".gated");
        if (stream != null && block > 1) {
            gated = mixBlocks(gated, inner, block);
        }
        return network.linear(gated, name + ".down_proj", inner, hidden, config.mlpBias(), writing);
    }

    /** Mixes neighbouring channels, so that one that is large for a token does not set the scale alone. */
    private String mixBlocks(String x, int width, int block) {
        String matrix = "mix." + block;
        if (!mixes) {
            mixes = true;
            graph.constant(matrix, Orthogonal.blocks(block, block).toArray(), block, block);
        }
        String blocks = network.reshape(x, x + ".blocks", -1, block);
        String mixed = graph.node("MatMul", blocks, matrix).to(x + ".mixed_blocks");
        return network.reshape(mixed, x + ".mixed", -1, width);
    }
}
