package io.langbridge.spi;

/**
 * A plain colour below transparent pixels.
 *
 * @since 0.1
 */
public final class Ground {
    private Ground() {}

    /**
     * Lays a row on the ground, with the rounding of the reference.
     *
     * @param rgb three bytes per pixel from its start on; changed
     * @param alpha one byte per pixel, 0 for transparent
     * @param alphaOffset where in {@code alpha} the row starts
     * @param count number of pixels
     * @param colour {@code 0xRRGGBB}
     */
    public static void blend(byte[] rgb, byte[] alpha, int alphaOffset, int count, int colour) {
        int red = colour >> 16 & 0xFF;
        int green = colour >> 8 & 0xFF;
        int blue = colour & 0xFF;
        for (int x = 0; x < count; x++) {
            int cover = alpha[alphaOffset + x] & 0xFF;
            if (cover != 0xFF) {
                rgb[3 * x] = mix(rgb[3 * x] & 0xFF, red, cover);
                rgb[3 * x + 1] = mix(rgb[3 * x + 1] & 0xFF, green, cover);
                rgb[3 * x + 2] = mix(rgb[3 * x + 2] & 0xFF, blue, cover);
            }
        }
    }

    private static byte mix(int above, int below, int cover) {
        int sum = above * cover + below * (255 - cover) + 128;
        return (byte) ((sum + (sum >> 8)) >> 8);
    }
}
