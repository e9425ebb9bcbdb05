package io.langbridge.runtime.core.checkpoint;

import io.langbridge.UnsupportedModelException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A tensor whose storage lies uncompressed in a file. The opener has checked that it lies inside. */
final class FileTensor implements StoredTensor {
    private final String name;
    private final OpenFile file;
    private final DType dtype;
    private final long[] shape;
    private final long elements;
    private final long start;
    /** Per dimension in elements, or null if the elements lie in row order without gaps. */
    private final long @Nullable [] strides;
    /** Whether the values are those of the file with the other sign. */
    private final boolean negative;

    /** Values of a strided tensor's storage in file order, from its first to its last element; read once. */
    private float @Nullable [] span;

    FileTensor(String name, OpenFile file, DType dtype, long[] shape, long start) {
        this(name, file, dtype, shape, start, contiguous(shape), false);
    }

    FileTensor(String name, OpenFile file, DType dtype, long[] shape, long start, long[] strides, boolean negative) {
        this.name = name;
        this.file = file;
        this.dtype = dtype;
        this.shape = shape.clone();
        this.elements = Shapes.elements(shape);
        this.start = start;
        this.strides = isContiguous(shape, strides) ? null : strides.clone();
        this.negative = negative;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public DType dtype() {
        return dtype;
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    @Override
    public long elements() {
        return elements;
    }

    @Override
    public Path file() {
        return file.path();
    }

    @Override
    public @Nullable Long offset() {
        return strides == null && !negative ? start : null;
    }

    @Override
    public void read(long from, FloatBuffer target) {
        int count = target.remaining();
        Shapes.requireInside(this, from, count);
        int first = target.position();
        long[] steps = strides;
        if (steps == null) {
            readRun(start + from * dtype.bytes(), target);
        } else {
            gather(from, target, steps);
        }
        for (int i = first; negative && i < target.position(); i++) {
            target.put(i, -target.get(i));
        }
    }

    @Override
    public void requireUnchanged() {
        file.requireUnchanged();
    }

    @Override
    public void requireInPlace() {
        file.requireInPlace();
    }

    private void readRun(long position, FloatBuffer target) {
        OpenFile.Chunk chunk = file.takeChunk();
        ByteBuffer buffer = ByteBuffer.wrap(chunk.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        int left = target.remaining();
        long at = position;
        do {
            int count = Math.min(left, chunk.floats().length);
            int length = count * dtype.bytes();
            file.read(at, chunk.bytes(), length);
            ((Buffer) buffer).limit(length).position(0); // Android 8 lacks the overrides of Java 9
            if (target.hasArray()) {
                Widening.toFloat(dtype, buffer, target.array(), target.arrayOffset() + target.position());
                ((Buffer) target).position(target.position() + count);
            } else {
                Widening.toFloat(dtype, buffer, chunk.floats(), 0);
                target.put(chunk.floats(), 0, count);
            }
            at += length;
            left -= count;
        } while (left > 0);
        file.giveBack(chunk);
    }

    private void gather(long from, FloatBuffer target, long[] steps) {
        float[] values = readSpan(steps);
        // The index of element `from`, then counted up like an odometer.
        long[] index = new long[shape.length];
        long rest = from;
        for (int d = shape.length - 1; d >= 0 && elements > 0; d--) {
            index[d] = rest % shape[d];
            rest /= shape[d];
        }
        while (target.hasRemaining()) {
            long at = 0;
            for (int d = 0; d < shape.length; d++) {
                at += index[d] * steps[d];
            }
            target.put(values[(int) at]);
            for (int d = shape.length - 1; d >= 0; d--) {
                if (++index[d] < shape[d]) {
                    break;
                }
                index[d] = 0;
            }
        }
    }

    private synchronized float[] readSpan(long[] steps) {
        file.read(start, new byte[0], 0); // throws if closed, also when the values are already here
        if (span == null) {
            long length = Shapes.span(shape, steps);
            if (length > Integer.MAX_VALUE - 8) {
                throw new UnsupportedModelException("Tensor " + name + " in " + file.path() + " is a strided view over "
                        + length + " elements; save it with .contiguous().");
            }
            float[] values = new float[(int) length];
            readRun(start, FloatBuffer.wrap(values));
            span = values;
        }
        return span;
    }

    private static long[] contiguous(long[] shape) {
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int d = shape.length - 1; d >= 0; d--) {
            strides[d] = stride;
            stride *= shape[d];
        }
        return strides;
    }

    private static boolean isContiguous(long[] shape, long[] strides) {
        long[] expected = contiguous(shape);
        if (Shapes.elements(shape) == 0) {
            return true;
        }
        for (int d = 0; d < shape.length; d++) {
            if (shape[d] != 1 && strides[d] != expected[d]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return name + " " + dtype + Arrays.toString(shape) + " in " + file.path();
    }
}
