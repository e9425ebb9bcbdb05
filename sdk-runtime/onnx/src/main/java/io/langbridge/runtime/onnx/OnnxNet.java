package io.langbridge.runtime.onnx;

import io.langbridge.Precision;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Rotary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A network as a graph: a value is a tensor {@code [rows, width]} under its name. */
class OnnxNet implements Net {
    static final String INPUTS_EMBEDS = "inputs_embeds";
    /** How many sequences run; each has as many rows, one sequence after the other. */
    static final String SEQUENCES = "sequences";
    /** Positions of all rows, {@code [sequences, rows of each]}. */
    static final String POSITIONS = "positions";
    /** Position of the last row of each sequence. */
    static final String LAST_POSITIONS = "last_positions";
    /** Positions in the cache after this run, of the longest sequence. */
    static final String TOTAL_LENGTH = "total_length";

    /** How many rows behind it each row sees, {@code [rows]}. */
    static final String AHEAD = "ahead";

    static final String KEY = "key";
    static final String VALUE = "value";
    static final String WINDOW = "window";
    static final String MATRIX = "matrix";

    final StoredWeights weights;
    final Products products;
    final OnnxGraph graph;
    /** Whether the graph gives all that is shown, of all rows. */
    final boolean shows;

    private final OnnxGraph.Type cacheType;
    private final Map<String, Value> outputs = new LinkedHashMap<>();
    /** What is still to be added, by the name of the sum: a norm that reads it first does both in one pass. */
    private final Map<String, List<String>> sums = new HashMap<>();

    private final Map<String, Integer> names = new HashMap<>();
    private final List<Rotary> rotaries = new ArrayList<>();
    /** Keys and values that a run adds, by layer. */
    private final Map<Integer, List<String>> keysAndValues = new HashMap<>();
    /** Makes keys and values outputs again, once for every other layer that looks at them. */
    private final List<Runnable> again = new ArrayList<>();
    /** The same of the rows that are answered, for layers that have none of their own. */
    private final Map<Integer, List<String>> answeredKeysAndValues = new HashMap<>();
    /** How many layers look at them. */
    private final Map<Integer, Integer> users = new HashMap<>();

    private final Map<String, String> castRotation = new HashMap<>();
    private final Map<Integer, String> shapes = new HashMap<>();
    private @Nullable String lastRows;
    /** {@link #POSITIONS} of those rows. */
    private @Nullable String answeredPositions;
    /** Whether a row sees any behind it. */
    private @Nullable String looksAhead;

    OnnxNet(StoredWeights weights, Products products, boolean shows, OnnxGraph.Type cacheType) {
        this.weights = weights;
        this.products = products;
        this.shows = shows;
        this.cacheType = cacheType;
        graph = weights.graph;
    }

    /** Cosines of one of the ways of rotating that the text has, in its order. */
    static String cos(int index) {
        return "cos" + (index == 0 ? "" : "." + index);
    }

    static String sin(int index) {
        return "sin" + (index == 0 ? "" : "." + index);
    }

    /** What a layer has kept before a run, {@link #KEY} and so on; layers are counted by what they keep. */
    static String past(int layer, String what) {
        return "past." + layer + "." + what;
    }

    /** The same behind the run. */
    static String present(int layer, String what) {
        return "present." + layer + "." + what;
    }

    /** The same for keys and values that several layers look at, by the order in which they do. */
    static String present(int layer, String what, int user) {
        return present(layer, what) + (user == 0 ? "" : "." + user);
    }

    /** Makes a value an output of the graph. */
    final void output(String name, Value x) {
        outputs.put(name, x);
    }

    /** Loads what the outputs and the cached keys and values depend on. */
    final LoadedGraph load(EngineOptions options) {
        if (!outputs.isEmpty()) { // otherwise only what is kept is wanted, and these layers keep nothing
            again.forEach(Runnable::run);
        }
        // Only now: a sum that is shown before a norm reads it is still made by the norm.
        outputs.forEach((name, x) -> {
            graph.node("Identity", read(x)).to(name);
            graph.output(name, OnnxGraph.Type.FLOAT, rows(x, name + " rows"), x.width());
        });
        return weights.load(options);
    }

    private static Object rows(Value x, String any) {
        return x.rows() < 0 ? (Object) any : (Object) x.rows();
    }

    /** The tensor that holds a value, as the checkpoint's network has it. */
    String read(Value x) {
        return made(x);
    }

    /** The tensor that holds a value; a sum that is open is made. */
    final String made(Value x) {
        List<String> open = sums.remove(x.name());
        return open == null
                ? x.name()
                : graph.node("Add", open.get(0), open.get(1)).to(x.name());
    }

    final Value sum(Value like, String a, String b) {
        String name = unique(b + ".sum");
        sums.put(name, List.of(a, b));
        return like.named(name);
    }

    final String unique(String name) {
        int count = names.merge(name, 1, Integer::sum);
        return count == 1 ? name : name + "#" + count;
    }

    /** Name of what a weight gives. */
    final String behind(String weight) {
        return unique(weight.endsWith(".weight") ? weight.substring(0, weight.length() - 7) : weight + ".product");
    }

    final String reshape(String x, long... shape) {
        return graph.node("Reshape", x, graph.constant(shape)).to(unique(x + ".reshaped"));
    }

    /** Each block of a row times {@link Orthogonal#blocks}. */
    final String mixBlocks(String x, int width, int block) {
        if (block == 1) {
            return x;
        }
        String matrix =
                graph.constant("mix." + block, Orthogonal.blocks(block, block).toArray(), block, block);
        String mixed = graph.node("MatMul", reshape(x, -1, block), matrix).to(unique(x + ".mixed"));
        return reshape(mixed, -1, width);
    }

    private String slice(String x, long first, long end, int axis) {
        return slice(x, graph.constant(first), graph.constant(end), axis);
    }

    private String slice(String x, String first, String end, int axis) {
        return graph.node("Slice", x, first, end, graph.constant(axis)).to(unique(x + ".part"));
    }

    @Override
    public Value pixels(int height, int width) {
        graph.input(PIXEL_VALUES, OnnxGraph.Type.FLOAT, 1, 3, height, width);
        return new Value(PIXEL_VALUES, height, width);
    }

    @Override
    public Value patches(Value pixels, String layer, int patch, int width, boolean bias) {
        String kernel = weights.weight(layer + ".weight", width, 3, patch, patch);
        OnnxGraph.Node conv = bias
                ? graph.node("Conv", pixels.name(), kernel, weights.weight(layer + ".bias", width))
                : graph.node("Conv", pixels.name(), kernel);
        String grid = conv.with("kernel_shape", patch, patch)
                .with("strides", patch, patch)
                .to(unique(layer));
        int rows = pixels.rows() / patch * (pixels.width() / patch);
        String columns = reshape(grid, width, rows);
        return new Value(
                graph.node("Transpose", columns).with("perm", 1, 0).to(unique(layer + ".patches")), rows, width);
    }

    @Override
    public Value input(String name, int rows, int width) {
        Value x = new Value(name, rows, width);
        graph.input(name, OnnxGraph.Type.FLOAT, rows(x, name + " rows"), width);
        return x;
    }

    @Override
    public Value indices(String name) {
        Value x = input(name, ANY, 1);
        String numbers = graph.node("Cast", x.name())
                .with("to", OnnxGraph.Type.INT64.number)
                .to(unique(name + ".numbers"));
        return x.named(reshape(numbers, -1));
    }

    @Override
    public List<Value> embedded(Table table, int count) {
        Value all = given(count * table.width());
        return count == 1 ? List.of(all) : beside(all, table.width());
    }

    @Override
    public List<Value> embedded(Table table, Table second) {
        Value all = given(table.width() + second.width());
        return List.of(columns(all, 0, table.width()), columns(all, table.width(), second.width()));
    }

    private Value given(int width) {
        graph.input(SEQUENCES, OnnxGraph.Type.INT64, 1);
        graph.input(POSITIONS, OnnxGraph.Type.INT64, SEQUENCES, "rows of each");
        graph.input(LAST_POSITIONS, OnnxGraph.Type.INT32, SEQUENCES);
        graph.input(TOTAL_LENGTH, OnnxGraph.Type.INT32, 1);
        return input(INPUTS_EMBEDS, ANY, width);
    }

    /** Takes apart what is side by side. */
    final List<Value> beside(Value all, int width) {
        List<Value> parts = new ArrayList<>();
        for (int first = 0; first < all.width(); first += width) {
            parts.add(columns(all, first, width));
        }
        return parts;
    }

    @Override
    public Value weight(String name, int... shape) {
        int width = shape[shape.length - 1];
        int rows = 1;
        long[] dims = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            dims[i] = shape[i];
            rows = i == shape.length - 1 ? rows : rows * shape[i];
        }
        String weight = weights.weight(name, dims);
        return new Value(shape.length == 2 ? weight : reshape(weight, rows, width), rows, width);
    }

    @Override
    public Value linear(Value x, String weight, @Nullable String bias, int out) {
        String y = products.product(read(x), weight, bias, x.width(), out, behind(weight), Change.NONE);
        return new Value(y, x.rows(), out);
    }

    @Override
    public Value layerNorm(Value x, String layer, float epsilon) {
        String weight = weights.weight(layer + ".weight", x.width());
        String bias = weights.weight(layer + ".bias", x.width());
        return x.named(layerNorm(read(x), weight, bias, layer, epsilon));
    }

    /** Of a tensor that may be a sum that is still open. */
    final String layerNorm(String x, String weight, String bias, String layer, float epsilon) {
        List<String> open = sums.remove(x);
        return open == null
                ? graph.node("LayerNormalization", x, weight, bias)
                        .with("epsilon", epsilon)
                        .with("axis", -1)
                        .to(unique(layer))
                : graph.microsoft("SkipLayerNormalization", open.get(0), open.get(1), weight, bias)
                        .with("epsilon", epsilon)
                        .to(unique(layer), "", "", x);
    }

    @Override
    public Value rmsNorm(Value x, String layer, float epsilon) {
        String y = sums.containsKey(x.name()) ? x.name() : read(x);
        return x.named(rmsNorm(y, weights.weight(layer + ".weight", x.width()), layer, epsilon));
    }

    final String rmsNorm(String x, String weight, String layer, float epsilon) {
        List<String> open = sums.remove(x);
        return open == null
                ? graph.node("SimplifiedLayerNormalization", x, weight)
                        .with("epsilon", epsilon)
                        .with("axis", -1)
                        .to(unique(layer))
                : graph.microsoft("SkipSimplifiedLayerNormalization", open.get(0), open.get(1), weight)
                        .with("epsilon", epsilon)
                        .to(unique(layer), "", "", x);
    }

    @Override
    public Value rmsNorm(Value x, @Nullable String layer, int width, float epsilon) {
        String each = width == x.width() ? read(x) : reshape(read(x), -1, width);
        String weight = layer == null ? ones(width) : weights.weight(layer + ".weight", width);
        String y = rmsNorm(each, weight, layer == null ? x.name() + ".normed" : layer, epsilon);
        return x.named(width == x.width() ? y : reshape(y, -1, x.width()));
    }

    /** The weight of a norm that has none. */
    final String ones(int width) {
        float[] ones = new float[width];
        Arrays.fill(ones, 1);
        return graph.constant("ones." + width, ones, width);
    }

    @Override
    public Value activation(Activation function, Value x) {
        OnnxGraph.Node node = switch (function) {
            case GELU -> graph.microsoft("Gelu", read(x));
            case GELU_TANH -> graph.microsoft("FastGelu", read(x));
            case QUICK_GELU -> graph.microsoft("QuickGelu", read(x)).with("alpha", 1.702f);
            case SILU -> graph.microsoft("QuickGelu", read(x)).with("alpha", 1f);
        };
        String y = node.to(unique(x.name() + ".activation"));
        products.activated(y);
        return x.named(y);
    }

    @Override
    public Value capped(Value x, float cap) {
        String factor = graph.constant("cap " + cap, new float[] {cap});
        String y = graph.node("Div", read(x), factor).to(unique(x.name() + ".uncapped"));
        y = graph.node("Tanh", y).to(unique(y + ".tanh"));
        return x.named(graph.node("Mul", y, factor).to(unique(x.name() + ".capped")));
    }

    @Override
    public Value scaled(Value x, float factor, float offset) {
        String y = read(x);
        if (factor != 1) {
            y = graph.node("Mul", y, graph.constant("number " + factor, new float[] {factor}))
                    .to(unique(y + ".times"));
        }
        if (offset != 0) {
            y = graph.node("Add", y, graph.constant("number " + offset, new float[] {offset}))
                    .to(unique(y + ".shifted"));
        }
        return x.named(y);
    }

    @Override
    public Value clipped(Value x, float least, float most) {
        String low = graph.constant("number " + least, new float[] {least});
        String high = graph.constant("number " + most, new float[] {most});
        return x.named(graph.node("Clip", read(x), low, high).to(unique(x.name() + ".clipped")));
    }

    @Override
    public Value add(Value a, Value b) {
        if (a.rows() == b.rows()) {
            return sum(a, read(a), read(b));
        }
        Value y = sum(a.rows() == 1 ? b : a, read(a), read(b));
        return y.named(made(y));
    }

    @Override
    public Value multiply(Value a, Value b) {
        return a.named(graph.node("Mul", read(a), read(b)).to(unique(a.name() + ".times")));
    }

    @Override
    public Value under(Value above, Value below) {
        String y =
                graph.node("Concat", read(above), read(below)).with("axis", 0).to(unique("under"));
        return new Value(
                y, above.rows() == ANY || below.rows() == ANY ? ANY : above.rows() + below.rows(), above.width());
    }

    @Override
    public Value rows(Value x, int first, int count) {
        return new Value(slice(read(x), first, (long) first + count, 0), count, x.width());
    }

    @Override
    public Value columns(Value x, int first, int count) {
        return new Value(slice(read(x), first, (long) first + count, 1), x.rows(), count);
    }

    @Override
    public Value beside(Value left, Value right) {
        String y = graph.node("Concat", read(left), read(right)).with("axis", 1).to(unique("beside"));
        return new Value(y, left.rows(), left.width() + right.width());
    }

    @Override
    public Value joined(Value x, int count) {
        return x.joined(reshape(read(x), -1, (long) count * x.width()), count);
    }

    @Override
    public Value averaged(Value x, int count) {
        String each = reshape(read(x), -1, count, x.width());
        String means = graph.node("ReduceMean", each, graph.constant(1))
                .with("keepdims", 0)
                .to(unique(x.name() + ".averaged"));
        return x.fewer(means, count);
    }

    @Override
    public Value picked(Value x, Value indices) {
        String y = graph.node("Gather", read(x), indices.name()).with("axis", 0).to(unique(x.name() + ".picked"));
        return new Value(y, indices.rows(), x.width());
    }

    @Override
    public Value mixed(Value shares, Value x) {
        String y = graph.node("MatMul", read(shares), read(x)).to(unique(x.name() + ".mixed"));
        return new Value(y, shares.rows(), x.width());
    }

    @Override
    public Value rotated(Value x, Value cos, Value sin) {
        // One position as a number is that of the first row.
        String first = graph.constant(0);
        String y = graph.microsoft("RotaryEmbedding", batch(x), first, cos.name(), sin.name())
                .with("interleaved", 0)
                .to(unique(x.name() + ".rotated"));
        return x.named(reshape(y, -1, x.width()));
    }

    @Override
    public Value attention(Value x, String layer, Attention how) {
        Value heads;
        if (how.state() == null) {
            Value q = linear(x, layer + ".q_proj", how.width(), how.bias());
            Value k = linear(x, layer + ".k_proj", how.kvWidth(), how.bias());
            Value v = linear(x, layer + ".v_proj", how.kvWidth(), how.bias());
            heads = heads(q, k, v, how.heads());
        } else {
            Causal state = how.state();
            Heads parts = separateHeads(x, layer, how, state, Change.NONE, Change.NONE);
            heads = gated(cached(x, layer, how, state, parts.qkv()), state.answered(), parts.gate());
        }
        return linear(heads, layer + "." + how.out(), x.width(), how.outBias());
    }

    @Override
    public Value heads(Value q, Value k, Value v, int heads, double scale) {
        String attended = graph.microsoft("MultiHeadAttention", batch(q), batch(k), batch(v))
                .with("num_heads", heads)
                .with("scale", (float) scale)
                .to(unique(q.name() + ".heads"));
        return q.named(reshape(attended, -1, q.width()));
    }

    @Override
    public Value windowHeads(Value q, Value k, Value v, int heads, Value bias) {
        int rows = bias.width();
        String bounds = reshape(bias.name(), -1, 1, rows, rows);
        String attended = graph.microsoft(
                        "MultiHeadAttention",
                        reshape(read(q), -1, rows, q.width()),
                        reshape(read(k), -1, rows, k.width()),
                        reshape(read(v), -1, rows, v.width()),
                        "",
                        "",
                        bounds)
                .with("num_heads", heads)
                .to(unique(q.name() + ".heads"));
        return q.named(reshape(attended, -1, q.width()));
    }

    private String batch(Value x) {
        return reshape(read(x), 1, -1, x.width());
    }

    /** As attention operators take it, {@code [sequences, rows of each, width]}. */
    final String sequences(String x, int width) {
        String shape = shapes.computeIfAbsent(
                width,
                w -> graph.node("Concat", SEQUENCES, graph.constant(-1, w))
                        .with("axis", 0)
                        .to("sequences of " + w));
        return graph.node("Reshape", x, shape).to(unique(x + ".reshaped"));
    }

    /**
     * What heads are made of.
     *
     * @param qkv queries, keys and values for {@link #cached}
     * @param gate of what they give, {@code [rows, width]}, if there is one
     */
    record Heads(List<String> qkv, @Nullable String gate) {}

    /** Queries, keys and values that are rotated here. */
    final Heads separateHeads(Value x, String layer, Attention how, Causal state, Change reading, Change ofValues) {
        String queries = projected(x, layer + ".q_proj", how.queryWidth(), how.bias(), reading);
        String gate = null;
        if (how.gated()) {
            String both = reshape(queries, -1, 2L * how.headDim());
            queries = slice(both, 0, how.headDim(), 1);
            gate = reshape(slice(both, how.headDim(), 2L * how.headDim(), 1), -1, how.width());
        }
        String q = rotated(queries, layer + ".q_norm", how, state, how.heads(), state.rotary());
        if (state.scale() != 1) {
            String scale = graph.constant("scale " + state.scale(), new float[] {(float) state.scale()});
            q = graph.node("Mul", q, scale).to(unique(q + ".scaled"));
        }
        List<String> kv = state.from() == KeysAndValues.EARLIER
                ? earlier(state.layer())
                : keysAndValues(x, layer, how, state, reading, ofValues);
        if (state.from() != KeysAndValues.EARLIER) {
            keysAndValues.put(state.layer(), kv);
        }
        return new Heads(List.of(inCacheType(q), kv.get(0), kv.get(1)), gate);
    }

    /** Of the rows that are answered. */
    private List<String> earlier(int layer) {
        return answeredKeysAndValues.computeIfAbsent(layer, index -> {
            List<String> all = Objects.requireNonNull(keysAndValues.get(index));
            return shows ? all : all.stream().map(this::lastOfEach).collect(Collectors.toList());
        });
    }

    /** Of {@code [sequences, rows of each, ..]} the last rows. */
    private String lastOfEach(String x) {
        return slice(x, -1, Integer.MAX_VALUE, 1);
    }

    private List<String> keysAndValues(
            Value x, String layer, Attention how, Causal state, Change reading, Change ofValues) {
        String keys = projected(x, layer + ".k_proj", how.kvWidth(), how.bias(), reading);
        String values = state.from() == KeysAndValues.KEYS_ARE_VALUES
                ? keys
                : projected(x, layer + ".v_proj", how.kvWidth(), how.bias(), ofValues);
        if (state.normsValues()) {
            String each = reshape(values, -1, how.headDim());
            float epsilon = Objects.requireNonNull(state.headNorm());
            values = rmsNorm(each, ones(how.headDim()), layer + ".v_norm", epsilon);
        }
        String k = rotated(
                keys,
                layer + ".k_norm",
                how,
                state,
                how.kvHeads(),
                state.rotary().ofKeys());
        return List.of(inCacheType(k), inCacheType(sequences(values, how.kvWidth())));
    }

    /** Heads times the sigmoid of their gate, if there is one. */
    final Value gated(Value heads, boolean answered, @Nullable String gate) {
        if (gate == null) {
            return heads;
        }
        Value rows = new Value(gate, ANY, heads.width());
        String open = graph.node("Sigmoid", (answered ? answered(rows, gate) : rows).name())
                .to(unique(gate + ".open"));
        return heads.named(graph.node("Mul", heads.name(), open).to(unique(heads.name() + ".gated")));
    }

    final String projected(Value x, String layer, int out, boolean bias, Change change) {
        String weight = layer + ".weight";
        return products.product(
                layerInput(x), weight, bias ? layer + ".bias" : null, x.width(), out, behind(weight), change);
    }

    /** What the products of a layer read that are changed for it. */
    String layerInput(Value x) {
        return read(x);
    }

    /**
     * Queries or keys: normed over each head if the model does so, then rotated. The attention operator rotates too,
     * but not where norms come first or head_dim is no multiple of 16.
     */
    private String rotated(String x, String norm, Attention how, Causal state, int heads, Rotary rotary) {
        int headDim = how.headDim();
        String y = x;
        Float epsilon = state.headNorm();
        if (epsilon != null) {
            int width = state.normsAll() ? heads * headDim : headDim;
            y = rmsNorm(reshape(y, -1, width), weights.weight(norm + ".weight", width), norm, epsilon);
        }
        String rows = sequences(y, heads * headDim);
        OnnxGraph.Node node = graph.microsoft("RotaryEmbedding", rows, positions(state), cos(rotary), sin(rotary))
                .with("interleaved", 0);
        if (rotary.width() < headDim) {
            node.with("num_heads", heads).with("rotary_embedding_dim", rotary.width());
        }
        return node.to(unique(y + ".rotated"));
    }

    private String positions(Causal state) {
        if (state.from() != KeysAndValues.EARLIER || shows) {
            return POSITIONS;
        }
        if (answeredPositions == null) {
            answeredPositions = lastOfEach(POSITIONS);
        }
        return answeredPositions;
    }

    private String cos(Rotary rotary) {
        return angles(cos(index(rotary)), rotary);
    }

    private String sin(Rotary rotary) {
        return angles(sin(index(rotary)), rotary);
    }

    private String angles(String name, Rotary rotary) {
        graph.input(name, OnnxGraph.Type.FLOAT, "angles", rotary.width() / 2);
        return name;
    }

    private int index(Rotary rotary) {
        if (!rotaries.contains(rotary)) {
            rotaries.add(rotary);
        }
        return rotaries.indexOf(rotary);
    }

    /** In the type of the cache, in which the operator takes all it gets. */
    final String inCacheType(String x) {
        return cacheType == OnnxGraph.Type.FLOAT
                ? x
                : graph.node("Cast", x).with("to", cacheType.number).to(unique(x + ".cached"));
    }

    /**
     * What the heads give. The operator appends keys and values to the cache, masks what is to come and divides queries
     * into groups.
     *
     * @param qkv queries that are scaled, keys and values; or all in one, which the operator rotates
     */
    final Value cached(Value x, String layer, Attention how, Causal state, List<String> qkv) {
        check(how);
        int index = state.layer();
        int user = users.merge(index, 1, Integer::sum) - 1;
        for (String cache : List.of(past(index, KEY), past(index, VALUE))) {
            graph.input(cache, cacheType, SEQUENCES, how.kvHeads(), "capacity", how.headDim());
        }
        // The operator appends what it is given. A layer with another's keys and values gives it the same again, which
        // it writes to the same place.
        String[] presents = {present(index, KEY, user), present(index, VALUE, user)};
        for (String cache : presents) {
            Runnable output = () -> graph.output(cache, cacheType, SEQUENCES, how.kvHeads(), "capacity", how.headDim());
            if (user == 0) {
                output.run();
            } else {
                again.add(output);
            }
        }
        List<String> taken = new ArrayList<>(qkv);
        boolean rotates = qkv.size() == 1;
        if (rotates) {
            taken.addAll(List.of("", ""));
        }
        taken.addAll(List.of(past(index, KEY), past(index, VALUE), LAST_POSITIONS, TOTAL_LENGTH));
        if (rotates) {
            taken.add(castRotation.computeIfAbsent(cos(state.rotary()), this::inCacheType));
            taken.add(castRotation.computeIfAbsent(sin(state.rotary()), this::inCacheType));
        }
        OnnxGraph.Node node = graph.microsoft("GroupQueryAttention", taken.toArray(new String[0]))
                .with("num_heads", how.heads())
                .with("kv_num_heads", how.kvHeads())
                .with("scale", 1f) // queries are scaled before: the kernel is slow for one token if it has to
                .with("do_rotary", rotates ? 1 : 0);
        if (state.cap() > 0) {
            node.with("softcap", state.cap());
        }
        if (state.window() > 0) {
            node.with("local_window_size", state.window());
        }
        String attended = node.to(unique(layer + ".heads"), presents[0], presents[1]);
        if (cacheType != OnnxGraph.Type.FLOAT) {
            attended = graph.node("Cast", attended)
                    .with("to", OnnxGraph.Type.FLOAT.number)
                    .to(unique(attended + ".float"));
        }
        // The last row of a run sees none behind it.
        if (state.open() && (state.from() != KeysAndValues.EARLIER || shows)) {
            attended = maybeOpen(attended, layer, how, state, qkv.get(0));
        }
        Value heads = new Value(reshape(attended, -1, how.width()), x.rows(), how.width());
        return state.answered() ? answered(heads) : heads;
    }

    /**
     * What the heads give where rows see others behind them, which the operator cannot do: it has appended keys and
     * values, and the rest is done here. Where no row does, as in every step, nothing is.
     *
     * @param attended what the operator gives, {@code [1, rows, width]}
     * @param q queries that are scaled
     */
    private String maybeOpen(String attended, String layer, Attention how, Causal state, String q) {
        if (looksAhead == null) {
            graph.input(AHEAD, OnnxGraph.Type.INT64, "rows");
            String furthest = graph.node("ReduceMax", AHEAD).with("keepdims", 0).to("furthest ahead");
            looksAhead = graph.node("Cast", furthest)
                    .with("to", OnnxGraph.Type.BOOL.number)
                    .to("looks ahead");
        }
        String name = unique(layer + ".open");
        OnnxGraph open = new OnnxGraph(name);
        String opened = open(open, name, how, state, q);
        open.output(opened, OnnxGraph.Type.FLOAT, SEQUENCES, "rows of each", how.width());
        OnnxGraph closed = new OnnxGraph(unique(layer + ".closed"));
        String same = closed.node("Identity", attended).to(closed.name + ".heads");
        closed.output(same, OnnxGraph.Type.FLOAT, SEQUENCES, "rows of each", how.width());
        return graph.node("If", looksAhead)
                .with("then_branch", open)
                .with("else_branch", closed)
                .to(name + ".heads");
    }

    private String open(OnnxGraph g, String name, Attention how, Causal state, String q) {
        int group = how.heads() / how.kvHeads();
        String rows = g.node("Shape", AHEAD).to(name + ".rows");
        String total = g.node("Cast", TOTAL_LENGTH)
                .with("to", OnnxGraph.Type.INT64.number)
                .to(name + ".total");
        String past = g.node("Sub", total, rows).to(name + ".past");
        String one = scalar(g, graph.constant(1), name + ".one");
        String end = scalar(g, total, name + ".end");
        String keys = g.node("Range", scalar(g, graph.constant(0), name + ".zero"), end, one)
                .to(name + ".keys");
        String own = g.node("Range", scalar(g, past, name + ".first"), end, one).to(name + ".own");
        String reach = g.node("Add", own, AHEAD).to(name + ".reach");
        String seen = g.node("LessOrEqual", keys, column(g, reach)).to(name + ".not behind");
        if (state.window() > 0) {
            String start = g.node("Sub", own, graph.constant(state.window())).to(name + ".start");
            String near = g.node("Greater", keys, column(g, start)).to(name + ".near");
            seen = g.node("And", seen, near).to(name + ".seen");
        }
        String queries = inFloats(g, q, name + ".q");
        queries = g.node("Reshape", queries, graph.constant(-1, how.kvHeads(), group, how.headDim()))
                .to(name + ".q.heads");
        queries = g.node("Transpose", queries).with("perm", 1, 2, 0, 3).to(name + ".q.turned");
        String k = g.node("Transpose", ofAll(g, present(state.layer(), KEY), total, name + ".k"))
                .with("perm", 1, 0, 3, 2)
                .to(name + ".k.turned");
        String v = g.node("Transpose", ofAll(g, present(state.layer(), VALUE), total, name + ".v"))
                .with("perm", 1, 0, 2, 3)
                .to(name + ".v.turned");
        String scores = g.node("MatMul", queries, k).to(name + ".scores");
        if (state.cap() > 0) {
            String cap = graph.constant("cap " + state.cap(), new float[] {state.cap()});
            scores = g.node("Div", scores, cap).to(name + ".uncapped");
            scores = g.node("Tanh", scores).to(name + ".tanh");
            scores = g.node("Mul", scores, cap).to(name + ".capped");
        }
        String never = graph.constant("never", new float[] {Float.NEGATIVE_INFINITY});
        scores = g.node("Where", seen, scores, never).to(name + ".masked");
        String shares = g.node("Softmax", scores).with("axis", -1).to(name + ".shares");
        String y = g.node("MatMul", shares, v).to(name + ".y");
        y = g.node("Transpose", y).with("perm", 2, 0, 1, 3).to(name + ".y.turned");
        return g.node("Reshape", y, graph.constant(1, -1, how.width())).to(name + ".y.rows");
    }

    private static String scalar(OnnxGraph g, String one, String name) {
        return g.node("Squeeze", one).to(name);
    }

    private String column(OnnxGraph g, String row) {
        return g.node("Unsqueeze", row, graph.constant(1)).to(row + ".column");
    }

    /** Keys or values of all positions so far, {@code [1, kv_heads, total, head_dim]}. */
    private String ofAll(OnnxGraph g, String present, String total, String name) {
        String all = g.node("Slice", present, graph.constant(0), total, graph.constant(2))
                .to(name);
        return inFloats(g, all, name);
    }

    private String inFloats(OnnxGraph g, String x, String name) {
        return cacheType == OnnxGraph.Type.FLOAT
                ? x
                : g.node("Cast", x).with("to", OnnxGraph.Type.FLOAT.number).to(name + ".float");
    }

    @Override
    public Value deltaRule(Value x, String layer, DeltaRule how) {
        Value qkv = linear(x, layer + ".in_proj_qkv", how.channels(), false);
        Value z = linear(x, layer + ".in_proj_z", how.valueWidth(), false);
        Value y = recurrent(layer, how, qkv.name(), z.name(), rates(x, layer, how, Change.NONE));
        return linear(y, layer + ".out_proj", x.width(), false);
    }

    /**
     * {@code in_proj_b} and {@code in_proj_a} side by side, {@code [rows, 2 * heads]}. In any precision as they are:
     * what they are off by is multiplied from token to token.
     */
    final String rates(Value x, String layer, DeltaRule how, Change reading) {
        return products.exact(
                layerInput(x),
                unique(layer + ".rates"),
                x.width(),
                List.of(
                        new Products.Layer(layer + ".in_proj_b", how.valueHeads(), false, reading),
                        new Products.Layer(layer + ".in_proj_a", how.valueHeads(), false, reading)));
    }

    /** What {@code out_proj} reads. */
    final Value recurrent(String layer, DeltaRule how, String qkv, String z, String rates) {
        int heads = how.valueHeads();
        String[] parts =
                split(convolved(layer, how, qkv), layer, 2 * how.keyWidth(), how.valueWidth()); // [sequences, rows, ..]
        String[] queriesAndKeys = split(lengthOne(parts[0], how), parts[0], how.keyWidth(), how.keyWidth());

        String[] both = split(wide(sequences(rates, 2 * heads)), rates, heads, heads);
        String write = narrow(graph.node("Sigmoid", both[0]).to(unique(layer + ".write")));
        String decay = narrow(decay(layer, both[1], heads));

        int index = how.layer();
        graph.input(past(index, MATRIX), OnnxGraph.Type.FLOAT, SEQUENCES, heads, how.keyDim(), how.valueDim());
        graph.output(present(index, MATRIX), OnnxGraph.Type.FLOAT, SEQUENCES, heads, how.keyDim(), how.valueDim());
        String summed = graph.microsoft(
                        "LinearAttention",
                        queriesAndKeys[0],
                        queriesAndKeys[1],
                        parts[1],
                        past(index, MATRIX),
                        decay,
                        write)
                .with("q_num_heads", how.keyHeads())
                .with("kv_num_heads", heads)
                .to(unique(layer + ".heads"), present(index, MATRIX));

        Value rows = new Value(reshape(summed, -1, how.valueWidth()), ANY, how.valueWidth());
        Value gate = rows.named(z);
        if (how.answered()) {
            rows = answered(rows, rows.name());
            gate = answered(gate, gate.name());
        }
        String norm = layer + ".norm";
        String each = reshape(rows.name(), -1, how.valueDim());
        String normed = rmsNorm(each, weights.weight(norm + ".weight", how.valueDim()), norm, how.epsilon());
        return rows.named(gated(gate, Activation.SILU, reshape(normed, -1, how.valueWidth())));
    }

    /** {@code -exp(A_log) softplus(a + dt_bias)} in float64: it goes into the sum at every token. */
    private String decay(String layer, String a, int heads) {
        String shifted = graph.node("Add", a, wide(weights.weight(layer + ".dt_bias", heads)))
                .to(unique(a + ".shifted"));
        String power = graph.node("Exp", shifted).to(unique(a + ".power"));
        String above = graph.node("Add", power, wide(graph.constant(1))).to(unique(power + ".above"));
        String step = graph.node("Log", above).to(unique(layer + ".step"));
        String speed =
                graph.node("Exp", wide(weights.weight(layer + ".A_log", heads))).to(unique(layer + ".A"));
        String product = graph.node("Mul", step, speed).to(unique(step + ".scaled"));
        return graph.node("Neg", product).to(unique(layer + ".decay"));
    }

    private String wide(String x) {
        return graph.node("Cast", x).with("to", OnnxGraph.Type.DOUBLE.number).to(unique(x + ".wide"));
    }

    private String narrow(String x) {
        return graph.node("Cast", x).with("to", OnnxGraph.Type.FLOAT.number).to(unique(x + ".narrow"));
    }

    /** Through the short convolution, {@code [sequences, rows of each, channels]}. */
    private String convolved(String layer, DeltaRule how, String qkv) {
        boolean full = weights.precision == Precision.FULL;
        Convolution conv = new Convolution(how.layer(), how.kernel(), false);
        String across = convolved(qkv, how.channels(), layer + ".conv1d", conv, full ? "none" : "silu");
        return rowsOf(full ? silu(across) : across);
    }

    @Override
    public Value convolved(Value x, String layer, Convolution how) {
        String y = rowsOf(convolved(read(x), x.width(), layer, how, "none"));
        return x.named(reshape(y, -1, x.width()));
    }

    /** {@code [sequences, channels, rows of each]}. */
    private String convolved(String x, int channels, String layer, Convolution how, String activation) {
        int index = how.layer();
        int rows = how.kernel() - 1;
        graph.input(past(index, WINDOW), OnnxGraph.Type.FLOAT, SEQUENCES, channels, rows);
        graph.output(present(index, WINDOW), OnnxGraph.Type.FLOAT, SEQUENCES, channels, rows);
        String across = graph.node("Transpose", sequences(x, channels))
                .with("perm", 0, 2, 1)
                .to(unique(x + ".across"));
        String kernel = weights.weight(layer + ".weight", channels, 1, how.kernel());
        String bias = how.bias() ? weights.weight(layer + ".bias", channels) : "";
        return graph.microsoft("CausalConvWithState", across, kernel, bias, past(index, WINDOW))
                .with("activation", activation)
                .to(unique(layer), present(index, WINDOW));
    }

    private String rowsOf(String across) {
        return graph.node("Transpose", across).with("perm", 0, 2, 1).to(unique(across + ".rows"));
    }

    /**
     * The operator's own is fast and off by several units in the last place, which division by a length may enlarge.
     */
    private String silu(String x) {
        String power = graph.node("Exp", graph.node("Neg", x).to(unique(x + ".negative")))
                .to(unique(x + ".power"));
        String above =
                graph.node("Add", power, graph.constant("one", new float[] {1})).to(unique(power + ".above"));
        String open = graph.node("Reciprocal", above).to(unique(above + ".reciprocal"));
        return graph.node("Mul", x, open).to(unique(x + ".silu"));
    }

    /** Queries and keys over their lengths. */
    private String lengthOne(String x, DeltaRule how) {
        String each = reshape(x, -1, how.keyDim());
        String squares = graph.node("ReduceSumSquare", each, graph.constant(-1)).to(unique(each + ".squares"));
        String epsilon = graph.constant("length epsilon", new float[] {DeltaRule.LENGTH_EPSILON});
        String sum = graph.node("Add", squares, epsilon).to(unique(squares + ".sum"));
        String length = graph.node("Sqrt", sum).to(unique(sum + ".root"));
        String divided = graph.node("Div", each, length).to(unique(each + ".unit"));
        return sequences(divided, 2 * how.keyWidth());
    }

    /** Some values of each row, and the others. */
    final String[] split(String x, String name, int first, int second) {
        String[] parts = {unique(name + ".first"), unique(name + ".second")};
        graph.node("Split", x, graph.constant(first, second)).with("axis", -1).to(parts);
        return parts;
    }

    @Override
    public Value gatedMlp(Value x, String layer, int inner, Activation function, boolean bias) {
        Value gate = linear(x, layer + ".gate_proj", inner, bias);
        Value up = linear(x, layer + ".up_proj", inner, bias);
        return linear(up.named(gated(gate, function, read(up))), layer + ".down_proj", x.width(), bias);
    }

    final String gated(Value gate, Activation function, String up) {
        return graph.node("Mul", activation(function, gate).name(), up).to(unique(up + ".gated"));
    }

    @Override
    public Value answered(Value x) {
        return answered(x, read(x));
    }

    /** What the attention kernel takes for granted or refuses only when it runs. */
    private void check(Attention attention) {
        if (attention.headDim() % 8 != 0) {
            throw new UnsupportedModelException("The " + graph.name + " has head_dim " + attention.headDim()
                    + "; the ONNX engine runs multiples of 8");
        }
    }

    final Value answered(Value x, String tensor) {
        if (shows) {
            return x;
        }
        if (lastRows == null) {
            lastRows = graph.node("Neg", SEQUENCES).to("last rows");
        }
        // Of one sequence the last row; several run one row each.
        return new Value(slice(tensor, lastRows, graph.constant(Integer.MAX_VALUE), 0), ANY, x.width());
    }

    @Override
    public Value pixelShuffle(Value x, int factor) {
        long side = Math.round(Math.sqrt(x.rows())) / factor;
        String cells = reshape(read(x), side, factor, side, (long) factor * x.width());
        String turned = graph.node("Transpose", cells).with("perm", 0, 2, 1, 3).to(unique(x.name() + ".shuffled"));
        int together = factor * factor;
        String rows = reshape(turned, side * side, (long) together * x.width());
        return new Value(rows, x.rows() / together, x.width() * together);
    }

    @Override
    public Value pooled(Value x, int factor) {
        long side = Math.round(Math.sqrt(x.rows())) / factor;
        String cells = reshape(read(x), side, factor, side, factor, x.width());
        String means = graph.node("ReduceMean", cells, graph.constant(1, 3))
                .with("keepdims", 0)
                .to(unique(x.name() + ".pooled"));
        return new Value(reshape(means, side * side, x.width()), x.rows() / (factor * factor), x.width());
    }

    @Override
    public Value coefficients(Value x, String layer, int tokens, boolean softmax) {
        Value y = linear(x, layer, tokens, true);
        return softmax
                ? y.named(graph.node("Softmax", y.name()).with("axis", -1).to(unique(y.name() + ".softmax")))
                : y;
    }

    /** The matrix is an input: it is in memory already, and ONNX Runtime would copy a constant. */
    @Override
    public Value words(Value x, String layer, int tokens, boolean softmax, String vocabularyMatrix, int width) {
        Value y = coefficients(x, layer, tokens, softmax);
        Value matrix = input(vocabularyMatrix, tokens, width);
        return new Value(graph.node("MatMul", y.name(), matrix.name()).to(unique("words")), y.rows(), width);
    }

    @Override
    public void show(String name, Value x) {
        if (shows) {
            output(name, x);
        }
    }
}
