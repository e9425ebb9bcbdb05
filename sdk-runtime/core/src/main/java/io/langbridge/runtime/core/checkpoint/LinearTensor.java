package io.langbridge.runtime.core.checkpoint;

import java.nio.FloatBuffer;

/**
 * A tensor whose values are those of another times a factor, plus a summand; in float32, computed when they are read.
 */
final class LinearTensor extends ComputedTensor {
    private final float factor;
    private final float summand;

    LinearTensor(StoredTensor of, float factor, float summand) {
        super(of);
        this.factor = factor;
        this.summand = summand;
    }

    @Override
    public void read(long from, FloatBuffer target) {
        int first = target.position();
        of.read(from, target);
        for (int i = first; i < target.position(); i++) {
            target.put(i, target.get(i) * factor + summand);
        }
    }

    @Override
    public String toString() {
        return factor + " times and " + summand + " more than " + of;
    }
}
