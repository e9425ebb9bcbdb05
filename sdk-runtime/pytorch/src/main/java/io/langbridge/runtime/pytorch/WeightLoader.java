package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.Footprint;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.pytorch.TorchScriptArchive.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Brings weights into PyTorch: mapped from their file where that can be done, then moved to the device and into the
 * type the network computes in. What is so already stays mapped. Not thread-safe.
 */
final class WeightLoader implements AutoCloseable {
    /** Values read at a time where a tensor cannot be mapped. */
    private static final int CHUNK = 1 << 22;

    /** Bytes of mapped files that are copied before the mapping is let go. */
    private static final long MOST_COPIED = 64 << 20;

    private final Weights weights;
    private final Placement placement;
    private final TorchScript script;
    private final Scope files = new Scope();
    private final Map<FileAs, PtNDArray> mapped = new HashMap<>();
    /** Bytes of them that were copied since they were mapped. */
    private long copied;

    /** A file seen as a run of elements of one type. */
    private record FileAs(Path file, ScalarType type) {}

    WeightLoader(Weights weights, Placement placement, int threads) {
        this.weights = weights;
        this.placement = placement;
        script = new TorchScript("weights from " + weights.source(), Source.of("weights.py", "Weights"), threads);
    }

    /** The tensor where and as the network computes. */
    PtNDArray get(Scope scope, String name, long... shape) {
        try (Scope call = new Scope()) {
            StoredTensor stored = weights.get(name, shape);
            PtNDArray map = map(call, stored);
            if (map == null) {
                return read(scope, stored, placement);
            }
            PtNDArray moved = scope.tensor(call.own(script.run(
                    "move",
                    call.of(map),
                    call.of(placement.device()),
                    call.of(placement.type().code()))));
            if (!placement.device().equals(Placement.CPU) || placement.type() != ScalarType.of(stored.dtype())) {
                forget(stored.elements() * stored.dtype().bytes());
            }
            return moved;
        }
    }

    /** What was read of a mapped file stays in memory until the mapping goes, which others may still use. */
    private void forget(long bytes) {
        copied += bytes;
        if (copied > MOST_COPIED) {
            copied = 0;
            mapped.clear();
            files.close();
        }
    }

    /** What a network takes: parts of a weight are there again while it is put together. */
    static Footprint footprint(Inventory network, int rows) {
        long weights = (network.elements() - network.mapped()) * Float.BYTES;
        return new Footprint(
                weights,
                network.activations(rows) * Float.BYTES,
                network.largest() * Float.BYTES + Math.min(weights, MOST_COPIED),
                0);
    }

    /** The tensor as it is stored, mapped from its file; read as float32 where it cannot be mapped. On the CPU. */
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
                    Scope.Output values = part.output((int) Math.min(CHUNK, count - from));
                    source.read(from, values.floats);
                    part.own(script.run("fill", tensor, part.of(from), values.value()));
                }
            }
            return scope.tensor(tensor);
        }
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
        PtNDArray file = mapped.computeIfAbsent(new FileAs(stored.file(), type), this::map);
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
            throw new UncheckedIOException(e);
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
