package io.langbridge.runtime.core.checkpoint;

import java.nio.FloatBuffer;

/**
 * A matrix whose rows are the columns of another, or many small ones, one behind the other. As much of them as is asked
 * for is read as a whole each time: they are small.
 */
final class TransposedTensor extends ComputedTensor {
    private final int rows;
    private final int columns;
    private final long[] shape;

    /**
     * Many matrices.
     *
     * @param rows of each in {@code of}
     * @param columns of each in {@code of}
     * @param shape of the result
     */
    TransposedTensor(StoredTensor of, int rows, int columns, long... shape) {
        super(of);
        this.rows = rows;
        this.columns = columns;
        this.shape = shape.clone();
    }

    /** One matrix. */
    static TransposedTensor of(StoredTensor matrix) {
        long[] shape = matrix.shape();
        return new TransposedTensor(matrix, Math.toIntExact(shape[0]), Math.toIntExact(shape[1]), shape[1], shape[0]);
    }

    /** The same values, in another order. */
    @Override
    public DType dtype() {
        return of.dtype();
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    @Override
    public void read(long from, FloatBuffer target) {
        Shapes.requireInside(this, from, target.remaining());
        int size = rows * columns;
        long at = from;
        float[] matrix = new float[target.hasRemaining() ? size : 0];
        while (target.hasRemaining()) {
            of.read(at / size * size, FloatBuffer.wrap(matrix));
            for (int i = (int) (at % size); i < size && target.hasRemaining(); i++) {
                target.put(matrix[i % rows * columns + i / rows]);
                at++;
            }
        }
    }

    @Override
    public String toString() {
        return "transposed " + of;
    }
}
