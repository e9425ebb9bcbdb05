package io.langbridge.runtime.core.image;

import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.spi.RgbPixels;
import java.nio.FloatBuffer;

/**
 * How a view is cut for an encoder that reads patches, not pixels: block by block, row by row, and in a block patch by
 * patch, row by row. Immutable.
 *
 * @param size of a patch in pixels
 * @param together patches along the side of a block
 * @param channelsLast whether a patch's values come pixel by pixel, and not channel by channel
 */
public record Patches(int size, int together, boolean channelsLast) {
    /** Channel by channel. */
    public Patches(int size, int together) {
        this(size, together, false);
    }

    /** The row of each patch in the grid, in their order. */
    public int[] rows(int rows, int columns) {
        return places(rows, columns, true);
    }

    /** The column of each patch in the grid, in their order. */
    public int[] columns(int rows, int columns) {
        return places(rows, columns, false);
    }

    private int[] places(int rows, int columns, boolean ofRows) {
        int[] places = new int[rows * columns];
        int at = 0;
        for (int top = 0; top < rows; top += together) {
            for (int left = 0; left < columns; left += together) {
                for (int i = 0; i < together * together; i++) {
                    places[at++] = ofRows ? top + i / together : left + i % together;
                }
            }
        }
        return places;
    }

    /**
     * The values of a view, of each patch row by row.
     *
     * @return {@code [1, patches, 3 * size * size]}
     */
    FloatTensor values(RgbPixels view, Normaliser normaliser) {
        int rows = view.height() / size;
        int columns = view.width() / size;
        int[] row = rows(rows, columns);
        int[] column = columns(rows, columns);
        FloatTensor patches = FloatTensor.allocate(1, rows * columns, 3 * size * size);
        FloatBuffer target = patches.data();
        byte[] line = new byte[3 * size];
        float[] values = new float[3 * size * size];
        for (int patch = 0; patch < row.length; patch++) {
            for (int y = 0; y < size; y++) {
                view.copyRow(row[patch] * size + y, column[patch] * size, size, line, 0);
                for (int channel = 0; channel < 3; channel++) {
                    float[] table = normaliser.table(channel);
                    for (int x = 0; x < size; x++) {
                        int at = channelsLast ? (y * size + x) * 3 + channel : (channel * size + y) * size + x;
                        values[at] = table[line[3 * x + channel] & 0xff];
                    }
                }
            }
            target.put(values);
        }
        return patches;
    }
}
