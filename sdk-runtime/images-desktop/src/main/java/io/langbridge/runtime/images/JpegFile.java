package io.langbridge.runtime.images;

import io.langbridge.ImageLimits;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What a JPEG file says before its picture, and a header for the platform's reader that says nothing else: without
 * profiles, comments, thumbnails and junk there is little it can stumble over, and the colours are told in one way.
 */
final class JpegFile {
    private static final int FRAME = 0xC0;
    private static final int PROGRESSIVE = 0xC2;
    private static final int HUFFMAN = 0xC4;
    private static final int EXTENSION = 0xC8;
    private static final int ARITHMETIC = 0xCC;
    private static final int LAST_FRAME = 0xCF;
    private static final int RESTART = 0xD0;
    private static final int END = 0xD9;
    private static final int SCAN = 0xDA;
    private static final int QUANTISATION = 0xDB;
    private static final int LINES = 0xDC;
    private static final int RESTART_INTERVAL = 0xDD;
    private static final int APPLICATION = 0xE0;
    private static final int EXIF = 0xE1;
    private static final int ADOBE = 0xEE;
    private static final int COMMENT = 0xFE;

    /** Enough for the tables of every picture; more of them is a trick. */
    private static final int MOST_TABLES = 1 << 20;

    private static final byte[] JFIF_SEGMENT = {
        (byte) 0xFF, (byte) APPLICATION, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0
    };
    private static final byte[] RGB_SEGMENT = {
        (byte) 0xFF, (byte) ADOBE, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0
    };

    private final byte[] file;
    private final ByteArrayOutputStream tables = new ByteArrayOutputStream();
    private boolean jfif;
    private int adobeTransform = -1;
    private byte @Nullable [] exif;
    private byte @Nullable [] xmp;
    private @Nullable Frame frame;
    private int scanAt;
    private int scans;
    private int end = -1;

    /**
     * The frame header.
     *
     * @param blocks of 8 x 8 samples in each channel
     */
    private record Frame(int kind, int width, int height, int[] ids, long[] blocks) {}

    private JpegFile(byte[] file) {
        this.file = file;
    }

    static JpegFile of(byte[] file) throws IOException {
        JpegFile read = new JpegFile(file);
        read.readSegments();
        return read;
    }

    int width() {
        return frame().width;
    }

    int height() {
        return frame().height;
    }

    JpegColours colours() throws IOException {
        return JpegColours.of(frame().ids, jfif, adobeTransform);
    }

    int orientation() {
        return Metadata.orientation(exif, xmp);
    }

    /** Everything the reader needs before {@link #scanAt()}. */
    byte[] header() throws IOException {
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        header.writeBytes(new byte[] {(byte) 0xFF, (byte) 0xD8});
        if (colours() == JpegColours.YCC) {
            header.writeBytes(JFIF_SEGMENT);
        } else if (colours() == JpegColours.RGB) {
            header.writeBytes(RGB_SEGMENT);
        }
        header.writeBytes(tables.toByteArray());
        return header.toByteArray();
    }

    /** Where the first scan starts. */
    int scanAt() {
        return scanAt;
    }

    /** Where the picture ends. A video or further pictures can follow. */
    int end() {
        return end;
    }

    /** True if no row is ready before the last scan. */
    boolean hasPasses() {
        return scans > 1 || frame().kind == PROGRESSIVE;
    }

    /**
     * Junk between the segments is passed over, as is the inside of those that say nothing about the pixels. Behind the
     * first scan only scans are counted: the reader reads what they need itself.
     */
    private void readSegments() throws IOException {
        int at = 2;
        while (at + 1 < file.length) {
            int marker = file[at + 1] & 0xFF;
            if (file[at] != (byte) 0xFF || marker == 0xFF) {
                at++;
                continue;
            }
            at += 2;
            if (marker == 0 || marker == 1 || marker >= RESTART && marker < END) {
                continue;
            }
            if (marker == END) {
                end = at;
                break;
            }
            if (marker < FRAME && scans > 0) {
                continue; // damage that libjpeg passes over up to the next restart
            }
            if (marker < FRAME || marker == EXTENSION || marker >= 0xF0 && marker != COMMENT) {
                throw new IOException(String.format("the marker %02x is unknown", marker));
            }
            int length = at + 2 <= file.length ? (file[at] & 0xFF) << 8 | file[at + 1] & 0xFF : file.length;
            if (at + length > file.length) {
                break;
            }
            int next = at + Math.max(2, length);
            if (marker == SCAN) {
                scanAt = scans == 0 ? at - 2 : scanAt;
                scans++;
            } else if (scans == 0) {
                readSegment(marker, at + 2, next);
            }
            at = next;
        }
        if (scans == 0) {
            throw new IOException("it ends before the picture starts");
        }
        if (frame == null) {
            throw new IOException("its picture has no frame header");
        }
    }

    private void readSegment(int marker, int from, int end) throws IOException {
        int length = end - from;
        if (marker == APPLICATION) {
            jfif |= length >= 14 && Metadata.startsWith(file, from, "JFIF\0");
        } else if (marker == EXIF) {
            readMetadata(from, end);
        } else if (marker == ADOBE) {
            if (length >= 12 && Metadata.startsWith(file, from, "Adobe")) {
                adobeTransform = file[from + 11] & 0xFF;
            }
        } else if (marker >= FRAME && marker <= LAST_FRAME && marker != HUFFMAN && marker != ARITHMETIC) {
            if (frame != null) {
                throw new IOException("it has two frame headers");
            }
            frame = frame(marker, from, length);
            copy(from, end);
        } else if (marker == HUFFMAN || marker == QUANTISATION || marker == RESTART_INTERVAL || marker == LINES) {
            copy(from, end);
        }
    }

    private void copy(int from, int end) throws IOException {
        if (tables.size() + (end - from) > MOST_TABLES) {
            throw new IOException("it has more than " + MOST_TABLES + " bytes of tables");
        }
        tables.write(file, from - 4, end - from + 4);
    }

    private void readMetadata(int from, int end) {
        if (Metadata.startsWith(file, from, "Exif\0\0")) {
            if (exif == null) {
                exif = Arrays.copyOfRange(file, from, end);
            } else if (exif.length < MOST_TABLES) {
                // A block longer than a segment goes on in the next one.
                int length = exif.length;
                exif = Arrays.copyOf(exif, length + end - from - 6);
                System.arraycopy(file, from + 6, exif, length, end - from - 6);
            }
        } else if (Metadata.startsWith(file, from, "http://ns.adobe.com/xap/1.0/\0")) {
            xmp = Arrays.copyOfRange(file, from, end);
        }
    }

    private Frame frame(int kind, int from, int length) throws IOException {
        String unsupported = switch (kind) {
            case FRAME, FRAME + 1, PROGRESSIVE -> "";
            case 0xC3 -> "lossless compression";
            case 0xC9, 0xCA -> "arithmetic coding";
            case 0xCB -> "lossless compression with arithmetic coding";
            default -> "hierarchical compression";
        };
        if (!unsupported.isEmpty()) {
            throw new UnsupportedKindException(unsupported + " is not supported");
        }
        if (length < 6 || length < 6 + 3 * (file[from + 5] & 0xFF)) {
            throw new IOException("its frame header is cut off");
        }
        if (file[from] != 8) {
            throw new UnsupportedKindException(file[from] + " bits per sample are not supported");
        }
        ByteBuffer numbers = Metadata.bigEndian(file);
        int height = numbers.getShort(from + 1) & 0xFFFF;
        int width = numbers.getShort(from + 3) & 0xFFFF;
        int channels = file[from + 5] & 0xFF;
        int[] ids = new int[channels];
        int mostAcross = 1;
        int mostDown = 1;
        for (int i = 0; i < channels; i++) {
            ids[i] = file[from + 6 + 3 * i] & 0xFF;
            mostAcross = Math.max(mostAcross, file[from + 7 + 3 * i] >> 4 & 15);
            mostDown = Math.max(mostDown, file[from + 7 + 3 * i] & 15);
        }
        long[] blocks = new long[channels];
        for (int i = 0; i < channels; i++) {
            blocks[i] = blocks(width, file[from + 7 + 3 * i] >> 4 & 15, mostAcross)
                    * blocks(height, file[from + 7 + 3 * i] & 15, mostDown);
        }
        return new Frame(kind, width, height, ids, blocks);
    }

    private static long blocks(int pixels, int factor, int most) {
        long samples = ((long) pixels * factor + most - 1) / most;
        return (samples + 7) / 8;
    }

    /**
     * The samples that decoding touches: the reader makes a picture of each scan, and tiny files can ask for thousands.
     *
     * @throws IOException if the data are so short that they cannot hold the picture
     */
    private long work() throws IOException {
        Frame known = frame();
        long all = Arrays.stream(known.blocks).sum();
        // A block has at least one bit for its mean and one for the end of the others; several blocks can share the
        // latter in progressive files.
        long leastBits = known.kind == PROGRESSIVE ? all : 2 * all;
        if (8L * ((end < 0 ? file.length : end) - scanAt) < leastBits) {
            throw new IOException("its data cannot fill " + known.width + " x " + known.height + " pixels");
        }
        return 64 * all * scans;
    }

    /** Compares what the file says with the limits, and whether it is whole. */
    void check(ImageLimits limits, String source) throws IOException {
        limits.checkPixels(width(), height(), source);
        limits.checkWork(work(), source);
        // libjpeg fills what is missing with gray. So does the reference, but only where a file says that it ends.
        if (end < 0) {
            throw new IOException("the picture data end too early");
        }
    }

    private Frame frame() {
        if (frame == null) {
            throw new IllegalStateException("Reading ends with a frame");
        }
        return frame;
    }
}
