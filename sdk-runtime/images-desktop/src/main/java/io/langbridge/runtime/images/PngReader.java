package io.langbridge.runtime.images;

import io.langbridge.spi.ImageMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * Reads PNG row by row. The platform's reader decodes the whole picture, converts colours of 16 bits, and gives up on
 * damage in chunks that say nothing about the pixels; here such chunks are passed over.
 */
final class PngReader {
    private static final int SIGNATURE = 8;
    private static final int AROUND_CHUNK = 12;
    private static final int GRAY = 0;
    private static final int COLOUR = 2;
    private static final int PALETTE = 3;
    private static final int GRAY_ALPHA = 4;
    private static final int COLOUR_ALPHA = 6;

    /** Deflate makes at most this many bytes of one. */
    private static final int MOST_INFLATED = 1032;

    /** What all text chunks of interest may inflate to: an EXIF block has at most 64 KB. */
    private static final int MOST_TEXT = 4 << 20;

    /** Where Adam7's seven passes start, and their steps. */
    private static final int[][] PASSES = {
        {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}
    };

    private final byte[] file;
    private final ByteBuffer numbers;
    private final RowWriter rows;

    private int width;
    private int height;
    private int depth;
    private int type = -1;
    private boolean interlaced;
    private int dataAt = -1;
    private byte[] palette = new byte[0];
    private byte[] transparency = new byte[0];
    private byte @Nullable [] exif;
    private byte @Nullable [] hexExif;
    private byte @Nullable [] xmp;
    private int textLeft = MOST_TEXT;

    private PngReader(byte[] file, RowWriter rows) {
        this.file = file;
        this.numbers = Metadata.bigEndian(file);
        this.rows = rows;
    }

    static void read(byte[] file, RowWriter rows) throws IOException {
        new PngReader(file, rows).read();
    }

    private void read() throws IOException {
        readChunks();
        if (type < 0 || dataAt < 0) {
            throw new IOException("it ends before the picture starts");
        }
        checkKind();
        rows.limits().checkPixels(width, height, rows.source());
        long raw = (long) height * (1 + rowBytes(width));
        if (raw / MOST_INFLATED > file.length) {
            throw new IOException("its data cannot fill " + width + " x " + height + " pixels");
        }
        Inflater inflater = new Inflater();
        try {
            Rows data = new Rows(inflater);
            if (interlaced) {
                readInterlaced(data);
            } else {
                readInOrder(data);
            }
            data.end();
        } catch (DataFormatException e) {
            throw new IOException("its data are damaged: " + e.getMessage(), e);
        } finally {
            inflater.end();
        }
    }

    private void readChunks() throws IOException {
        long at = SIGNATURE;
        while (at + AROUND_CHUNK - 4 <= file.length) {
            int start = (int) at + 8;
            long length = Integer.toUnsignedLong(numbers.getInt((int) at));
            String name = new String(file, start - 4, 4, StandardCharsets.ISO_8859_1);
            if (!isName(name) && dataAt < 0) {
                throw new IOException("a chunk at byte " + at + " has no name");
            }
            boolean cut = start + length + 4 > file.length;
            if (name.equals("IEND") || !isName(name) || cut && (dataAt >= 0 || !name.equals("IDAT"))) {
                return;
            }
            if (name.equals("IDAT")) {
                dataAt = dataAt < 0 ? (int) at : dataAt;
            } else {
                readChunk(name, start, (int) length);
            }
            at = start + length + 4;
        }
    }

    private void readChunk(String name, int start, int length) throws IOException {
        switch (name) {
            case "IHDR" -> {
                checkSum(start, length);
                if (length < 13 || dataAt >= 0) {
                    throw new IOException("its header is damaged");
                }
                width = numbers.getInt(start);
                height = numbers.getInt(start + 4);
                depth = file[start + 8];
                type = file[start + 9];
                interlaced = file[start + 12] != 0;
                if (file[start + 11] != 0) {
                    throw new IOException("filter method " + file[start + 11] + " is unknown");
                }
            }
            case "PLTE" -> {
                if (dataAt < 0) {
                    checkSum(start, length);
                    palette = Arrays.copyOfRange(file, start, start + length);
                }
            }
            case "tRNS" -> {
                if (dataAt < 0 && length <= 256) {
                    transparency = Arrays.copyOfRange(file, start, start + length);
                }
            }
            case "eXIf" -> exif = Arrays.copyOfRange(file, start, start + length);
            case "tEXt", "zTXt", "iTXt" -> readText(name, start, length);
            default -> {
                // It says nothing about the pixels, and may be damaged.
            }
        }
    }

    private void checkSum(int start, int length) throws IOException {
        CRC32 sum = new CRC32();
        sum.update(file, start - 4, length + 4);
        if ((int) sum.getValue() != numbers.getInt(start + length)) {
            throw new IOException("the check sum of its header or palette is wrong");
        }
    }

    /** Keeps those texts that can hold an orientation. */
    private void readText(String kind, int start, int length) {
        int end = start + length;
        int key = indexOfZero(start, end);
        if (key >= end) {
            return;
        }
        String name = new String(file, start, Math.min(key - start, 64), StandardCharsets.ISO_8859_1);
        boolean isXmp = name.equals("XML:com.adobe.xmp");
        boolean isHex = name.equals("Raw profile type exif");
        boolean isExif = name.equals("exif") && kind.equals("tEXt");
        if (!isXmp && !isHex && !isExif) {
            return;
        }
        byte[] text = switch (kind) {
            case "tEXt" -> Arrays.copyOfRange(file, key + 1, end);
            case "zTXt" -> key + 1 < end && file[key + 1] == 0 ? inflated(key + 2, end) : null;
            default -> international(key + 1, end);
        };
        if (text == null) {
            return;
        }
        if (isXmp) {
            xmp = text;
        } else if (isHex) {
            hexExif = text;
        } else {
            exif = text;
        }
    }

    private byte @Nullable [] international(int from, int end) {
        if (from + 2 > end) {
            return null;
        }
        int language = indexOfZero(from + 2, end);
        int translated = indexOfZero(language + 1, end);
        if (translated >= end) {
            return null;
        }
        if (file[from] == 0) {
            return Arrays.copyOfRange(file, translated + 1, end);
        }
        return file[from + 1] == 0 ? inflated(translated + 1, end) : null;
    }

    private byte @Nullable [] inflated(int from, int end) {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(file, from, end - from);
            byte[] text = new byte[0];
            while (!inflater.finished() && textLeft > 0) {
                int length = text.length;
                text = Arrays.copyOf(text, Math.max(1024, Math.min(2 * length, length + textLeft)));
                int count = inflater.inflate(text, length, text.length - length);
                text = Arrays.copyOf(text, length + count);
                textLeft -= Math.max(1, count);
                if (count == 0 && !inflater.finished()) {
                    return null;
                }
            }
            return inflater.finished() ? text : null;
        } catch (DataFormatException e) {
            return null;
        } finally {
            inflater.end();
        }
    }

    private int indexOfZero(int from, int end) {
        int at = Math.min(from, end);
        while (at < end && file[at] != 0) {
            at++;
        }
        return at;
    }

    private int orientation() {
        return Metadata.orientation(exif != null ? exif : hexExif == null ? null : ofHex(hexExif), xmp);
    }

    /** ImageMagick's form: an empty line, the kind, the length, then hexadecimal digits in lines. Null if damaged. */
    private static byte @Nullable [] ofHex(byte[] text) {
        int at = 0;
        for (int lines = 0; lines < 3; at++) {
            if (at >= text.length) {
                return null;
            }
            lines += text[at] == '\n' ? 1 : 0;
        }
        byte[] bytes = new byte[(text.length - at) / 2];
        int count = 0;
        while (at < text.length) {
            if (text[at] <= ' ') {
                at++;
                continue;
            }
            int high = Character.digit(text[at], 16);
            int low = at + 1 < text.length ? Character.digit(text[at + 1], 16) : -1;
            if (high < 0 || low < 0) {
                return null;
            }
            bytes[count++] = (byte) (high << 4 | low);
            at += 2;
        }
        return Arrays.copyOf(bytes, count);
    }

    private void checkKind() throws IOException {
        boolean known = switch (type) {
            case GRAY -> depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
            case PALETTE -> depth == 1 || depth == 2 || depth == 4 || depth == 8;
            case COLOUR, GRAY_ALPHA, COLOUR_ALPHA -> depth == 8 || depth == 16;
            default -> false;
        };
        if (!known) {
            throw new IOException("colour type " + type + " with " + depth + " bits is unknown");
        }
        if (type == PALETTE && palette.length < 3) {
            throw new IOException("it has no palette");
        }
    }

    private int channels() {
        return switch (type) {
            case COLOUR -> 3;
            case GRAY_ALPHA -> 2;
            case COLOUR_ALPHA -> 4;
            default -> 1;
        };
    }

    private long rowBytes(int pixels) {
        return ((long) pixels * channels() * depth + 7) / 8;
    }

    private void readInOrder(Rows data) throws IOException, DataFormatException {
        rows.begin(width, height, orientation());
        Converter converter = new Converter(width);
        data.start(width);
        for (int y = 0; y < height; y++) {
            converter.convert(data.next(), width);
            if (converter.transparent) {
                rows.row(y, converter.rgb, converter.alpha);
            } else {
                rows.row(y, converter.rgb, 0);
            }
        }
    }

    private void readInterlaced(Rows data) throws IOException, DataFormatException {
        rows.limits().checkWork(2L * width * height, rows.source());
        Converter converter = new Converter(width);
        byte[] rgb = ImageMemory.allocate(3L * width * height, rows.source());
        byte[] alpha = ImageMemory.allocate(converter.transparent ? (long) width * height : 0, rows.source());
        for (int[] pass : PASSES) {
            int columns = (width - pass[0] + pass[2] - 1) / pass[2];
            int lines = (height - pass[1] + pass[3] - 1) / pass[3];
            if (columns <= 0 || lines <= 0) {
                continue;
            }
            data.start(columns);
            for (int line = 0; line < lines; line++) {
                rows.checkInterrupted();
                converter.convert(data.next(), columns);
                int at = (pass[1] + line * pass[3]) * width + pass[0];
                for (int x = 0; x < columns; x++, at += pass[2]) {
                    System.arraycopy(converter.rgb, 3 * x, rgb, 3 * at, 3);
                    if (converter.transparent) {
                        alpha[at] = converter.alpha[x];
                    }
                }
            }
        }
        rows.begin(width, height, orientation());
        for (int y = 0; y < height; y++) {
            if (converter.transparent) {
                System.arraycopy(rgb, 3 * y * width, converter.rgb, 0, 3 * width);
                System.arraycopy(alpha, y * width, converter.alpha, 0, width);
                rows.row(y, converter.rgb, converter.alpha);
            } else {
                rows.row(y, rgb, 3 * y * width);
            }
        }
    }

    private static boolean isName(String name) {
        for (int i = 0; i < 4; i++) {
            char c = name.charAt(i);
            if (!(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z')) {
                return false;
            }
        }
        return true;
    }

    /** Inflates the data chunks and takes the filters off. */
    private final class Rows {
        private final Inflater inflater;
        private int chunk = dataAt;
        private byte[] current = new byte[0];
        private byte[] previous = new byte[0];

        Rows(Inflater inflater) {
            this.inflater = inflater;
        }

        /** Begins a picture, or a pass of an interlaced one. */
        void start(int pixels) {
            int length = Math.toIntExact(1 + rowBytes(pixels));
            current = ImageMemory.allocate(length, rows.source());
            previous = ImageMemory.allocate(length, rows.source());
        }

        /** The next row behind a byte that means nothing any more. */
        byte[] next() throws IOException, DataFormatException {
            byte[] swap = previous;
            previous = current;
            current = swap;
            int filled = 0;
            while (filled < current.length) {
                int count = inflater.inflate(current, filled, current.length - filled);
                filled += count;
                if (count == 0 && (inflater.finished() || inflater.needsDictionary() || !feed())) {
                    throw new IOException("the picture data end too early");
                }
            }
            unfilter();
            return current;
        }

        /** Reads the check sum behind the pixels. */
        void end() throws IOException, DataFormatException {
            byte[] rest = new byte[1024];
            int most = 64;
            while (!inflater.finished() && most > 0) {
                int count = inflater.inflate(rest);
                if (count > 0) {
                    most--;
                } else if (!inflater.finished() && (inflater.needsDictionary() || !feed())) {
                    throw new IOException("the picture data end too early");
                }
            }
        }

        private boolean feed() {
            while (chunk >= 0 && chunk + 8 <= file.length && Metadata.startsWith(file, chunk + 4, "IDAT")) {
                long length = Integer.toUnsignedLong(numbers.getInt(chunk));
                int start = chunk + 8;
                long end = Math.min(start + length, file.length);
                chunk = end + 4 > file.length ? -1 : (int) end + 4;
                if (end > start) {
                    inflater.setInput(file, start, (int) end - start);
                    return true;
                }
            }
            return false;
        }

        private void unfilter() throws IOException {
            byte[] row = current;
            byte[] above = previous;
            int pixel = Math.max(1, channels() * depth / 8);
            switch (row[0]) {
                case 0 -> {
                    // Stored as it is.
                }
                case 1 -> {
                    for (int i = 1 + pixel; i < row.length; i++) {
                        row[i] += row[i - pixel];
                    }
                }
                case 2 -> {
                    for (int i = 1; i < row.length; i++) {
                        row[i] += above[i];
                    }
                }
                case 3 -> {
                    for (int i = 1; i < row.length; i++) {
                        int left = i > pixel ? row[i - pixel] & 0xFF : 0;
                        row[i] += (byte) ((left + (above[i] & 0xFF)) >> 1);
                    }
                }
                case 4 -> {
                    int first = Math.min(row.length, 1 + pixel);
                    for (int i = 1; i < first; i++) {
                        row[i] += above[i];
                    }
                    for (int i = first; i < row.length; i++) {
                        row[i] += nearest(row[i - pixel] & 0xFF, above[i] & 0xFF, above[i - pixel] & 0xFF);
                    }
                }
                default -> throw new IOException("row filter " + row[0] + " is unknown");
            }
        }

        /** Paeth's predictor. */
        private static byte nearest(int left, int up, int corner) {
            int fromLeft = up - corner;
            int fromUp = left - corner;
            int fromCorner = Math.abs(fromLeft + fromUp);
            fromLeft = Math.abs(fromLeft);
            fromUp = Math.abs(fromUp);
            if (fromLeft <= fromUp && fromLeft <= fromCorner) {
                return (byte) left;
            }
            return (byte) (fromUp <= fromCorner ? up : corner);
        }
    }

    /** Stored samples to RGB, with alpha where it is asked for. */
    private final class Converter {
        final byte[] rgb;
        final byte[] alpha;

        /** True if the picture has alpha, and somebody wants it. */
        final boolean transparent;

        /** Gray or palette: RGB for each value of up to 8 bits. */
        private final byte[] colours = new byte[3 * 256];

        Converter(int pixels) {
            rgb = ImageMemory.allocate(3L * pixels, rows.source());
            transparent = rows.wantsAlpha()
                    && (type == GRAY_ALPHA || type == COLOUR_ALPHA || transparency.length > (type == COLOUR ? 5 : 0));
            alpha = new byte[transparent ? pixels : 0];
            if (type == PALETTE) {
                // What a damaged file shows behind its palette is black.
                System.arraycopy(palette, 0, colours, 0, Math.min(palette.length / 3 * 3, colours.length));
            } else if (type == GRAY && depth <= 8) {
                int largest = (1 << depth) - 1;
                for (int value = 0; value <= largest; value++) {
                    Arrays.fill(colours, 3 * value, 3 * value + 3, (byte) (value * 255 / largest));
                }
            }
        }

        /** The first byte of {@code row} is not one of them. */
        void convert(byte[] row, int pixels) {
            switch (type) {
                case GRAY -> {
                    if (depth == 16) {
                        gray16(row, pixels);
                    } else {
                        looked(row, pixels);
                    }
                }
                case PALETTE -> looked(row, pixels);
                case COLOUR -> colour(row, pixels, 3);
                case GRAY_ALPHA -> grayAlpha(row, pixels);
                default -> colour(row, pixels, 4);
            }
        }

        private void looked(byte[] row, int pixels) {
            int mask = (1 << depth) - 1;
            int key = type == GRAY && transparency.length > 1
                    ? ((transparency[0] & 0xFF) << 8 | transparency[1] & 0xFF)
                    : -1;
            for (int x = 0; x < pixels; x++) {
                int bit = x * depth;
                int value = row[1 + (bit >> 3)] >> (8 - depth - (bit & 7)) & mask;
                rgb[3 * x] = colours[3 * value];
                rgb[3 * x + 1] = colours[3 * value + 1];
                rgb[3 * x + 2] = colours[3 * value + 2];
                if (transparent) {
                    alpha[x] = type == GRAY
                            ? (byte) (value == key ? 0 : 255)
                            : value < transparency.length ? transparency[value] : (byte) 255;
                }
            }
        }

        /** Clipped instead of scaled: what the models saw in training, since the reference does so. */
        private void gray16(byte[] row, int pixels) {
            for (int x = 0; x < pixels; x++) {
                byte high = row[1 + 2 * x];
                byte low = row[2 + 2 * x];
                Arrays.fill(rgb, 3 * x, 3 * x + 3, high == 0 ? low : (byte) 255);
                if (transparent) {
                    alpha[x] = (byte)
                            (transparency.length > 1 && high == transparency[0] && low == transparency[1] ? 0 : 255);
                }
            }
        }

        private void grayAlpha(byte[] row, int pixels) {
            int bytes = depth / 8;
            for (int x = 0; x < pixels; x++) {
                Arrays.fill(rgb, 3 * x, 3 * x + 3, row[1 + 2 * x * bytes]);
                if (transparent) {
                    alpha[x] = row[1 + (2 * x + 1) * bytes];
                }
            }
        }

        private void colour(byte[] row, int pixels, int channels) {
            int bytes = depth / 8;
            if (channels == 3 && bytes == 1) {
                System.arraycopy(row, 1, rgb, 0, 3 * pixels);
            } else {
                int from = 1;
                for (int x = 0; x < pixels; x++, from += channels * bytes) {
                    rgb[3 * x] = row[from];
                    rgb[3 * x + 1] = row[from + bytes];
                    rgb[3 * x + 2] = row[from + 2 * bytes];
                }
            }
            for (int x = 0; transparent && x < pixels; x++) {
                int from = 1 + x * channels * bytes;
                alpha[x] = channels == 4 ? row[from + 3 * bytes] : (byte) (isKey(row, from, bytes) ? 0 : 255);
            }
        }

        private boolean isKey(byte[] row, int from, int bytes) {
            for (int channel = 0; channel < 3; channel++) {
                boolean high = bytes == 1
                        ? transparency[2 * channel] == 0
                        : transparency[2 * channel] == row[from + 2 * channel];
                if (!high || transparency[2 * channel + 1] != row[from + channel * bytes + bytes - 1]) {
                    return false;
                }
            }
            return true;
        }
    }
}
