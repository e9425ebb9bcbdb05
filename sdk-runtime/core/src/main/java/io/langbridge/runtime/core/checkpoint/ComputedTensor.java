package io.langbridge.runtime.core.checkpoint;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A tensor that does not lie in the file like that: its values are computed from another's when they are read. */
abstract class ComputedTensor implements StoredTensor {
    final StoredTensor of;

    ComputedTensor(StoredTensor of) {
        this.of = of;
    }

    @Override
    public String name() {
        return of.name();
    }

    /** Computed in float32; as stored where those are no numbers with a point, so that they are refused as such. */
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

    @Override
    public List<Path> files() {
        return of.files();
    }

    @Override
    public void requireUnchanged() {
        of.requireUnchanged();
    }

    @Override
    public void requireInPlace() {
        of.requireInPlace();
    }

    @Override
    public final @Nullable Long offset() {
        return null;
    }
}
