package io.langbridge.drawing;

import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import io.langbridge.spi.ImageMemory;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;

/**
 * Pictures of AWT, Swing and ImageIO to ask about. The way in for formats that the SDK does not read: decode them with
 * an ImageIO plug-in of your own.
 *
 * <pre>{@code
 * Image frame = DesktopImage.of(new Robot().createScreenCapture(area));
 * Image scan = DesktopImage.of(ImageIO.read(new File("scan.tga")));
 * }</pre>
 *
 * @since 0.1
 */
public final class DesktopImage {
    private static final String NAME = "The raw picture";
    private static final int BYTES_PER_PIXEL = 7;

    private DesktopImage() {}

    /**
     * Takes over the pixels as they are now. Samples are taken as they are stored: gray is copied to three channels
     * without gamma, of 16 bits the high byte counts, alpha is dropped unless {@link Image#onGround(int)} asks for it.
     * What is stored in other ways than gray and sRGB (palettes, CMYK, premultiplied alpha) is what
     * {@link BufferedImage#getRGB(int, int)} makes of it.
     *
     * @param picture any type; copied, at seven bytes per pixel for a moment
     * @return the picture
     * @throws ImageException if it is larger than {@link ImageLimits#defaults()} allows, or the heap has no room for it
     */
    public static Image of(BufferedImage picture) {
        int width = picture.getWidth();
        int height = picture.getHeight();
        ImageLimits.defaults().checkPixels(width, height, NAME);
        return ImageMemory.within(
                (long) width * height * BYTES_PER_PIXEL,
                NAME,
                () -> Image.ofArgb(argb(picture, width, height), width, height));
    }

    private static int[] argb(BufferedImage picture, int width, int height) {
        ColorModel model = picture.getColorModel();
        int[] argb = new int[width * height];
        if (!isGray(model) && !isWideRgb(model)) {
            return picture.getRGB(0, 0, width, height, argb, 0, width);
        }
        int colors = model.getNumColorComponents();
        Raster raster = picture.getRaster();
        int bands = raster.getNumBands();
        int[] row = new int[width * bands];
        for (int y = 0; y < height; y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                int at = x * bands;
                int pixel = bands > colors ? toByte(row[at + colors], model.getComponentSize(colors)) : 0xFF;
                for (int i = 0; i < 3; i++) {
                    int band = Math.min(i, colors - 1);
                    pixel = pixel << 8 | toByte(row[at + band], model.getComponentSize(band));
                }
                argb[y * width + x] = pixel;
            }
        }
        return argb;
    }

    private static boolean isGray(ColorModel model) {
        return model.getNumColorComponents() == 1
                && !(model instanceof IndexColorModel)
                && model.getComponentSize(0) <= 16;
    }

    /** Those getRGB rounds. */
    private static boolean isWideRgb(ColorModel model) {
        return model instanceof ComponentColorModel
                && model.getTransferType() == DataBuffer.TYPE_USHORT
                && model.getColorSpace().isCS_sRGB()
                && !model.isAlphaPremultiplied();
    }

    private static int toByte(int sample, int bits) {
        return bits >= 8 ? sample >> (bits - 8) & 0xFF : sample * 255 / ((1 << bits) - 1);
    }
}
