package io.langbridge.runtime.core.checkpoint;

import java.nio.FloatBuffer;

/** A tensor whose rows come in another order, the same in every run of as many. */
final class ReorderedTensor extends ComputedTensor {
    private final int[] order;

    /** @param order where each row of a run is in {@code of} */
    ReorderedTensor(StoredTensor of, int... order) {
        super(of);
        this.order = order.clone();
    }

    /** The same values, in another order. */
    @Override
    public DType dtype() {
        return of.dtype();
    }

    @Override
    public void read(long from, FloatBuffer target) {
        Shapes.requireInside(this, from, target.remaining());
        long[] shape = of.shape();
        long width = shape.length == 0 ? 1 : elements() / Math.max(1, shape[0]);
        float[] values = new float[(int) Math.min(width, target.remaining())];
        long at = from;
        while (target.hasRemaining()) {
            long row = at / width;
            long column = at % width;
            int run = (int) (row % order.length);
            int count = (int) Math.min(width - column, target.remaining());
            of.read((row - run + order[run]) * width + column, FloatBuffer.wrap(values, 0, count));
            target.put(values, 0, count);
            at += count;
        }
    }

    @Override
    public String toString() {
        return "reordered " + of;
    }
}
