package io.langbridge.runtime.onnx;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.WeightFile;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.config.Activation;
import io.langbridge.runtime.core.engine.EngineOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
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

    /** The graph, for what is not a layer. */
    final OnnxGraph graph;

    private final String what;
    private final Weights weights;
    private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();

    /** Starts a network; {@code what} names it in messages. */
    NetworkBuilder(String what, Weights weights) {
        this.what = what + " of " + weights.source();
        this.weights = weights;
        graph = new OnnxGraph(what);
    }

    /** A weight as a tensor of the graph, under its own name; asking again gives the same tensor. */
    String weight(String name, long... shape) {
        if (!tensors.containsKey(name)) {
            tensors.put(name, weights.get(name, shape));
        }
        return name;
    }

    /** {@code x W^T + b}: {@code [tokens, in]} to {@code [tokens, out]}. The output has the layer's name. */
    String linear(String x, String layer, int in, int out, boolean bias) {
        return product(x, layer + ".weight", in, out, bias ? layer + ".bias" : "", layer);
    }

    /** {@code x W^T} with a weight that has no layer of its own, such as a tied head. */
    String product(String x, String weight, int in, int out, String bias, String output) {
        String w = weight(weight, out, in);
        OnnxGraph.Node gemm = bias.isEmpty() ? graph.node("Gemm", x, w) : graph.node("Gemm", x, w, weight(bias, out));
        return gemm.with("transB", 1).to(output);
    }

    String layerNorm(String x, String layer, int width, float epsilon) {
        return graph.node("LayerNormalization", x, weight(layer + ".weight", width), weight(layer + ".bias", width))
                .with("epsilon", epsilon)
                .with("axis", -1)
                .to(layer);
    }

    /** RMS norm over the last axis. */
    String rmsNorm(String x, String layer, int width, float epsilon) {
        return graph.node("SimplifiedLayerNormalization", x, weight(layer + ".weight", width))
                .with("epsilon", epsilon)
                .with("axis", -1)
                .to(layer);
    }

    String activation(Activation function, String x) {
        String output = x + ".activation";
        return switch (function) {
            case GELU -> graph.microsoft("Gelu", x).to(output);
            case GELU_TANH -> graph.microsoft("FastGelu", x).to(output);
            case QUICK_GELU ->
                graph.microsoft("QuickGelu", x).with("alpha", 1.702f).to(output);
            case SILU -> graph.microsoft("QuickGelu", x).with("alpha", 1f).to(output);
        };
    }

    String add(String a, String b, String output) {
        return graph.node("Add", a, b).to(output);
    }

    String reshape(String x, String output, long... shape) {
        return graph.node("Reshape", x, graph.constant(output + ".shape", shape))
                .to(output);
    }

    /**
     * Loads the graph. float32 weights that lie in files of one folder are mapped from there; others are widened into a
     * file in the cache directory first, which is then mapped.
     */
    LoadedGraph load(EngineOptions options) {
        try {
            Path folder = mappableFolder();
            if (folder == null) {
                folder = placeConverted(options.cacheDirectory());
            }
            return LoadedGraph.load(what, graph.toBytes(), folder, options);
        } catch (IOException e) {
            throw new CheckpointException("The weights for the " + what + " cannot be read: " + e, e);
        }
    }

    /** Places all weights where they are, if an engine can map them from there; otherwise returns null. */
    private @Nullable Path mappableFolder() throws IOException {
        Map<StoredTensor, Path> files = new LinkedHashMap<>();
        Path folder = null;
        for (StoredTensor tensor : tensors.values()) {
            Long offset = tensor.offset();
            // Downloaded files are often links into a store; ONNX Runtime wants the file itself.
            Path file = tensor.file().toRealPath();
            Path parent = file.getParent();
            boolean mappable = tensor.dtype() == DType.F32 && offset != null && offset % Float.BYTES == 0;
            if (!mappable || parent == null || folder != null && !folder.equals(parent)) {
                return null;
            }
            folder = parent;
            files.put(tensor, file);
        }
        tensors.forEach((name, tensor) -> place(
                name, tensor, Objects.requireNonNull(files.get(tensor)), Objects.requireNonNull(tensor.offset())));
        return folder;
    }

    private Path placeConverted(Path cacheDirectory) throws IOException {
        WeightFile file = new WeightFile();
        Map<String, Long> offsets = new LinkedHashMap<>();
        for (Map.Entry<String, StoredTensor> weight : tensors.entrySet()) {
            StoredTensor tensor = weight.getValue();
            String recipe = "float32 of " + identity(tensor);
            offsets.put(weight.getKey(), file.add(recipe, byteLength(tensor), channel -> writeFloats(tensor, channel)));
        }
        Path path = file.in(cacheDirectory).toRealPath();
        tensors.forEach((name, tensor) -> place(name, tensor, path, Objects.requireNonNull(offsets.get(name))));
        return Objects.requireNonNull(path.getParent());
    }

    private void place(String name, StoredTensor tensor, Path file, long offset) {
        graph.external(
                name, OnnxGraph.Type.FLOAT, tensor.shape(), file.getFileName().toString(), offset, byteLength(tensor));
    }

    private static long byteLength(StoredTensor tensor) {
        return Math.multiplyExact(tensor.elements(), Float.BYTES);
    }

    /** What a tensor's values depend on, short of reading them all. */
    private static String identity(StoredTensor tensor) throws IOException {
        Path file = tensor.file().toRealPath();
        return tensor.name() + " " + tensor.dtype() + Arrays.toString(tensor.shape()) + " at " + tensor.offset()
                + " of " + file + ", " + Files.size(file) + " bytes, changed "
                + Files.getLastModifiedTime(file).toMillis();
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
