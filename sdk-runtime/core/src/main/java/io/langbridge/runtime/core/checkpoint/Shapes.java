package io.langbridge.runtime.core.checkpoint;

import java.util.Arrays;

/** Arithmetic on shapes that come from a file and may be absurd. */
final class Shapes {
    /** As many as torch has. */
    private static final int MAX_DIMENSIONS = 64;

    private Shapes() {}

    /** For messages; long ones cut. */
    static String text(long[] shape) {
        return shape.length <= MAX_DIMENSIONS ? Arrays.toString(shape) : "one of " + shape.length + " dimensions";
    }

    /**
     * Product of the dimensions.
     *
     * @throws ArithmeticException if it, or the product of the dimensions that are not 0, does not fit in a long
     */
    static long elements(long[] shape) {
        if (shape.length > MAX_DIMENSIONS) {
            throw new ArithmeticException(shape.length + " dimensions");
        }
        long n = 1;
        boolean empty = false;
        for (long d : shape) {
            if (d < 0) {
                throw new ArithmeticException("negative dimension in " + Arrays.toString(shape));
            }
            empty |= d == 0;
            n = Math.multiplyExact(n, d == 0 ? 1 : d);
        }
        return empty ? 0 : n;
    }

    /**
     * Elements of storage from the first to the last one that a view touches.
     *
     * @throws ArithmeticException if it does not fit in a long or a stride is negative
     */
    static long span(long[] shape, long[] strides) {
        if (elements(shape) == 0) {
            return 0;
        }
        long last = 0;
        for (int d = 0; d < shape.length; d++) {
            if (strides[d] < 0) {
                throw new ArithmeticException("negative stride in " + Arrays.toString(strides));
            }
            last = Math.addExact(last, Math.multiplyExact(shape[d] - 1, strides[d]));
        }
        return last + 1;
    }

    /**
     * Makes sure that so many elements from {@code from} on are a tensor's.
     *
     * @throws IndexOutOfBoundsException if not
     */
    static void requireInside(StoredTensor tensor, long from, int count) {
        if (from < 0 || from > tensor.elements() - count) {
            throw new IndexOutOfBoundsException("Elements " + from + " to " + (from + count) + " of tensor "
                    + tensor.name() + " with " + tensor.elements() + " elements in " + tensor.file());
        }
    }
}
