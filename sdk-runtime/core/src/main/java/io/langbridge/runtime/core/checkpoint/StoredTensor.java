package io.langbridge.runtime.core.checkpoint;

import io.langbridge.UnsupportedModelException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A tensor in a file. Its bytes stay on disk until they are read; the shape and the element type are known at once.
 *
 * <p>Safe for use by several threads. Valid until the {@link Weights} it came from are closed; reading later throws
 * {@link IllegalStateException}.
 */
public interface StoredTensor {
    /** Name in the checkpoint, complete with all prefixes, as an error message should show it. */
    String name();

    /** Element type on disk. */
    DType dtype();

    /** Sizes of the dimensions, outermost first; empty for a scalar. The array is the caller's own. */
    long[] shape();

    /** Product of the dimensions. */
    default long elements() {
        long n = 1;
        for (long d : shape()) {
            n = Math.multiplyExact(n, d);
        }
        return n;
    }

    /**
     * Refuses whole numbers in place of weights: they are a quantised checkpoint, which would be read as nonsense.
     *
     * @throws UnsupportedModelException if the elements are no floating-point numbers
     */
    default void requireFloatingPoint() {
        if (!dtype().isFloatingPoint()) {
            throw new UnsupportedModelException("Tensor " + name() + " in " + file() + " is stored as " + dtype()
                    + "; weights must be floating-point numbers. Quantised checkpoints are not read; take the one it was"
                    + " made from.");
        }
    }

    /** The file the tensor lies in. */
    Path file();

    /**
     * Some of its rows, which are read when they are asked for.
     *
     * @param first index in the first dimension
     * @throws IllegalArgumentException if there are not so many
     */
    default StoredTensor rows(int first, int count) {
        return new RowsTensor(this, first, count);
    }

    /** All files that its values depend on. */
    default List<Path> files() {
        return List.of(file());
    }

    /**
     * Where the elements lie in {@link #file()} as one run of little-endian values in row order, so that an engine can
     * map them itself.
     *
     * @return byte offset, or null if they do not lie there like that (compressed, strided)
     */
    @Nullable
    Long offset();

    /**
     * Reads {@code target.remaining()} elements, widened or rounded to float32, in row order.
     *
     * @param from index of the first element, counted over the whole tensor
     * @throws IndexOutOfBoundsException if the range leaves the tensor
     */
    void read(long from, FloatBuffer target);

    /**
     * Makes sure that the file still holds what it held when it was opened, for who mapped it. A file that was moved to
     * its place is another one.
     *
     * @throws io.langbridge.CheckpointException if it was written to since
     */
    default void requireUnchanged() {}

    /**
     * Makes sure that the file that was opened still lies at {@link #file()}, for who reads it by its name.
     *
     * @throws io.langbridge.CheckpointException if it was written to, or another one was moved to its place
     */
    default void requireInPlace() {}

    /**
     * Reads the whole tensor as float32.
     *
     * @throws UnsupportedModelException if it has more elements than an array can hold
     */
    default float[] toFloats() {
        if (elements() > Integer.MAX_VALUE - 8) {
            throw new UnsupportedModelException("Tensor " + name() + " in " + file() + " has " + elements()
                    + " elements, more than are read at once.");
        }
        float[] all = new float[(int) elements()];
        read(0, FloatBuffer.wrap(all));
        return all;
    }
}
