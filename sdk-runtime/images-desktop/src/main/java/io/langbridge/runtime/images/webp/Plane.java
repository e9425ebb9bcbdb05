package io.langbridge.runtime.images.webp;

import java.util.Arrays;

/**
 * One row of macroblocks of luma or chroma. Prediction looks at samples that are not filtered yet, the picture is made
 * of filtered ones, so both are kept: what is under construction, and what the filter works on, which reaches into the
 * row above.
 */
final class Plane {
    /** Columns to the left and to the right of the picture that predictions look at. */
    static final int MARGIN = 4;
    /**
     * Filtered rows kept from above: the filter looks at 4 and changes 3 of them, and chroma is smoothed over 2 more.
     */
    static final int KEPT = 8;

    private static final byte ABOVE_PICTURE = 127;
    private static final byte LEFT_OF_PICTURE = (byte) 129;

    /** Of a macroblock: 16 or 8. */
    final int side;

    final int stride;
    /** Row 0 is the last one of the macroblocks above. */
    final byte[] unfiltered;
    /** Row {@link #KEPT} is the first one of these macroblocks. */
    final byte[] filtered;

    Plane(int side, int macroblocks) {
        this.side = side;
        this.stride = MARGIN + side * macroblocks + MARGIN;
        this.unfiltered = new byte[(side + 1) * stride];
        this.filtered = new byte[(KEPT + side) * stride];
        Arrays.fill(unfiltered, 0, stride, ABOVE_PICTURE);
        for (int row = 1; row <= side; row++) {
            unfiltered[row * stride + MARGIN - 1] = LEFT_OF_PICTURE;
        }
    }

    /** Where a macroblock begins in {@link #unfiltered}. */
    int at(int macroblock) {
        return stride + MARGIN + macroblock * side;
    }

    /** Where a macroblock begins in {@link #filtered}. */
    int filteredAt(int macroblock) {
        return KEPT * stride + MARGIN + macroblock * side;
    }

    /** Gives the finished row to the filter, and makes room for the next one. */
    void advance() {
        System.arraycopy(filtered, side * stride, filtered, 0, KEPT * stride);
        System.arraycopy(unfiltered, stride, filtered, KEPT * stride, side * stride);
        System.arraycopy(unfiltered, side * stride, unfiltered, 0, stride);
        Arrays.fill(unfiltered, stride - MARGIN, stride, unfiltered[stride - MARGIN - 1]);
    }
}
