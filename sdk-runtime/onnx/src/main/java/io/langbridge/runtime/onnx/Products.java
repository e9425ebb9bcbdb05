package io.langbridge.runtime.onnx;

import io.langbridge.CheckpointException;
import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.Finite;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Products with weights: how a weight is stored and multiplied in a precision is decided here and nowhere else.
 *
 * <p>Activations are two-dimensional, {@code [rows, width]}: matrix products are then {@code Gemm}, which takes weights
 * as checkpoints have them, {@code [out, in]}, adds the bias in the same pass and packs them when loaded.
 */
final class Products {
    /** Weights quantised together share a scale: longer blocks are faster and a little less exact. */
    private static final int BLOCK = 128;

    /** The same for weights that quantising hurts most, which have 8 bits in any precision but the full one. */
    private static final int FINE_BLOCK = 32;

    private static final int SMALLEST_BLOCK = 16;

    /**
     * Larger weights are multiplied part by part: an engine that packs a weight has it in memory twice meanwhile. Many
     * parts cost decoding some per cent.
     */
    static final int PART_BYTES = 128 << 20;

    /** Rows of a part are a multiple of this, which suits all kernels. */
    private static final int PART_ROWS = 64;

    /** What stands for 0 in 8 bits, where values are as large on either side of it. */
    private static final int CENTRE = 128;

    /** The same behind an activation function, which leaves little below 0: nearly all of the range is for the rest. */
    private static final int NEAR_START = 24;

    private static final String UNIT = "rounding.unit";

    /** Rows of weights that are read together. */
    private static final int READ_FLOATS = 1 << 18;

    /** So much of a weight at most is in one part; less than usual in tests. */
    int partBytes = PART_BYTES;

    private final StoredWeights stored;
    private final OnnxGraph graph;
    private final Weights weights;
    private final Precision precision;
    private final Predicate<String> manyRows;
    private final Predicate<String> fine;
    private final Scratch scratch;
    /** What was rounded already, so that several layers that read it share it. */
    private final Map<String, Rounded> rounded = new HashMap<>();
    /** What activation functions made, which have nothing far below 0. */
    private final Set<String> activations = new HashSet<>();

    /**
     * Activations in 8 bits.
     *
     * @param values {@code [rows, width]}
     * @param zero what stands for 0 in them
     * @param scales {@code [rows, 1]}
     * @param unit a value's share of them
     */
    private record Rounded(String values, String zero, String scales, String unit) {}

    /**
     * One of several layers that read the same input.
     *
     * @param out its width
     */
    record Layer(String name, int out, boolean bias, Change change) {}

    /** A weight and how it changes. */
    private record Changed(StoredTensor weight, Change change) {
        int out() {
            return (int) weight.shape()[0];
        }

        @Override
        public String toString() {
            return StoredWeights.identity(weight) + " " + change;
        }
    }

    /**
     * Products of a graph.
     *
     * @param manyRows names of weights that many rows run through: in 8 bits, arithmetic on whole numbers is then
     *     faster by far than products in blocks, which are faster for single rows
     * @param fine names of weights that quantising hurts most
     * @param scratch for quantising; graphs that are loaded together share it
     */
    Products(StoredWeights stored, Predicate<String> manyRows, Predicate<String> fine, Scratch scratch) {
        this.stored = stored;
        this.precision = stored.precision;
        this.manyRows = manyRows;
        this.fine = fine;
        this.scratch = scratch;
        graph = stored.graph;
        weights = stored.checkpoint;
    }

    /** What a weight takes side by side: with a scale and a sum for each output. */
    static long columnBytes(long out, long in) {
        return out * in + out * 2 * Float.BYTES;
    }

    /**
     * What a weight takes in blocks. Kernels for activations in 8 bits hold the scales once more beside the values, and
     * for each block its sum.
     */
    static long blockBytes(long out, long in, int bits, boolean isFine) {
        long blocks = out * ((in + (isFine ? FINE_BLOCK : BLOCK) - 1) / (isFine ? FINE_BLOCK : BLOCK));
        return out * in * (isFine ? 8 : bits) / Byte.SIZE + blocks * 3 * Float.BYTES;
    }

    /** Says that an activation function made {@code x}. */
    void activated(String x) {
        activations.add(x);
    }

    /** The values of a weight as factors. */
    Change.Scale scale(String name, int size) {
        StoredTensor tensor = weights.get(name, size);
        return new Change.Scale(StoredWeights.identity(tensor), () -> StoredWeights.finite(tensor));
    }

    /** Factors that whole weights are read for: once for all graphs that are loaded together. */
    Change.Scale once(Change.Scale scale) {
        return new Change.Scale(scale.toString(), () -> scratch.kept(scale.toString(), scale::values));
    }

    /**
     * {@code x W^T + b}: {@code [rows, in]} to {@code [rows, out]}.
     *
     * @param change between other bases; the weight changes only where it is quantised
     */
    String product(String x, String weight, @Nullable String bias, int in, int out, String output, Change change) {
        if (precision == Precision.FULL) {
            String w = stored.weight(weight, out, in);
            OnnxGraph.Node gemm =
                    bias == null ? graph.node("Gemm", x, w) : graph.node("Gemm", x, w, stored.weight(bias, out));
            return gemm.with("transB", 1).to(output);
        }
        String changed = bias == null ? "" : changedBias(bias, out, change);
        List<Changed> one = List.of(new Changed(weights.get(weight, out, in), change));
        return quantised(x, one, in, out, changed, output, List.of(weight));
    }

    /**
     * The same for weights that are quantised.
     *
     * @param offset what the weight sees beside {@code x} in every row, which goes into the bias; or null
     */
    String product(
            String x,
            StoredTensor weight,
            @Nullable StoredTensor bias,
            Change.@Nullable Scale offset,
            String output,
            Change change) {
        int out = (int) weight.shape()[0];
        int in = (int) weight.shape()[1];
        String sum = bias == null && offset == null ? "" : bias(weight, bias, offset, change);
        return quantised(x, List.of(new Changed(weight, change)), in, out, sum, output, List.of(weight.name()));
    }

    private String bias(
            StoredTensor weight, @Nullable StoredTensor bias, Change.@Nullable Scale offset, Change change) {
        int out = (int) weight.shape()[0];
        String recipe = (bias == null ? out + " zeros" : StoredWeights.identity(bias))
                + (offset == null ? "" : " and " + offset + " through " + StoredWeights.identity(weight)) + " "
                + change;
        return stored.made(
                weight.name() + ".bias",
                recipe,
                () -> {
                    float[] values = bias == null ? new float[out] : StoredWeights.finite(bias);
                    if (offset != null) {
                        Smoothing.addProduct(weight, offset.values(), values);
                    }
                    change.applyToBias(values);
                    return values;
                },
                out);
    }

    /**
     * Layers that read the same input as one product, which costs less than many: {@code [tokens, in]} to their outputs
     * side by side. Not in full precision, where each weight is used where it is.
     */
    String stacked(String x, String output, int in, List<Layer> layers) {
        List<Changed> weightsOfLayers = new ArrayList<>();
        List<String> names = new ArrayList<>();
        int out = 0;
        for (Layer layer : layers) {
            names.add(layer.name() + ".weight");
            weightsOfLayers.add(new Changed(weights.get(layer.name() + ".weight", layer.out(), in), layer.change()));
            out += layer.out();
        }
        String bias = layers.stream().anyMatch(Layer::bias) ? biases(output + ".bias", layers, out) : "";
        return quantised(x, weightsOfLayers, in, out, bias, output, names);
    }

    /**
     * Small layers that read the same input as one product, with weights of float32 in any precision: {@code [tokens,
     * in]} to their outputs side by side. They have no bias.
     */
    String exact(String x, String output, int in, List<Layer> layers) {
        List<Changed> stack = new ArrayList<>();
        int out = 0;
        for (Layer layer : layers) {
            Change change = precision == Precision.FULL ? Change.NONE : layer.change();
            stack.add(new Changed(weights.get(layer.name() + ".weight", layer.out(), in), change));
            out += layer.out();
        }
        int rows = out;
        String weight = stored.made(
                name(stack),
                "float32 of " + recipe(stack),
                () -> {
                    FloatBuffer all = FloatBuffer.allocate(rows * in);
                    stack.forEach(part -> all.put(read(part, 0, part.out(), in)));
                    return all.array();
                },
                rows,
                in);
        return graph.node("Gemm", x, weight).with("transB", 1).to(output);
    }

    private String biases(String name, List<Layer> layers, int out) {
        List<Supplier<float[]>> parts = new ArrayList<>();
        List<String> recipes = new ArrayList<>();
        for (Layer layer : layers) {
            StoredTensor bias = layer.bias() ? weights.get(layer.name() + ".bias", layer.out()) : null;
            recipes.add(bias == null ? layer.out() + " zeros" : StoredWeights.identity(bias) + " " + layer.change());
            parts.add(() -> bias == null ? new float[layer.out()] : changed(bias, layer.change()));
        }
        return stored.made(
                name,
                recipes.toString(),
                () -> {
                    FloatBuffer all = FloatBuffer.allocate(out);
                    parts.forEach(part -> all.put(part.get()));
                    return all.array();
                },
                out);
    }

    /**
     * {@code x W^T + b}.
     *
     * @param stack weights under each other
     * @param bias tensor of the graph, or empty
     * @param names of the weights
     */
    private String quantised(
            String x, List<Changed> stack, int in, int out, String bias, String output, List<String> names) {
        boolean inFineBlocks = names.stream().allMatch(fine);
        if (precision == Precision.INT8 && !inFineBlocks && names.stream().allMatch(manyRows)) {
            return wholeNumberProduct(x, stack, in, out, bias, output);
        }
        int bits = precision == Precision.INT8 || inFineBlocks ? 8 : 4;
        int block = SMALLEST_BLOCK;
        while (block < in && block < (inFineBlocks ? FINE_BLOCK : BLOCK)) {
            block *= 2;
        }
        String values = blocks(stack, in, out, bits, block);
        String scales = values + ".scales";
        StoredWeights.Parts split =
                new StoredWeights.Parts(out, bias.isEmpty() ? rowsTogether(out, (long) in * bits / 8) : out);
        stored.split(values, split);
        stored.split(scales, split);
        String[] products = new String[split.count()];
        for (int i = 0; i < products.length; i++) {
            OnnxGraph.Node node = bias.isEmpty()
                    ? graph.microsoft("MatMulNBits", x, split.name(values, i), split.name(scales, i))
                    : graph.microsoft("MatMulNBits", x, values, scales, "", "", bias);
            products[i] = node.with("K", in)
                    .with("N", split.rows(i))
                    .with("bits", bits)
                    .with("block_size", block)
                    .with("accuracy_level", 4) // activations in 8 bits with a scale per block
                    .to(split.name(output, i));
        }
        return products.length == 1
                ? output
                : graph.node("Concat", products).with("axis", -1).to(output);
    }

    private int rowsTogether(int rows, long rowBytes) {
        long count = (rows * rowBytes + partBytes - 1) / partBytes;
        long even = (rows + count - 1) / count;
        return (int) Math.min(rows, (even + PART_ROWS - 1) / PART_ROWS * PART_ROWS);
    }

    /** 8-bit weights with a scale for each output times 8-bit activations with a scale for each row. */
    private String wholeNumberProduct(String x, List<Changed> stack, int in, int out, String bias, String output) {
        String values = columns(stack, in, out);
        Rounded rows = rounded.computeIfAbsent(x, this::round);
        String raw = output + ".raw";
        graph.microsoft("MatMulIntegerToFloat", rows.values(), values, rows.unit(), values + ".scales", rows.zero())
                .to(raw);
        if (bias.isEmpty()) {
            return graph.node("Mul", raw, rows.scales()).to(output);
        }
        String scaled = graph.node("Mul", raw, rows.scales()).to(output + ".scaled");
        return graph.node("Add", scaled, bias).to(output);
    }

    /** Each row by its own range: one row must not cost the others their precision. */
    private Rounded round(String x) {
        return activations.contains(x) ? roundFromZero(x) : roundAroundZero(x);
    }

    /** Few steps, since a single row pays for each. A row of zeros becomes any numbers, and those times 0. */
    private Rounded roundAroundZero(String x) {
        String step = graph.constant("rounding.step", new float[] {1f / Byte.MAX_VALUE});
        String centre = graph.constant("rounding.zero" + CENTRE, (byte) CENTRE);
        String sizes = graph.node("Abs", x).to(x + ".sizes");
        String largest = graph.node("ReduceMax", sizes, graph.constant(-1)).to(x + ".largest");
        String normed = graph.node("Div", x, largest).to(x + ".unit");
        String values = graph.node("QuantizeLinear", normed, step, centre).to(x + ".rounded");
        return new Rounded(values, centre, largest, step);
    }

    private Rounded roundFromZero(String x) {
        graph.constant(UNIT, new float[] {1});
        graph.constant("rounding.least", new float[] {Float.MIN_NORMAL});
        String lastAxis = graph.constant(-1);
        String zeroPoint = graph.constant("rounding.zero" + NEAR_START, (byte) NEAR_START);
        graph.constant(zeroPoint + ".above", new float[] {1f / (255 - NEAR_START)});
        graph.constant(zeroPoint + ".below", new float[] {-1f / NEAR_START});
        String largest = graph.node("ReduceMax", x, lastAxis).to(x + ".largest");
        String smallest = graph.node("ReduceMin", x, lastAxis).to(x + ".smallest");
        String above = graph.node("Mul", largest, zeroPoint + ".above").to(x + ".above");
        String below = graph.node("Mul", smallest, zeroPoint + ".below").to(x + ".below");
        String scales = graph.node("Max", above, below, "rounding.least").to(x + ".row_scales");
        String normed = graph.node("Div", x, scales).to(x + ".unit");
        String values = graph.node("QuantizeLinear", normed, UNIT, zeroPoint).to(x + ".rounded");
        return new Rounded(values, zeroPoint, scales, UNIT);
    }

    /** Weights in 8 bits side by side, {@code [in, out]}, their scales beside them. */
    private String columns(List<Changed> stack, int in, int out) {
        String recipe = "8 bits in columns of " + recipe(stack);
        String name = stored.named(name(stack) + ".int8.columns", recipe);
        String scales = name + ".scales";
        if (stored.contains(name)) {
            return name;
        }
        stored.reserve(name, OnnxGraph.Type.INT8, (long) in * out, recipe, in, out);
        stored.reserve(scales, OnnxGraph.Type.FLOAT, (long) out * Float.BYTES, recipe, out);
        int most = stack.stream().mapToInt(part -> together(part, in)).max().orElse(1);
        long work = stack.stream()
                .mapToLong(part -> part.change().workBytes())
                .max()
                .orElse(0);
        stored.fill(name, (long) most * in * Float.BYTES + (long) out * in + work, target -> {
            byte[] values = scratch.bytes(Math.multiplyExact(out, in));
            ByteBuffer factors = ByteBuffer.allocate(out * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            FloatBuffer nextFactors = factors.asFloatBuffer();
            int above = 0;
            for (Changed part : stack) {
                int together = together(part, in);
                for (int from = 0; from < part.out(); from += together) {
                    float[] rows = read(part, from, Math.min(together, part.out() - from), in);
                    Quantizer.columns(rows, above + from, out, in, values, nextFactors);
                    scratch.giveBack(rows);
                }
                above += part.out();
            }
            target.write(name, 0, ByteBuffer.wrap(values));
            target.write(scales, 0, factors);
            scratch.giveBack(values);
        });
        return name;
    }

    /** Weights under each other in blocks of few bits, their scales beside them. */
    private String blocks(List<Changed> stack, int in, int out, int bits, int block) {
        long rowBlocks = (in + block - 1L) / block;
        String recipe = bits + " bits in blocks of " + block + " of " + recipe(stack);
        String name = stored.named(name(stack) + ".int" + bits, recipe);
        String scales = name + ".scales";
        if (stored.contains(name)) {
            return name;
        }
        long rowBytes = rowBlocks * block * bits / 8;
        stored.reserve(name, OnnxGraph.Type.UINT8, out * rowBytes, recipe, out, rowBlocks, (long) block * bits / 8);
        stored.reserve(scales, OnnxGraph.Type.FLOAT, out * rowBlocks * Float.BYTES, recipe, out * rowBlocks);
        int above = 0;
        for (Changed part : stack) {
            int together = together(part, in);
            for (int from = 0; from < part.out(); from += together) {
                int first = from;
                long row = (long) above + first;
                int rows = Math.min(together, part.out() - from);
                int valueBytes = Math.toIntExact(rows * rowBytes);
                int factorBytes = Math.toIntExact(rows * rowBlocks * Float.BYTES);
                long work = part.change().workBytes();
                stored.fill(name, (long) rows * in * Float.BYTES + valueBytes + factorBytes + work, target -> {
                    float[] weight = read(part, first, rows, in);
                    ByteBuffer values = ByteBuffer.wrap(scratch.bytes(valueBytes));
                    ByteBuffer factors =
                            ByteBuffer.wrap(scratch.bytes(factorBytes)).order(ByteOrder.LITTLE_ENDIAN);
                    Quantizer.blocks(weight, in, bits, block, values, factors.asFloatBuffer(), scratch);
                    scratch.giveBack(weight);
                    ((Buffer) values).flip();
                    target.write(name, row * rowBytes, values);
                    target.write(scales, row * rowBlocks * Float.BYTES, factors);
                    scratch.giveBack(values.array());
                    scratch.giveBack(factors.array());
                });
            }
            above += part.out();
        }
        return name;
    }

    /** Rows that are read at a time: the basis of what comes out mixes all of them. */
    private static int together(Changed part, int in) {
        int some = Math.max(1, READ_FLOATS / in / PART_ROWS) * PART_ROWS;
        return part.change().out() != null ? part.out() : Math.min(part.out(), some);
    }

    private static String name(List<Changed> stack) {
        return stack.stream().map(part -> part.weight().name()).collect(Collectors.joining("+"));
    }

    private static String recipe(List<Changed> stack) {
        return stack.stream().map(Changed::toString).collect(Collectors.joining(" over "));
    }

    /** Rows of a weight as they are to be rounded, in an array of {@link #scratch}. */
    private float[] read(Changed part, int firstRow, int rows, int in) {
        float[] values = scratch.floats(Math.multiplyExact(rows, in));
        long from = (long) firstRow * in;
        part.weight().read(from, FloatBuffer.wrap(values));
        part.change().apply(values, firstRow, in, scratch);
        // Rounding turns what is no number into one, and the answer into nonsense without a word.
        if (!Finite.all(values)) {
            // What was none is none in any basis, and is told as it stands in the file.
            part.weight().read(from, FloatBuffer.wrap(values));
            Finite.require(part.weight(), from, FloatBuffer.wrap(values));
            throw new CheckpointException("Tensor " + part.weight().name() + " in "
                    + part.weight().file() + " holds values so large that they cannot be quantised; load the model"
                    + " with precision(Precision.FULL).");
        }
        return values;
    }

    private String changedBias(String name, int out, Change change) {
        StoredTensor bias = weights.get(name, out);
        if (change.outScale() == null && change.out() == null) {
            return stored.weight(name, out);
        }
        return stored.made(
                name + ".changed", StoredWeights.identity(bias) + " " + change, () -> changed(bias, change), out);
    }

    private static float[] changed(StoredTensor bias, Change change) {
        float[] values = StoredWeights.finite(bias);
        change.applyToBias(values);
        return values;
    }
}
