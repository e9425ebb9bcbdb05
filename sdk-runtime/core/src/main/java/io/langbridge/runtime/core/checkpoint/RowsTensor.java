package io.langbridge.runtime.core.checkpoint;

import java.nio.FloatBuffer;

/** Some rows of a tensor. */
final class RowsTensor extends ComputedTensor {
    private final int first;
    private final int count;

    RowsTensor(StoredTensor of, int first, int count) {
        super(of);
        if (first < 0 || count < 1 || first + count > of.shape()[0]) {
            throw new IllegalArgumentException(of.name() + " has no rows " + first + " to " + (first + count - 1));
        }
        this.first = first;
        this.count = count;
    }

    @Override
    public String name() {
        return of.name() + "[" + first + ":" + (first + count) + "]";
    }

    @Override
    public DType dtype() {
        return of.dtype();
    }

    @Override
    public long[] shape() {
        long[] shape = of.shape().clone();
        shape[0] = count;
        return shape;
    }

    @Override
    public void read(long from, FloatBuffer target) {
        Shapes.requireInside(this, from, target.remaining());
        long width = of.elements() / of.shape()[0];
        of.read(first * width + from, target);
    }

    @Override
    public String toString() {
        return count + " rows from " + first + " of " + of;
    }
}
