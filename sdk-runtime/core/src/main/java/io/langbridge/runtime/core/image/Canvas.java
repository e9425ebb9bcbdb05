package io.langbridge.runtime.core.image;

import io.langbridge.spi.RgbPixels;
import java.util.Arrays;

/**
 * A picture on a plain background of any size, without the memory for it: a panorama of 30,000 x 1,000 padded to a
 * square would take 2.7 GB. Immutable.
 */
final class Canvas {
    private final RgbPixels picture;
    private final int width;
    private final int height;
    private final int left;
    private final int top;
    private final byte[] background;

    /**
     * @param width of the canvas
     * @param height of the canvas
     * @param left column of the canvas where the picture starts; what lies outside the canvas is cut off
     * @param top row of the canvas where the picture starts
     * @param background R, G, B
     */
    Canvas(RgbPixels picture, int width, int height, int left, int top, byte[] background) {
        this.picture = picture;
        this.width = width;
        this.height = height;
        this.left = left;
        this.top = top;
        this.background = background;
    }

    /** The picture alone. */
    static Canvas of(RgbPixels picture) {
        return new Canvas(picture, picture.width(), picture.height(), 0, 0, new byte[3]);
    }

    int width() {
        return width;
    }

    int height() {
        return height;
    }

    RgbPixels picture() {
        return picture;
    }

    int left() {
        return left;
    }

    int top() {
        return top;
    }

    byte[] background() {
        return background;
    }

    /** Copies one whole row. */
    void copyRow(int y, byte[] target, int offset) {
        int from = Math.max(0, left);
        int to = Math.min(width, left + picture.width());
        if (y < top || y >= top + picture.height() || from >= to) {
            fill(target, offset, width);
            return;
        }
        fill(target, offset, from);
        picture.copyRow(y - top, from - left, to - from, target, offset + 3 * from);
        fill(target, offset + 3 * to, width - to);
    }

    /** Makes the canvas a picture of its own. */
    RgbPixels toPixels() {
        byte[] rgb = new byte[Math.multiplyExact(Math.multiplyExact(width, height), 3)];
        for (int y = 0; y < height; y++) {
            copyRow(y, rgb, 3 * y * width);
        }
        return RgbPixels.wrap(width, height, rgb);
    }

    private void fill(byte[] target, int offset, int pixels) {
        if (background[0] == background[1] && background[1] == background[2]) {
            Arrays.fill(target, offset, offset + 3 * pixels, background[0]);
            return;
        }
        for (int i = offset; i < offset + 3 * pixels; i += 3) {
            target[i] = background[0];
            target[i + 1] = background[1];
            target[i + 2] = background[2];
        }
    }
}
