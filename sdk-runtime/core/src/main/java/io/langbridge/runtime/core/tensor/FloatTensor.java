package io.langbridge.runtime.core.tensor;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * float32 values in row order with a shape, in native memory so that an engine can read them without a copy. What
 * crosses the border to an engine once per picture or prompt is one of these. Not thread-safe while it is written to.
 */
public final class FloatTensor {
    private final ByteBuffer bytes;
    private final FloatBuffer data;
    private final int[] shape;

    private FloatTensor(ByteBuffer bytes, int[] shape) {
        this.bytes = bytes;
        this.data = bytes.asFloatBuffer();
        this.shape = shape;
    }

    /** All zeros. */
    public static FloatTensor allocate(int... shape) {
        int bytes = Math.multiplyExact(count(shape), Float.BYTES);
        return view(ByteBuffer.allocateDirect(bytes), shape);
    }

    /** A copy of {@code values}. */
    public static FloatTensor of(float[] values, int... shape) {
        FloatTensor tensor = allocate(shape);
        if (values.length != count(shape)) {
            throw new IllegalArgumentException(
                    values.length + " values do not fill the shape " + Arrays.toString(shape));
        }
        tensor.data().put(values);
        return tensor;
    }

    /**
     * A view of all of {@code bytes}.
     *
     * @param bytes a direct buffer with floats in native byte order
     */
    public static FloatTensor view(ByteBuffer bytes, int... shape) {
        if (!bytes.isDirect() || bytes.capacity() != Math.multiplyExact(count(shape), Float.BYTES)) {
            throw new IllegalArgumentException("A direct buffer of " + count(shape) + " floats is needed");
        }
        ByteBuffer whole = bytes.duplicate().order(ByteOrder.nativeOrder());
        ((Buffer) whole).clear();
        return new FloatTensor(whole, shape.clone());
    }

    /** The values as bytes in native order, which share the content. */
    public ByteBuffer bytes() {
        return bytes.duplicate().order(ByteOrder.nativeOrder());
    }

    /** The values; position 0, limit at the end. The content is shared, the position is the caller's own. */
    public FloatBuffer data() {
        return data.duplicate();
    }

    /** The sizes of the dimensions; the array is the caller's own. */
    public int[] shape() {
        return shape.clone();
    }

    /** Size of dimension {@code axis}; negative axes count from the end. */
    public int size(int axis) {
        return shape[axis < 0 ? shape.length + axis : axis];
    }

    /** Number of values. */
    public int count() {
        return data.limit();
    }

    /** The same values under another shape of the same count. */
    public FloatTensor reshape(int... newShape) {
        return view(bytes, newShape);
    }

    /** Entries {@code from} to {@code to} (exclusive) of the first dimension, sharing the values. */
    public FloatTensor rows(int from, int to) {
        int row = shape[0] == 0 ? 0 : count() / shape[0];
        int[] part = shape.clone();
        part[0] = to - from;
        ByteBuffer slice = bytes.duplicate();
        ((Buffer) slice).limit(to * row * Float.BYTES).position(from * row * Float.BYTES);
        return view(slice.slice(), part);
    }

    /** A copy of the values. */
    public float[] toArray() {
        float[] values = new float[count()];
        data().get(values);
        return values;
    }

    private static int count(int[] shape) {
        int n = 1;
        for (int d : shape) {
            n = Math.multiplyExact(n, d);
        }
        return n;
    }

    @Override
    public String toString() {
        return "FloatTensor" + Arrays.toString(shape);
    }
}
