package io.langbridge.runtime.images;

import io.langbridge.spi.ImageMemory;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Reads BMP with the headers of Windows and of OS/2. The platform's reader does not know all of them, and does not show
 * what the reference shows for run lengths and masks.
 */
final class BmpReader {
    private static final int FILE_HEADER = 14;
    private static final int CORE_HEADER = 12;
    private static final int INFO_HEADER = 40;
    private static final int PLAIN = 0;
    private static final int RUNS_8 = 1;
    private static final int RUNS_4 = 2;
    private static final int MASKS = 3;

    /** Red, green, blue, alpha: those that people write. */
    private static final int[][] MASKS_32 = {
        {0xFF0000, 0xFF00, 0xFF, 0},
        {0xFF000000, 0xFF0000, 0xFF00, 0},
        {0xFF000000, 0xFF00, 0xFF, 0},
        {0xFF000000, 0xFF0000, 0xFF00, 0xFF},
        {0xFF, 0xFF00, 0xFF0000, 0xFF000000},
        {0xFF0000, 0xFF00, 0xFF, 0xFF000000},
        {0xFF000000, 0xFF00, 0xFF, 0xFF0000}
    };

    private final byte[] file;
    private final ByteBuffer numbers;
    private final RowWriter rows;

    private int headerSize;
    private int width;
    private int height;
    private boolean topDown;
    private int bits;
    private int compression;
    private long coloursUsed;
    private int[] masks = {0xFF0000, 0xFF00, 0xFF, 0};
    private byte[] colours = new byte[0];
    private int dataAt;

    private BmpReader(byte[] file, RowWriter rows) {
        this.file = file;
        this.numbers = Metadata.littleEndian(file);
        this.rows = rows;
    }

    static void read(byte[] file, RowWriter rows) throws IOException {
        new BmpReader(file, rows).read();
    }

    private void read() throws IOException {
        readHeader();
        rows.limits().checkPixels(width, height, rows.source());
        if (compression == RUNS_8 || compression == RUNS_4) {
            readRuns();
        } else {
            readPlain();
        }
    }

    private void readHeader() throws IOException {
        need(FILE_HEADER + 4);
        long offset = Integer.toUnsignedLong(numbers.getInt(10));
        long size = Integer.toUnsignedLong(numbers.getInt(FILE_HEADER));
        boolean known = size == CORE_HEADER || size >= 16 && size <= 64 || size == 108 || size == 124;
        if (!known) {
            throw new UnsupportedKindException("a header of " + size + " bytes is unknown");
        }
        headerSize = (int) size;
        need(FILE_HEADER + size);
        int masksAt = FILE_HEADER + INFO_HEADER;
        long at = FILE_HEADER + size;
        if (headerSize == CORE_HEADER) {
            width = numbers.getShort(18) & 0xFFFF;
            height = numbers.getShort(20) & 0xFFFF;
            bits = numbers.getShort(24) & 0xFFFF;
        } else {
            width = numbers.getInt(18);
            height = numbers.getInt(22);
            // Counted from the top, by the highest byte as the reference does.
            topDown = height >>> 24 == 0xFF;
            height = topDown ? -height : height;
            bits = numbers.getShort(28) & 0xFFFF;
            compression = headerSize >= 20 ? numbers.getInt(30) : PLAIN;
            coloursUsed = headerSize >= 36 ? Integer.toUnsignedLong(numbers.getInt(46)) : 0;
        }
        if (compression == MASKS) {
            if (headerSize < INFO_HEADER) {
                throw new IOException("it has no colour masks");
            }
            int count = headerSize >= 56 ? 4 : 3;
            need(masksAt + 4L * count);
            masks = new int[4];
            for (int i = 0; i < count; i++) {
                masks[i] = numbers.getInt(masksAt + 4 * i);
            }
            at = Math.max(at, masksAt + 12L);
        }
        checkKind();
        if (bits <= 8) {
            at = readColours(at);
        }
        int entry = headerSize == CORE_HEADER ? 3 : 4;
        // Some writers forget the palette when they say where the pixels start.
        long forgotten = bits <= 8 && offset == FILE_HEADER + size ? entry * coloursUsed : 0;
        long start = offset == 0 ? at : offset + forgotten;
        need(start);
        dataAt = (int) start;
    }

    private void checkKind() throws IOException {
        boolean known = switch (bits) {
            case 1, 4, 8 -> compression == PLAIN || compression == RUNS_8 || compression == RUNS_4;
            case 16, 24 -> compression == PLAIN || compression == MASKS;
            case 32 -> compression == PLAIN || compression == MASKS;
            default -> throw new UnsupportedKindException(bits + " bits per pixel are not supported");
        };
        if (!known) {
            throw new UnsupportedKindException("compression " + Integer.toUnsignedString(compression)
                    + " is not supported with " + bits + " bits per pixel");
        }
        if (compression != MASKS) {
            return;
        }
        boolean usual = bits == 24 && hasMasks(0xFF0000, 0xFF00, 0xFF)
                || bits == 16 && (hasMasks(0xF800, 0x7E0, 0x1F) || hasMasks(0x7C00, 0x3E0, 0x1F));
        if (bits == 32) {
            // Nothing but zeros stands for the usual order, with alpha.
            masks = (masks[0] | masks[1] | masks[2] | masks[3]) == 0 ? MASKS_32[5] : masks;
            for (int[] each : MASKS_32) {
                usual |= hasMasks(each[0], each[1], each[2]) && masks[3] == each[3];
            }
        }
        if (!usual) {
            throw new UnsupportedKindException(String.format(
                    "its colour masks %08x, %08x, %08x, %08x are not supported",
                    masks[0], masks[1], masks[2], masks[3]));
        }
    }

    private boolean hasMasks(int red, int green, int blue) {
        return masks[0] == red && masks[1] == green && masks[2] == blue;
    }

    /** Reads the palette, and gives where it ends. */
    private long readColours(long from) throws IOException {
        int entry = headerSize == CORE_HEADER ? 3 : 4;
        coloursUsed = coloursUsed == 0 ? 1L << bits : coloursUsed;
        if (coloursUsed > 65_536) {
            throw new UnsupportedKindException("a palette of " + coloursUsed + " colours is not supported");
        }
        long end = from + entry * coloursUsed;
        // What a damaged file shows behind its palette is black.
        colours = new byte[3 * 256];
        long stop = Math.min(Math.min(end, from + entry * 256L), file.length);
        boolean gray = true;
        int index = 0;
        for (int at = (int) from; at + 3 <= stop; at += entry, index++) {
            colours[3 * index] = file[at + 2];
            colours[3 * index + 1] = file[at + 1];
            colours[3 * index + 2] = file[at];
            gray &= file[at] == (byte) index && file[at + 1] == (byte) index && file[at + 2] == (byte) index;
        }
        // A gray ramp means the values themselves, also those behind its end.
        for (; gray && bits == 8 && index < 256; index++) {
            colours[3 * index] = (byte) index;
            colours[3 * index + 1] = (byte) index;
            colours[3 * index + 2] = (byte) index;
        }
        return end;
    }

    private void readPlain() throws IOException {
        long stride = ((long) width * bits + 31) / 32 * 4;
        need(dataAt + stride * (height - 1) + ((long) width * bits + 7) / 8);
        rows.begin(width, height, Metadata.UPRIGHT);
        byte[] rgb = new byte[3 * width];
        byte[] alpha = new byte[width];
        boolean transparent = rows.wantsAlpha() && compression == MASKS && bits == 32 && masks[3] != 0;
        for (int i = 0; i < height; i++) {
            int at = (int) (dataAt + i * stride);
            convert(at, rgb);
            int y = topDown ? i : height - 1 - i;
            if (transparent) {
                int shift = Integer.numberOfTrailingZeros(masks[3]);
                for (int x = 0; x < width; x++) {
                    alpha[x] = (byte) (numbers.getInt(at + 4 * x) >> shift);
                }
                rows.row(y, rgb, alpha);
            } else {
                rows.row(y, rgb, 0);
            }
        }
    }

    private void convert(int at, byte[] rgb) {
        switch (bits) {
            case 16 -> {
                boolean sixGreens = compression == MASKS && masks[1] == 0x7E0;
                for (int x = 0; x < width; x++) {
                    int pixel = numbers.getShort(at + 2 * x) & 0xFFFF;
                    rgb[3 * x] = (byte) ((pixel >> (sixGreens ? 11 : 10) & 31) * 255 / 31);
                    rgb[3 * x + 1] = (byte) (sixGreens ? (pixel >> 5 & 63) * 255 / 63 : (pixel >> 5 & 31) * 255 / 31);
                    rgb[3 * x + 2] = (byte) ((pixel & 31) * 255 / 31);
                }
            }
            case 24 -> {
                for (int x = 0; x < 3 * width; x += 3) {
                    rgb[x] = file[at + x + 2];
                    rgb[x + 1] = file[at + x + 1];
                    rgb[x + 2] = file[at + x];
                }
            }
            case 32 -> {
                int red = at + Integer.numberOfTrailingZeros(masks[0]) / 8;
                int green = at + Integer.numberOfTrailingZeros(masks[1]) / 8;
                int blue = at + Integer.numberOfTrailingZeros(masks[2]) / 8;
                for (int x = 0; x < width; x++) {
                    rgb[3 * x] = file[red + 4 * x];
                    rgb[3 * x + 1] = file[green + 4 * x];
                    rgb[3 * x + 2] = file[blue + 4 * x];
                }
            }
            default -> {
                int mask = (1 << bits) - 1;
                for (int x = 0; x < width; x++) {
                    int bit = x * bits;
                    look(file[at + (bit >> 3)] >> (8 - bits - (bit & 7)) & mask, rgb, x);
                }
            }
        }
    }

    private void look(int index, byte[] rgb, int x) {
        rgb[3 * x] = colours[3 * index];
        rgb[3 * x + 1] = colours[3 * index + 1];
        rgb[3 * x + 2] = colours[3 * index + 2];
    }

    /** Run lengths; what they jump over has the first colour. */
    private void readRuns() throws IOException {
        byte[] indices = ImageMemory.allocate((long) width * height, rows.source());
        long filled = fill(indices, compression == RUNS_4);
        if (filled < indices.length) {
            throw new IOException("the picture data end too early");
        }
        rows.begin(width, height, Metadata.UPRIGHT);
        byte[] rgb = new byte[3 * width];
        for (int i = 0; i < height; i++) {
            for (int x = 0; x < width; x++) {
                look(indices[i * width + x] & 0xFF, rgb, x);
            }
            rows.row(topDown ? i : height - 1 - i, rgb, 0);
        }
    }

    /** Gives how many pixels there are, in the reference's reading of runs that cross the end of a row. */
    private long fill(byte[] indices, boolean halves) {
        long filled = 0;
        int x = 0;
        int at = dataAt;
        while (filled < indices.length && at + 1 < file.length) {
            int count = file[at] & 0xFF;
            int value = file[at + 1] & 0xFF;
            at += 2;
            if (count > 0) {
                count = Math.max(0, Math.min(count, width - x));
                for (int i = 0; i < count; i++) {
                    set(indices, filled++, halves ? (i % 2 == 0 ? value >> 4 : value & 15) : value);
                }
                x += count;
            } else if (value == 0) {
                filled += (width - filled % width) % width;
                x = 0;
            } else if (value == 1) {
                break;
            } else if (value == 2) {
                if (at + 2 > file.length) {
                    break;
                }
                filled += (file[at] & 0xFF) + (long) (file[at + 1] & 0xFF) * width;
                at += 2;
                x = (int) (filled % width);
            } else {
                int bytes = halves ? value / 2 : value;
                int present = Math.min(bytes, file.length - at);
                for (int i = 0; i < present; i++) {
                    int stored = file[at + i] & 0xFF;
                    if (halves) {
                        set(indices, filled++, stored >> 4);
                    }
                    set(indices, filled++, halves ? stored & 15 : stored);
                }
                at += present;
                if (present < bytes) {
                    break;
                }
                x += value;
                at += at & 1;
            }
        }
        return filled;
    }

    private static void set(byte[] indices, long at, int value) {
        if (at < indices.length) {
            indices[(int) at] = (byte) value;
        }
    }

    private void need(long length) throws IOException {
        if (length > file.length) {
            throw new IOException("it has " + file.length + " of at least " + length + " bytes");
        }
    }
}
