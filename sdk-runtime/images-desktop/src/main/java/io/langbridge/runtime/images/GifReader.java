package io.langbridge.runtime.images;

import java.io.IOException;
import java.util.Arrays;

/**
 * Reads the first frame of a GIF file, on the canvas the file declares, which can be larger than the frame. The
 * platform's reader needs time in the square of a comment's length, and the whole picture in memory.
 */
final class GifReader {
    private static final int MOST_CODES = 4096;

    /** Where the four passes of an interlaced frame start, and their steps. */
    private static final int[][] PASSES = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};

    private final byte[] file;
    private final RowWriter rows;
    private int at;

    private int width;
    private int height;
    private int left;
    private int top;
    private int frameWidth;
    private int frameHeight;
    private boolean interlaced;
    private int transparent = -1;

    /** RGB for each index. */
    private byte[] colours = grays();

    private GifReader(byte[] file, RowWriter rows) {
        this.file = file;
        this.rows = rows;
    }

    static void read(byte[] file, RowWriter rows) throws IOException {
        new GifReader(file, rows).read();
    }

    private void read() throws IOException {
        need(13);
        width = number(6);
        height = number(8);
        int flags = file[10];
        at = 13;
        if ((flags & 0x80) != 0) {
            colours = readColours(flags);
        }
        findFrame();
        width = Math.max(width, left + frameWidth);
        height = Math.max(height, top + frameHeight);
        if (frameWidth == 0 || frameHeight == 0) {
            throw new IOException("its frame has no pixels");
        }
        rows.limits().checkPixels(width, height, rows.source());
        // A code of at least three bits stands for at most as many pixels as there are codes.
        if ((long) frameWidth * frameHeight > 8L * (file.length - at) / 3 * MOST_CODES) {
            throw new IOException("its data cannot fill " + frameWidth + " x " + frameHeight + " pixels");
        }
        need(at + 1);
        int bits = file[at++] & 0xFF;
        if (bits < 1 || bits > 11) {
            throw new IOException("a code size of " + bits + " bits is unknown");
        }
        rows.begin(width, height, Metadata.UPRIGHT);
        Canvas canvas = new Canvas();
        canvas.around();
        new Lzw(bits).decode(canvas);
    }

    /** Goes to the code size of the first frame. What is neither extension nor frame is passed over. */
    private void findFrame() throws IOException {
        while (at < file.length && file[at] != ';') {
            int kind = file[at++];
            if (kind == '!') {
                readExtension();
            } else if (kind == ',') {
                need(at + 9);
                left = number(at);
                top = number(at + 2);
                frameWidth = number(at + 4);
                frameHeight = number(at + 6);
                int flags = file[at + 8];
                interlaced = (flags & 0x40) != 0;
                at += 9;
                if ((flags & 0x80) != 0) {
                    colours = readColours(flags);
                }
                return;
            }
        }
        throw new IOException("it has no frame");
    }

    private void readExtension() throws IOException {
        need(at + 2);
        int label = file[at++] & 0xFF;
        int length = file[at] & 0xFF;
        // A graphic control: flags, two bytes of delay, the transparent colour.
        if (label == 0xF9 && length >= 4 && at + 4 < file.length && (file[at + 1] & 1) != 0) {
            transparent = file[at + 4] & 0xFF;
        }
        do {
            need(at + 1);
            length = file[at] & 0xFF;
            at += 1 + length;
        } while (length > 0);
    }

    private byte[] readColours(int flags) throws IOException {
        int length = 3 << ((flags & 7) + 1);
        need(at + length);
        byte[] grays = grays();
        boolean gray = Arrays.equals(file, at, at + length, grays, 0, length);
        // A gray ramp means the indices themselves, also those behind its end; a damaged file shows black there else.
        byte[] read = gray ? grays : new byte[3 * 256];
        System.arraycopy(file, at, read, 0, length);
        at += length;
        return read;
    }

    private static byte[] grays() {
        byte[] grays = new byte[3 * 256];
        for (int i = 0; i < grays.length; i++) {
            grays[i] = (byte) (i / 3);
        }
        return grays;
    }

    private void need(long length) throws IOException {
        if (length > file.length) {
            throw new IOException("it ends too early");
        }
    }

    private int number(int from) {
        return file[from] & 0xFF | (file[from + 1] & 0xFF) << 8;
    }

    /** Puts decoded pixels where they belong. */
    private final class Canvas {
        private final byte[] rgb = new byte[3 * width];
        private final byte[] alpha = new byte[rows.wantsAlpha() ? width : 0];
        private int pass;
        private int y;
        private int x;
        private boolean full;

        Canvas() {
            // Pixels outside the frame are transparent, or of the first colour.
            for (int column = 0; column < width; column++) {
                put(column, Math.max(0, transparent));
            }
        }

        void around() {
            for (int row = 0; row < height; row++) {
                if (row < top || row >= top + frameHeight) {
                    write(row);
                }
            }
        }

        private void put(int column, int index) {
            rgb[3 * column] = colours[3 * index];
            rgb[3 * column + 1] = colours[3 * index + 1];
            rgb[3 * column + 2] = colours[3 * index + 2];
            if (alpha.length > 0) {
                alpha[column] = (byte) (index == transparent ? 0 : 255);
            }
        }

        /** False when the frame is full. */
        boolean add(int index) {
            put(left + x, index);
            if (++x == frameWidth) {
                write(top + y);
                x = 0;
                nextRow();
            }
            return !full;
        }

        private void write(int row) {
            if (alpha.length > 0) {
                // Blending changes the row, whose edges are needed again.
                rows.row(row, rgb.clone(), alpha);
            } else {
                rows.row(row, rgb, 0);
            }
        }

        private void nextRow() {
            if (!interlaced) {
                full = ++y == frameHeight;
                return;
            }
            y += PASSES[pass][1];
            while (y >= frameHeight && !full) {
                full = ++pass == PASSES.length;
                y = full ? y : PASSES[pass][0];
            }
        }
    }

    /** The codes, in blocks of up to 255 bytes. */
    private final class Lzw {
        private final int bits;
        private final int clear;
        private final int[] prefix = new int[MOST_CODES];
        private final byte[] last = new byte[MOST_CODES];
        private final byte[] reversed = new byte[MOST_CODES];
        private int left;
        private int buffer;
        private int held;

        Lzw(int bits) {
            this.bits = bits;
            this.clear = 1 << bits;
        }

        void decode(Canvas canvas) throws IOException {
            int size = bits + 1;
            int next = clear + 2;
            int previous = -1;
            int first = 0;
            while (true) {
                int code = code(size);
                if (code == clear) {
                    size = bits + 1;
                    next = clear + 2;
                    previous = -1;
                    continue;
                }
                if (code == clear + 1) {
                    throw new IOException("the picture data end too early");
                }
                int known = previous < 0 ? clear : next;
                if (code > known || previous < 0 && code >= clear) {
                    throw new IOException("its data are damaged: code " + code + " of " + known);
                }
                int count = 0;
                int from = code;
                // A code that is made right now: what was before, and its first pixel again.
                if (code == next && previous >= 0) {
                    reversed[count++] = (byte) first;
                    from = previous;
                }
                while (from >= clear) {
                    reversed[count++] = last[from];
                    from = prefix[from];
                }
                first = from;
                boolean more = canvas.add(from & 0xFF);
                while (more && count > 0) {
                    more = canvas.add(reversed[--count] & 0xFF);
                }
                if (!more) {
                    return;
                }
                if (previous >= 0 && next < MOST_CODES) {
                    prefix[next] = previous;
                    last[next] = (byte) first;
                    next++;
                    if (next == 1 << size && size < 12) {
                        size++;
                    }
                }
                previous = code;
            }
        }

        private int code(int size) throws IOException {
            while (held < size) {
                if (left == 0) {
                    need(at + 1);
                    left = file[at++] & 0xFF;
                    if (left == 0) {
                        throw new IOException("the picture data end too early");
                    }
                }
                need(at + 1);
                buffer |= (file[at++] & 0xFF) << held;
                held += 8;
                left--;
            }
            int code = buffer & (1 << size) - 1;
            buffer >>>= size;
            held -= size;
            return code;
        }
    }
}
