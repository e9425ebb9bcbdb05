package io.langbridge.runtime.pytorch;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.network.Rotary;
import io.langbridge.runtime.pytorch.Slot.Access;
import io.langbridge.runtime.pytorch.TorchScriptArchive.Source;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes a network as a TorchScript method, a straight line over a list of weights: {@link #slots} says what each of
 * them is. {@code ops.py} has what it calls, and for decoders {@code decoder.py} what calls it.
 */
final class TorchNet implements Net {
    private final boolean traced;
    private final StringBuilder lines = new StringBuilder();
    private final Map<Slot, Integer> slots = new LinkedHashMap<>();
    private final List<String> shown = new ArrayList<>();
    private final List<Rotary> rotaries = new ArrayList<>();
    private final Set<String> masks = new LinkedHashSet<>();
    /** Names of the heads of keys and of values that a run adds, by layer. */
    private final Map<Integer, List<String>> keysAndValues = new HashMap<>();

    private boolean decodes;
    private float embeddingScale;
    /** 0 if there is no second table. */
    private float secondScale;

    private int inputs;
    private int values;

    private TorchNet(boolean traced) {
        this.traced = traced;
    }

    /** From the input to the result. */
    static TorchNet of(Network network) {
        return new TorchNet(false).write(network.text());
    }

    /** With all that it shows. */
    static TorchNet ofTrace(Network network) {
        return new TorchNet(true).write(network.trace());
    }

    private TorchNet write(Function<Net, Value> network) {
        Value result = network.apply(this);
        lines.append("    return ").append(result.name()).append('\n');
        return this;
    }

    /** The method. */
    String text() {
        String scales = "\n  def embedding_scale(self) -> float:\n    return " + embeddingScale
                + "\n\n  def second_scale(self) -> float:\n    return " + secondScale + "\n";
        return (decodes ? scales : "")
                + "\n  def network(self, w: List[Tensor], x: Tensor, c: __torch__.Context) -> Tensor:\n"
                + "    x = x.to(w[0].device, w[0].dtype)\n" + lines;
    }

    /** A module with the method. */
    Source source() {
        String decoder = decodes ? TorchScriptArchive.resource("decoder.py") : "";
        return new Source(TorchScriptArchive.resource("ops.py") + decoder + text(), "Network");
    }

    /** What each of the weights is, in their order. */
    List<Slot> slots() {
        return new ArrayList<>(slots.keySet());
    }

    /** Names of what is shown, in the order in which it is added to {@code Context.shown}. */
    List<String> shown() {
        return shown;
    }

    private String let(String value) {
        String name = "v" + values++;
        lines.append("    ").append(name).append(" = ").append(value).append('\n');
        return name;
    }

    private static String call(String function, Object... arguments) {
        StringBuilder call = new StringBuilder(function).append('(');
        for (int i = 0; i < arguments.length; i++) {
            call.append(i == 0 ? "" : ", ").append(arguments[i]);
        }
        return call.append(')').toString();
    }

    private static String python(boolean value) {
        return value ? "True" : "False";
    }

    private static String python(float value) {
        return Float.isInfinite(value) ? (value < 0 ? "-" : "") + "float(\"inf\")" : String.valueOf(value);
    }

    private String slot(Slot slot) {
        Integer index = slots.putIfAbsent(slot, slots.size());
        return "w[" + (index == null ? slots.size() - 1 : index) + "]";
    }

    private String tensor(String name) {
        return slot(Slot.of(name, Access.WHOLE));
    }

    private String tensor(@Nullable String name, String otherwise) {
        return name == null ? otherwise : tensor(name);
    }

    /** Layers with the same input, side by side in their output: {@code q_proj}, .. */
    private String together(Value x, String layer, boolean bias, String... parts) {
        String weight = slot(Slot.under(named(layer, ".weight", parts)));
        String both = bias ? slot(Slot.under(named(layer, ".bias", parts))) : "None";
        return let(call("torch.linear", x.name(), weight, both));
    }

    private static List<String> named(String layer, String suffix, String... parts) {
        List<String> names = new ArrayList<>();
        for (String part : parts) {
            names.add(layer + "." + part + suffix);
        }
        return names;
    }

    /** The first is {@code x}, which is where the weights are. */
    private String given() {
        int index = inputs++;
        return index == 0 ? "x" : "c.inputs[" + (index - 1) + "].to(w[0].device)";
    }

    @Override
    public Value pixels(int height, int width) {
        return new Value(given(), height, width);
    }

    @Override
    public Value patches(Value pixels, String layer, int patch, int width, boolean bias) {
        String weight = tensor(layer + ".weight");
        String patches = call("self.patches", pixels.name(), weight, tensor(bias ? layer + ".bias" : null, "None"));
        return new Value(let(patches), pixels.rows() / patch * (pixels.width() / patch), width);
    }

    @Override
    public Value input(String name, int rows, int width) {
        String given = given();
        return new Value(given.equals("x") ? given : let(given + ".to(w[0].dtype)"), rows, width);
    }

    @Override
    public Value indices(String name) {
        return new Value(let("torch.squeeze(" + given() + ".to(4), -1)"), ANY, 1);
    }

    @Override
    public List<Value> embedded(Table table, Table second) {
        decodes = true;
        embeddingScale = table.scale();
        secondScale = second.scale();
        tensor(table.weight()); // the first
        slot(Slot.of(second.weight(), Access.SELDOM)); // and the second
        Value x = new Value(given(), ANY, table.width() + second.width());
        return List.of(columns(x, 0, table.width()), columns(x, table.width(), second.width()));
    }

    @Override
    public List<Value> embedded(Table table, int count) {
        decodes = true;
        embeddingScale = table.scale();
        tensor(table.weight()); // the first
        int width = table.width();
        Value x = new Value(given(), ANY, count * width);
        if (count == 1) {
            return List.of(x);
        }
        List<Value> parts = new ArrayList<>();
        Value all = x.named(let(call("self.widened", x.name(), x.width())));
        for (int first = 0; first < x.width(); first += width) {
            parts.add(columns(all, first, width));
        }
        return parts;
    }

    @Override
    public Value weight(String name, int... shape) {
        int width = shape[shape.length - 1];
        int rows = 1;
        for (int i = 0; i < shape.length - 1; i++) {
            rows *= shape[i];
        }
        String tensor = tensor(name);
        return new Value(shape.length == 2 ? tensor : tensor + ".view([" + rows + ", " + width + "])", rows, width);
    }

    @Override
    public Value linear(Value x, String weight, @Nullable String bias, int out) {
        String y = call("torch.linear", x.name(), tensor(weight), tensor(bias, "None"));
        return new Value(let(y), x.rows(), out);
    }

    @Override
    public Value layerNorm(Value x, String layer, float epsilon) {
        String width = "[" + x.width() + "]";
        return x.named(let(call(
                "torch.layer_norm", x.name(), width, tensor(layer + ".weight"), tensor(layer + ".bias"), epsilon)));
    }

    @Override
    public Value rmsNorm(Value x, String layer, float epsilon) {
        String width = "[" + x.width() + "]";
        return x.named(let(call("torch.rms_norm", x.name(), width, tensor(layer + ".weight"), epsilon)));
    }

    @Override
    public Value rmsNorm(Value x, @Nullable String layer, int width, float epsilon) {
        String weight = tensor(layer == null ? null : layer + ".weight", "None");
        return x.named(let(call("self.norm_each", x.name(), width, weight, epsilon)));
    }

    @Override
    public Value scaled(Value x, float factor, float offset) {
        return x.named(let(x.name() + " * " + python(factor) + (offset == 0 ? "" : " + " + python(offset))));
    }

    @Override
    public Value clipped(Value x, float least, float most) {
        return x.named(let(call("torch.clamp", x.name(), python(least), python(most))));
    }

    @Override
    public Value averaged(Value x, int count) {
        return x.fewer(let(call("self.averaged", x.name(), count)), count);
    }

    @Override
    public Value activation(Activation function, Value x) {
        return x.named(let(activated(function, x.name())));
    }

    private static String activated(Activation function, String x) {
        switch (function) {
            case GELU:
                return call("torch.gelu", x);
            case GELU_TANH:
                return call("torch.gelu", x, "approximate=\"tanh\"");
            case QUICK_GELU:
                return call("self.quick_gelu", x);
            case SILU:
                return call("torch.silu", x);
            default:
                throw new AssertionError(function);
        }
    }

    @Override
    public Value capped(Value x, float cap) {
        return x.named(let(call("self.capped", x.name(), cap)));
    }

    @Override
    public Value add(Value a, Value b) {
        return a.named(let(a.name() + " + " + b.name()));
    }

    @Override
    public Value multiply(Value a, Value b) {
        return a.named(let(a.name() + " * " + b.name()));
    }

    @Override
    public Value under(Value above, Value below) {
        String both = let(call("self.under", above.name(), below.name()));
        return new Value(both, above.rows() + below.rows(), above.width());
    }

    @Override
    public Value rows(Value x, int first, int count) {
        return new Value(let(call("torch.narrow", x.name(), -2, first, count)), count, x.width());
    }

    @Override
    public Value columns(Value x, int first, int count) {
        return new Value(let(call("torch.narrow", x.name(), -1, first, count)), x.rows(), count);
    }

    @Override
    public Value beside(Value left, Value right) {
        String both = let("torch.cat([" + left.name() + ", " + right.name() + "], -1)");
        return new Value(both, left.rows(), left.width() + right.width());
    }

    @Override
    public Value joined(Value x, int count) {
        return x.joined(let(call("self.joined", x.name(), count)), count);
    }

    @Override
    public Value picked(Value x, Value indices) {
        return new Value(let(call("torch.index_select", x.name(), 0, indices.name())), indices.rows(), x.width());
    }

    @Override
    public Value mixed(Value shares, Value x) {
        return new Value(let(call("torch.matmul", shares.name(), x.name())), shares.rows(), x.width());
    }

    @Override
    public Value rotated(Value x, Value cos, Value sin) {
        return x.named(let(call("self.rotated", x.name(), cos.name(), sin.name())));
    }

    @Override
    public Value attention(Value x, String layer, Attention how) {
        Causal state = how.state();
        String y = state == null
                ? call(
                        "self.open_attention",
                        together(x, layer, how.bias(), "q_proj", "k_proj", "v_proj"),
                        how.heads(),
                        how.kvHeads())
                : cached(x, layer, how, state);
        Value attended = new Value(let(y), x.rows(), how.width());
        return linear(attended, layer + "." + how.out(), x.width(), how.outBias());
    }

    private String cached(Value x, String layer, Attention how, Causal state) {
        String mask = mask(x, state);
        if (state.normsValues()) {
            String q = separateHeads(x, layer, how, state);
            List<String> kv = Objects.requireNonNull(keysAndValues.get(state.layer()));
            return call(
                    "self.attended",
                    q,
                    kv.get(0),
                    kv.get(1),
                    "c",
                    state.layer(),
                    python(state.from() != KeysAndValues.EARLIER),
                    state.scale(),
                    state.cap(),
                    state.window(),
                    mask,
                    python(state.answered()));
        }
        String qkv = together(x, layer, how.bias(), "q_proj", "k_proj", "v_proj");
        Float epsilon = state.headNorm();
        if (epsilon != null && state.normsAll()) {
            String of = tensor(layer + ".q_norm.weight");
            qkv = let(call("self.normed_together", qkv, of, tensor(layer + ".k_norm.weight"), epsilon));
            epsilon = null;
        }
        int ofQueries = index(state.rotary());
        return call(
                how.gated() ? "self.cached_gated_attention" : "self.cached_attention",
                qkv,
                epsilon == null ? "None" : headNorm(layer, how),
                epsilon == null ? 0.0f : epsilon,
                "c",
                state.layer(),
                ofQueries,
                index(state.rotary().ofKeys()),
                how.heads(),
                how.kvHeads(),
                state.scale(),
                state.cap(),
                state.window(),
                mask,
                python(state.answered()));
    }

    /** Heads whose values are normed too: names queries, and keys and values if they are new. */
    private String separateHeads(Value x, String layer, Attention how, Causal state) {
        if (how.gated()) {
            throw new UnsupportedModelException("An attention layer has a gate and normed values: " + layer);
        }
        float epsilon = Objects.requireNonNull(state.headNorm());
        if (state.from() == KeysAndValues.EARLIER) {
            String queries = together(x, layer, how.bias(), "q_proj");
            String norm = slot(new Slot(named(layer, ".weight", "q_norm"), List.of(how.heads()), Access.WHOLE));
            return let(call("self.normed_queries", queries, norm, epsilon, "c", index(state.rotary())));
        }
        String all = state.from() == KeysAndValues.KEYS_ARE_VALUES
                ? together(x, layer, how.bias(), "q_proj", "k_proj")
                : together(x, layer, how.bias(), "q_proj", "k_proj", "v_proj");
        String norm = headNorm(layer, how);
        String q = all + "_q";
        String k = all + "_k";
        String v = all + "_v";
        lines.append("    ").append(q + ", " + k + ", " + v + " = ");
        lines.append(call("self.all_normed_heads", all, norm, epsilon, "c", index(state.rotary()), how.heads()));
        lines.append('\n');
        keysAndValues.put(state.layer(), List.of(k, v));
        return q;
    }

    private int index(Rotary rotary) {
        if (!rotaries.contains(rotary)) {
            rotaries.add(rotary);
        }
        return rotaries.indexOf(rotary);
    }

    private String headNorm(String layer, Attention how) {
        return slot(new Slot(
                named(layer, ".weight", "q_norm", "k_norm"), List.of(how.heads(), how.kvHeads()), Access.WHOLE));
    }

    /** One for all layers with the same window in which rows may see the same. */
    private String mask(Value x, Causal state) {
        String window = state.window() == 0 ? "" : String.valueOf(state.window());
        String name = (state.open() ? "open_mask" : "mask") + window;
        if (masks.add(name)) {
            lines.append("    ").append(name).append(" = ");
            lines.append(call("self.mask", x.name(), "c", state.window(), python(state.open())))
                    .append('\n');
        }
        return name;
    }

    @Override
    public Value convolved(Value x, String layer, Convolution how) {
        String bias = how.bias() ? tensor(layer + ".bias") : "None";
        return x.named(let(call("self.convolved", x.name(), tensor(layer + ".weight"), bias, "c", how.layer())));
    }

    @Override
    public Value deltaRule(Value x, String layer, DeltaRule how) {
        String mixed = together(x, layer, false, "in_proj_qkv", "in_proj_z", "in_proj_b", "in_proj_a");
        String y = call(
                "self.delta_rule",
                mixed,
                tensor(layer + ".conv1d.weight"),
                tensor(layer + ".A_log"),
                tensor(layer + ".dt_bias"),
                tensor(layer + ".norm.weight"),
                how.epsilon(),
                "c",
                how.layer(),
                how.keyHeads(),
                how.keyDim(),
                how.valueHeads(),
                how.valueDim(),
                python(how.answered()));
        return linear(new Value(let(y), x.rows(), how.valueWidth()), layer + ".out_proj", x.width(), false);
    }

    @Override
    public Value heads(Value q, Value k, Value v, int heads, double scale) {
        return q.named(let(call("self.heads", q.name(), k.name(), v.name(), heads, heads, scale)));
    }

    @Override
    public Value windowHeads(Value q, Value k, Value v, int heads, Value bias) {
        return q.named(let(call("self.window_heads", q.name(), k.name(), v.name(), heads, bias.name())));
    }

    @Override
    public Value gatedMlp(Value x, String layer, int inner, Activation function, boolean bias) {
        String both = together(x, layer, bias, "gate_proj", "up_proj");
        String gate = both + "_gate";
        String up = both + "_up";
        lines.append("    ").append(gate + ", " + up + " = " + call("torch.chunk", both, 2, -1) + "\n");
        Value gated = new Value(let(activated(function, gate) + " * " + up), x.rows(), inner);
        return linear(gated, layer + ".down_proj", x.width(), bias);
    }

    @Override
    public Value answered(Value x) {
        return x.named(let(call("self.answered", x.name(), "c")));
    }

    @Override
    public Value pixelShuffle(Value x, int factor) {
        return x.joined(let(call("self.pixel_shuffle", x.name(), factor)), factor * factor);
    }

    @Override
    public Value pooled(Value x, int factor) {
        int rows = x.rows() == ANY ? ANY : x.rows() / (factor * factor);
        return new Value(let(call("self.pooled", x.name(), factor)), rows, x.width());
    }

    @Override
    public Value coefficients(Value x, String layer, int tokens, boolean softmax) {
        String weight = slot(Slot.of(layer + ".weight", Access.SELDOM));
        String bias = slot(Slot.of(layer + ".bias", Access.SELDOM));
        String y = call("self.coefficients", x.name(), weight, bias, python(softmax));
        return new Value(let(y), x.rows(), tokens);
    }

    @Override
    public Value words(Value x, String layer, int tokens, boolean softmax, String vocabularyMatrix, int width) {
        // Without a softmax a model runs it folded.
        Access access = softmax ? Access.PARTS : Access.SELDOM;
        String weight = slot(Slot.of(layer + ".weight", access));
        String bias = slot(Slot.of(layer + ".bias", access));
        String function = softmax ? "self.words_of_softmax" : "self.words";
        return new Value(let(call(function, x.name(), weight, bias, tensor(vocabularyMatrix))), x.rows(), width);
    }

    @Override
    public void show(String name, Value x) {
        if (traced) {
            shown.add(name);
            lines.append("    c.shown.append(").append(x.name()).append(")\n");
        }
    }
}
