package io.langbridge.runtime.core.checkpoint;

import java.nio.FloatBuffer;

/** A matrix whose rows are the columns of another, which is read as a whole each time: it is small. */
final class TransposedTensor extends ComputedTensor {
    TransposedTensor(StoredTensor of) {
        super(of);
    }

    /** The same values, in another order. */
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
    public void read(long from, FloatBuffer target) {
        Shapes.requireInside(this, from, target.remaining());
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
