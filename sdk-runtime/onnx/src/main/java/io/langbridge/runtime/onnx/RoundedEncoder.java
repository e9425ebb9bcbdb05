package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.network.Activation;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * An encoder whose weights are quantised. Some channels of what goes from layer to layer are larger than the others by
 * far, as in all large towers, and would set the scale alone by which a row is rounded. So the stream is written in a
 * basis that spreads each channel over all. A layer norm commutes with it if the mean stays the mean; what its weight
 * and bias do is done by the weights behind it, and what blocks add to the stream they give in its basis. Values of
 * attention and what is between the products of an MLP have factors that make their channels alike.
 *
 * <p>Where norms stand behind blocks too, whose weights do not commute with a basis, neighbouring channels are mixed on
 * the fly in front of each product.
 *
 * <p>What a layer gives is made when it is known who reads it: a product in the basis of its reader, a norm without its
 * weight where only products read it.
 */
final class RoundedEncoder extends OnnxNet {
    /** Channels mixed on the fly: enough to spread what is large, few enough to cost little. */
    private static final int MIXED = 64;

    private final boolean turnsStream;
    /** What is mixed, by the name of the value. */
    private final Map<String, String> mixed = new HashMap<>();

    /** What a norm gives. */
    private record Norm(Value of, String layer, float epsilon, boolean centred) {}

    /**
     * What a product reads.
     *
     * @param change of the weight for it
     * @param offset what the weight sees beside it, in every row
     */
    private record Reading(String tensor, Change change, Change.@Nullable Scale offset) {}

    /** A product that is not made yet. */
    private record Product(
            Reading reading, StoredTensor weight, @Nullable StoredTensor bias, Change.@Nullable Scale outScale) {

        Product times(Change.Scale scale) {
            if (outScale != null) {
                throw new IllegalStateException("A product of " + weight.name() + " has factors already");
            }
            return new Product(reading, weight, bias, scale);
        }
    }

    /** What an activation function makes of a product. */
    private record Inner(Activation function, Product of) {}

    /** What heads give of values, which may still be made in another basis. */
    private record Heads(Value values, int heads, UnaryOperator<Value> of) {}

    /** Rows that are not picked yet of what is not made yet. */
    private record Picked(Value of, Value indices) {}

    private final Map<String, Norm> norms = new HashMap<>();
    private final Map<String, Product> unwritten = new HashMap<>();
    private final Map<String, Inner> inners = new HashMap<>();
    private final Map<String, Heads> allHeads = new HashMap<>();
    private final Map<String, Picked> unpicked = new HashMap<>();
    /** How weights change that read what gated MLPs have inside. */
    private final Map<String, Change> changes = new HashMap<>();
    /** Weights of one row by the value that they are. */
    private final Map<String, String> rows = new HashMap<>();

    /** Values in the basis of the stream, by their name. */
    private final Map<String, String> turned = new HashMap<>();
    /** Values as the checkpoint's network has them, by their name. */
    private final Map<String, String> plain = new HashMap<>();
    /** What norms give without their weights. */
    private final Map<String, String> bare = new HashMap<>();

    /** Of the stream, by its width. */
    private final Map<Integer, Orthogonal> bases = new HashMap<>();

    /** @param turnsStream whether the stream can be written in another basis: no norm stands behind a block */
    RoundedEncoder(StoredWeights weights, Products products, boolean shows, boolean turnsStream) {
        super(weights, products, shows, OnnxGraph.Type.FLOAT);
        this.turnsStream = turnsStream;
    }

    private Orthogonal basis(int width) {
        return bases.computeIfAbsent(width, w -> Orthogonal.mixing(w, true));
    }

    private String basisTensor(int width) {
        Orthogonal basis = basis(width);
        return weights.made("basis." + width, basis.toString(), basis::toArray, width, width);
    }

    @Override
    String read(Value x) {
        String known = plain.get(x.name());
        if (known == null) {
            known = plainly(x);
            plain.put(x.name(), known);
        }
        return known;
    }

    private String plainly(Value x) {
        Norm norm = norms.get(x.name());
        if (norm != null) {
            Value y = norm.centred()
                    ? super.layerNorm(norm.of(), norm.layer(), norm.epsilon())
                    : super.rmsNorm(norm.of(), norm.layer(), norm.epsilon());
            return y.name();
        }
        Heads heads = allHeads.get(x.name());
        if (heads != null) {
            return heads.of().apply(heads.values()).name();
        }
        Picked rowsOf = unpicked.get(x.name());
        if (rowsOf != null) {
            return super.picked(rowsOf.of(), rowsOf.indices()).name();
        }
        Product product = unwritten.remove(x.name());
        if (product != null) {
            return written(x.name(), product, null);
        }
        String inBasis = turned.get(x.name());
        return inBasis == null
                ? made(x)
                : graph.node("Gemm", made(x.named(inBasis)), basisTensor(x.width()))
                        .with("transB", 1)
                        .to(unique(x.name() + ".back"));
    }

    private String written(String name, Product product, @Nullable Orthogonal out) {
        Reading reading = product.reading();
        Change change = new Change(reading.change().inScale(), reading.change().in(), product.outScale(), out);
        return products.product(reading.tensor(), product.weight(), product.bias(), reading.offset(), name, change);
    }

    /** In the basis of the stream; a sum may still be open. */
    private String turned(Value x) {
        String known = turned.get(x.name());
        if (known == null) {
            Product product = unwritten.remove(x.name());
            known = product == null
                    ? graph.node("MatMul", read(x), basisTensor(x.width())).to(unique(x.name() + ".turned"))
                    : written(x.name(), product, basis(x.width()));
            turned.put(x.name(), known);
        }
        return known;
    }

    /** Without its weight, in the basis of the stream. */
    private String bare(Value x, Norm norm) {
        String known = bare.get(x.name());
        if (known == null) {
            // What the stream begins with has large channels already: no scale of a weight should hold them and others.
            plainAtFirst(norm.of());
            String stream = turned(norm.of());
            String ones = ones(x.width());
            known = norm.centred()
                    ? layerNorm(stream, ones, zeros(x.width()), norm.layer(), norm.epsilon())
                    : rmsNorm(stream, ones, norm.layer(), norm.epsilon());
            bare.put(x.name(), known);
        }
        return known;
    }

    private void plainAtFirst(Value x) {
        if (unwritten.containsKey(x.name())) {
            read(x);
        }
    }

    private String zeros(int width) {
        return graph.constant("zeros." + width, new float[width], width);
    }

    @Override
    public Value weight(String name, int... shape) {
        Value x = super.weight(name, shape);
        if (shape.length == 1) {
            rows.put(x.name(), name);
        }
        return x;
    }

    @Override
    public Value layerNorm(Value x, String layer, float epsilon) {
        return turnsStream ? normed(x, layer, epsilon, true) : super.layerNorm(x, layer, epsilon);
    }

    @Override
    public Value rmsNorm(Value x, String layer, float epsilon) {
        return turnsStream ? normed(x, layer, epsilon, false) : super.rmsNorm(x, layer, epsilon);
    }

    private Value normed(Value x, String layer, float epsilon, boolean centred) {
        Value y = x.named(unique(layer + ".normed"));
        norms.put(y.name(), new Norm(x, layer, epsilon, centred));
        return y;
    }

    @Override
    public Value linear(Value x, String weight, @Nullable String bias, int out) {
        StoredTensor w = weights.checkpoint.get(weight, out, x.width());
        StoredTensor b = bias == null ? null : weights.checkpoint.get(bias, out);
        Value y = new Value(behind(weight), x.rows(), out);
        unwritten.put(y.name(), new Product(reading(x, w), w, b, null));
        return y;
    }

    private Reading reading(Value x, StoredTensor weight) {
        Norm norm = norms.get(x.name());
        if (norm != null) {
            Change.Scale factors = products.scale(norm.layer() + ".weight", x.width());
            Change.Scale offset = norm.centred() ? products.scale(norm.layer() + ".bias", x.width()) : null;
            return new Reading(bare(x, norm), new Change(factors, basis(x.width()), null, null), offset);
        }
        Inner inner = inners.get(x.name());
        if (inner != null && inner.of().reading().change().inScale() != null) {
            return ofInner(x, inner, weight);
        }
        Heads heads = allHeads.get(x.name());
        Product values = heads == null ? null : unwritten.get(heads.values().name());
        if (heads != null && values != null) {
            return ofHeads(heads, values, weight);
        }
        return turnsStream ? new Reading(read(x), changes.getOrDefault(x.name(), Change.NONE), null) : mixed(x);
    }

    private Reading mixed(Value x) {
        int block = Math.min(MIXED, Integer.lowestOneBit(x.width()));
        String known = mixed.get(x.name());
        if (known == null) {
            known = mixBlocks(read(x), x.width(), block);
            mixed.put(x.name(), known);
        }
        return new Reading(known, new Change(null, Orthogonal.blocks(x.width(), block), null, null), null);
    }

    /** Values of attention have factors, and each head is in another basis. */
    private Reading ofHeads(Heads of, Product values, StoredTensor weight) {
        Value v = of.values();
        int headDim = v.width() / of.heads();
        Change.Scale norm = values.reading().change().inScale();
        Change.Scale scale = Smoothing.ofValues(values.weight(), weight, norm, headDim);
        Orthogonal basis = Orthogonal.blocks(v.width(), headDim);
        String turnedValues = written(unique(v.name() + ".turned"), values.times(scale.inverse()), basis);
        Value heads = of.of().apply(v.named(turnedValues));
        return new Reading(heads.name(), new Change(scale, basis, null, null), null);
    }

    /** What is behind an activation function has factors, which cannot be moved before it. */
    private Reading ofInner(Value x, Inner inner, StoredTensor weight) {
        Product of = inner.of();
        Change.Scale norm = Objects.requireNonNull(of.reading().change().inScale());
        Change.Scale scale = Smoothing.ofActivation(
                inner.function(), of.weight(), of.bias(), norm, of.reading().offset(), weight);
        Change.Scale inverse = scale.inverse();
        String factors = weights.made(x.name() + ".factors", inverse.toString(), inverse::values, x.width());
        String y = graph.node("Mul", read(x), factors).to(unique(x.name() + ".even"));
        products.activated(y);
        return new Reading(y, new Change(scale, null, null, null), null);
    }

    @Override
    public Value columns(Value x, int first, int count) {
        Product product = unwritten.get(x.name());
        if (product == null) {
            return super.columns(x, first, count);
        }
        StoredTensor bias = product.bias();
        Value y = new Value(unique(x.name() + "." + first), x.rows(), count);
        unwritten.put(
                y.name(),
                new Product(
                        product.reading(),
                        product.weight().rows(first, count),
                        bias == null ? null : bias.rows(first, count),
                        product.outScale()));
        return y;
    }

    @Override
    public Value activation(Activation function, Value x) {
        Product product = unwritten.get(x.name());
        Value y = super.activation(function, x);
        if (product != null) {
            inners.put(y.name(), new Inner(function, product));
        }
        return y;
    }

    @Override
    public Value multiply(Value a, Value b) {
        Product product = unwritten.get(a.name());
        String row = rows.get(b.name());
        if (product == null || product.outScale() != null || row == null) {
            return super.multiply(a, b);
        }
        Value y = a.named(unique(a.name() + ".times"));
        unwritten.put(y.name(), product.times(products.scale(row, b.width())));
        return y;
    }

    @Override
    public Value add(Value a, Value b) {
        boolean onStream = turned.containsKey(a.name()) || turned.containsKey(b.name());
        if (!onStream || a.rows() != b.rows()) {
            return super.add(a, b);
        }
        Value y = sum(a, made(a.named(turned(a))), made(b.named(turned(b))));
        turned.put(y.name(), y.name());
        return y;
    }

    @Override
    public Value heads(Value q, Value k, Value v, int heads, double scale) {
        return attended(q, v, heads, values -> super.heads(q, k, values, heads, scale));
    }

    @Override
    public Value windowHeads(Value q, Value k, Value v, int heads, Value bias) {
        Picked rowsOf = unpicked.get(v.name());
        return rowsOf == null
                ? attended(q, v, heads, values -> super.windowHeads(q, k, values, heads, bias))
                : attended(q, rowsOf.of(), heads, values -> {
                    Value picked = super.picked(values, rowsOf.indices());
                    return super.windowHeads(q, k, picked, heads, bias);
                });
    }

    private Value attended(Value like, Value values, int heads, UnaryOperator<Value> of) {
        Value y = like.named(unique(values.name() + ".attended"));
        allHeads.put(y.name(), new Heads(values, heads, of));
        return y;
    }

    /** Picking rows changes nothing in a row. */
    @Override
    public Value picked(Value x, Value indices) {
        Value y = new Value(unique(x.name() + ".picked"), indices.rows(), x.width());
        Heads heads = allHeads.get(x.name());
        if (heads != null) {
            UnaryOperator<Value> of = values -> super.picked(heads.of().apply(values), indices);
            allHeads.put(y.name(), new Heads(heads.values(), heads.heads(), of));
        } else if (unwritten.containsKey(x.name())) {
            unpicked.put(y.name(), new Picked(x, indices));
        } else {
            return super.picked(x, indices);
        }
        return y;
    }

    @Override
    public Value gatedMlp(Value x, String layer, int inner, Activation function, boolean bias) {
        if (!turnsStream) {
            return super.gatedMlp(x, layer, inner, function, bias);
        }
        Value gate = linear(x, layer + ".gate_proj", inner, bias);
        Value up = linear(x, layer + ".up_proj", inner, bias);
        Product ups = Objects.requireNonNull(unwritten.remove(up.name()));
        StoredTensor gates = weights.checkpoint.get(layer + ".gate_proj.weight");
        StoredTensor down = weights.checkpoint.get(layer + ".down_proj.weight");
        Change.Scale norm = ups.reading().change().inScale();
        Change.Scale scale = Smoothing.ofMlp(gates, ups.weight(), down, norm);
        String evenUps = written(up.name(), ups.times(scale.inverse()), null);
        Value even = up.named(gated(gate, function, evenUps));
        changes.put(even.name(), new Change(scale, null, null, null));
        return linear(even, layer + ".down_proj", x.width(), bias);
    }
}
