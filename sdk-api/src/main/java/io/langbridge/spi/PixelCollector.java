package io.langbridge.spi;

import io.langbridge.ImageException;
import org.jspecify.annotations.Nullable;

/**
 * Keeps all rows and turns them upright: the whole picture in memory, three bytes per pixel. Used by one thread.
 *
 * @since 0.1
 */
public final class PixelCollector implements RowSink {
    private final String source;
    private int width;
    private int height;
    private int orientation;
    private byte @Nullable [] rgb;

    /**
     * An empty collector.
     *
     * @param source what to call the picture in errors, for example its path
     */
    public PixelCollector(String source) {
        this.source = source;
    }

    /**
     * Checks that the heap is large enough. It is reserved with the first row, which damaged files often do not have.
     *
     * @throws ImageException if the heap is too small; the message says how much is needed
     */
    @Override
    public void begin(int rowWidth, int rows, int turn) {
        width = rowWidth;
        height = rows;
        orientation = turn;
        ImageMemory.check(3L * width * height, source);
    }

    @Override
    public void row(int y, byte[] row, int offset) {
        byte[] target = rgb == null ? reserved() : rgb;
        // Where pixel x = 0 goes, and how far apart its neighbours are.
        int at;
        int step;
        switch (orientation) {
            case 2 -> {
                at = y * width + width - 1;
                step = -1;
            }
            case 3 -> {
                at = (height - 1 - y) * width + width - 1;
                step = -1;
            }
            case 4 -> {
                at = (height - 1 - y) * width;
                step = 1;
            }
            case 5 -> {
                at = y;
                step = height;
            }
            case 6 -> {
                at = height - 1 - y;
                step = height;
            }
            case 7 -> {
                at = (width - 1) * height + height - 1 - y;
                step = -height;
            }
            case 8 -> {
                at = (width - 1) * height + y;
                step = -height;
            }
            default -> {
                System.arraycopy(row, offset, target, 3 * y * width, 3 * width);
                return;
            }
        }
        int from = offset;
        for (int x = 0; x < width; x++) {
            target[3 * at] = row[from];
            target[3 * at + 1] = row[from + 1];
            target[3 * at + 2] = row[from + 2];
            at += step;
            from += 3;
        }
    }

    /**
     * Ends collecting.
     *
     * @return the upright picture
     * @throws IllegalStateException if there were no rows
     */
    public RgbPixels pixels() {
        byte[] all = rgb;
        if (all == null) {
            throw new IllegalStateException("There were no rows");
        }
        rgb = null;
        return orientation >= 5 ? RgbPixels.wrap(height, width, all) : RgbPixels.wrap(width, height, all);
    }

    private byte[] reserved() {
        byte[] reserved = ImageMemory.allocate(3L * width * height, source);
        rgb = reserved;
        return reserved;
    }
}
