package io.langbridge.runtime.core.checkpoint;

import java.nio.FloatBuffer;

/**
 * A convolution's kernel over several frames, {@code [out, channels, frames, height, width]}, for one that is shown in
 * all of them: the sum over the frames, as a matrix {@code [out, channels * height * width]}. Added up when it is read.
 */
final class SummedTensor extends ComputedTensor {
    private final long rows;
    private final long columns;
    private final int frames;
    /** Values of one frame of one channel, which follow each other. */
    private final int frame;

    SummedTensor(StoredTensor kernel) {
        super(kernel);
        long[] shape = kernel.shape();
        rows = shape[0];
        frames = shape.length == 5 ? Math.toIntExact(shape[2]) : 1;
        frame = Math.toIntExact(shape[shape.length - 2] * shape[shape.length - 1]);
        columns = shape[1] * frame;
    }

    @Override
    public long[] shape() {
        return new long[] {rows, columns};
    }

    @Override
    public void read(long from, FloatBuffer target) {
        Shapes.requireInside(this, from, target.remaining());
        float[] all = new float[frames * frame];
        long at = from;
        while (target.hasRemaining()) {
            FloatBuffer channel = FloatBuffer.wrap(all);
            of.read(at / frame * all.length, channel);
            for (int i = (int) (at % frame); i < frame && target.hasRemaining(); i++) {
                float sum = all[i];
                for (int next = i + frame; next < all.length; next += frame) {
                    sum += all[next];
                }
                target.put(sum);
                at++;
            }
        }
    }

    @Override
    public String toString() {
        return "the sum of the frames of " + of;
    }
}
