package io.langbridge.spi;

/**
 * Takes the rows of a picture while it is decoded, so that nobody needs memory for the whole picture. Used by one
 * thread.
 *
 * @since 0.1
 */
public interface RowSink {
    /**
     * Called once, before the first row.
     *
     * @param width of the rows to come, in pixels
     * @param height number of rows to come
     * @param orientation 1 to 8 as EXIF numbers them: how the rows must be turned to be upright
     */
    void begin(int width, int height, int orientation);

    /**
     * Called once for each row, in any order: an interlaced file does not have them from top to bottom.
     *
     * @param y row as stored, 0 to {@code height}, exclusive
     * @param rgb holds three bytes R, G, B per pixel; overwritten after the call
     * @param offset where in {@code rgb} the row starts
     */
    void row(int y, byte[] rgb, int offset);
}
