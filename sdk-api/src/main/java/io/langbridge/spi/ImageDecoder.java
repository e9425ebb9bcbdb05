package io.langbridge.spi;

import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Turns encoded pictures into pixels on one platform. Found by {@link java.util.ServiceLoader}; the first one that
 * reads a picture's format is used. Implementations have a public constructor without parameters, and are safe for use
 * by several threads.
 *
 * <p>What every implementation must do alike: drop alpha instead of blending it, copy gray to three channels as it is,
 * ignore colour profiles and the transparency of palettes, take the high byte of 16-bit colours, and turn the picture
 * upright as its EXIF or XMP orientation says. An animation stands for its first frame.
 *
 * @since 0.1
 */
public interface ImageDecoder {
    /** {@return the formats it reads} */
    Set<ImageFormat> formats();

    /**
     * Decodes one picture.
     *
     * @param format one of {@link #formats()}, recognised by the first bytes
     * @param encoded the whole file; not changed
     * @param source what to call the picture in errors, for example its path
     * @param limits compared with the declared size before pixels are decoded
     * @return the pixels
     * @throws ImageException if the picture is damaged, cut off, or larger than {@code limits}
     */
    RgbPixels decode(ImageFormat format, byte[] encoded, String source, ImageLimits limits);

    /**
     * Decodes one picture row by row, as far as its format allows. This one decodes the whole picture first; decoders
     * that need less memory override it.
     *
     * @param format one of {@link #formats()}, recognised by the first bytes
     * @param encoded the whole file; not changed
     * @param source what to call the picture in errors, for example its path
     * @param limits compared with the declared size and the work of decoding before pixels are decoded
     * @param ground colour {@code 0xRRGGBB} on which transparent pixels are laid; without one, alpha is dropped
     * @param sink gets the rows; what it has got when decoding fails is worthless
     * @throws ImageException if the picture is damaged, cut off, or larger than {@code limits}, the heap is too small,
     *     the thread is interrupted, or the decoder cannot lay pictures on a ground
     */
    default void decode(
            ImageFormat format, byte[] encoded, String source, ImageLimits limits, OptionalInt ground, RowSink sink) {
        if (ground.isPresent()) {
            throw new ImageException(
                    source + " cannot be laid on a ground by " + getClass().getName()
                            + ", which drops alpha; blend the picture yourself and give the pixels to Image.ofArgb");
        }
        RgbPixels pixels = decode(format, encoded, source, limits);
        byte[] row = new byte[3 * pixels.width()];
        sink.begin(pixels.width(), pixels.height(), 1);
        for (int y = 0; y < pixels.height(); y++) {
            pixels.copyRow(y, 0, pixels.width(), row, 0);
            sink.row(y, row, 0);
        }
    }
}
