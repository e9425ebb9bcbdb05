package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.Reason;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.Footprint;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.pytorch.TorchScriptArchive.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Brings weights into PyTorch: reads them into the type and onto the device where the network computes. They are not
 * mapped, but for tables of which few rows are read: a file that shrinks beneath a mapping ends the process, and one
 * that is overwritten changes what the model answers. Not thread-safe.
 */
final class WeightLoader implements AutoCloseable {
    /** Values read at a time. */
    private static final int CHUNK = 1 << 22;

    private final Weights weights;
    private final Placement placement;
    private final TorchScript script;
    private final Scope files = new Scope();
    private final Map<FileAs, PtNDArray> mapped = new HashMap<>();
    /** What values go through. */
    private @Nullable FloatTensor chunk;

    /** A file seen as a run of elements of one type. */
    private record FileAs(Path file, ScalarType type) {}

    WeightLoader(Weights weights, Placement placement, int threads) {
        this.weights = weights;
        this.placement = placement;
        script = new TorchScript("weights from " + weights.source(), Source.of("weights.py", "Weights"), threads);
    }

    /** The tensor where and as the network computes. */
    PtNDArray get(Scope scope, String name, long... shape) {
        return read(scope, weights.get(name, shape), placement);
    }

    /** What a network takes: parts of a weight are there again while it is put together. */
    static Footprint footprint(Inventory network, int rows) {
        long weights = (network.elements() - network.mapped()) * Float.BYTES;
        return new Footprint(
                weights,
                network.activations(rows) * Float.BYTES,
                network.largest() * Float.BYTES + Math.min(weights, (long) CHUNK * Float.BYTES),
                0);
    }

    /**
     * The tensor as it is stored, mapped from its file; read as float32 where it cannot be mapped. On the CPU. Whoever
     * reads it later asks {@link StoredTensor#requireUnchanged} before.
     */
    PtNDArray stored(Scope scope, String name, long... shape) {
        StoredTensor stored = weights.get(name, shape);
        PtNDArray map = map(scope, stored);
        return map == null ? read(scope, stored, new Placement(Placement.CPU, ScalarType.FLOAT)) : map;
    }

    /** A copy of {@code values} where and as the network computes. */
    PtNDArray upload(Scope scope, FloatTensor values) {
        long[] shape = new long[values.shape().length];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = values.size(i);
        }
        FloatTensor flat = values.reshape(values.count());
        return fill(
                scope,
                placement,
                shape,
                (from, chunk) -> chunk.data()
                        .put(flat.rows((int) from, (int) from + chunk.count()).data()));
    }

    private PtNDArray read(Scope scope, StoredTensor stored, Placement target) {
        return fill(scope, target, stored.shape(), (from, chunk) -> stored.read(from, chunk.data()));
    }

    private interface Values {
        void read(long from, FloatTensor chunk);
    }

    private PtNDArray fill(Scope scope, Placement target, long[] shape, Values source) {
        long count = 1;
        for (long size : shape) {
            count = Math.multiplyExact(count, size);
        }
        try (Scope call = new Scope()) {
            IValue tensor = call.own(script.run(
                    "empty",
                    call.of(shape),
                    call.of(target.device()),
                    call.of(target.type().code())));
            for (long from = 0; from < count; from += CHUNK) {
                try (Scope part = new Scope()) {
                    FloatTensor values = chunk((int) Math.min(CHUNK, count - from));
                    source.read(from, values);
                    part.own(script.run("fill", tensor, part.of(from), part.of(part.view(values))));
                }
            }
            return scope.tensor(tensor);
        }
    }

    /** Native memory that is not freed soon, so it is used again. */
    private FloatTensor chunk(int values) {
        FloatTensor known = chunk;
        if (known == null || known.count() < values) {
            known = FloatTensor.allocate(values);
            chunk = known;
        }
        return known.rows(0, values);
    }

    /** Null if the tensor's bytes cannot be mapped as they lie in the file. */
    private @Nullable PtNDArray map(Scope scope, StoredTensor stored) {
        Long offset = stored.offset();
        ScalarType type = ScalarType.of(stored.dtype());
        if (offset == null || type == null || offset % stored.dtype().bytes() != 0 || !nameable(stored.file())) {
            return null;
        }
        long[] shape = stored.shape();
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape[i];
        }
        stored.requireInPlace();
        PtNDArray file = mapped.computeIfAbsent(new FileAs(stored.file(), type), this::map);
        stored.requireInPlace();
        try (Scope call = new Scope()) {
            return scope.tensor(call.own(script.run(
                    "part",
                    call.of(file),
                    call.of(offset / stored.dtype().bytes()),
                    call.of(shape),
                    call.of(strides))));
        }
    }

    private PtNDArray map(FileAs file) {
        try (Scope call = new Scope()) {
            long elements = Files.size(file.file()) / file.type().bytes();
            return files.tensor(call.own(script.run(
                    "map",
                    call.of(file.file().toAbsolutePath().toString()),
                    call.of(elements),
                    call.of(file.type().code()))));
        } catch (IOException e) {
            throw new CheckpointException(file.file() + " cannot be mapped: " + Reason.of(e) + ".", e);
        }
    }

    /** The JNI hands over strings in Java's own UTF-8, which differs from a file system's beyond the basic plane. */
    private static boolean nameable(Path file) {
        return file.getFileSystem() == java.nio.file.FileSystems.getDefault()
                && file.toAbsolutePath().toString().chars().noneMatch(c -> Character.isSurrogate((char) c));
    }

    @Override
    public void close() {
        files.close();
        script.close();
    }
}
