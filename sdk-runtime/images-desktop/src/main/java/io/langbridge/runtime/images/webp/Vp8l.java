package io.langbridge.runtime.images.webp;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A lossless picture. Pixels can be copied from at most 1,048,576 pixels back, so that only these are kept; what tells
 * the tiles of a picture apart takes up to a sixteenth of its pixels each for two transforms and the prefix codes.
 */
final class Vp8l {
    private static final int SIGNATURE = 0x2f;
    private static final int HEADER = 5;

    private static final int LITERALS = 256;
    private static final int LENGTHS = 24;
    private static final int DISTANCES = 40;
    private static final int LONGEST = 4096;
    private static final int WINDOW = 1 << 20;
    private static final int NEAR = 120;
    /** For each of the {@link #NEAR} first distances: rows up times 16, plus 8, less columns to the left. */
    private static final int[] NEAR_PLACES = near();

    /** Bits of a tile that is larger than any picture. */
    private static final int ONE_TILE = 14;

    private static final int HASH = 0x1e35a7bd;
    private static final int MAX_CACHE_BITS = 11;
    private static final int[] LENGTH_ORDER = {17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    private static final int DEFAULT_LENGTH = 8;
    /** Of all tables for prefix codes, 2 bytes each; encoders need less than half. */
    private static final int MAX_TABLES = 1 << 25;

    final int width;
    final int height;
    /** Whether alpha means anything. */
    final boolean alpha;

    private final BitReader in;
    private int tables;

    /** The prefix codes of a tile. */
    private record Codes(PrefixCode green, PrefixCode red, PrefixCode blue, PrefixCode alpha, PrefixCode distance) {}

    /** A picture with a header. */
    Vp8l(byte[] data, int from, int end) throws IOException {
        if (end - from < HEADER || data[from] != SIGNATURE) {
            throw new IOException("the VP8L header is damaged");
        }
        in = new BitReader(data, from + 1, end);
        width = in.number(14) + 1;
        height = in.number(14) + 1;
        alpha = in.flag();
        if (in.number(3) != 0) {
            throw new IOException("the VP8L data is of another version than 0");
        }
    }

    /** Data without a header. */
    Vp8l(byte[] data, int from, int end, int width, int height) {
        this.in = new BitReader(data, from, end);
        this.width = width;
        this.height = height;
        this.alpha = true;
    }

    void decode(WebP.Rows sink) throws IOException {
        List<Transform> transforms = new ArrayList<>();
        int coded = width;
        int seen = 0;
        while (in.flag()) {
            int type = in.number(2);
            if ((seen & 1 << type) != 0) {
                throw new IOException("a VP8L transform is there twice");
            }
            seen |= 1 << type;
            switch (type) {
                case 0 -> {
                    int bits = in.number(3) + 2;
                    transforms.add(0, new Transform.Predictor(coded, bits, tileImage(coded, bits)));
                }
                case 1 -> {
                    int bits = in.number(3) + 2;
                    transforms.add(0, new Transform.Colour(bits, tileImage(coded, bits)));
                }
                case 2 -> transforms.add(0, new Transform.Green());
                default -> {
                    int size = in.number(8) + 1;
                    int bits = size > 16 ? 0 : size > 4 ? 1 : size > 2 ? 2 : 3;
                    transforms.add(0, new Transform.Palette(coded, bits, palette(size, bits)));
                    coded = tiles(coded, bits);
                }
            }
        }
        int[] buffer = new int[coded];
        image(coded, height, true, (y, pixels, at) -> {
            System.arraycopy(pixels, at, buffer, 0, buffer.length);
            int[] row = buffer;
            for (Transform transform : transforms) {
                row = transform.undo(y, row);
            }
            sink.row(y, row);
        });
    }

    /** {@return how many squares of {@code 1 << bits} pixels lie along so many pixels} */
    static int tiles(int pixels, int bits) {
        return pixels + (1 << bits) - 1 >> bits;
    }

    private int[] tileImage(int coded, int bits) throws IOException {
        return image(tiles(coded, bits), tiles(height, bits), false, null);
    }

    private int[] palette(int size, int bits) throws IOException {
        int[] differences = image(size, 1, false, null);
        // Numbers without a colour are transparent black.
        int[] colours = new int[1 << (8 >> bits)];
        for (int i = 0; i < size; i++) {
            colours[i] = i == 0 ? differences[0] : Transform.Predictor.add(differences[i], colours[i - 1]);
        }
        return colours;
    }

    private interface CodedRows {
        void row(int y, int[] pixels, int at);
    }

    /**
     * Reads an image: the picture itself, or one that describes it.
     *
     * @param rows gets what is decoded; without it the whole image is returned
     */
    private int[] image(int width, int height, boolean main, @Nullable CodedRows rows) throws IOException {
        int cacheBits = in.flag() ? in.number(4) : 0;
        if (cacheBits > MAX_CACHE_BITS) {
            throw new IOException("the VP8L colour cache has " + cacheBits + " bits");
        }
        int tileBits = ONE_TILE;
        int[] tileCodes = {0};
        if (main && in.flag()) {
            tileBits = in.number(3) + 2;
            tileCodes = image(tiles(width, tileBits), tiles(height, tileBits), false, null);
        }
        Codes[] codes = codes(tileCodes, cacheBits);
        return new Pixels(width, height, cacheBits, tileBits, tileCodes, codes, rows).read();
    }

    /** Replaces each tile's colour by the index of its codes, and reads the codes. */
    private Codes[] codes(int[] tileCodes, int cacheBits) throws IOException {
        int last = 0;
        for (int i = 0; i < tileCodes.length; i++) {
            tileCodes[i] = tileCodes[i] >> 8 & 0xffff;
            last = Math.max(last, tileCodes[i]);
        }
        int[] lengths = new int[LITERALS + LENGTHS + (1 << MAX_CACHE_BITS)];
        int greens = LITERALS + LENGTHS + (cacheBits == 0 ? 0 : 1 << cacheBits);
        Codes[] codes = new Codes[last + 1];
        for (int i = 0; i <= last; i++) {
            codes[i] = new Codes(
                    code(lengths, greens),
                    code(lengths, LITERALS),
                    code(lengths, LITERALS),
                    code(lengths, LITERALS),
                    code(lengths, DISTANCES));
        }
        return codes;
    }

    private PrefixCode code(int[] lengths, int symbols) throws IOException {
        Arrays.fill(lengths, 0);
        if (in.flag()) {
            boolean two = in.flag();
            lengths[in.number(in.flag() ? 8 : 1)] = 1;
            if (two) {
                lengths[in.number(8)] = 1;
            }
        } else {
            readLengths(lengths, symbols);
        }
        if (in.exhausted()) {
            throw new IOException("the VP8L data ends within its prefix codes");
        }
        PrefixCode code = PrefixCode.of(lengths, symbols);
        tables += code.size();
        if (tables > MAX_TABLES) {
            throw new IOException("the VP8L data has more prefix codes than any encoder writes");
        }
        return code;
    }

    private void readLengths(int[] lengths, int symbols) throws IOException {
        int[] lengthLengths = new int[LENGTH_ORDER.length];
        int count = 4 + in.number(4);
        for (int i = 0; i < count; i++) {
            lengthLengths[LENGTH_ORDER[i]] = in.number(3);
        }
        PrefixCode code = PrefixCode.of(lengthLengths, lengthLengths.length);
        int left = symbols;
        if (in.flag()) {
            left = 2 + in.number(2 + 2 * in.number(3));
            if (left > symbols) {
                throw new IOException("a VP8L prefix code has more lengths than symbols");
            }
        }
        int previous = DEFAULT_LENGTH;
        for (int symbol = 0; symbol < symbols && left > 0; left--) {
            int length = code.read(in);
            if (length < 16) {
                lengths[symbol++] = length;
                previous = length == 0 ? previous : length;
                continue;
            }
            int repeat = switch (length) {
                case 16 -> 3 + in.number(2);
                case 17 -> 3 + in.number(3);
                default -> 11 + in.number(7);
            };
            if (repeat > symbols - symbol) {
                throw new IOException("a VP8L prefix code has more lengths than symbols");
            }
            Arrays.fill(lengths, symbol, symbol + repeat, length == 16 ? previous : 0);
            symbol += repeat;
        }
    }

    /** Nearest first; of those equally far, the one in the nearer column, and the left one before the right one. */
    private static int[] near() {
        List<int[]> places = new ArrayList<>();
        for (int up = 0; up < 8; up++) {
            for (int left = up == 0 ? 1 : -7; left <= 8; left++) {
                places.add(new int[] {up, left});
            }
        }
        places.sort(Comparator.comparingInt((int[] place) -> place[0] * place[0] + place[1] * place[1])
                .thenComparingInt(place -> Math.abs(place[1]))
                .thenComparingInt(place -> -place[1]));
        return places.stream().mapToInt(place -> place[0] << 4 | 8 - place[1]).toArray();
    }

    /** The pixels of one image, and as many of those before as can still be copied. */
    private final class Pixels {
        private final int width;
        private final int height;
        private final int total;
        private final int tileBits;
        private final int tilesAcross;
        private final int[] tileCodes;
        private final Codes[] codes;
        private final @Nullable CodedRows rows;
        private final int[] cache;
        private final int cacheShift;

        private final int[] pixels;
        private int at;
        /** Pixels that are no longer in {@link #pixels}. */
        private int dropped;

        private int cached;
        private int handedOut;
        private int row;

        Pixels(
                int width,
                int height,
                int cacheBits,
                int tileBits,
                int[] tileCodes,
                Codes[] codes,
                @Nullable CodedRows rows) {
            this.width = width;
            this.height = height;
            this.total = width * height;
            this.tileBits = tileBits;
            this.tilesAcross = tiles(width, tileBits);
            this.tileCodes = tileCodes;
            this.codes = codes;
            this.rows = rows;
            this.cache = new int[cacheBits == 0 ? 0 : 1 << cacheBits];
            this.cacheShift = 32 - cacheBits;
            this.pixels = new int[rows == null ? total : Math.min(total, 2 * WINDOW + LONGEST)];
        }

        int[] read() throws IOException {
            int tileMask = (1 << tileBits) - 1;
            int x = 0;
            int y = 0;
            Codes tile = codes[0];
            boolean copied = true;
            while (dropped + at < total) {
                if (pixels.length < total && at > pixels.length - LONGEST) {
                    slide();
                }
                if (copied || (x & tileMask) == 0) {
                    tile = codes[tileCodes[(y >> tileBits) * tilesAcross + (x >> tileBits)]];
                    copied = false;
                }
                int symbol = tile.green.read(in);
                if (symbol < LITERALS) {
                    int red = tile.red.read(in);
                    int blue = tile.blue.read(in);
                    pixels[at++] = tile.alpha.read(in) << 24 | red << 16 | symbol << 8 | blue;
                    x++;
                } else if (symbol < LITERALS + LENGTHS) {
                    int length = value(symbol - LITERALS);
                    copy(length, distance(value(tile.distance.read(in))));
                    x += length;
                    copied = true;
                } else {
                    remember();
                    pixels[at++] = cache[symbol - LITERALS - LENGTHS];
                    x++;
                }
                if (x >= width) {
                    y += x / width;
                    x %= width;
                }
                // The reference forgives missing bits in the very last pixel.
                if (in.exhausted() && dropped + at < total) {
                    throw new IOException("the VP8L data ends in row " + y + " of " + height);
                }
            }
            handOut();
            return pixels;
        }

        private int value(int symbol) {
            if (symbol < 4) {
                return symbol + 1;
            }
            int bits = symbol - 2 >> 1;
            return (2 + (symbol & 1) << bits) + in.number(bits) + 1;
        }

        private int distance(int code) {
            if (code > NEAR) {
                return code - NEAR;
            }
            int place = NEAR_PLACES[code - 1];
            return Math.max(1, (place >> 4) * width + 8 - (place & 0xf));
        }

        private void copy(int length, int distance) throws IOException {
            if (distance > dropped + at || length > total - dropped - at) {
                throw new IOException("the VP8L data copies pixels from outside of the picture");
            }
            int from = at - distance;
            if (distance >= length) {
                System.arraycopy(pixels, from, pixels, at, length);
                at += length;
            } else {
                for (int end = at + length; at < end; ) {
                    pixels[at++] = pixels[from++];
                }
            }
        }

        /** Brings the colour cache up to date; most pixels come and go without anyone asking it. */
        private void remember() {
            for (; cached < at; cached++) {
                cache[pixels[cached] * HASH >>> cacheShift] = pixels[cached];
            }
        }

        private void handOut() {
            for (; rows != null && at - handedOut >= width; handedOut += width) {
                rows.row(row++, pixels, handedOut);
            }
        }

        private void slide() {
            handOut();
            if (cache.length > 0) {
                remember();
            }
            int gone = at - WINDOW;
            System.arraycopy(pixels, gone, pixels, 0, WINDOW);
            dropped += gone;
            at -= gone;
            cached -= gone;
            handedOut -= gone;
        }
    }
}
