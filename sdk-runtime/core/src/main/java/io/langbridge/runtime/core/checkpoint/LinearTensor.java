package io.langbridge.runtime.core.checkpoint;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A tensor whose values are those of another times a factor, plus a summand; in float32, computed when they are read.
 */
final class LinearTensor implements StoredTensor {
    private final StoredTensor of;
    private final float factor;
    private final float summand;

    LinearTensor(StoredTensor of, float factor, float summand) {
        this.of = of;
        this.factor = factor;
        this.summand = summand;
    }

    @Override
    public String name() {
        return of.name();
    }

    /** As stored where those are no numbers with a point, so that they are refused as such. */
    @Override
    public DType dtype() {
        return of.dtype().isFloatingPoint() ? DType.F32 : of.dtype();
    }

    @Override
    public long[] shape() {
        return of.shape();
    }

    @Override
    public Path file() {
        return of.file();
    }

    /** Null: the values do not lie in the file. */
    @Override
    public @Nullable Long offset() {
        return null;
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
