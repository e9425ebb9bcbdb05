package io.langbridge.runtime.images;

import io.langbridge.spi.ImageMemory;
import java.awt.Rectangle;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;

/**
 * Reads the first page of a TIFF file with the platform's reader, some strips at a time. The reader gets a directory
 * with nothing but the tags that were checked here: it believes what a file says about sizes.
 */
final class TiffReader {
    private static final int WIDTH = 256;
    private static final int HEIGHT = 257;
    private static final int BITS = 258;
    private static final int COMPRESSION = 259;
    private static final int PHOTOMETRIC = 262;
    private static final int FILL_ORDER = 266;
    private static final int STRIP_OFFSETS = 273;
    private static final int SAMPLES = 277;
    private static final int ROWS_PER_STRIP = 278;
    private static final int STRIP_SIZES = 279;
    private static final int PLANES = 284;
    private static final int PREDICTOR = 317;
    private static final int PALETTE = 320;
    private static final int TILE_WIDTH = 322;
    private static final int TILE_HEIGHT = 323;
    private static final int TILE_OFFSETS = 324;
    private static final int TILE_SIZES = 325;
    private static final int EXTRA_SAMPLES = 338;
    private static final int SAMPLE_FORMAT = 339;
    private static final int XMP = 700;

    private static final int WHITE_IS_ZERO = 0;
    private static final int BLACK_IS_ZERO = 1;
    private static final int RGB = 2;
    private static final int INDEXED = 3;

    /** Pixels that are decoded at a time. */
    private static final int STRIP_PIXELS = 1 << 20;

    private static final int MOST_PIECES = 1 << 20;

    /** Per pixel, in the kinds that are read. */
    private static final int MOST_SAMPLES = 4;

    private final byte[] file;
    private final RowWriter rows;
    private final TiffDirectory tags;
    private final int width;
    private final int height;
    private final int compression;
    private final int photometric;
    private final int samples;
    private final int bits;
    private final int extra;
    private final long[] palette;

    private TiffReader(byte[] file, TiffDirectory tags, RowWriter rows) throws IOException {
        this.file = file;
        this.tags = tags;
        this.rows = rows;
        width = number(WIDTH, 0);
        height = number(HEIGHT, 0);
        compression = number(COMPRESSION, 1);
        photometric = number(PHOTOMETRIC, WHITE_IS_ZERO);
        samples = number(SAMPLES, 1);
        bits = number(BITS, 1);
        palette = tags.numbers(PALETTE, 3 * 256);
        extra = tags.has(EXTRA_SAMPLES) ? number(EXTRA_SAMPLES, 0) : -1;
    }

    static void read(ImageReader reader, byte[] file, RowWriter rows) throws IOException {
        TiffDirectory tags = TiffDirectory.of(ByteBuffer.wrap(file));
        if (tags == null) {
            throw new UnsupportedKindException("BigTIFF is not supported");
        }
        new TiffReader(file, tags, rows).read(reader);
    }

    private int number(int tag, int otherwise) throws IOException {
        long value = tags.number(tag, otherwise);
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw new IOException("tag " + tag + " has the value " + value);
        }
        return (int) value;
    }

    private void read(ImageReader reader) throws IOException {
        rows.limits().checkPixels(width, height, rows.source());
        checkKind();
        boolean tiled = tags.has(TILE_OFFSETS);
        int pieceWidth = tiled ? number(TILE_WIDTH, 0) : width;
        int pieceHeight = tiled ? number(TILE_HEIGHT, 0) : (int) Math.min(height, tags.number(ROWS_PER_STRIP, height));
        int pieces = checkPieces(tiled, pieceWidth, pieceHeight);
        byte[] clean = cleaned(tiled, pieceWidth, pieceHeight, pieces);
        int lines = pieceHeight * Math.max(1, STRIP_PIXELS / Math.max(1, pieceHeight) / width);
        try (ByteInput input = new ByteInput(clean, rows)) {
            reader.setInput(input, true, true);
            rows.begin(width, height, Metadata.orientation(tags, tags.bytes(XMP)));
            for (int y = 0; y < height; y += lines) {
                rows.checkInterrupted();
                ImageReadParam param = reader.getDefaultReadParam();
                param.setSourceRegion(new Rectangle(0, y, width, Math.min(lines, height - y)));
                write(reader.read(0, param), y);
            }
        }
    }

    private void write(BufferedImage strip, int from) throws IOException {
        byte[] rgb = new byte[3 * width];
        byte[] alpha = new byte[width];
        boolean transparent = rows.wantsAlpha() && extra == 2;
        for (int line = 0; line < strip.getHeight(); line++) {
            if (photometric == INDEXED) {
                look(strip, line, rgb);
            } else {
                Rasters.row(strip, line, photometric <= BLACK_IS_ZERO && bits == 16, rgb);
            }
            if (transparent) {
                Rasters.alpha(strip, line, alpha);
                rows.row(from + line, rgb, alpha);
            } else {
                rows.row(from + line, rgb, 0);
            }
        }
    }

    /** Of the 16 bits of a palette the high byte counts; the reader would round. */
    private void look(BufferedImage strip, int line, byte[] rgb) {
        int[] indices = strip.getRaster().getPixels(0, line, width, 1, (int[]) null);
        for (int x = 0; x < width; x++) {
            for (int channel = 0; channel < 3; channel++) {
                rgb[3 * x + channel] = (byte) (palette[indices[x] + (channel << bits)] >> 8);
            }
        }
    }

    /** What is not here differs between the two readers, or is not read by one of them. */
    private void checkKind() throws IOException {
        String name = switch (compression) {
            case 1, 5, 8, 32_946, 32_773 -> "";
            case 2, 3, 4 -> "fax compression";
            case 6, 7 -> "JPEG inside";
            default -> "compression " + compression;
        };
        refuse(name);
        refuse(number(FILL_ORDER, 1) == 1 ? "" : "reversed bits (FillOrder 2)");
        refuse(samples == 1 || number(PLANES, 1) == 1 ? "" : "one plane per channel (PlanarConfiguration 2)");
        for (long each : tags.numbers(SAMPLE_FORMAT, MOST_SAMPLES)) {
            refuse(each == 1 ? "" : "samples that are no unsigned whole numbers (SampleFormat " + each + ")");
        }
        for (long each : tags.numbers(BITS, MOST_SAMPLES)) {
            refuse(each == bits ? "" : "channels of different depth");
        }
        int predictor = number(PREDICTOR, 1);
        boolean predicts = compression != 1 && compression != 32_773;
        refuse(predictor == 1 || predictor == 2 && bits == 8 && predicts ? "" : "predictor " + predictor);
        boolean fewBits = bits == 1 || bits == 2 || bits == 4 || bits == 8;
        boolean known = switch (photometric) {
            case WHITE_IS_ZERO, INDEXED -> samples == 1 && fewBits;
            case BLACK_IS_ZERO -> samples == 1 && (fewBits || bits == 16) || samples == 2 && bits == 8 && extra == 2;
            case RGB -> (samples == 3 || samples == 4 && extra != 1) && (bits == 8 || bits == 16);
            default -> false;
        };
        refuse(
                known && tags.count(EXTRA_SAMPLES) <= 1
                        ? ""
                        : "colours of kind " + photometric + " with " + samples + " channels of " + bits + " bits");
        if (photometric == INDEXED && tags.count(PALETTE) != 3 << bits) {
            throw new IOException("its palette has " + tags.count(PALETTE) + " values, not " + (3 << bits));
        }
    }

    private static void refuse(String kind) throws IOException {
        if (!kind.isEmpty()) {
            throw new UnsupportedKindException(kind + " is not supported");
        }
    }

    /**
     * Compares what the strips or tiles hold with what they must fill.
     *
     * @return how many there are
     */
    private int checkPieces(boolean tiled, int pieceWidth, int pieceHeight) throws IOException {
        if (pieceWidth <= 0 || pieceHeight <= 0 || pieceWidth > 65_536 || pieceHeight > 65_536) {
            throw new IOException("its pieces have " + pieceWidth + " x " + pieceHeight + " pixels");
        }
        long across = (width + pieceWidth - 1L) / pieceWidth;
        long count = across * ((height + pieceHeight - 1L) / pieceHeight);
        long rowBytes = ((long) pieceWidth * samples * bits + 7) / 8;
        rows.limits().checkWork(count * pieceWidth * pieceHeight, rows.source());
        ImageMemory.check(
                2 * rowBytes * pieceHeight + 8L * Math.max(STRIP_PIXELS, (long) width * pieceHeight), rows.source());
        int known = Math.min(MOST_PIECES, tags.count(tiled ? TILE_OFFSETS : STRIP_OFFSETS));
        if (count > known) {
            throw new IOException("it has " + known + " of " + count + " pieces");
        }
        long[] offsets = offsets(tiled, (int) count);
        long[] sizes = sizes(tiled, (int) count);
        if (sizes.length < count) {
            throw new IOException("it has the sizes of " + sizes.length + " of " + count + " pieces");
        }
        int most = switch (compression) {
            case 1 -> 1;
            case 32_773 -> 64;
            case 5 -> 4096;
            default -> 1032;
        };
        long all = 0;
        for (int i = 0; i < count; i++) {
            long lines = tiled ? pieceHeight : Math.min(pieceHeight, height - (long) i * pieceHeight);
            if (offsets[i] < 0 || sizes[i] < 0 || offsets[i] > file.length - sizes[i]) {
                throw new IOException("piece " + i + " lies outside the file");
            }
            if (lines * rowBytes > sizes[i] * most) {
                throw new IOException("piece " + i + " is too short");
            }
            all += sizes[i];
        }
        // Equal pieces may lie in the same place, but each is read anew, to the end that it claims.
        rows.limits().checkWork(count * pieceWidth * pieceHeight + Math.max(0, all - file.length), rows.source());
        return (int) count;
    }

    private long[] offsets(boolean tiled, int count) {
        return tags.numbers(tiled ? TILE_OFFSETS : STRIP_OFFSETS, count);
    }

    /** A single strip that is not compressed need not say its size. */
    private long[] sizes(boolean tiled, int count) {
        long[] sizes = tags.numbers(tiled ? TILE_SIZES : STRIP_SIZES, count);
        boolean plain = !tiled && sizes.length == 0 && tags.count(STRIP_OFFSETS) == 1 && compression == 1;
        return plain ? new long[] {file.length - tags.number(STRIP_OFFSETS, 0)} : sizes;
    }

    /** The file with another directory behind it. */
    private byte[] cleaned(boolean tiled, int pieceWidth, int pieceHeight, int pieces) throws IOException {
        long[][] entries = {
            {WIDTH, width},
            {HEIGHT, height},
            repeated(BITS, bits),
            {COMPRESSION, compression},
            {PHOTOMETRIC, photometric},
            tiled ? new long[0] : with(STRIP_OFFSETS, offsets(false, pieces)),
            {SAMPLES, samples},
            tiled ? new long[0] : new long[] {ROWS_PER_STRIP, pieceHeight},
            tiled ? new long[0] : with(STRIP_SIZES, sizes(false, pieces)),
            {PLANES, 1},
            {PREDICTOR, number(PREDICTOR, 1)},
            photometric == INDEXED ? with(PALETTE, palette) : new long[0],
            tiled ? new long[] {TILE_WIDTH, pieceWidth} : new long[0],
            tiled ? new long[] {TILE_HEIGHT, pieceHeight} : new long[0],
            tiled ? with(TILE_OFFSETS, offsets(true, pieces)) : new long[0],
            tiled ? with(TILE_SIZES, sizes(true, pieces)) : new long[0],
            extra >= 0 ? new long[] {EXTRA_SAMPLES, extra} : new long[0],
            repeated(SAMPLE_FORMAT, 1)
        };
        int count = 0;
        long room = 6;
        for (long[] entry : entries) {
            count += entry.length > 0 ? 1 : 0;
            room += 12 + 4L * entry.length;
        }
        int start = file.length + (file.length & 1);
        byte[] clean = ImageMemory.allocate(start + room, rows.source());
        System.arraycopy(file, 0, clean, 0, file.length);
        ByteBuffer target = ByteBuffer.wrap(clean).order(tags.order());
        target.putInt(4, start).position(start);
        target.putShort((short) count);
        int values = start + 6 + 12 * count;
        for (long[] entry : entries) {
            if (entry.length == 0) {
                continue;
            }
            // Short values where the standard wants them: the reader does not take others for a palette.
            boolean isShort = entry[0] == BITS
                    || entry[0] == PALETTE
                    || entry[0] == SAMPLE_FORMAT
                    || entry[0] == COMPRESSION
                    || entry[0] == PHOTOMETRIC
                    || entry[0] == SAMPLES
                    || entry[0] == PLANES
                    || entry[0] == PREDICTOR
                    || entry[0] == EXTRA_SAMPLES;
            int size = (entry.length - 1) * (isShort ? 2 : 4);
            target.putShort((short) entry[0])
                    .putShort((short) (isShort ? 3 : 4))
                    .putInt(entry.length - 1);
            int at = size <= 4 ? target.position() : values;
            for (int i = 1; i < entry.length; i++) {
                if (isShort) {
                    target.putShort(at + 2 * (i - 1), (short) entry[i]);
                } else {
                    target.putInt(at + 4 * (i - 1), (int) entry[i]);
                }
            }
            if (size > 4) {
                target.putInt(target.position(), values);
                values += size + (size & 1);
            }
            target.position(target.position() + 4);
        }
        return clean;
    }

    private long[] repeated(int tag, long value) {
        long[] entry = new long[1 + samples];
        Arrays.fill(entry, value);
        entry[0] = tag;
        return entry;
    }

    private static long[] with(int tag, long[] values) {
        long[] entry = new long[1 + values.length];
        entry[0] = tag;
        System.arraycopy(values, 0, entry, 1, values.length);
        return entry;
    }
}
