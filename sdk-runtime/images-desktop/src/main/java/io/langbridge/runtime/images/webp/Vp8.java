package io.langbridge.runtime.images.webp;

import java.io.IOException;
import java.util.Arrays;

/** A lossy picture: one key frame of VP8. Memory is that of about two rows of macroblocks. */
final class Vp8 {
    private static final int BLOCKS = 24;
    private static final int SUMS = 16 * BLOCKS;
    /** Blocks of each kind along an edge of a macroblock: Y, U, V, and the sums of Y. */
    private static final int[] EDGE = {0, 4, 6, 8};

    private static final int EDGES = 9;
    private static final int[] BAND = {0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7};
    private static final int[] ZIGZAG = {0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15};
    private static final int NODES = 11;
    private static final int CONTEXTS = 3 * NODES;
    private static final int BANDS = 8 * CONTEXTS;
    private static final int LUMA_AFTER_SUMS = 0;
    private static final int LUMA_SUMS = BANDS;
    private static final int CHROMA = 2 * BANDS;
    private static final int LUMA = 3 * BANDS;
    private static final int[][] EXTRA_BITS = {
        {173, 148, 140},
        {176, 155, 140, 135},
        {180, 157, 141, 134, 130},
        {254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129}
    };

    private final Vp8Header header;
    private final int[] tokens;
    private final int columns;
    private final int rows;
    private final Plane[] planes;
    private final Prediction prediction = new Prediction();
    private final Residual residual = new Residual();
    private final LoopFilter filter;

    private final short[] coefficients = new short[SUMS + 16];
    /** Behind the last coefficient of each block. */
    private final int[] coded = new int[BLOCKS];

    private final int[] subblockModes = new int[16];
    private final byte[] modesAbove;
    private final byte[] modesLeft = new byte[4];
    private final byte[] codedAbove;
    private final byte[] codedLeft = new byte[EDGES];
    private final int[] levels;
    private final boolean[] inner;

    Vp8(Vp8Header header) {
        this.header = header;
        tokens = header.tokens;
        columns = header.width + 15 >> 4;
        rows = header.height + 15 >> 4;
        planes = new Plane[] {new Plane(16, columns), new Plane(8, columns), new Plane(8, columns)};
        filter = new LoopFilter(header.simpleFilter, header.sharpness);
        modesAbove = new byte[4 * columns];
        codedAbove = new byte[EDGES * columns];
        levels = new int[columns];
        inner = new boolean[columns];
    }

    void decode(WebP.Rows sink) throws IOException {
        int[] argb = new int[header.width];
        for (int y = 0; y < rows; y++) {
            BoolDecoder partition = header.partitions[y % header.partitions.length];
            Arrays.fill(modesLeft, (byte) 0);
            Arrays.fill(codedLeft, (byte) 0);
            for (int x = 0; x < columns; x++) {
                macroblock(partition, x, y);
            }
            if (header.modes.exhausted() || partition.exhausted()) {
                throw new IOException("the VP8 data ends in row " + 16 * y + " of " + header.height);
            }
            for (Plane plane : planes) {
                plane.advance();
            }
            for (int x = 0; x < columns; x++) {
                if (levels[x] > 0) {
                    filter.macroblock(planes, x, y > 0, levels[x], inner[x]);
                }
            }
            emit(y, argb, sink);
        }
    }

    /** Hands out the rows that neither the filter nor the smoothing of chroma will need to see again. */
    private void emit(int y, int[] argb, WebP.Rows sink) {
        Plane luma = planes[0];
        Plane chroma = planes[1];
        int first = Math.max(0, 16 * y - Plane.KEPT + 1);
        int end = y == rows - 1 ? header.height : 16 * y + Plane.KEPT + 1;
        int lastChroma = (header.height - 1) / 2;
        for (int line = first; line < end; line++) {
            int near = line / 2;
            int far = Math.max(0, Math.min(line % 2 == 0 ? near - 1 : near + 1, lastChroma));
            Colours.row(
                    luma.filtered,
                    (line - 16 * y + Plane.KEPT) * luma.stride + Plane.MARGIN,
                    planes[1].filtered,
                    planes[2].filtered,
                    (near - 8 * y + Plane.KEPT) * chroma.stride + Plane.MARGIN,
                    (far - 8 * y + Plane.KEPT) * chroma.stride + Plane.MARGIN,
                    header.width,
                    argb);
            sink.row(line, argb);
        }
    }

    private void macroblock(BoolDecoder partition, int x, int y) {
        BoolDecoder in = header.modes;
        int segment = 0;
        if (header.segmentMap) {
            int[] tree = header.segmentTree;
            segment = in.bit(tree[0]) ? in.bit(tree[2]) ? 3 : 2 : in.bit(tree[1]) ? 1 : 0;
        }
        boolean skipped = header.skip >= 0 && in.bit(header.skip);
        boolean whole = in.bit(145);
        int mode = whole ? lumaMode(x) : subblockModes(x);
        int chromaMode = chromaMode();

        boolean filled = false;
        if (skipped) {
            clearContexts(x, whole);
        } else {
            filled = coefficients(partition, x, whole, header.steps[segment]);
        }
        levels[x] = header.filterLevels[segment][whole ? 0 : 1];
        inner[x] = !whole || filled;

        Plane luma = planes[0];
        int at = luma.at(x);
        if (whole) {
            Prediction.macroblock(luma, at, mode, y > 0, x > 0);
        }
        for (int i = 0; i < 16; i++) {
            int block = at + (i / 4) * 4 * luma.stride + i % 4 * 4;
            if (!whole) {
                // To the right of the macroblock, all rows of subblocks look at the one row that is there already.
                int right = (i % 4 == 3 ? at + 12 : block) - luma.stride + 4;
                prediction.subblock(luma.unfiltered, luma.stride, block, right, subblockModes[i]);
            }
            if (filled) {
                add(i, luma, block);
            }
        }
        for (int plane = 1; plane < 3; plane++) {
            Plane chroma = planes[plane];
            int corner = chroma.at(x);
            Prediction.macroblock(chroma, corner, chromaMode, y > 0, x > 0);
            for (int i = 0; filled && i < 4; i++) {
                add(12 + 4 * plane + i, chroma, corner + i / 2 * 4 * chroma.stride + i % 2 * 4);
            }
        }
    }

    private void add(int block, Plane plane, int at) {
        if (coded[block] > 1) {
            residual.add(coefficients, 16 * block, plane.unfiltered, at, plane.stride);
        } else if (coefficients[16 * block] != 0) {
            Residual.addFlat(coefficients, 16 * block, plane.unfiltered, at, plane.stride);
        }
    }

    // Modes: section 11.

    private int lumaMode(int x) {
        BoolDecoder in = header.modes;
        int mode = in.bit(156)
                ? in.bit(128) ? Prediction.TRUE_MOTION : Prediction.HORIZONTAL
                : in.bit(163) ? Prediction.VERTICAL : Prediction.DC;
        Arrays.fill(modesAbove, 4 * x, 4 * x + 4, (byte) mode);
        Arrays.fill(modesLeft, (byte) mode);
        return mode;
    }

    private int chromaMode() {
        BoolDecoder in = header.modes;
        if (!in.bit(142)) {
            return Prediction.DC;
        }
        if (!in.bit(114)) {
            return Prediction.VERTICAL;
        }
        return in.bit(183) ? Prediction.TRUE_MOTION : Prediction.HORIZONTAL;
    }

    private int subblockModes(int x) {
        for (int i = 0; i < 16; i++) {
            int above = 4 * x + i % 4;
            int mode = subblockMode(9 * (10 * modesAbove[above] + modesLeft[i / 4]));
            modesAbove[above] = (byte) mode;
            modesLeft[i / 4] = (byte) mode;
            subblockModes[i] = mode;
        }
        return Prediction.DC;
    }

    private int subblockMode(int node) {
        BoolDecoder in = header.modes;
        int[] p = Vp8Tables.SUBBLOCK_MODES;
        if (!in.bit(p[node])) {
            return Prediction.DC;
        }
        if (!in.bit(p[node + 1])) {
            return Prediction.TRUE_MOTION;
        }
        if (!in.bit(p[node + 2])) {
            return Prediction.VERTICAL;
        }
        if (!in.bit(p[node + 3])) {
            if (!in.bit(p[node + 4])) {
                return Prediction.HORIZONTAL;
            }
            return in.bit(p[node + 5]) ? Prediction.VERTICAL_RIGHT : Prediction.RIGHT_DOWN;
        }
        if (!in.bit(p[node + 6])) {
            return Prediction.LEFT_DOWN;
        }
        if (!in.bit(p[node + 7])) {
            return Prediction.VERTICAL_LEFT;
        }
        return in.bit(p[node + 8]) ? Prediction.HORIZONTAL_UP : Prediction.HORIZONTAL_DOWN;
    }

    // Coefficients: section 13.

    private void clearContexts(int x, boolean whole) {
        // Macroblocks without sums keep what the ones before them left for the sums.
        int count = whole ? EDGES : EDGES - 1;
        Arrays.fill(codedAbove, EDGES * x, EDGES * x + count, (byte) 0);
        Arrays.fill(codedLeft, 0, count, (byte) 0);
    }

    /** Reads a macroblock, and says whether there is anything to add to its prediction. */
    private boolean coefficients(BoolDecoder in, int x, boolean whole, int[] steps) {
        int above = EDGES * x;
        int type = LUMA;
        if (whole) {
            type = LUMA_AFTER_SUMS;
            int sums = EDGE[3];
            int end = block(in, LUMA_SUMS, codedAbove[above + sums] + codedLeft[sums], 0, SUMS, steps[2], steps[3]);
            codedAbove[above + sums] = codedLeft[sums] = (byte) (end > 0 ? 1 : 0);
            if (end > 0) {
                residual.sums(coefficients, SUMS, coefficients);
            }
        }
        boolean filled = blocks(in, type, 0, 4, EDGE[0], above, steps[0], steps[1]);
        filled |= blocks(in, CHROMA, 16, 2, EDGE[1], above, steps[4], steps[5]);
        filled |= blocks(in, CHROMA, 20, 2, EDGE[2], above, steps[4], steps[5]);
        return filled;
    }

    private boolean blocks(BoolDecoder in, int type, int from, int side, int edge, int above, int dc, int ac) {
        int first = type == LUMA_AFTER_SUMS ? 1 : 0;
        boolean filled = false;
        for (int i = 0; i < side * side; i++) {
            int left = edge + i / side;
            int top = above + edge + i % side;
            int end = block(in, type, codedAbove[top] + codedLeft[left], first, 16 * (from + i), dc, ac);
            codedAbove[top] = codedLeft[left] = (byte) (end > first ? 1 : 0);
            coded[from + i] = end;
            filled |= end > 1 || coefficients[16 * (from + i)] != 0;
        }
        return filled;
    }

    /** Reads the coefficients of a block, multiplied by their steps, and returns the position behind the last. */
    private int block(BoolDecoder in, int type, int context, int first, int at, int dc, int ac) {
        int[] p = tokens;
        int node = type + BAND[first] * CONTEXTS + context * NODES;
        int position = first;
        while (in.bit(p[node])) {
            while (!in.bit(p[node + 1])) {
                if (++position == 16) {
                    return 16;
                }
                node = type + BAND[position] * CONTEXTS;
            }
            int value = 1;
            int next = NODES;
            if (in.bit(p[node + 2])) {
                value = large(in, p, node);
                next = 2 * NODES;
            }
            int step = position == 0 ? dc : ac;
            coefficients[at + ZIGZAG[position]] = (short) ((in.flag() ? -value : value) * step);
            if (++position == 16) {
                return 16;
            }
            node = type + BAND[position] * CONTEXTS + next;
        }
        return position;
    }

    /** A value of 2 or more. */
    private static int large(BoolDecoder in, int[] p, int node) {
        if (!in.bit(p[node + 3])) {
            if (!in.bit(p[node + 4])) {
                return 2;
            }
            return in.bit(p[node + 5]) ? 4 : 3;
        }
        if (!in.bit(p[node + 6])) {
            if (!in.bit(p[node + 7])) {
                return in.bit(159) ? 6 : 5;
            }
            return 7 + (in.bit(165) ? 2 : 0) + (in.bit(145) ? 1 : 0);
        }
        int category = in.bit(p[node + 8]) ? in.bit(p[node + 10]) ? 3 : 2 : in.bit(p[node + 9]) ? 1 : 0;
        int extra = 0;
        for (int probability : EXTRA_BITS[category]) {
            extra = extra << 1 | (in.bit(probability) ? 1 : 0);
        }
        return 3 + (8 << category) + extra;
    }
}
