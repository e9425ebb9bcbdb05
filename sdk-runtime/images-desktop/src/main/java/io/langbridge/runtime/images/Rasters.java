package io.langbridge.runtime.images;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;

/**
 * Stored samples to RGB bytes. {@code BufferedImage.getRGB} is of no use here: it converts gray as if it had another
 * gamma, and multiplies or scales where the reference drops.
 */
final class Rasters {
    private Rasters() {}

    /** {@code [height, width, 3]} of a picture with a palette, gray or RGB samples; further channels are dropped. */
    static byte[] rgb(BufferedImage image) throws IOException {
        ColorModel model = image.getColorModel();
        return model instanceof IndexColorModel palette
                ? ofPalette(image.getRaster(), palette)
                : ofSamples(image.getRaster(), model);
    }

    private static byte[] ofPalette(Raster raster, IndexColorModel palette) {
        int[] colours = new int[palette.getMapSize()];
        palette.getRGBs(colours);
        int width = raster.getWidth();
        int[] row = new int[width];
        byte[] rgb = new byte[3 * width * raster.getHeight()];
        int at = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, 0, row);
            for (int index : row) {
                // A damaged file can point behind its palette; the reference shows black there.
                int colour = index < colours.length ? colours[index] : 0;
                rgb[at++] = (byte) (colour >> 16);
                rgb[at++] = (byte) (colour >> 8);
                rgb[at++] = (byte) colour;
            }
        }
        return rgb;
    }

    private static byte[] ofSamples(Raster raster, ColorModel model) throws IOException {
        int colours = model.getNumColorComponents();
        if (colours != 1 && colours != 3) {
            throw new IOException(colours + " colour channels, not 1 or 3");
        }
        int bands = raster.getNumBands();
        int width = raster.getWidth();
        int[] row = new int[width * bands];
        byte[] rgb = new byte[3 * width * raster.getHeight()];
        int at = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                for (int channel = 0; channel < 3; channel++) {
                    int band = colours == 1 ? 0 : channel;
                    rgb[at++] = toByte(row[x * bands + band], model.getComponentSize(band));
                }
            }
        }
        return rgb;
    }

    private static byte toByte(int sample, int bits) {
        if (bits >= 8) {
            return (byte) (sample >> (bits - 8));
        }
        return (byte) (sample * 255 / ((1 << bits) - 1));
    }

    /** 16-bit gray, clipped instead of scaled: what the models saw in training, since the reference does so. */
    static byte[] clippedGray(Raster raster) {
        int width = raster.getWidth();
        int[] row = new int[width];
        byte[] rgb = new byte[3 * width * raster.getHeight()];
        int at = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, 0, row);
            for (int sample : row) {
                byte gray = (byte) Math.min(sample, 255);
                rgb[at++] = gray;
                rgb[at++] = gray;
                rgb[at++] = gray;
            }
        }
        return rgb;
    }
}
