package io.langbridge.runtime.core.checkpoint;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A tensor whose values are 1 more than they are in the file. */
final class PlusOne implements StoredTensor {
    private final StoredTensor stored;

    PlusOne(StoredTensor stored) {
        this.stored = stored;
    }

    @Override
    public String name() {
        return stored.name();
    }

    /** The sum has more digits than the file has. */
    @Override
    public DType dtype() {
        return stored.dtype().isFloatingPoint() ? DType.F32 : stored.dtype();
    }

    @Override
    public long[] shape() {
        return stored.shape();
    }

    @Override
    public Path file() {
        return stored.file();
    }

    /** Nowhere. */
    @Override
    public @Nullable Long offset() {
        return null;
    }

    @Override
    public void read(long from, FloatBuffer target) {
        int first = target.position();
        stored.read(from, target);
        for (int i = first; i < target.position(); i++) {
            target.put(i, target.get(i) + 1);
        }
    }
}
