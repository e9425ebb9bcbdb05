package io.langbridge.runtime.images.webp;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A WebP file: lossy or lossless, a still picture or the first frame of an animation. Immutable and safe for use by
 * several threads; pixels are not decoded before {@link #decode}.
 */
public final class WebP {
    private static final int RIFF_SIZE = 4;
    private static final int CHUNK_HEADER = 8;
    private static final int RIFF_HEADER = 12;
    private static final int EXTENDED_HEADER = 10;
    private static final int FRAME_HEADER = 16;
    private static final int ANIMATED = 0x02;
    private static final int HAS_XMP = 0x04;
    private static final int HAS_EXIF = 0x08;
    private static final int HAS_ALPHA = 0x10;

    private final byte[] data;
    private final int width;
    private final int height;
    private final boolean hasAlpha;
    private final Frame frame;
    private final @Nullable Chunk exif;
    private final @Nullable Chunk xmp;

    /** Gets the rows of a picture from the top, each of them once. */
    @FunctionalInterface
    public interface Rows {
        /**
         * Takes a row. What it throws ends decoding and leaves {@link WebP#decode}.
         *
         * @param y row, 0 at the top
         * @param argb one pixel per column, alpha in the highest byte, not multiplied into the colours; used again for
         *     the next row
         */
        void row(int y, int[] argb);
    }

    private record Chunk(String name, int from, int end) {}

    /** A picture and its place on the canvas. */
    private record Frame(
            Chunk image, @Nullable Chunk alpha, boolean hasAlpha, int left, int top, int width, int height) {}

    private WebP(
            byte[] data,
            int width,
            int height,
            boolean hasAlpha,
            Frame frame,
            @Nullable Chunk exif,
            @Nullable Chunk xmp) {
        this.data = data;
        this.width = width;
        this.height = height;
        this.hasAlpha = hasAlpha;
        this.frame = frame;
        this.exif = exif;
        this.xmp = xmp;
    }

    /**
     * Reads the headers of a file.
     *
     * @param data the whole file; kept, and not to be changed
     * @return the file
     * @throws IOException if it is damaged or cut off, naming the place
     */
    public static WebP open(byte[] data) throws IOException {
        if (data.length < RIFF_HEADER) {
            throw new IOException("it has " + data.length + " bytes, less than a header");
        }
        long declared = CHUNK_HEADER + Bytes.unsigned32(data, RIFF_SIZE);
        if (data.length < declared) {
            throw new IOException("it has " + data.length + " of " + declared + " bytes");
        }
        int end = (int) declared;
        Chunk first = chunk(data, RIFF_HEADER, end);
        if (first.name.equals("VP8X")) {
            return extended(data, first, end);
        }
        Frame frame = frame(data, RIFF_HEADER, end, false);
        return new WebP(data, frame.width, frame.height, frame.hasAlpha, frame, null, null);
    }

    private static WebP extended(byte[] data, Chunk header, int end) throws IOException {
        if (header.end - header.from < EXTENDED_HEADER) {
            throw new IOException("the extended header is cut off");
        }
        int flags = data[header.from];
        int width = 1 + Bytes.int24(data, header.from + 4);
        int height = 1 + Bytes.int24(data, header.from + 7);
        boolean hasAlpha = (flags & HAS_ALPHA) != 0;
        Frame frame = null;
        Chunk exif = null;
        Chunk xmp = null;
        for (int at = next(header); at < end; ) {
            Chunk chunk = chunk(data, at, end);
            boolean picture = (flags & ANIMATED) == 0
                    ? isImage(chunk.name) || chunk.name.equals("ALPH")
                    : chunk.name.equals("ANMF");
            if (frame == null && picture) {
                frame = chunk.name.equals("ANMF") ? animated(data, chunk, hasAlpha) : frame(data, at, end, hasAlpha);
            } else if (exif == null && (flags & HAS_EXIF) != 0 && chunk.name.equals("EXIF")) {
                exif = chunk;
            } else if (xmp == null && (flags & HAS_XMP) != 0 && chunk.name.equals("XMP ")) {
                xmp = chunk;
            }
            at = next(chunk);
        }
        if (frame == null) {
            throw new IOException("there is no picture in it");
        }
        boolean fits = (flags & ANIMATED) == 0
                ? frame.width == width && frame.height == height
                : frame.left + frame.width <= width && frame.top + frame.height <= height;
        if (!fits) {
            throw new IOException("the picture of " + frame.width + " x " + frame.height + " at " + frame.left + ", "
                    + frame.top + " does not fit its canvas of " + width + " x " + height);
        }
        boolean still = (flags & ANIMATED) == 0;
        return new WebP(data, width, height, hasAlpha || still && frame.hasAlpha, frame, exif, xmp);
    }

    private static Frame animated(byte[] data, Chunk chunk, boolean hasAlpha) throws IOException {
        if (chunk.end - chunk.from < FRAME_HEADER) {
            throw new IOException("the first frame is cut off");
        }
        Frame frame = frame(data, chunk.from + FRAME_HEADER, chunk.end, hasAlpha);
        int left = 2 * Bytes.int24(data, chunk.from);
        int top = 2 * Bytes.int24(data, chunk.from + 3);
        return new Frame(frame.image, frame.alpha, frame.hasAlpha, left, top, frame.width, frame.height);
    }

    /** The picture that begins here, perhaps with its alpha. */
    private static Frame frame(byte[] data, int from, int end, boolean hasAlpha) throws IOException {
        Chunk alpha = null;
        for (int at = from; at < end; ) {
            Chunk chunk = chunk(data, at, end);
            if (chunk.name.equals("VP8L")) {
                Vp8l header = new Vp8l(data, chunk.from, chunk.end);
                return new Frame(chunk, null, header.alpha, 0, 0, header.width, header.height);
            }
            if (chunk.name.equals("VP8 ")) {
                Vp8Header header = new Vp8Header(data, chunk.from, chunk.end);
                return new Frame(chunk, alpha, alpha != null, 0, 0, header.width, header.height);
            }
            if (chunk.name.equals("ALPH") && hasAlpha) {
                alpha = chunk;
            }
            at = next(chunk);
        }
        throw new IOException("there is no picture in it");
    }

    private static boolean isImage(String name) {
        return name.equals("VP8 ") || name.equals("VP8L");
    }

    private static Chunk chunk(byte[] data, int at, int end) throws IOException {
        if (end - at < CHUNK_HEADER) {
            throw new IOException("it ends within the header of a chunk");
        }
        String name = new String(data, at, 4, StandardCharsets.ISO_8859_1);
        long size = Bytes.unsigned32(data, at + 4);
        int from = at + CHUNK_HEADER;
        if (size + (size & 1) > end - from) {
            throw new IOException("chunk " + name + " has " + (end - from) + " of " + size + " bytes");
        }
        return new Chunk(name, from, from + (int) size);
    }

    /** Chunks begin at even distances. */
    private static int next(Chunk chunk) {
        return chunk.end + (chunk.end - chunk.from & 1);
    }

    /** {@return width of the canvas in pixels} */
    public int width() {
        return width;
    }

    /** {@return height of the canvas in pixels} */
    public int height() {
        return height;
    }

    /** {@return whether the file says that some of its pixels may be transparent} */
    public boolean hasAlpha() {
        return hasAlpha;
    }

    /** {@return a copy of the EXIF block, or null} */
    public byte @Nullable [] exif() {
        return exif == null ? null : Arrays.copyOfRange(data, exif.from, exif.end);
    }

    /** {@return a copy of the XMP packet, or null} */
    public byte @Nullable [] xmp() {
        return xmp == null ? null : Arrays.copyOfRange(data, xmp.from, xmp.end);
    }

    /**
     * Decodes the picture on its canvas. What the first frame of an animation does not cover is black, and transparent
     * if the file {@link #hasAlpha}.
     *
     * <p>Memory: a few rows for a lossy picture; 8 MiB and a part of the file's own size for a lossless one, and up to
     * 0.75 bytes per pixel for what describes its tiles; 1 byte per pixel more for the alpha of a lossy one.
     *
     * @param withAlpha whether to decode alpha; without it the highest byte of the pixels means nothing
     * @param rows gets the rows
     * @throws IOException if the picture is damaged; some rows may have been handed out by then
     */
    public void decode(boolean withAlpha, Rows rows) throws IOException {
        Chunk image = frame.image;
        Rows canvas = withAlpha && !hasAlpha ? opaque(rows) : rows;
        if (frame.width != width || frame.height != height) {
            canvas = new Canvas(canvas);
        }
        if (image.name.equals("VP8L")) {
            new Vp8l(data, image.from, image.end).decode(canvas);
        } else {
            Vp8 lossy = new Vp8(new Vp8Header(data, image.from, image.end));
            lossy.decode(withAlpha && frame.alpha != null ? veiled(frame.alpha, canvas) : canvas);
        }
    }

    private static Rows opaque(Rows rows) {
        return (y, argb) -> {
            for (int x = 0; x < argb.length; x++) {
                argb[x] |= 0xff000000;
            }
            rows.row(y, argb);
        };
    }

    private Rows veiled(Chunk chunk, Rows rows) throws IOException {
        byte[] alpha = Alpha.read(data, chunk.from, chunk.end, frame.width, frame.height);
        return (y, argb) -> {
            for (int x = 0; x < argb.length; x++) {
                argb[x] = argb[x] & 0xffffff | alpha[y * argb.length + x] << 24;
            }
            rows.row(y, argb);
        };
    }

    /** Rows of a frame with what surrounds it. */
    private final class Canvas implements Rows {
        private final Rows rows;
        private final int[] row = new int[width];

        Canvas(Rows rows) {
            this.rows = rows;
        }

        @Override
        public void row(int y, int[] argb) {
            for (int above = 0; y == 0 && above < frame.top; above++) {
                rows.row(above, row);
            }
            System.arraycopy(argb, 0, row, frame.left, frame.width);
            rows.row(frame.top + y, row);
            if (y == frame.height - 1) {
                Arrays.fill(row, 0);
                for (int below = frame.top + frame.height; below < height; below++) {
                    rows.row(below, row);
                }
            }
        }
    }
}
