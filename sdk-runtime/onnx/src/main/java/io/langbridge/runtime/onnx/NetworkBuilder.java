package io.langbridge.runtime.onnx;

import io.langbridge.CheckpointException;
import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.ContentHash;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Finite;
import io.langbridge.runtime.core.checkpoint.Reason;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.WeightFile;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.Activation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Builds the graph of a network out of layers, each under its name in the checkpoint, and loads it with the weights.
 * How a weight is stored and multiplied is decided here and nowhere else.
 *
 * <p>Activations are two-dimensional, {@code [tokens, width]}: matrix products are then {@code Gemm}, which takes
 * weights as checkpoints have them, {@code [out, in]}, adds the bias in the same pass and packs them when loaded.
 */
final class NetworkBuilder {
    private static final int COPY_FLOATS = 1 << 18;

    /** Weights quantised together share a scale: longer blocks are faster and a little less exact. */
    private static final int BLOCK = 128;

    /** The same for weights that quantising hurts most, which have 8 bits in any precision but the full one. */
    private static final int FINE_BLOCK = 32;

    private static final int SMALLEST_BLOCK = 16;

    /**
     * Larger weights are multiplied part by part: an engine that packs a weight has it in memory twice meanwhile. Many
     * parts cost decoding some per cent.
     */
    private static final int PART_BYTES = 128 << 20;

    /** Rows of a part are a multiple of this, which suits all kernels. */
    private static final int PART_ROWS = 64;

    /** What stands for 0 in 8 bits, where values are as large on either side of it. */
    private static final int CENTRE = 128;

    /** The same behind an activation function, which leaves little below 0: nearly all of the range is for the rest. */
    private static final int NEAR_START = 24;

    private static final String UNIT = "rounding.unit";

    /** Values at the start and at the end of a tensor that its identity depends on. */
    private static final int SAMPLE = 64;

    /** The graph, for what is not a layer. */
    final OnnxGraph graph;

    /** So much of a weight at most is in one part; less than usual in tests. */
    int partBytes = PART_BYTES;

    private final String what;
    private final Weights weights;
    private final Precision precision;
    private final Map<String, Initializer> initializers = new LinkedHashMap<>();
    private final List<Filler> fillers = new ArrayList<>();
    /** Not in the graph, but must be finite. */
    private final List<StoredTensor> checked = new ArrayList<>();
    /** Initializers of which the graph has parts. */
    private final Map<String, Parts> parts = new HashMap<>();
    /** What was rounded already, so that several layers that read it share it. */
    private final Map<String, Rounded> rounded = new HashMap<>();

    private final boolean manyRows;
    private final Predicate<String> fine;
    /** What activation functions made, which have nothing far below 0. */
    private final Set<String> activations = new HashSet<>();

    /**
     * Activations in 8 bits.
     *
     * @param values {@code [rows, width]}
     * @param zero what stands for 0 in them
     * @param scales {@code [rows, 1]}
     */
    private record Rounded(String values, String zero, String scales) {}

    /**
     * A tensor of the graph.
     *
     * @param stored the tensor as the checkpoint has it, or null if it is made from others
     * @param recipe what its bytes depend on, or empty if {@code stored} says it
     * @param content writes it, or null if {@code stored} or a {@link Filler} does
     */
    private record Initializer(
            OnnxGraph.Type type,
            long[] dims,
            long bytes,
            @Nullable StoredTensor stored,
            String recipe,
            SafetensorsWriter.@Nullable Content content) {}

    /** Makes bytes of several initializers at once. */
    private interface Filling {
        void fill(Target target) throws IOException;
    }

    /** Where a {@link Filling} puts bytes. */
    private interface Target {
        void write(String initializer, long at, ByteBuffer bytes) throws IOException;
    }

    /** {@code of} is an initializer that it writes, and is written to no use if that one is not. */
    private record Filler(String of, Filling filling, long memory) {}

    /**
     * Rows of a matrix, so many together.
     *
     * @param rows of all
     * @param together of each part but the last
     */
    private record Parts(int rows, int together) {
        static final Parts WHOLE = new Parts(1, 1);

        int count() {
            return (rows + together - 1) / together;
        }

        int rows(int part) {
            return Math.min(together, rows - part * together);
        }

        String name(String whole, int part) {
            return count() == 1 ? whole : whole + ".part" + part;
        }
    }

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
            return identity(weight) + " " + change;
        }
    }

    /**
     * Starts a network.
     *
     * @param what names it in messages
     * @param manyRows whether it always runs over many rows: in 8 bits, arithmetic on whole numbers is then faster by
     *     far than products in blocks, which are faster for single rows
     * @param fine names of weights that quantising hurts most
     */
    NetworkBuilder(String what, Weights weights, Precision precision, boolean manyRows, Predicate<String> fine) {
        this.manyRows = manyRows;
        this.fine = fine;
        this.what = what + " of " + weights.source();
        this.weights = weights;
        this.precision = precision;
        graph = new OnnxGraph(what);
    }

    /** A weight as a tensor of the graph, under its own name; asking again gives the same tensor. */
    String weight(String name, long... shape) {
        if (!initializers.containsKey(name)) {
            StoredTensor stored = weights.get(name, shape);
            initializers.put(
                    name, new Initializer(OnnxGraph.Type.FLOAT, stored.shape(), byteLength(stored), stored, "", null));
        }
        return name;
    }

    /**
     * Has a tensor that is not part of the graph checked when the weights are written: what quantised layers make of it
     * would hide that it holds no numbers.
     */
    void requireFinite(String name, long... shape) {
        checked.add(weights.get(name, shape));
    }

    /** Values that are made when the weights are written, as a float32 tensor of the graph. */
    String made(String name, String recipe, Supplier<float[]> values, long... dims) {
        long count = Arrays.stream(dims).reduce(1, Math::multiplyExact);
        initializers.putIfAbsent(
                name,
                new Initializer(
                        OnnxGraph.Type.FLOAT,
                        dims,
                        count * Float.BYTES,
                        null,
                        recipe,
                        channel -> WeightFile.writeFully(channel, littleEndian(values.get()))));
        return name;
    }

    /** The values of a weight as factors. */
    Change.Scale scale(String name, int size) {
        StoredTensor tensor = weights.get(name, size);
        return new Change.Scale(identity(tensor), () -> finite(tensor));
    }

    /**
     * {@code x W^T + b}: {@code [rows, in]} to {@code [rows, out]}.
     *
     * @param change between other bases; the weight changes only where it is quantised
     */
    String product(String x, String weight, @Nullable String bias, int in, int out, String output, Change change) {
        if (precision == Precision.FULL) {
            String w = weight(weight, out, in);
            OnnxGraph.Node gemm = bias == null ? graph.node("Gemm", x, w) : graph.node("Gemm", x, w, weight(bias, out));
            return gemm.with("transB", 1).to(output);
        }
        String changed = bias == null ? "" : changedBias(bias, out, change);
        List<Changed> one = List.of(new Changed(weights.get(weight, out, in), change));
        return quantised(x, one, in, out, changed, output, fine.test(weight));
    }

    /**
     * Layers that read the same input as one product, which costs less than many: {@code [tokens, in]} to their outputs
     * side by side. Not in full precision, where each weight is used where it is.
     */
    String linear(String x, String output, int in, List<Layer> layers) {
        List<Changed> weightsOfLayers = new ArrayList<>();
        List<String> names = new ArrayList<>();
        int out = 0;
        for (Layer layer : layers) {
            names.add(layer.name() + ".weight");
            weightsOfLayers.add(new Changed(weights.get(layer.name() + ".weight", layer.out(), in), layer.change()));
            out += layer.out();
        }
        String bias = layers.stream().anyMatch(Layer::bias) ? biases(output + ".bias", layers, out) : "";
        return quantised(
                x, weightsOfLayers, in, out, bias, output, names.stream().allMatch(fine));
    }

    private String biases(String name, List<Layer> layers, int out) {
        List<Supplier<float[]>> parts = new ArrayList<>();
        List<String> recipes = new ArrayList<>();
        for (Layer layer : layers) {
            StoredTensor bias = layer.bias() ? weights.get(layer.name() + ".bias", layer.out()) : null;
            recipes.add(bias == null ? layer.out() + " zeros" : identity(bias) + " " + layer.change());
            parts.add(() -> bias == null ? new float[layer.out()] : changed(bias, layer.change()));
        }
        return made(
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
     */
    private String quantised(
            String x, List<Changed> stack, int in, int out, String bias, String output, boolean inFineBlocks) {
        if (precision == Precision.INT8 && manyRows && !inFineBlocks) {
            return wholeNumberProduct(x, stack, in, out, bias, output);
        }
        int bits = precision == Precision.INT8 || inFineBlocks ? 8 : 4;
        int block = SMALLEST_BLOCK;
        while (block < in && block < (inFineBlocks ? FINE_BLOCK : BLOCK)) {
            block *= 2;
        }
        String values = blocks(stack, in, out, bits, block);
        String scales = values + ".scales";
        Parts split = new Parts(out, bias.isEmpty() ? rowsTogether(out, (long) in * bits / 8) : out);
        parts.put(values, split);
        parts.put(scales, split);
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
        graph.microsoft("MatMulIntegerToFloat", rows.values(), values, UNIT, values + ".scales", rows.zero())
                .to(raw);
        if (bias.isEmpty()) {
            return graph.node("Mul", raw, rows.scales()).to(output);
        }
        String scaled = graph.node("Mul", raw, rows.scales()).to(output + ".scaled");
        return graph.node("Add", scaled, bias).to(output);
    }

    /** Each row by its own range: one row must not cost the others their precision. */
    private Rounded round(String x) {
        graph.constant(UNIT, new float[] {1});
        graph.constant("rounding.least", new float[] {Float.MIN_NORMAL});
        String lastAxis = graph.constant(-1);
        int zero = activations.contains(x) ? NEAR_START : CENTRE;
        String zeroPoint = graph.constant("rounding.zero" + zero, (byte) zero);
        graph.constant(zeroPoint + ".above", new float[] {1f / (255 - zero)});
        graph.constant(zeroPoint + ".below", new float[] {-1f / zero});
        String largest = graph.node("ReduceMax", x, lastAxis).to(x + ".largest");
        String smallest = graph.node("ReduceMin", x, lastAxis).to(x + ".smallest");
        String above = graph.node("Mul", largest, zeroPoint + ".above").to(x + ".above");
        String below = graph.node("Mul", smallest, zeroPoint + ".below").to(x + ".below");
        String scales = graph.node("Max", above, below, "rounding.least").to(x + ".row_scales");
        String normed = graph.node("Div", x, scales).to(x + ".unit");
        return new Rounded(graph.node("QuantizeLinear", normed, UNIT, zeroPoint).to(x + ".rounded"), zeroPoint, scales);
    }

    /** Weights in 8 bits side by side, {@code [in, out]}, their scales beside them. */
    private String columns(List<Changed> stack, int in, int out) {
        String name = name(stack) + ".int8.columns";
        String scales = name + ".scales";
        if (initializers.containsKey(name)) {
            return name;
        }
        String recipe = "8 bits in columns of " + recipe(stack);
        reserve(name, OnnxGraph.Type.INT8, (long) in * out, recipe, in, out);
        reserve(scales, OnnxGraph.Type.FLOAT, (long) out * Float.BYTES, recipe, out);
        fillers.add(new Filler(
                name,
                target -> {
                    float[] all = new float[Math.multiplyExact(out, in)];
                    int from = 0;
                    for (Changed part : stack) {
                        float[] rows = read(part, 0, part.out(), in);
                        System.arraycopy(rows, 0, all, from, rows.length);
                        from += rows.length;
                    }
                    byte[] values = new byte[all.length];
                    ByteBuffer factors = ByteBuffer.allocate(out * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                    Quantizer.columns(all, out, in, values, factors.asFloatBuffer());
                    target.write(name, 0, ByteBuffer.wrap(values));
                    target.write(scales, 0, factors);
                },
                2L * out * in * Float.BYTES));
        return name;
    }

    /** Weights under each other in blocks of few bits, their scales beside them. */
    private String blocks(List<Changed> stack, int in, int out, int bits, int block) {
        long rowBlocks = (in + block - 1L) / block;
        String name = name(stack) + ".int" + bits;
        String scales = name + ".scales";
        if (initializers.containsKey(name)) {
            return name;
        }
        String recipe = bits + " bits in blocks of " + block + " of " + recipe(stack);
        long rowBytes = rowBlocks * block * bits / 8;
        reserve(name, OnnxGraph.Type.UINT8, out * rowBytes, recipe, out, rowBlocks, (long) block * bits / 8);
        reserve(scales, OnnxGraph.Type.FLOAT, out * rowBlocks * Float.BYTES, recipe, out * rowBlocks);
        int above = 0;
        for (Changed part : stack) {
            int together = part.change().out() != null ? part.out() : Math.max(1, COPY_FLOATS * 4 / in);
            for (int from = 0; from < part.out(); from += together) {
                int first = from;
                long row = (long) above + first;
                int rows = Math.min(together, part.out() - from);
                fillers.add(new Filler(
                        name,
                        target -> {
                            float[] weight = read(part, first, rows, in);
                            ByteBuffer values = ByteBuffer.allocate(Math.toIntExact(rows * rowBytes));
                            ByteBuffer factors = ByteBuffer.allocate(Math.toIntExact(rows * rowBlocks * Float.BYTES))
                                    .order(ByteOrder.LITTLE_ENDIAN);
                            Quantizer.blocks(weight, in, bits, block, values, factors.asFloatBuffer());
                            target.write(name, row * rowBytes, values.flip());
                            target.write(scales, row * rowBlocks * Float.BYTES, factors);
                        },
                        2L * rows * in * Float.BYTES));
            }
            above += part.out();
        }
        return name;
    }

    private static String name(List<Changed> stack) {
        return stack.stream().map(part -> part.weight().name()).collect(Collectors.joining("+"));
    }

    private static String recipe(List<Changed> stack) {
        return stack.stream().map(Changed::toString).collect(Collectors.joining(" over "));
    }

    /** Rows of a weight as they are to be rounded. */
    private static float[] read(Changed part, int firstRow, int rows, int in) {
        float[] values = new float[Math.multiplyExact(rows, in)];
        long from = (long) firstRow * in;
        part.weight().read(from, FloatBuffer.wrap(values));
        // Rounding turns what is no number into one, and the answer into nonsense without a word.
        Finite.require(part.weight(), from, FloatBuffer.wrap(values));
        part.change().apply(values, firstRow, in);
        if (!Finite.all(FloatBuffer.wrap(values))) {
            throw new CheckpointException("Tensor " + part.weight().name() + " in "
                    + part.weight().file() + " holds values so large that they cannot be quantised; load the model"
                    + " with precision(Precision.FULL).");
        }
        return values;
    }

    private void reserve(String name, OnnxGraph.Type type, long bytes, String recipe, long... dims) {
        initializers.put(name, new Initializer(type, dims, bytes, null, recipe, null));
    }

    private String changedBias(String name, int out, Change change) {
        StoredTensor bias = weights.get(name, out);
        if (change.outScale() == null && change.out() == null) {
            return weight(name, out);
        }
        return made(name + ".changed", identity(bias) + " " + change, () -> changed(bias, change), out);
    }

    private static float[] changed(StoredTensor bias, Change change) {
        float[] values = finite(bias);
        change.applyToBias(values);
        return values;
    }

    private static float[] finite(StoredTensor tensor) {
        float[] values = tensor.toFloats();
        Finite.require(tensor, 0, FloatBuffer.wrap(values));
        return values;
    }

    String activation(Activation function, String x, String output) {
        activations.add(output);
        return switch (function) {
            case GELU -> graph.microsoft("Gelu", x).to(output);
            case GELU_TANH -> graph.microsoft("FastGelu", x).to(output);
            case QUICK_GELU ->
                graph.microsoft("QuickGelu", x).with("alpha", 1.702f).to(output);
            case SILU -> graph.microsoft("QuickGelu", x).with("alpha", 1f).to(output);
        };
    }

    /**
     * Loads the graph. float32 weights that lie in files of one folder are mapped from there; others are widened into a
     * file in the cache directory first, which is then mapped.
     */
    LoadedGraph load(EngineOptions options) {
        Set<String> needed = graph.needed();
        initializers.keySet().removeIf(name -> {
            Parts split = parts.getOrDefault(name, Parts.WHOLE);
            return IntStream.range(0, split.count()).noneMatch(i -> needed.contains(split.name(name, i)));
        });
        fillers.removeIf(filler -> !initializers.containsKey(filler.of()));
        try {
            Path folder = mappableFolder();
            if (folder == null) {
                folder = placeConverted(options.cacheDirectory());
            }
            return LoadedGraph.load(what, graph.toBytes(), folder, options);
        } catch (IOException e) {
            throw new CheckpointException("The weights for the " + what + " cannot be read: " + Reason.of(e) + ".", e);
        }
    }

    /** Places all weights where they are, if an engine can map them from there; otherwise returns null. */
    private @Nullable Path mappableFolder() throws IOException {
        Map<String, Path> files = new LinkedHashMap<>();
        Path folder = null;
        for (Map.Entry<String, Initializer> entry : initializers.entrySet()) {
            StoredTensor tensor = entry.getValue().stored();
            if (tensor == null) {
                return null;
            }
            Long offset = tensor.offset();
            // Downloaded files are often links into a store; ONNX Runtime wants the file itself.
            Path file = tensor.file().toRealPath();
            Path parent = file.getParent();
            boolean mappable = tensor.dtype() == DType.F32 && offset != null && offset % Float.BYTES == 0;
            if (!mappable || parent == null || folder != null && !folder.equals(parent)) {
                return null;
            }
            folder = parent;
            files.put(entry.getKey(), file);
        }
        initializers.forEach((name, initializer) -> place(
                name,
                Objects.requireNonNull(files.get(name)),
                Objects.requireNonNull(
                        Objects.requireNonNull(initializer.stored()).offset())));
        return folder;
    }

    private Path placeConverted(Path cacheDirectory) throws IOException {
        WeightFile file = new WeightFile();
        Map<String, Long> offsets = new LinkedHashMap<>();
        initializers.forEach((name, initializer) -> {
            StoredTensor tensor = initializer.stored();
            SafetensorsWriter.Content content = initializer.content();
            long offset;
            if (tensor != null) {
                offset = file.add("float32 of " + identity(tensor), initializer.bytes(), channel -> {
                    if (precision != Precision.FULL) {
                        Finite.require(tensor);
                    }
                    writeFloats(tensor, channel);
                });
            } else if (content != null) {
                offset = file.add(initializer.recipe(), initializer.bytes(), content);
            } else {
                offset = file.reserve(initializer.recipe(), initializer.bytes());
            }
            offsets.put(name, offset);
        });
        for (StoredTensor tensor : checked) {
            file.add("finite " + identity(tensor), 0, channel -> Finite.require(tensor));
        }
        for (Filler filler : fillers) {
            file.job(
                    channel -> filler.filling()
                            .fill((name, at, bytes) -> WeightFile.writeFully(
                                    channel, bytes, Objects.requireNonNull(offsets.get(name)) + at)),
                    filler.memory());
        }
        Path path = file.in(cacheDirectory).toRealPath();
        initializers.keySet().forEach(name -> place(name, path, Objects.requireNonNull(offsets.get(name))));
        return Objects.requireNonNull(path.getParent());
    }

    private void place(String name, Path file, long offset) {
        Initializer initializer = Objects.requireNonNull(initializers.get(name));
        Parts split = parts.getOrDefault(name, Parts.WHOLE);
        long rowBytes = initializer.bytes() / split.rows();
        for (int i = 0; i < split.count(); i++) {
            long[] dims = initializer.dims().clone();
            dims[0] = dims[0] / split.rows() * split.rows(i);
            graph.external(
                    split.name(name, i),
                    initializer.type(),
                    dims,
                    file.getFileName().toString(),
                    offset + (long) i * split.together() * rowBytes,
                    split.rows(i) * rowBytes);
        }
    }

    private static long byteLength(StoredTensor tensor) {
        return Math.multiplyExact(tensor.elements(), Float.BYTES);
    }

    /**
     * What a tensor's values depend on, short of reading them all: a copy of a checkpoint is recognised, an edited one
     * is not mistaken for it.
     */
    static String identity(StoredTensor tensor) {
        int count = (int) Math.min(SAMPLE, tensor.elements());
        float[] sample = new float[2 * count];
        tensor.read(0, FloatBuffer.wrap(sample, 0, count));
        tensor.read(tensor.elements() - count, FloatBuffer.wrap(sample, count, count));
        try {
            Path file = tensor.file().toRealPath();
            return tensor.name() + " " + tensor.dtype() + Arrays.toString(tensor.shape()) + " at " + tensor.offset()
                    + " of " + Files.size(file) + " bytes, changed "
                    + Files.getLastModifiedTime(file).toMillis() + ", "
                    + new ContentHash().add(FloatBuffer.wrap(sample)).hex();
        } catch (IOException e) {
            throw new CheckpointException("The file of " + tensor.name() + " cannot be read: " + Reason.of(e) + ".", e);
        }
    }

    private static ByteBuffer littleEndian(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes;
    }

    private static void writeFloats(StoredTensor tensor, FileChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(COPY_FLOATS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        long elements = tensor.elements();
        for (long from = 0; from < elements; from += COPY_FLOATS) {
            int count = (int) Math.min(COPY_FLOATS, elements - from);
            bytes.clear();
            bytes.limit(count * Float.BYTES);
            tensor.read(from, bytes.asFloatBuffer());
            WeightFile.writeFully(channel, bytes);
        }
    }
}
