package io.langbridge.runtime.images;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.util.Arrays;

/**
 * Stored samples to RGB bytes. {@code BufferedImage.getRGB} is of no use here: it converts gray as if it had another
 * gamma, and multiplies or scales where the reference drops.
 */
final class Rasters {
    private Rasters() {}

    /**
     * One row of a picture with a palette, gray or RGB samples; further channels are dropped.
     *
     * @param clips true if 16-bit samples are clipped instead of scaled, as the reference does with gray ones
     * @param rgb gets three bytes per pixel
     */
    static void row(BufferedImage image, int y, boolean clips, byte[] rgb) throws IOException {
        ColorModel model = image.getColorModel();
        Raster raster = image.getRaster();
        int width = raster.getWidth();
        int bands = raster.getNumBands();
        int[] row = raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, (int[]) null);
        if (model instanceof IndexColorModel palette) {
            int[] colours = new int[palette.getMapSize()];
            palette.getRGBs(colours);
            for (int x = 0; x < width; x++) {
                // A damaged file can point behind its palette; the reference shows black there.
                int colour = row[x] < colours.length ? colours[row[x]] : 0;
                rgb[3 * x] = (byte) (colour >> 16);
                rgb[3 * x + 1] = (byte) (colour >> 8);
                rgb[3 * x + 2] = (byte) colour;
            }
            return;
        }
        int colours = model.getNumColorComponents();
        if (colours != 1 && colours != 3) {
            throw new IOException(colours + " colour channels, not 1 or 3");
        }
        for (int x = 0; x < width; x++) {
            if (colours == 1) {
                int gray = row[x * bands];
                Arrays.fill(rgb, 3 * x, 3 * x + 3, clips ? (byte) Math.min(gray, 255) : toByte(gray, model, 0));
                continue;
            }
            for (int channel = 0; channel < 3; channel++) {
                rgb[3 * x + channel] = toByte(row[x * bands + channel], model, channel);
            }
        }
    }

    /** Alpha of one row, from the last channel. */
    static void alpha(BufferedImage image, int y, byte[] alpha) {
        Raster raster = image.getRaster();
        int[] samples = raster.getSamples(
                raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, raster.getNumBands() - 1, (int[]) null);
        for (int x = 0; x < samples.length; x++) {
            alpha[x] = toByte(samples[x], image.getColorModel(), raster.getNumBands() - 1);
        }
    }

    private static byte toByte(int sample, ColorModel model, int band) {
        int bits = model.getComponentSize(band);
        return bits >= 8 ? (byte) (sample >> (bits - 8)) : (byte) (sample * 255 / ((1 << bits) - 1));
    }
}
