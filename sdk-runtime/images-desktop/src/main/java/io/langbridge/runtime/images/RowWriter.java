package io.langbridge.runtime.images;

import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import io.langbridge.spi.Ground;
import io.langbridge.spi.RowSink;
import java.util.OptionalInt;

/**
 * What a reader writes its rows to: checks limits, lays them on the ground, and ends when the thread is interrupted.
 */
final class RowWriter {
    private final String source;
    private final ImageLimits limits;
    private final OptionalInt ground;
    private final RowSink sink;
    private int width;

    RowWriter(String source, ImageLimits limits, OptionalInt ground, RowSink sink) {
        this.source = source;
        this.limits = limits;
        this.ground = ground;
        this.sink = sink;
    }

    String source() {
        return source;
    }

    ImageLimits limits() {
        return limits;
    }

    /** False if alpha is dropped, so that readers need not look for it. */
    boolean wantsAlpha() {
        return ground.isPresent();
    }

    /**
     * Before the first row, and before memory is reserved.
     *
     * @param orientation 1 to 8
     */
    void begin(int rowWidth, int rows, int orientation) {
        limits.checkPixels(rowWidth, rows, source);
        width = rowWidth;
        sink.begin(rowWidth, rows, orientation);
    }

    void row(int y, byte[] rgb, int offset) {
        checkInterrupted();
        sink.row(y, rgb, offset);
    }

    /**
     * A row that may be transparent.
     *
     * @param rgb changed
     * @param alpha not read if {@link #wantsAlpha()} is false
     */
    void row(int y, byte[] rgb, byte[] alpha) {
        if (ground.isPresent()) {
            Ground.blend(rgb, alpha, 0, width, ground.getAsInt());
        }
        row(y, rgb, 0);
    }

    void checkInterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new ImageException(
                    source + " was not decoded to its end, because the thread was interrupted; ask again",
                    new InterruptedException());
        }
    }
}
