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
    private final FloatBuffer data;
    private final int[] shape;

    private FloatTensor(FloatBuffer data, int[] shape) {
        this.data = data;
        this.shape = shape;
    }

    /** All zeros. */
    public static FloatTensor allocate(int... shape) {
        int bytes = Math.multiplyExact(count(shape), Float.BYTES);
        return new FloatTensor(
                ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer(), shape.clone());
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
     * A view of {@code data} from its start to its limit.
     *
     * @param data a direct buffer in native byte order
     */
    public static FloatTensor view(FloatBuffer data, int... shape) {
        if (!data.isDirect() || data.order() != ByteOrder.nativeOrder() || data.limit() != count(shape)) {
            throw new IllegalArgumentException(
                    "A direct, native-order buffer of " + count(shape) + " floats is needed");
        }
        FloatBuffer whole = data.duplicate();
        ((Buffer) whole).position(0);
        return new FloatTensor(whole, shape.clone());
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
        return view(data, newShape);
    }

    /** Entries {@code from} to {@code to} (exclusive) of the first dimension, sharing the values. */
    public FloatTensor rows(int from, int to) {
        int row = shape[0] == 0 ? 0 : count() / shape[0];
        int[] part = shape.clone();
        part[0] = to - from;
        FloatBuffer slice = data.duplicate();
        ((Buffer) slice).limit(to * row).position(from * row);
        return new FloatTensor(slice.slice(), part);
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
