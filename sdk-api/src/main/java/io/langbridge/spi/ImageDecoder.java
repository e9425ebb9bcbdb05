package io.langbridge.spi;

import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import java.util.Set;

/**
 * Turns encoded pictures into pixels on one platform. Found by {@link java.util.ServiceLoader}; the first one that
 * reads a picture's format is used. Implementations have a public constructor without parameters, and are safe for use
 * by several threads.
 *
 * <p>What every implementation must do alike: drop alpha instead of blending it, copy gray to three channels as it is,
 * ignore colour profiles and the transparency of palettes, take the high byte of 16-bit colours, and turn the picture
 * upright as its EXIF orientation says. An animation stands for its first frame.
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
}
