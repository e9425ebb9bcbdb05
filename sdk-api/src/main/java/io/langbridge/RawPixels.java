package io.langbridge;

import io.langbridge.spi.Ground;
import io.langbridge.spi.ImageMemory;
import io.langbridge.spi.RowSink;
import org.jspecify.annotations.Nullable;

/**
 * Pixels that the application decoded itself. Immutable.
 *
 * @param rgb three bytes per pixel
 * @param alpha one byte per pixel, or null if all are opaque
 */
record RawPixels(int width, int height, byte[] rgb, byte @Nullable [] alpha) {
    static RawPixels of(int[] argb, int width, int height) {
        byte[] rgb = ImageMemory.allocate(3L * argb.length, "The raw picture");
        int opaque = 0xFF;
        int at = 0;
        for (int pixel : argb) {
            rgb[at++] = (byte) (pixel >> 16);
            rgb[at++] = (byte) (pixel >> 8);
            rgb[at++] = (byte) pixel;
            opaque &= pixel >>> 24;
        }
        if (opaque == 0xFF) {
            return new RawPixels(width, height, rgb, null);
        }
        byte[] alpha = ImageMemory.allocate(argb.length, "The raw picture");
        for (int i = 0; i < argb.length; i++) {
            alpha[i] = (byte) (argb[i] >>> 24);
        }
        return new RawPixels(width, height, rgb, alpha);
    }

    void rows(@Nullable Integer ground, RowSink sink) {
        sink.begin(width, height, 1);
        if (ground == null || alpha == null) {
            for (int y = 0; y < height; y++) {
                sink.row(y, rgb, 3 * y * width);
            }
            return;
        }
        byte[] row = new byte[3 * width];
        for (int y = 0; y < height; y++) {
            System.arraycopy(rgb, 3 * y * width, row, 0, row.length);
            Ground.blend(row, alpha, y * width, width, ground);
            sink.row(y, row, 0);
        }
    }
}
