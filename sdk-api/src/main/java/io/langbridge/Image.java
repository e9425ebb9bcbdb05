package io.langbridge;

import io.langbridge.spi.ImageDecoder;
import io.langbridge.spi.ImageFormat;
import io.langbridge.spi.RgbPixels;
import io.langbridge.spi.Services;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A picture to ask about: a file, an encoded picture in memory, or raw pixels.
 *
 * <pre>{@code
 * Image photo = Image.of(Path.of("street.jpg"));
 * Image upload = Image.of(request.body(), new ImageLimits(5 << 20, 20_000_000, 10_000));
 *
 * int[] argb = new int[bitmap.getWidth() * bitmap.getHeight()];   // Android, or any other source of pixels
 * bitmap.getPixels(argb, 0, bitmap.getWidth(), 0, 0, bitmap.getWidth(), bitmap.getHeight());
 * Image frame = Image.ofArgb(argb, bitmap.getWidth(), bitmap.getHeight());
 * }</pre>
 *
 * <p>Making one costs nothing: a file is read and decoded whenever its pixels are needed, and nothing is kept. A
 * missing or damaged file therefore shows up as an {@link ImageException} when the picture is used. JPEG pictures are
 * turned upright as their EXIF orientation says. Immutable, safe for use by several threads, nothing to close.
 *
 * @since 0.1
 */
public final class Image {
    private final @Nullable Path file;
    private final byte @Nullable [] encoded;
    private final @Nullable RgbPixels pixels;
    private final ImageLimits limits;

    private Image(@Nullable Path file, byte @Nullable [] encoded, @Nullable RgbPixels pixels, ImageLimits limits) {
        this.file = file;
        this.encoded = encoded;
        this.pixels = pixels;
        this.limits = limits;
    }

    /**
     * A picture file, within {@link ImageLimits#defaults()}.
     *
     * @param file read each time the pixels are needed
     * @return the picture
     */
    public static Image of(Path file) {
        return of(file, ImageLimits.defaults());
    }

    /**
     * A picture file.
     *
     * @param file read each time the pixels are needed
     * @param limits what it may cost at most
     * @return the picture
     */
    public static Image of(Path file, ImageLimits limits) {
        return new Image(file, null, null, limits);
    }

    /**
     * An encoded picture (JPEG, PNG, ...), within {@link ImageLimits#defaults()}.
     *
     * @param encoded what a picture file holds; copied
     * @return the picture
     */
    public static Image of(byte[] encoded) {
        return of(encoded, ImageLimits.defaults());
    }

    /**
     * An encoded picture (JPEG, PNG, ...).
     *
     * @param encoded what a picture file holds; copied
     * @param limits what it may cost at most
     * @return the picture
     */
    public static Image of(byte[] encoded, ImageLimits limits) {
        return new Image(null, encoded.clone(), null, limits);
    }

    /**
     * Raw pixels as Android's {@code Bitmap.getPixels} and {@code BufferedImage.getRGB} give them. Needs no decoder.
     * Alpha is dropped, not blended: a transparent pixel counts with the colour that is stored under it.
     *
     * @param argb one {@code 0xAARRGGBB} per pixel, row after row from the top; copied
     * @param width in pixels, at least 1
     * @param height in pixels, at least 1
     * @return the picture
     * @throws ImageException if a side is not positive, {@code argb} does not hold {@code width * height} pixels, or
     *     they are more than {@link ImageLimits#defaults()} allows
     */
    public static Image ofArgb(int[] argb, int width, int height) {
        if (width <= 0 || height <= 0 || (long) width * height != argb.length) {
            throw new ImageException("Raw pixels: " + argb.length + " values are not " + width + " x " + height
                    + " pixels; give one value per pixel, row after row without padding");
        }
        ImageLimits.defaults().checkPixels(width, height, "The raw picture");
        byte[] rgb = new byte[argb.length * 3];
        int at = 0;
        for (int pixel : argb) {
            rgb[at++] = (byte) (pixel >> 16);
            rgb[at++] = (byte) (pixel >> 8);
            rgb[at++] = (byte) pixel;
        }
        return new Image(null, null, RgbPixels.wrap(width, height, rgb), ImageLimits.defaults());
    }

    /**
     * Reads and decodes the picture. Applications do not need this; the result is large, so do not keep it.
     *
     * @return the picture
     * @throws ImageException if the file is missing or unreadable, or the picture is empty, damaged, larger than its
     *     limits, or of a format that no decoder reads
     * @throws RuntimeUnavailableException if no picture decoder is on the class path
     */
    public RgbPixels pixels() {
        if (pixels != null) {
            return pixels;
        }
        byte[] bytes = file != null ? read(file) : encoded;
        if (bytes == null) {
            throw new AssertionError("An image is a file, bytes or pixels");
        }
        limits.checkFileBytes(bytes.length, source());
        ImageFormat format = ImageFormat.of(bytes);
        Set<ImageFormat> supported = EnumSet.noneOf(ImageFormat.class);
        ImageDecoder decoder = decoder(Decoders.own(), format, supported);
        if (decoder == null) {
            decoder = decoder(Decoders.ofContext(), format, supported);
        }
        if (decoder != null && format != null) {
            return decoder.decode(format, bytes, source(), limits);
        }
        if (supported.isEmpty()) {
            throw new RuntimeUnavailableException("No picture decoder is on the class path, so " + source()
                    + " cannot be decoded; add the artefact io.langbridge:langbridge-images-desktop, or decode it"
                    + " yourself and give the pixels to Image.ofArgb (on Android: Bitmap.getPixels)."
                    + Services.unmerged(ImageDecoder.class, "io.langbridge.runtime.images.DesktopImageDecoder"));
        }
        throw unsupported(format, bytes, supported);
    }

    private static @Nullable ImageDecoder decoder(
            List<ImageDecoder> decoders, @Nullable ImageFormat format, Set<ImageFormat> supported) {
        for (ImageDecoder decoder : decoders) {
            if (format != null && decoder.formats().contains(format)) {
                return decoder;
            }
            supported.addAll(decoder.formats());
        }
        return null;
    }

    /** Looks for decoders. */
    private static final class Decoders {
        private static volatile @Nullable List<ImageDecoder> own;

        /** Those beside this class are looked for once. */
        static List<ImageDecoder> own() {
            List<ImageDecoder> known = own;
            if (known == null) {
                try {
                    known = Services.own(ImageDecoder.class, loader -> ServiceLoader.load(ImageDecoder.class, loader));
                } catch (ServiceConfigurationError e) {
                    throw new RuntimeUnavailableException(
                            "A picture decoder on the class path cannot be loaded: " + e.getMessage()
                                    + "; check that its version equals that of langbridge-api",
                            e);
                }
                own = known;
            }
            return known;
        }

        static List<ImageDecoder> ofContext() {
            return Services.context(ImageDecoder.class, loader -> ServiceLoader.load(ImageDecoder.class, loader));
        }
    }

    private byte[] read(Path path) {
        try {
            if (Files.isDirectory(path)) {
                throw new ImageException(path + " is a folder; give a picture file");
            }
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                throw new ImageException(path + " is not a regular file; give a picture file, or its bytes");
            }
            limits.checkFileBytes(Files.size(path), path.toString());
            return Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            throw new ImageException(
                    path + " does not exist (looked for " + path.toAbsolutePath() + "); check the path", e);
        } catch (IOException e) {
            throw new ImageException(path + " cannot be read: " + e + "; check its permissions", e);
        }
    }

    private ImageException unsupported(@Nullable ImageFormat format, byte[] bytes, Set<ImageFormat> supported) {
        List<String> titles = new ArrayList<>();
        for (ImageFormat each : supported) {
            titles.add(each.title());
        }
        String what = format != null
                ? " is a file of the format " + format.title() + ", which is not supported"
                : " is not a picture of a known format (it starts with the bytes " + hex(bytes) + ")";
        return new ImageException(source() + what + "; convert it to one of " + String.join(", ", titles));
    }

    private static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < Math.min(8, bytes.length); i++) {
            text.append(i == 0 ? "" : " ").append(String.format("%02x", bytes[i]));
        }
        return text.toString();
    }

    private String source() {
        if (file != null) {
            return file.toString();
        }
        return encoded != null ? "The picture of " + encoded.length + " bytes" : "The raw picture";
    }

    /** Says where the picture comes from. */
    @Override
    public String toString() {
        return pixels != null
                ? "Image[" + pixels.width() + " x " + pixels.height() + " pixels]"
                : "Image[" + source() + "]";
    }
}
