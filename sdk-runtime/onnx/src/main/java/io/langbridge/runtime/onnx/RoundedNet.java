package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.network.Activation;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A decoder whose weights are quantised. The residual stream is written in another basis, in which no channel is much
 * larger than the others: an RMS norm without its weight commutes with that, and the weights that read and write the
 * stream are changed accordingly, those of the norms with them. The same is done inside the heads of values, and before
 * {@code down_proj} on the fly.
 *
 * <p>Where norms stand behind blocks as well, whose weights do not commute with a basis, the stream stays as it is, and
 * what layers read of it is mixed on the fly.
 */
final class RoundedNet extends OnnxNet {
    private static final String BASIS = "basis";

    /** Channels mixed behind a gate: enough to spread what is large, few enough to cost little. */
    private static final int MIXED = 64;

    /** The same for what is read of a stream that stays as it is: in it a few channels are larger by far. */
    private static final int STREAM_BLOCK = 256;

    private final boolean turnsStream;

    /** Basis of the residual stream; null before there is one, and where it stays as it is. */
    private @Nullable Orthogonal stream;

    /** Values in the stream's basis. */
    private final Set<String> onStream = new HashSet<>();
    /** Of those, the ones that a norm made, without its weight: to the name of the norm. */
    private final Map<String, String> norms = new HashMap<>();
    /** Last products of blocks, which are made in the basis of what reads them first. */
    private final Map<String, Function<@Nullable Orthogonal, String>> unwritten = new HashMap<>();

    private final Map<String, String> back = new HashMap<>();

    /** Values that a norm made of a stream that stays as it is, with its weight: to the name of the norm. */
    private final Map<String, String> plainNorms = new HashMap<>();

    private final Map<String, String> mixed = new HashMap<>();

    /** Layers whose values are kept in another basis. */
    private final Set<Integer> turnedValues = new HashSet<>();

    /** @param turnsStream whether the stream can be written in another basis: no norm stands behind a block */
    RoundedNet(StoredWeights weights, Products products, boolean shows, OnnxGraph.Type cacheType, boolean turnsStream) {
        super(weights, products, shows, cacheType);
        this.turnsStream = turnsStream;
    }

    @Override
    public List<Value> embedded(Table table, Table second) {
        List<Value> given = super.embedded(table, second);
        return turnsStream ? List.of(turned(given.get(0)), given.get(1)) : given;
    }

    @Override
    public List<Value> embedded(Table table, int count) {
        List<Value> given = super.embedded(table, count);
        if (!turnsStream) {
            return given;
        }
        if (count == 1) {
            return List.of(turned(given.get(0)));
        }
        // The basis is large: all that is side by side goes through it at once.
        int width = table.width();
        turnInto(width);
        String all = intoStream(reshape(INPUTS_EMBEDS, -1, width));
        Value streams = new Value(reshape(all, -1, (long) count * width), ANY, count * width);
        return beside(streams, width).stream().map(this::streamed).collect(Collectors.toList());
    }

    private void turnInto(int width) {
        Orthogonal basis = Orthogonal.mixing(width, false);
        stream = basis;
        weights.made(BASIS, basis.toString(), basis::toArray, width, width);
    }

    private Value turned(Value x) {
        turnInto(x.width());
        return streamed(x.named(intoStream(x.name())));
    }

    private String intoStream(String x) {
        return graph.node("MatMul", x, BASIS).to(unique("stream"));
    }

    private Value streamed(Value x) {
        onStream.add(x.name());
        return x;
    }

    @Override
    String read(Value x) {
        if (!onStream.contains(x.name())) {
            return written(x, null);
        }
        String known = back.get(x.name());
        if (known == null) {
            known = graph.node("Gemm", made(x), BASIS).with("transB", 1).to(unique(x.name() + ".back"));
            String norm = norms.get(x.name());
            if (norm != null) {
                String weight = weights.weight(norm + ".weight", x.width());
                known = graph.node("Mul", known, weight).to(unique(known));
            }
            back.put(x.name(), known);
        }
        return known;
    }

    private String written(Value x, @Nullable Orthogonal basis) {
        Function<@Nullable Orthogonal, String> product = unwritten.remove(x.name());
        if (product == null) {
            return made(x);
        }
        if (basis != null) {
            streamed(x); // for who reads it after that
        }
        return product.apply(basis);
    }

    /** In the stream's basis. */
    private String readStream(Value x) {
        boolean writable =
                unwritten.containsKey(x.name()) || onStream.contains(x.name()) && !norms.containsKey(x.name());
        return writable ? written(x, stream) : intoStream(read(x));
    }

    @Override
    String layerInput(Value x) {
        if (onStream.contains(x.name())) {
            return made(x);
        }
        String known = mixed.get(x.name());
        if (known == null) {
            known = mixBlocks(read(x), x.width(), streamBlock(x));
            mixed.put(x.name(), known);
        }
        return known;
    }

    private static int streamBlock(Value x) {
        return Math.min(STREAM_BLOCK, Integer.lowestOneBit(x.width()));
    }

    /** A weight that reads what is maybe in another basis, maybe behind a norm. */
    private Change reading(Value x) {
        if (!onStream.contains(x.name())) {
            return new Change(null, Orthogonal.blocks(x.width(), streamBlock(x)), null, null);
        }
        String norm = norms.get(x.name());
        return new Change(norm == null ? null : products.scale(norm + ".weight", x.width()), stream, null, null);
    }

    /** The weight of the norm that made a value; null if none did. */
    private Change.@Nullable Scale norm(Value x) {
        String layer = norms.getOrDefault(x.name(), plainNorms.get(x.name()));
        return layer == null ? null : products.scale(layer + ".weight", x.width());
    }

    @Override
    public Value linear(Value x, String weight, @Nullable String bias, int out) {
        String y = products.product(layerInput(x), weight, bias, x.width(), out, behind(weight), reading(x));
        return new Value(y, x.rows(), out);
    }

    @Override
    public Value rmsNorm(Value x, String layer, float epsilon) {
        if (!onStream.contains(x.name()) || norms.containsKey(x.name())) {
            Value y = super.rmsNorm(x, layer, epsilon);
            if (!turnsStream) {
                plainNorms.put(y.name(), layer);
            }
            return y;
        }
        Value y = streamed(x.named(rmsNorm(x.name(), ones(x.width()), layer, epsilon)));
        norms.put(y.name(), layer);
        return y;
    }

    @Override
    public Value scaled(Value x, float factor, float offset) {
        if (offset != 0 || norms.containsKey(x.name())) {
            return super.scaled(x, factor, offset);
        }
        Function<@Nullable Orthogonal, String> product = unwritten.remove(x.name());
        if (product != null) { // whatever basis it will be made in
            Value y = x.named(unique(x.name() + ".times"));
            unwritten.put(y.name(), basis -> times(product.apply(basis), factor, y.name()));
            return y;
        }
        return onStream.contains(x.name())
                ? streamed(x.named(times(x.name(), factor, unique(x.name() + ".times"))))
                : super.scaled(x, factor, offset);
    }

    private String times(String x, float factor, String name) {
        return graph.node("Mul", x, graph.constant("number " + factor, new float[] {factor}))
                .to(name);
    }

    @Override
    public Value add(Value a, Value b) {
        if (!onStream.contains(a.name()) || a.rows() != b.rows()) {
            return super.add(a, b);
        }
        return streamed(sum(a, readStream(a), readStream(b)));
    }

    @Override
    public Value answered(Value x) {
        if (shows || !onStream.contains(x.name()) || norms.containsKey(x.name())) {
            return super.answered(x);
        }
        return streamed(answered(x, made(x)));
    }

    @Override
    public Value attention(Value x, String layer, Attention how) {
        Causal state = how.state();
        if (state == null) {
            return super.attention(x, layer, how);
        }
        Change reading = reading(x);
        Change ofValues = reading;
        Change ofHeads = Change.NONE;
        // A gate knows channels only as they are, and so do keys.
        boolean turns = !how.gated() && state.from() != KeysAndValues.KEYS_ARE_VALUES;
        if (state.normsValues()) {
            // Their norm, which has no weight, commutes with a basis and with no factors.
            if (!shows && state.from() == KeysAndValues.VALUES_NORMED && turns) {
                turnedValues.add(state.layer());
            }
            if (turnedValues.contains(state.layer())) {
                Orthogonal inValues = Orthogonal.blocks(how.kvWidth(), how.headDim());
                ofValues = new Change(reading.inScale(), reading.in(), null, inValues);
                ofHeads = new Change(null, Orthogonal.blocks(how.width(), how.headDim()), null, null);
            }
        } else if (!shows) { // which gives the values as they are
            StoredTensor v = weights.checkpoint.get(layer + ".v_proj.weight");
            StoredTensor o = weights.checkpoint.get(layer + "." + how.out() + ".weight");
            Change.Scale scale = products.once(Smoothing.ofValues(v, o, norm(x), how.headDim()));
            Change.Scale ofAll = new Change.Scale(
                    scale + " for " + how.heads(),
                    () -> Smoothing.forHeads(scale.values(), how.heads(), how.headDim()));
            Orthogonal inValues = turns ? Orthogonal.blocks(how.kvWidth(), how.headDim()) : null;
            ofValues = new Change(reading.inScale(), reading.in(), scale.inverse(), inValues);
            Orthogonal inHeads = turns ? Orthogonal.blocks(how.width(), how.headDim()) : null;
            ofHeads = new Change(ofAll, inHeads, null, null);
        }
        // Positions of several axes have a table for each sequence, which the operator cannot tell apart.
        boolean together = state.headNorm() == null
                && !how.gated()
                && !state.open()
                && how.headDim() % 16 == 0
                && state.rotary().width() % 16 == 0
                && state.rotary().growth() == null
                && state.rotary().rope().sections() == null;
        Heads parts = together
                ? new Heads(List.of(stackedHeads(x, layer, how, state, reading, ofValues)), null)
                : separateHeads(x, layer, how, state, reading, ofValues);
        Value heads = gated(cached(x, layer, how, state, parts.qkv()), state.answered(), parts.gate());
        String out = layer + "." + how.out();
        return how.gated()
                ? writingMixed(heads, out, x.width(), how.outBias(), ofHeads.inScale())
                : writing(heads, out, x.width(), how.outBias(), ofHeads);
    }

    @Override
    public Value deltaRule(Value x, String layer, DeltaRule how) {
        Change reading = reading(x);
        String both = products.stacked(
                layerInput(x),
                unique(layer + ".in_proj_qkvz"),
                x.width(),
                List.of(
                        new Products.Layer(layer + ".in_proj_qkv", how.channels(), false, reading),
                        new Products.Layer(layer + ".in_proj_z", how.valueWidth(), false, reading)));
        String[] parts = split(both, both, how.channels(), how.valueWidth());
        Value y = recurrent(layer, how, parts[0], parts[1], rates(x, layer, how, reading));
        return writingMixed(y, layer + ".out_proj", x.width(), false, null);
    }

    /**
     * Queries, keys and values side by side out of one product, which the attention operator takes apart and rotates:
     * few large steps are faster than many small ones.
     */
    private String stackedHeads(Value x, String layer, Attention how, Causal state, Change reading, Change ofValues) {
        float factor = (float) state.scale();
        Change.Scale ofQueries = new Change.Scale("queries times " + factor, () -> {
            float[] factors = new float[how.width()];
            Arrays.fill(factors, factor);
            return factors;
        });
        Change scaled = new Change(reading.inScale(), reading.in(), ofQueries, null);
        String all = products.stacked(
                layerInput(x),
                unique(layer + ".qkv_proj"),
                x.width(),
                List.of(
                        new Products.Layer(layer + ".q_proj", how.width(), how.bias(), scaled),
                        new Products.Layer(layer + ".k_proj", how.kvWidth(), how.bias(), reading),
                        new Products.Layer(layer + ".v_proj", how.kvWidth(), how.bias(), ofValues)));
        return inCacheType(sequences(all, how.width() + 2 * how.kvWidth()));
    }

    /** The last product of a block: in the basis of what reads it first. */
    private Value writing(Value x, String layer, int out, boolean bias, Change change) {
        String weight = layer + ".weight";
        String name = behind(weight);
        String of = bias ? layer + ".bias" : null;
        unwritten.put(
                name,
                basis -> products.product(
                        x.name(),
                        weight,
                        of,
                        x.width(),
                        out,
                        name,
                        new Change(change.inScale(), change.in(), null, basis)));
        return new Value(name, x.rows(), out);
    }

    @Override
    public Value gatedMlp(Value x, String layer, int inner, Activation function, boolean bias) {
        StoredTensor gate = weights.checkpoint.get(layer + ".gate_proj.weight");
        StoredTensor up = weights.checkpoint.get(layer + ".up_proj.weight");
        StoredTensor down = weights.checkpoint.get(layer + ".down_proj.weight");
        Change reading = reading(x);
        Change.Scale scale = products.once(Smoothing.ofMlp(gate, up, down, norm(x)));
        Change scaled = new Change(reading.inScale(), reading.in(), scale.inverse(), null);
        Value gates = new Value(projected(x, layer + ".gate_proj", inner, bias, reading), x.rows(), inner);
        String ups = projected(x, layer + ".up_proj", inner, bias, scaled);
        Value gated = gates.named(gated(gates, function, ups));
        return writingMixed(gated, layer + ".down_proj", x.width(), bias, scale);
    }

    /**
     * The last product of a block behind a gate: neighbouring channels are mixed before, so that one that is large for
     * a token does not set the scale alone.
     *
     * @param scale of what the weight reads, or null
     */
    private Value writingMixed(Value x, String layer, int out, boolean bias, Change.@Nullable Scale scale) {
        int block = Math.min(MIXED, Integer.lowestOneBit(x.width()));
        Value mixed = x.named(mixBlocks(x.name(), x.width(), block));
        return writing(mixed, layer, out, bias, new Change(scale, Orthogonal.blocks(x.width(), block), null, null));
    }
}
