package io.langbridge.runtime.images.webp;

import java.io.IOException;

/** The head of a key frame: sections 9 and 19.2 of RFC 6386. */
final class Vp8Header {
    private static final int SEGMENTS = 4;
    private static final int FRAME_HEAD = 10;
    private static final int MAX_PROFILE = 3;
    private static final int MAX_LEVEL = 63;
    private static final int MAX_INDEX = 127;
    private static final int MAX_CHROMA_DC_INDEX = 117;
    private static final int DELTAS = 4;

    final int width;
    final int height;
    /** Modes of the macroblocks. */
    final BoolDecoder modes;
    /** Coefficients: row {@code y} of macroblocks comes from partition {@code y % partitions.length}. */
    final BoolDecoder[] partitions;
    /** Shape as {@link Vp8Tables#TOKENS}. */
    final int[] tokens = Vp8Tables.TOKENS.clone();

    final boolean segmentMap;
    final int[] segmentTree = {255, 255, 255};
    /** {@code [segment][Y DC, Y AC, Y2 DC, Y2 AC, chroma DC, chroma AC]}. */
    final int[][] steps = new int[SEGMENTS][];

    final boolean simpleFilter;
    /** {@code [segment][1 if subblocks have modes of their own]}, 0 for none. */
    final int[][] filterLevels = new int[SEGMENTS][2];

    final int sharpness;
    /** Probability that a macroblock has coefficients, or -1 if all have. */
    final int skip;

    Vp8Header(byte[] data, int from, int end) throws IOException {
        if (end - from < FRAME_HEAD) {
            throw new IOException("the VP8 header is cut off");
        }
        int head = Bytes.int24(data, from);
        boolean interframe = (head & 1) != 0;
        boolean shown = (head & 0x10) != 0;
        int profile = head >> 1 & 7;
        int modesEnd = from + FRAME_HEAD + (head >> 5);
        if (interframe || !shown || profile > MAX_PROFILE || Bytes.int24(data, from + 3) != 0x2a019d) {
            throw new IOException("the VP8 header is not that of a picture");
        }
        width = Bytes.int16(data, from + 6) & 0x3fff;
        height = Bytes.int16(data, from + 8) & 0x3fff;
        if (width == 0 || height == 0) {
            throw new IOException("VP8 declares a size of " + width + " x " + height);
        }
        if (modesEnd > end) {
            throw new IOException("the first VP8 partition is cut off");
        }
        modes = new BoolDecoder(data, from + FRAME_HEAD, modesEnd);
        modes.number(2); // kind of colours and clamping: neither changes what is decoded

        boolean segments = modes.flag();
        boolean absolute = segments;
        int[] segmentIndex = new int[SEGMENTS];
        int[] segmentLevel = new int[SEGMENTS];
        segmentMap = segments && modes.flag();
        if (segments && modes.flag()) {
            absolute = modes.flag();
            fill(segmentIndex, 7);
            fill(segmentLevel, 6);
        }
        for (int i = 0; segmentMap && i < segmentTree.length; i++) {
            segmentTree[i] = modes.flag() ? modes.number(8) : 255;
        }

        simpleFilter = modes.flag();
        int level = modes.number(6);
        sharpness = modes.number(3);
        int[] referenceDeltas = new int[SEGMENTS];
        int[] modeDeltas = new int[SEGMENTS];
        boolean deltas = modes.flag();
        if (deltas && modes.flag()) {
            fill(referenceDeltas, 6);
            fill(modeDeltas, 6);
        }
        for (int segment = 0; level > 0 && segment < SEGMENTS; segment++) {
            int base = absolute ? segmentLevel[segment] : level + segmentLevel[segment];
            int whole = base + referenceDeltas[0];
            filterLevels[segment][0] = clamp(whole, MAX_LEVEL);
            filterLevels[segment][1] = clamp(whole + modeDeltas[0], MAX_LEVEL);
        }

        partitions = partitions(1 << modes.number(2), data, modesEnd, end);

        int index = modes.number(7);
        int lumaDc = modes.optional(4);
        int y2Dc = modes.optional(4);
        int y2Ac = modes.optional(4);
        int chromaDc = modes.optional(4);
        int chromaAc = modes.optional(4);
        for (int segment = 0; segment < SEGMENTS; segment++) {
            int own = absolute ? segmentIndex[segment] : index + segmentIndex[segment];
            steps[segment] = new int[] {
                Vp8Tables.DC_STEPS[clamp(own + lumaDc, MAX_INDEX)],
                Vp8Tables.AC_STEPS[clamp(own, MAX_INDEX)],
                Vp8Tables.DC_STEPS[clamp(own + y2Dc, MAX_INDEX)] * 2,
                Math.max(8, Vp8Tables.AC_STEPS[clamp(own + y2Ac, MAX_INDEX)] * 155 / 100),
                Vp8Tables.DC_STEPS[clamp(own + chromaDc, MAX_CHROMA_DC_INDEX)],
                Vp8Tables.AC_STEPS[clamp(own + chromaAc, MAX_INDEX)]
            };
        }

        modes.flag(); // whether the probabilities hold for further frames
        for (int i = 0; i < tokens.length; i++) {
            if (modes.bit(Vp8Tables.TOKEN_UPDATES[i])) {
                tokens[i] = modes.number(8);
            }
        }
        skip = modes.flag() ? modes.number(8) : -1;
        if (modes.exhausted()) {
            throw new IOException("the VP8 header is cut off");
        }
    }

    private void fill(int[] values, int bits) {
        for (int i = 0; i < DELTAS; i++) {
            values[i] = modes.optional(bits);
        }
    }

    private static BoolDecoder[] partitions(int count, byte[] data, int from, int end) throws IOException {
        int at = from + 3 * (count - 1);
        if (at >= end) {
            throw new IOException("the VP8 coefficients are cut off");
        }
        BoolDecoder[] partitions = new BoolDecoder[count];
        for (int i = 0; i < count; i++) {
            // A length that is too large is taken for what there is, as the reference does.
            int length = i == count - 1 ? end - at : Math.min(end - at, Bytes.int24(data, from + 3 * i));
            partitions[i] = new BoolDecoder(data, at, at + length);
            at += length;
        }
        return partitions;
    }

    private static int clamp(int value, int largest) {
        return Math.max(0, Math.min(value, largest));
    }
}
