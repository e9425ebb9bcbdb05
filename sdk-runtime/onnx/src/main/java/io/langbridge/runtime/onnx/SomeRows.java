package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Some rows of a stored tensor, that is of its first dimension. */
record SomeRows(StoredTensor all, int first, int count) implements StoredTensor {
    SomeRows {
        if (first < 0 || count < 1 || first + count > all.shape()[0]) {
            throw new IllegalArgumentException(all.name() + " has no rows " + first + " to " + (first + count - 1));
        }
    }

    private long size() {
        return all.elements() / all.shape()[0];
    }

    @Override
    public String name() {
        return all.name() + "[" + first + ":" + (first + count) + "]";
    }

    @Override
    public DType dtype() {
        return all.dtype();
    }

    @Override
    public long[] shape() {
        long[] shape = all.shape();
        shape[0] = count;
        return shape;
    }

    @Override
    public Path file() {
        return all.file();
    }

    @Override
    public @Nullable Long offset() {
        Long offset = all.offset();
        return offset == null
                ? null
                : (Long) (offset + first * size() * all.dtype().bytes());
    }

    @Override
    public void read(long from, FloatBuffer target) {
        if (from < 0 || from + target.remaining() > elements()) {
            throw new IndexOutOfBoundsException(name() + " has no " + target.remaining() + " elements from " + from);
        }
        all.read(first * size() + from, target);
    }

    @Override
    public void requireUnchanged() {
        all.requireUnchanged();
    }

    @Override
    public void requireInPlace() {
        all.requireInPlace();
    }
}
