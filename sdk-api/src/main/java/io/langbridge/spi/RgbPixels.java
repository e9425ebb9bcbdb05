package io.langbridge.spi;

/**
 * A decoded picture: three bytes R, G, B per pixel, row after row from the top, without padding. Colours are the stored
 * ones: no alpha, no colour profile, no gamma. Immutable and safe for use by several threads.
 *
 * @since 0.1
 */
public final class RgbPixels {
    private final int width;
    private final int height;
    private final byte[] rgb;

    private RgbPixels(int width, int height, byte[] rgb) {
        this.width = width;
        this.height = height;
        this.rgb = rgb;
    }

    /**
     * Takes over decoded pixels.
     *
     * @param width in pixels, at least 1
     * @param height in pixels, at least 1
     * @param rgb {@code width * height * 3} bytes; not copied, so the caller must not change it any more
     * @return the pixels
     * @throws IllegalArgumentException if the sizes do not fit together
     */
    public static RgbPixels wrap(int width, int height, byte[] rgb) {
        if (width <= 0 || height <= 0 || 3L * width * height != rgb.length) {
            throw new IllegalArgumentException(
                    rgb.length + " bytes are not three for each of " + width + " x " + height + " pixels");
        }
        return new RgbPixels(width, height, rgb);
    }

    /** {@return width in pixels} */
    public int width() {
        return width;
    }

    /** {@return height in pixels} */
    public int height() {
        return height;
    }

    /**
     * Copies a part of one row.
     *
     * @param y row, 0 at the top
     * @param x first column, 0 at the left
     * @param count number of pixels
     * @param target gets {@code 3 * count} bytes
     * @param offset where in {@code target} they start
     * @throws IndexOutOfBoundsException if the row does not have these pixels or {@code target} no room
     */
    public void copyRow(int y, int x, int count, byte[] target, int offset) {
        if (y < 0 || y >= height || x < 0 || count < 0 || x > width - count) {
            throw new IndexOutOfBoundsException("Columns " + x + " to " + ((long) x + count) + " of row " + y
                    + " in a picture of " + width + " x " + height);
        }
        System.arraycopy(rgb, (y * width + x) * 3, target, offset, count * 3);
    }

    /** {@return a copy of all bytes, {@code [height, width, 3]}} */
    public byte[] toByteArray() {
        return rgb.clone();
    }

    @Override
    public String toString() {
        return "RgbPixels[" + width + " x " + height + "]";
    }
}
