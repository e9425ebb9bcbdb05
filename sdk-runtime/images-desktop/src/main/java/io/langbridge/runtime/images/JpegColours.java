package io.langbridge.runtime.images;

import java.io.IOException;

/**
 * Colours of JPEG files. Which channels a file has is guessed by libjpeg's rules, since only few files say it. The
 * platform's reader converts three channels as libjpeg does, but does not know ink.
 */
enum JpegColours {
    GRAY,
    RGB,
    YCC,
    CMYK,
    YCCK;

    private static final int HALF = 1 << 15;
    private static final int RED_FROM_CR = fixed(1.40200);
    private static final int GREEN_FROM_CB = fixed(0.34414);
    private static final int GREEN_FROM_CR = fixed(0.71414);
    private static final int BLUE_FROM_CB = fixed(1.77200);

    /**
     * What the markers before the picture say.
     *
     * @param ids of the channels
     * @param jfif true if there is a JFIF segment
     * @param adobeTransform of the last Adobe segment that is long enough to have one, or -1
     */
    static JpegColours of(int[] ids, boolean jfif, int adobeTransform) throws IOException {
        switch (ids.length) {
            case 1:
                return GRAY;
            case 3:
                if (jfif) {
                    return YCC;
                }
                if (adobeTransform >= 0) {
                    return adobeTransform == 0 ? RGB : YCC;
                }
                return ids[0] == 'R' && ids[1] == 'G' && ids[2] == 'B' ? RGB : YCC;
            case 4:
                // Any transform but none is taken for the usual one.
                return adobeTransform > 0 ? YCCK : CMYK;
            default:
                throw new UnsupportedKindException(ids.length + " colour channels, not 1, 3 or 4");
        }
    }

    /**
     * One row of four channels.
     *
     * @param samples four per pixel
     * @param rgb gets three bytes per pixel
     */
    void convert(int[] samples, byte[] rgb) {
        int at = 0;
        for (int from = 0; from < samples.length; from += 4) {
            convert(samples, from, rgb, at);
            at += 3;
        }
    }

    private void convert(int[] samples, int from, byte[] rgb, int at) {
        switch (this) {
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
            default -> throw new IllegalStateException(this + " has no ink");
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
