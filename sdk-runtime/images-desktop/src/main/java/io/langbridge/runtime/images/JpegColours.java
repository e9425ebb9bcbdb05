package io.langbridge.runtime.images;

import com.twelvemonkeys.imageio.metadata.jpeg.JPEG;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegment;
import java.awt.image.Raster;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/**
 * Colours of JPEG files, from the samples as they are stored: the readers would apply colour profiles, and do not know
 * CMYK. Which channels a file has is guessed by libjpeg's rules, since only few files say it.
 */
enum JpegColours {
    GRAY,
    RGB,
    YCC,
    CMYK,
    YCCK;

    private static final int ADOBE_TRANSFORM = 11;
    private static final int FRAME_CHANNELS = 5;
    private static final int JPEG_EXTENSION = 0xffc8;
    private static final int HALF = 1 << 15;
    private static final int RED_FROM_CR = fixed(1.40200);
    private static final int GREEN_FROM_CB = fixed(0.34414);
    private static final int GREEN_FROM_CR = fixed(0.71414);
    private static final int BLUE_FROM_CB = fixed(1.77200);

    /**
     * What the markers before the picture say.
     *
     * @throws IOException if there is no frame, or one with an unusual number of channels
     */
    static JpegColours of(List<JPEGSegment> segments) throws IOException {
        boolean jfif = false;
        int adobeTransform = -1;
        for (JPEGSegment segment : segments) {
            if (segment.marker() == JPEG.APP0 && "JFIF".equals(segment.identifier())) {
                jfif = true;
            } else if (segment.marker() == JPEG.APP14 && "Adobe".equals(segment.identifier())) {
                adobeTransform = bytes(segment)[ADOBE_TRANSFORM];
            } else if (isFrame(segment.marker())) {
                return ofFrame(bytes(segment), jfif, adobeTransform);
            }
        }
        throw new IOException("it ends before the picture starts");
    }

    private static JpegColours ofFrame(byte[] frame, boolean jfif, int adobeTransform) throws IOException {
        int channels = frame[FRAME_CHANNELS];
        switch (channels) {
            case 1:
                return GRAY;
            case 3:
                if (jfif) {
                    return YCC;
                }
                if (adobeTransform >= 0) {
                    return adobeTransform == 0 ? RGB : YCC;
                }
                return frame[FRAME_CHANNELS + 1] == 'R'
                                && frame[FRAME_CHANNELS + 4] == 'G'
                                && frame[FRAME_CHANNELS + 7] == 'B'
                        ? RGB
                        : YCC;
            case 4:
                return adobeTransform == 2 ? YCCK : CMYK;
            default:
                throw new IOException(channels + " colour channels, not 1, 3 or 4");
        }
    }

    private static byte[] bytes(JPEGSegment segment) throws IOException {
        try (InputStream data = segment.segmentData()) {
            return data.readAllBytes();
        }
    }

    /** Start of frame: C0 to CF without the tables in between. */
    private static boolean isFrame(int marker) {
        return marker >= JPEG.SOF0
                && marker <= JPEG.SOF15
                && marker != JPEG.DHT
                && marker != JPEG_EXTENSION
                && marker != JPEG.DAC;
    }

    /** {@code [height, width, 3]} of the stored samples. */
    byte[] rgb(Raster raster) throws IOException {
        int bands = raster.getNumBands();
        int expected = this == GRAY ? 1 : this == CMYK || this == YCCK ? 4 : 3;
        if (bands != expected) {
            throw new IOException(bands + " channels were read, but " + expected + " declared");
        }
        int width = raster.getWidth();
        int[] row = new int[width * bands];
        byte[] rgb = new byte[3 * width * raster.getHeight()];
        int at = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < row.length; x += bands) {
                convert(row, x, rgb, at);
                at += 3;
            }
        }
        return rgb;
    }

    private void convert(int[] samples, int from, byte[] rgb, int at) {
        switch (this) {
            case GRAY -> {
                rgb[at] = (byte) samples[from];
                rgb[at + 1] = (byte) samples[from];
                rgb[at + 2] = (byte) samples[from];
            }
            case RGB -> {
                rgb[at] = (byte) samples[from];
                rgb[at + 1] = (byte) samples[from + 1];
                rgb[at + 2] = (byte) samples[from + 2];
            }
            case YCC -> {
                int y = samples[from];
                int cb = samples[from + 1] - 128;
                int cr = samples[from + 2] - 128;
                rgb[at] = (byte) clamp(red(y, cr));
                rgb[at + 1] = (byte) clamp(green(y, cb, cr));
                rgb[at + 2] = (byte) clamp(blue(y, cb));
            }
            case CMYK -> {
                // Stored inverted, as Adobe does and everybody assumes: 255 is no ink.
                int light = samples[from + 3];
                rgb[at] = ink(255 - samples[from], light);
                rgb[at + 1] = ink(255 - samples[from + 1], light);
                rgb[at + 2] = ink(255 - samples[from + 2], light);
            }
            case YCCK -> {
                int y = samples[from];
                int cb = samples[from + 1] - 128;
                int cr = samples[from + 2] - 128;
                int light = samples[from + 3];
                // The first three are the complement of inverted ink: the ink itself.
                rgb[at] = ink(clamp(red(y, cr)), light);
                rgb[at + 1] = ink(clamp(green(y, cb, cr)), light);
                rgb[at + 2] = ink(clamp(blue(y, cb)), light);
            }
        }
    }

    /** What is left of {@code light} under {@code ink}, both 0 to 255. */
    private static byte ink(int ink, int light) {
        int product = ink * light + 128;
        return (byte) (light - ((product + (product >> 8)) >> 8));
    }

    private static int red(int y, int cr) {
        return y + ((RED_FROM_CR * cr + HALF) >> 16);
    }

    private static int green(int y, int cb, int cr) {
        return y + ((HALF - GREEN_FROM_CB * cb - GREEN_FROM_CR * cr) >> 16);
    }

    private static int blue(int y, int cb) {
        return y + ((BLUE_FROM_CB * cb + HALF) >> 16);
    }

    private static int clamp(int value) {
        return Math.max(0, Math.min(255, value));
    }

    private static int fixed(double factor) {
        return (int) (factor * (1 << 16) + 0.5);
    }
}
