package io.langbridge.runtime.core.adapter;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.ContentHash;
import io.langbridge.runtime.core.checkpoint.Finite;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.WeightFile;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Folds a LangBridge projector for one language model. Without a softmax, everything after the GELU is linear:
 *
 * <pre>
 * ((h W2 + b2) W3 + b3) E = h (W2 W3 E) + (b2 W3 + b3) E
 * </pre>
 *
 * so that four layers over a vocabulary become two layers of the language model's width. Exact algebra, in float32;
 * {@code W3 E} comes first, because that costs less than {@code W2 W3}. Checkpoints store a layer as {@code [out, in]},
 * so what is computed is the transposed {@code E^T W3 W2}.
 *
 * <p>The result is kept in the cache directory under a name made from the content of all that goes into it.
 */
final class Fold {
    private static final Logger LOG = LoggerFactory.getLogger(Fold.class);

    private static final List<String> TENSORS =
            Arrays.asList("0.weight", "0.bias", "2.weight", "2.bias", "3.weight", "3.bias");

    /** Changes whenever the same content would be folded into other bytes. */
    private static final String FORMAT = "fold 2";

    /** Shared tokens worked on at a time: 42 MB of the last layer at the published size. */
    private static final int BLOCK = 2048;

    private final Engine engine;
    private final AdapterConfig.LangBridge config;
    private final Weights projector;
    private final VocabularyMatrix matrix;
    private final EngineOptions options;
    private @Nullable Result result;

    /**
     * The layer after the GELU.
     *
     * @param weight {@code [llm_hidden, mlp_hidden]}
     * @param bias {@code [llm_hidden]}
     */
    private record Result(FloatTensor weight, FloatTensor bias) {}

    Fold(
            Engine engine,
            AdapterConfig.LangBridge config,
            Weights projector,
            VocabularyMatrix matrix,
            EngineOptions options) {
        if (matrix.rows() != config.mmVocabSize()) {
            throw new IllegalArgumentException("The vocabulary matrix has " + matrix.rows() + " rows, the projector "
                    + config.mmVocabSize() + " columns");
        }
        this.engine = engine;
        this.config = config;
        this.projector = projector;
        this.matrix = matrix;
        this.options = options;
    }

    /**
     * Opens the folded adapter, {@code 0.weight}, {@code 0.bias}, {@code 2.weight} and {@code 2.bias}, as float32 in
     * one file that an engine can map.
     *
     * @return weights that the caller closes
     */
    Weights open() {
        String key = key();
        long in = config.mmHiddenSize();
        long mlp = config.mlpHiddenSize();
        long out = matrix.width();
        WeightFile file = new WeightFile()
                .describe("folded adapter of " + projector.source())
                .limit(options.cacheLimit());
        file.addTensor("0.weight", key + " 0.weight", channel -> copy("0.weight", channel), mlp, in);
        file.addTensor("0.bias", key + " 0.bias", channel -> copy("0.bias", channel), mlp);
        file.addTensor(
                "2.weight",
                key + " 2.weight",
                channel -> SafetensorsWriter.writeFloats(result().weight().data(), channel),
                out,
                mlp);
        file.addTensor(
                "2.bias",
                key + " 2.bias",
                channel -> SafetensorsWriter.writeFloats(result().bias().data(), channel),
                out);
        Weights folded = file.open(options.cacheDirectory());
        result = null;
        return folded;
    }

    /** What the result depends on: values, not names or times of files, so that a copy is recognised. */
    private String key() {
        requireInPlace();
        List<Supplier<String>> parts = new ArrayList<>();
        for (String name : TENSORS) {
            StoredTensor tensor = projector.get(name);
            parts.add(() -> new ContentHash().add(tensor).hex());
        }
        parts.add(matrix::hash);
        ContentHash hash = new ContentHash().add(FORMAT).add(config + " " + matrix.width());
        // Hundreds of megabytes at the published size, at every start: side by side.
        parts.parallelStream().map(Supplier::get).collect(Collectors.toList()).forEach(hash::add);
        requireInPlace();
        return hash.hex();
    }

    /** What is hashed is read by its name, and what is folded from files that are open: those must be the same. */
    private void requireInPlace() {
        for (String name : TENSORS) {
            projector.get(name).requireInPlace();
        }
        matrix.requireInPlace();
    }

    private Result result() {
        Result known = result;
        if (known == null) {
            long start = System.nanoTime();
            known = compute();
            result = known;
            LOG.info(
                    "Folded {} for a language model of width {} in {} ms",
                    projector.source(),
                    matrix.width(),
                    (System.nanoTime() - start) / 1_000_000);
        }
        return known;
    }

    /** Memory that it takes. */
    static long bytes(AdapterConfig.LangBridge config, int out) {
        long mlp = config.mlpHiddenSize();
        long block = Math.min(BLOCK, config.mmVocabSize());
        return (2L * out * mlp + block * (out + mlp)) * Float.BYTES;
    }

    private Result compute() {
        int mlp = config.mlpHiddenSize();
        int out = matrix.width();
        int block = Math.min(BLOCK, matrix.rows());
        // These are used again for the last product: native memory is not freed soon.
        FloatTensor eRows = FloatTensor.allocate(block, out);
        FloatTensor w3Rows = FloatTensor.allocate(block, mlp);
        FloatTensor w3e = FloatTensor.allocate(out, mlp);
        FloatTensor product = FloatTensor.allocate(out, mlp);
        float[] b3 = projector.get("3.bias").toFloats();
        double[] bias = new double[out];
        boolean anything = false;
        for (int from = 0; from < matrix.rows(); from += block) {
            int count = Math.min(block, matrix.rows() - from);
            FloatTensor e = eRows.rows(0, count);
            FloatTensor w3 = w3Rows.rows(0, count);
            matrix.read(from, e);
            anything = anything || !isZero(e);
            projector.get("3.weight").read((long) from * mlp, w3.data());
            engine.multiply(e, true, w3, false, product, options); // [out, mlp]
            add(w3e, product);
            addProduct(bias, e, b3, from);
        }
        if (!anything) {
            throw new CheckpointException("The embeddings of all " + matrix.rows() + " shared tokens in "
                    + matrix.source() + " are 0; the language model's weights are incomplete.");
        }
        addProduct(bias, w3e, projector.get("2.bias").toFloats());
        multiplyByW2(w3e, w3Rows, eRows, product);
        Result folded = new Result(product, rounded(bias));
        requireFinite(folded);
        return folded;
    }

    /** {@code w3e} times the second layer, some of its columns at a time: as many as there is room for. */
    private void multiplyByW2(FloatTensor w3e, FloatTensor w2Room, FloatTensor productRoom, FloatTensor product) {
        int out = w3e.size(0);
        int mlp = w3e.size(1);
        int most = Math.min(mlp, w2Room.size(0));
        StoredTensor w2 = projector.get("2.weight");
        for (int from = 0; from < mlp; from += most) {
            int count = Math.min(most, mlp - from);
            FloatTensor columns = first(w2Room, mlp, count);
            FloatBuffer values = columns.data();
            for (int row = 0; row < mlp; row++) {
                ((Buffer) values).limit((row + 1) * count);
                w2.read((long) row * mlp + from, values);
            }
            FloatTensor part = first(productRoom, out, count);
            engine.multiply(w3e, false, columns, false, part, options);
            FloatBuffer target = product.data();
            for (int row = 0; row < out; row++) {
                ((Buffer) target).position(row * mlp + from);
                target.put(part.rows(row, row + 1).data());
            }
        }
    }

    /** The first values of a tensor in another shape. */
    private static FloatTensor first(FloatTensor room, int rows, int width) {
        return room.reshape(room.count(), 1).rows(0, rows * width).reshape(rows, width);
    }

    /** A weight that is no number makes every product with it none, so only then is there something to look for. */
    private void requireFinite(Result folded) {
        if (Finite.all(folded.weight().data()) && Finite.all(folded.bias().data())) {
            return;
        }
        Finite.require(projector);
        throw new CheckpointException("Folding " + projector.source() + " for the embeddings in " + matrix.source()
                + " leaves the range of float32; the weights are far too large. Training went wrong or a file is"
                + " damaged.");
    }

    /** {@code sum += rows^T b}, where {@code b} begins with the value for the first row at {@code from}. */
    private static void addProduct(double[] sum, FloatTensor rows, float[] b, int from) {
        FloatBuffer values = rows.data();
        for (int i = 0; i < rows.size(0); i++) {
            for (int k = 0; k < sum.length; k++) {
                sum[k] += (double) b[from + i] * values.get();
            }
        }
    }

    /** {@code sum += m b}. */
    private static void addProduct(double[] sum, FloatTensor m, float[] b) {
        FloatBuffer values = m.data();
        for (int i = 0; i < sum.length; i++) {
            for (float factor : b) {
                sum[i] += (double) factor * values.get();
            }
        }
    }

    private static FloatTensor rounded(double[] values) {
        FloatTensor rounded = FloatTensor.allocate(values.length);
        FloatBuffer target = rounded.data();
        for (double value : values) {
            target.put((float) value);
        }
        return rounded;
    }

    private static boolean isZero(FloatTensor values) {
        FloatBuffer data = values.data();
        while (data.hasRemaining()) {
            if (data.get() != 0) {
                return false;
            }
        }
        return true;
    }

    private static void add(FloatTensor sum, FloatTensor part) {
        FloatBuffer total = sum.data();
        FloatBuffer values = part.data();
        for (int i = 0; i < sum.count(); i++) {
            total.put(i, total.get(i) + values.get(i));
        }
    }

    private void copy(String name, FileChannel channel) throws IOException {
        StoredTensor tensor = projector.get(name);
        Finite.require(tensor);
        SafetensorsWriter.writeFloats(tensor, channel);
    }
}
