package io.langbridge.runtime.core.checkpoint;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A matrix whose rows are the columns of another, which is read as a whole each time: it is small. */
final class TransposedTensor implements StoredTensor {
    private final StoredTensor of;

    TransposedTensor(StoredTensor of) {
        this.of = of;
    }

    @Override
    public String name() {
        return of.name();
    }

    @Override
    public DType dtype() {
        return of.dtype();
    }

    @Override
    public long[] shape() {
        long[] shape = of.shape();
        return new long[] {shape[1], shape[0]};
    }

    @Override
    public Path file() {
        return of.file();
    }

    /** Null: the values do not lie there in this order. */
    @Override
    public @Nullable Long offset() {
        return null;
    }

    @Override
    public void read(long from, FloatBuffer target) {
        if (from < 0 || from > elements() - target.remaining()) {
            throw new IndexOutOfBoundsException("Elements " + from + " to " + (from + target.remaining())
                    + " of tensor " + name() + " with " + elements() + " elements in " + file());
        }
        float[] values = of.toFloats();
        int columns = (int) of.shape()[1];
        int rows = values.length / columns;
        for (int i = (int) from; target.hasRemaining(); i++) {
            target.put(values[i % rows * columns + i / rows]);
        }
    }

    @Override
    public String toString() {
        return "transposed " + of;
    }
}
