package io.langbridge.drawing;

import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
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
    private DesktopImage() {}

    /**
     * Takes over the pixels as they are now. Samples are taken as they are stored: gray is copied to three channels
     * without gamma, of 16 bits the high byte counts, alpha is dropped unless {@link Image#onGround(int)} asks for it.
     *
     * @param picture any type; copied, at seven bytes per pixel for a moment
     * @return the picture
     * @throws ImageException if it is larger than {@link ImageLimits#defaults()} allows
     */
    public static Image of(BufferedImage picture) {
        int width = picture.getWidth();
        int height = picture.getHeight();
        ImageLimits.defaults().checkPixels(width, height, "The raw picture");
        int[] argb = new int[Math.multiplyExact(width, height)];
        ColorModel model = picture.getColorModel();
        boolean isGray = model.getNumColorComponents() == 1
                && !(model instanceof IndexColorModel)
                && model.getComponentSize(0) <= 16;
        if (!isGray) {
            picture.getRGB(0, 0, width, height, argb, 0, width);
            return Image.ofArgb(argb, width, height);
        }
        Raster raster = picture.getRaster();
        int bands = raster.getNumBands();
        int[] row = new int[width * bands];
        for (int y = 0; y < height; y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
            for (int x = 0; x < width; x++) {
                int gray = toByte(row[x * bands], model.getComponentSize(0));
                int alpha = bands > 1 ? toByte(row[x * bands + 1], model.getComponentSize(1)) : 0xFF;
                argb[y * width + x] = alpha << 24 | gray << 16 | gray << 8 | gray;
            }
        }
        return Image.ofArgb(argb, width, height);
    }

    private static int toByte(int sample, int bits) {
        return bits >= 8 ? sample >> (bits - 8) & 0xFF : sample * 255 / ((1 << bits) - 1);
    }
}
