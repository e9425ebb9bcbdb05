package io.langbridge.runtime.images;

import com.twelvemonkeys.imageio.metadata.Directory;
import com.twelvemonkeys.imageio.metadata.Entry;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEG;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegment;
import com.twelvemonkeys.imageio.metadata.tiff.TIFF;
import com.twelvemonkeys.imageio.metadata.tiff.TIFFReader;
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream;
import io.langbridge.spi.RgbPixels;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The EXIF orientation of a picture, 1 to 8, and turning it upright. */
final class Orientation {
    static final int UPRIGHT = 1;

    private static final int PNG_SIGNATURE = 8;
    private static final int RIFF_HEADER = 12;
    private static final String EXIF_ID = "Exif\0\0";

    private Orientation() {}

    static int inJpeg(List<JPEGSegment> segments) throws IOException {
        for (JPEGSegment segment : segments) {
            if (segment.marker() == JPEG.APP1 && "Exif".equals(segment.identifier())) {
                try (InputStream data = segment.segmentData()) {
                    return of(data.readAllBytes());
                }
            }
        }
        return UPRIGHT;
    }

    static int inPng(byte[] encoded) {
        return of(chunk(encoded, PNG_SIGNATURE, "eXIf", ByteOrder.BIG_ENDIAN));
    }

    static int inWebP(byte[] encoded) {
        return of(chunk(encoded, RIFF_HEADER, "EXIF", ByteOrder.LITTLE_ENDIAN));
    }

    /** Upright if the EXIF block is damaged: a picture is not refused for its metadata. */
    private static int of(byte @Nullable [] exif) {
        if (exif == null) {
            return UPRIGHT;
        }
        int from = exif.length >= EXIF_ID.length() && matches(exif, 0, EXIF_ID) ? EXIF_ID.length() : 0;
        try (ByteArrayImageInputStream tiff = new ByteArrayImageInputStream(exif, from, exif.length - from)) {
            Directory directory = new TIFFReader().read(tiff);
            Entry entry = directory.getEntryById(TIFF.TAG_ORIENTATION);
            int value = entry != null && entry.getValue() instanceof Number number ? number.intValue() : UPRIGHT;
            return value >= 1 && value <= 8 ? value : UPRIGHT;
        } catch (IOException | RuntimeException e) {
            return UPRIGHT;
        }
    }

    /** PNG and WebP are both rows of chunks; PNG has the length before the name and a checksum at the end. */
    private static byte @Nullable [] chunk(byte[] encoded, int start, String name, ByteOrder order) {
        boolean png = order == ByteOrder.BIG_ENDIAN;
        ByteBuffer buffer = ByteBuffer.wrap(encoded).order(order);
        long at = start;
        while (at + 8 <= encoded.length) {
            int length = buffer.getInt((int) at + (png ? 0 : 4));
            int nameAt = (int) at + (png ? 4 : 0);
            if (length < 0 || at + 8 + length > encoded.length) {
                return null;
            }
            if (matches(encoded, nameAt, name)) {
                return Arrays.copyOfRange(encoded, (int) at + 8, (int) at + 8 + length);
            }
            at += png ? 12L + length : 8L + length + (length & 1);
        }
        return null;
    }

    private static boolean matches(byte[] bytes, int at, String text) {
        for (int i = 0; i < text.length(); i++) {
            if (bytes[at + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Turns and mirrors a picture so that it is upright.
     *
     * @param orientation 1 to 8 as EXIF numbers them
     */
    static RgbPixels turn(int orientation, int width, int height, byte[] rgb) {
        if (orientation == UPRIGHT) {
            return RgbPixels.wrap(width, height, rgb);
        }
        boolean swapsSides = orientation >= 5;
        int outWidth = swapsSides ? height : width;
        int outHeight = swapsSides ? width : height;
        byte[] turned = new byte[rgb.length];
        int at = 0;
        for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
                int fromX = switch (orientation) {
                    case 2, 3 -> width - 1 - x;
                    case 4 -> x;
                    case 5, 6 -> y;
                    default -> width - 1 - y;
                };
                int fromY = switch (orientation) {
                    case 2 -> y;
                    case 3, 4 -> height - 1 - y;
                    case 5, 8 -> x;
                    default -> height - 1 - x;
                };
                int from = 3 * (fromY * width + fromX);
                turned[at++] = rgb[from];
                turned[at++] = rgb[from + 1];
                turned[at++] = rgb[from + 2];
            }
        }
        return RgbPixels.wrap(outWidth, outHeight, turned);
    }
}
