package io.langbridge.runtime.core.checkpoint;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A matrix that is stored divided by a number for each of its blocks, which it is multiplied with when it is read. */
final class ScaledTensor extends ComputedTensor {
    private final StoredTensor scale;
    private final long columns;
    private final long blockRows;
    private final long blockColumns;
    /** Read when the first value is. */
    private volatile float @Nullable [] scales;

    /**
     * @param scale {@code [rows / blockRows, columns / blockColumns]}, rounded up
     * @param blockRows of a block, of which the last ones may be smaller
     */
    ScaledTensor(StoredTensor of, StoredTensor scale, long blockRows, long blockColumns) {
        super(of);
        this.scale = scale;
        this.blockRows = blockRows;
        this.blockColumns = blockColumns;
        long[] shape = of.shape();
        columns = shape[shape.length - 1];
    }

    @Override
    public void read(long from, FloatBuffer target) {
        int first = target.position();
        of.read(from, target);
        float[] factors = scales();
        long across = (columns + blockColumns - 1) / blockColumns;
        for (int i = first; i < target.position(); i++) {
            long at = from + i - first;
            long block = at / columns / blockRows * across + at % columns / blockColumns;
            target.put(i, target.get(i) * factors[(int) block]);
        }
    }

    private float[] scales() {
        if (scales == null) {
            scales = scale.toFloats();
        }
        return Objects.requireNonNull(scales);
    }

    @Override
    public List<Path> files() {
        List<Path> files = new ArrayList<>(super.files());
        files.addAll(scale.files());
        return files;
    }

    @Override
    public void requireUnchanged() {
        super.requireUnchanged();
        scale.requireUnchanged(); // it may lie in another file
    }

    @Override
    public void requireInPlace() {
        super.requireInPlace();
        scale.requireInPlace();
    }

    @Override
    public String toString() {
        return of + " times " + scale + " by blocks of " + blockRows + " x " + blockColumns;
    }
}
