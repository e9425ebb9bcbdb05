package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.checkpoint.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which tensors a network needs, with their shapes, and what goes in and comes out. */
public final class Inventory {
    private final Map<String, long[]> tensors;
    private final List<State> states;
    private final List<Rotary> rotaries;
    private final boolean addsNorms;
    private final boolean addsProducts;
    private final Map<String, int[]> inputs;
    private final Net.Value result;
    private final long lookedUp;
    private final long mapped;
    private final Set<String> multiplied;
    private final Set<String> answering;
    private final int stream;
    private final long largest;
    private final long largestOfAllRows;
    private final long fixedWork;
    private final long workOfRow;

    private Inventory(Reader reader, Net.Value result) {
        tensors = Collections.unmodifiableMap(reader.tensors);
        states = Collections.unmodifiableList(reader.states);
        rotaries = Collections.unmodifiableList(new ArrayList<>(reader.rotaries));
        addsNorms = reader.addsNorms;
        addsProducts = reader.addsProducts;
        inputs = Collections.unmodifiableMap(reader.inputs);
        this.result = result;
        lookedUp = reader.sizes(reader.tables);
        mapped = reader.sizes(reader.mapped);
        multiplied = Collections.unmodifiableSet(reader.multiplied);
        answering = Collections.unmodifiableSet(reader.ofAnswered);
        stream = reader.stream;
        largest = reader.largest(reader.tables);
        largestOfAllRows = reader.largest(reader.notOfAllRows());
        fixedWork = reader.fixedWork;
        workOfRow = reader.workOfRow;
    }

    /** Goes through a network from its input to its result. */
    public static Inventory of(Network network) {
        Reader reader = new Reader();
        return new Inventory(reader, network.text().apply(reader));
    }

    /** Goes through all that a network can show. */
    public static Inventory ofTrace(Network network) {
        Reader reader = new Reader();
        return new Inventory(reader, network.trace().apply(reader));
    }

    /** Shapes by the names that an engine asks for, in the order of the text. */
    public Map<String, long[]> tensors() {
        return tensors;
    }

    /** What is kept between tokens, in the order of the layers. */
    public List<State> states() {
        return states;
    }

    /** The different ways in which layers rotate by position, in the order of the text. */
    public List<Rotary> rotaries() {
        return rotaries;
    }

    /** Whether what blocks give goes through an RMS norm before it is added. */
    public boolean addsNorms() {
        return addsNorms;
    }

    /** Whether it has blocks whose last product is added to what went in. */
    public boolean addsProducts() {
        return addsProducts;
    }

    /**
     * Dimensions of what goes in by name, in the order of the text: {@code [3, height, width]} or {@code [rows,
     * width]}; {@link Net#ANY} is any number.
     */
    public Map<String, int[]> inputs() {
        return inputs;
    }

    /** Rows and width of what comes out. */
    public Net.Value result() {
        return result;
    }

    /** Values in all tensors. */
    public long elements() {
        return tensors.values().stream().mapToLong(Inventory::size).reduce(0, Math::addExact);
    }

    private static long size(long[] shape) {
        long size = 1;
        for (long dim : shape) {
            size = Math.multiplyExact(size, dim);
        }
        return size;
    }

    /** Of these, values in tables of which only rows are read. */
    public long lookedUp() {
        return lookedUp;
    }

    /** Of these, values in tables that stay in their files in every engine. */
    public long mapped() {
        return mapped;
    }

    /** Names of the weights of products, {@code [out, in]}; other tensors are small. */
    public Set<String> multiplied() {
        return multiplied;
    }

    /** Of these, the ones that only the rows go through whose answers are wanted. */
    public Set<String> answering() {
        return answering;
    }

    /** Width of what goes from layer to layer; 0 where nothing is added to what goes in. */
    public int stream() {
        return stream;
    }

    /** Values in the largest tensor that is more than looked up. */
    public long largest() {
        return largest;
    }

    /** The same among those that all rows go through. */
    public long largestOfAllRows() {
        return largestOfAllRows;
    }

    /**
     * Values that are there at the same time between input and result, at most: what goes through a layer, with what
     * the layer reads and gives.
     *
     * @param rows that go in where the text leaves them open
     */
    public long activations(int rows) {
        return fixedWork + rows * workOfRow;
    }

    /**
     * Makes sure that all tensors are there, by name and shape, as floating-point numbers. Only headers are read.
     *
     * @return values in all of them
     * @throws io.langbridge.CheckpointException if one is missing or has another shape
     * @throws io.langbridge.UnsupportedModelException if one is quantised
     */
    public long check(Weights weights) {
        tensors.forEach((name, shape) -> weights.get(name, shape).requireFloatingPoint());
        return elements();
    }

    /** Collects. */
    private static final class Reader implements Net {
        /** Rows whose answers are wanted: of one sequence, the last. */
        private static final int ANSWERED = 1;

        private static final String INPUTS_EMBEDS = "inputs_embeds";

        /** Name of what an RMS norm gives. */
        private static final String NORM = "norm";

        /** Name of what a product gives. */
        private static final String PRODUCT = "product";

        private final Map<String, long[]> tensors = new LinkedHashMap<>();
        private final List<State> states = new ArrayList<>();
        /** Which of them are keys and values, by the layer they are counted as. */
        private final Map<Integer, Integer> keys = new HashMap<>();

        private final Set<Rotary> rotaries = new LinkedHashSet<>();
        private boolean addsNorms;
        private boolean addsProducts;
        private final Map<String, int[]> inputs = new LinkedHashMap<>();

        /** Tables of which rows are read, without those that are multiplied with as well. */
        private final Set<String> tables = new LinkedHashSet<>();
        /** Of those, the ones that no engine loads. */
        private final Set<String> mapped = new LinkedHashSet<>();

        private final Set<String> multiplied = new LinkedHashSet<>();
        /** Weights that only {@link #ANSWERED} rows go through. */
        private final Set<String> ofAnswered = new LinkedHashSet<>();

        private long fixedWork;
        private long workOfRow;
        /** Width of what goes from layer to layer. */
        private int stream;

        private static Value value(int rows, int width) {
            return new Value("", rows, width);
        }

        private Set<String> notOfAllRows() {
            Set<String> names = new LinkedHashSet<>(tables);
            names.addAll(ofAnswered);
            return names;
        }

        private long sizes(Set<String> names) {
            return names.stream()
                    .mapToLong(name -> size(Objects.requireNonNull(tensors.get(name))))
                    .sum();
        }

        private long largest(Set<String> without) {
            return tensors.entrySet().stream()
                    .filter(tensor -> !without.contains(tensor.getKey()))
                    .mapToLong(tensor -> size(tensor.getValue()))
                    .max()
                    .orElse(0);
        }

        /** Notes that so many values of each row are there beside the stream. */
        private void work(Value x, long width) {
            if (x.rows() == ANY) {
                workOfRow = Math.max(workOfRow, stream + width);
            } else {
                fixedWork = Math.max(fixedWork, x.rows() * (stream + width));
            }
        }

        private void need(String name, long... shape) {
            tensors.put(name, shape);
        }

        @Override
        public Value pixels(int height, int width) {
            inputs.put(PIXEL_VALUES, new int[] {3, height, width});
            return value(height, width);
        }

        @Override
        public Value patches(Value pixels, String layer, int patch, int width, boolean bias) {
            need(layer + ".weight", width, 3, patch, patch);
            if (bias) {
                need(layer + ".bias", width);
            }
            int rows = pixels.rows() / patch * (pixels.width() / patch);
            work(value(rows, width), 2L * 3 * patch * patch + width); // the pixels again, patch by patch
            return value(rows, width);
        }

        @Override
        public Value input(String name, int rows, int width) {
            inputs.put(name, new int[] {rows, width});
            return value(rows, width);
        }

        @Override
        public Value indices(String name) {
            return input(name, ANY, 1);
        }

        @Override
        public List<Value> embedded(Table table, int count) {
            looksUp(table);
            stream = table.width();
            input(INPUTS_EMBEDS, ANY, count * table.width());
            return Collections.nCopies(count, value(ANY, table.width()));
        }

        @Override
        public List<Value> embedded(Table table, Table second) {
            looksUp(table);
            looksUp(second);
            mapped.add(second.weight());
            stream = table.width();
            input(INPUTS_EMBEDS, ANY, table.width() + second.width());
            return Arrays.asList(value(ANY, table.width()), value(ANY, second.width()));
        }

        private void looksUp(Table table) {
            need(table.weight(), table.vocab(), table.width());
            tables.add(table.weight());
        }

        @Override
        public Value weight(String name, int... shape) {
            long[] sizes = new long[shape.length];
            int rows = 1;
            for (int i = 0; i < shape.length; i++) {
                sizes[i] = shape[i];
                rows = i == shape.length - 1 ? rows : rows * shape[i];
            }
            need(name, sizes);
            return value(rows, shape[shape.length - 1]);
        }

        @Override
        public Value linear(Value x, String weight, @Nullable String bias, int out) {
            need(weight, out, x.width());
            tables.remove(weight);
            multiplied.add(weight);
            if (x.rows() == ANSWERED) {
                ofAnswered.add(weight);
            }
            if (bias != null) {
                need(bias, out);
            }
            work(x, 2L * x.width() + out);
            return new Value(PRODUCT, x.rows(), out);
        }

        @Override
        public Value layerNorm(Value x, String layer, float epsilon) {
            need(layer + ".weight", x.width());
            need(layer + ".bias", x.width());
            return x;
        }

        @Override
        public Value rmsNorm(Value x, String layer, float epsilon) {
            need(layer + ".weight", x.width());
            return x.named(NORM);
        }

        @Override
        public Value rmsNorm(Value x, @Nullable String layer, int width, float epsilon) {
            if (layer != null) {
                need(layer + ".weight", width);
            }
            return value(x.rows(), x.width());
        }

        @Override
        public Value activation(Activation function, Value x) {
            work(x, 2L * x.width());
            return x;
        }

        @Override
        public Value capped(Value x, float cap) {
            return x;
        }

        @Override
        public Value scaled(Value x, float factor, float offset) {
            return value(x.rows(), x.width());
        }

        @Override
        public Value clipped(Value x, float least, float most) {
            return x;
        }

        @Override
        public Value add(Value a, Value b) {
            stream = a.width();
            addsNorms |= b.name().equals(NORM);
            addsProducts |= b.name().equals(PRODUCT);
            return a;
        }

        @Override
        public Value multiply(Value a, Value b) {
            return a;
        }

        @Override
        public Value under(Value above, Value below) {
            return value(above.rows() + below.rows(), above.width());
        }

        @Override
        public Value rows(Value x, int first, int count) {
            return value(count, x.width());
        }

        @Override
        public Value columns(Value x, int first, int count) {
            return value(x.rows(), count);
        }

        @Override
        public Value beside(Value left, Value right) {
            return value(left.rows(), left.width() + right.width());
        }

        @Override
        public Value joined(Value x, int count) {
            return x.joined("", count);
        }

        @Override
        public Value averaged(Value x, int count) {
            return x.fewer("", count);
        }

        @Override
        public Value picked(Value x, Value indices) {
            return value(indices.rows(), x.width());
        }

        @Override
        public Value mixed(Value shares, Value x) {
            work(shares, shares.width() + 2L * x.width());
            return value(shares.rows(), x.width());
        }

        @Override
        public Value rotated(Value x, Value cos, Value sin) {
            return x;
        }

        @Override
        public Value attention(Value x, String layer, Attention how) {
            work(x, x.width() + how.queryWidth() + 2L * how.kvWidth() + how.width());
            linear(x, layer + ".q_proj", how.queryWidth(), how.bias());
            Causal state = how.state();
            KeysAndValues from = state == null ? KeysAndValues.PROJECTED : state.from();
            if (from != KeysAndValues.EARLIER) {
                linear(x, layer + ".k_proj", how.kvWidth(), how.bias());
            }
            if (from == KeysAndValues.PROJECTED || from == KeysAndValues.VALUES_NORMED) {
                linear(x, layer + ".v_proj", how.kvWidth(), how.bias());
            }
            if (state != null) {
                rotaries.add(state.rotary());
                rotaries.add(state.rotary().ofKeys());
                if (state.headNorm() != null) {
                    need(layer + ".q_norm.weight", state.normsAll() ? how.width() : how.headDim());
                }
            }
            if (state != null && from != KeysAndValues.EARLIER) {
                keys.put(state.layer(), states.size());
                states.add(new State.Keys(how.kvHeads(), how.headDim(), state.window(), 1));
                if (state.headNorm() != null) {
                    need(layer + ".k_norm.weight", state.normsAll() ? how.kvWidth() : how.headDim());
                }
            } else if (state != null) {
                int at = Objects.requireNonNull(keys.get(state.layer()));
                State.Keys of = (State.Keys) states.get(at);
                states.set(at, new State.Keys(of.kvHeads(), of.headDim(), of.window(), of.layers() + 1));
            }
            int rows = state != null && state.answered() ? ANSWERED : x.rows();
            return linear(value(rows, how.width()), layer + "." + how.out(), x.width(), how.outBias());
        }

        @Override
        public Value convolved(Value x, String layer, Convolution how) {
            need(layer + ".weight", x.width(), 1, how.kernel());
            if (how.bias()) {
                need(layer + ".bias", x.width());
            }
            states.add(new State.Window(x.width(), how.kernel() - 1));
            return x;
        }

        @Override
        public Value deltaRule(Value x, String layer, DeltaRule how) {
            work(x, x.width() + 2L * how.channels() + 2L * how.valueWidth());
            linear(x, layer + ".in_proj_qkv", how.channels(), false);
            need(layer + ".conv1d.weight", how.channels(), 1, how.kernel());
            states.add(new State.Window(how.channels(), how.kernel() - 1));
            linear(x, layer + ".in_proj_z", how.valueWidth(), false);
            linear(x, layer + ".in_proj_b", how.valueHeads(), false);
            linear(x, layer + ".in_proj_a", how.valueHeads(), false);
            need(layer + ".dt_bias", how.valueHeads());
            need(layer + ".A_log", how.valueHeads());
            states.add(new State.Matrix(how.valueHeads(), how.keyDim(), how.valueDim()));
            need(layer + ".norm.weight", how.valueDim());
            return linear(value(x.rows(), how.valueWidth()), layer + ".out_proj", x.width(), false);
        }

        @Override
        public Value heads(Value q, Value k, Value v, int heads, double scale) {
            return q;
        }

        @Override
        public Value windowHeads(Value q, Value k, Value v, int heads, Value bias) {
            return q;
        }

        @Override
        public Value gatedMlp(Value x, String layer, int inner, Activation function, boolean bias) {
            work(x, x.width() + 3L * inner);
            linear(x, layer + ".gate_proj", inner, bias);
            Value up = linear(x, layer + ".up_proj", inner, bias);
            return linear(up, layer + ".down_proj", x.width(), bias);
        }

        @Override
        public Value answered(Value x) {
            return new Value(x.name(), ANSWERED, x.width());
        }

        @Override
        public Value pixelShuffle(Value x, int factor) {
            return joined(x, factor * factor);
        }

        @Override
        public Value pooled(Value x, int factor) {
            return value(x.rows() == ANY ? ANY : x.rows() / (factor * factor), x.width());
        }

        @Override
        public Value coefficients(Value x, String layer, int tokens, boolean softmax) {
            return linear(x, layer, tokens, true);
        }

        @Override
        public Value words(Value x, String layer, int tokens, boolean softmax, String vocabularyMatrix, int width) {
            return value(coefficients(x, layer, tokens, softmax).rows(), width);
        }

        @Override
        public void show(String name, Value x) {}
    }
}
