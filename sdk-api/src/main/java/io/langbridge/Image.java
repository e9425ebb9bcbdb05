package io.langbridge;

import io.langbridge.spi.ImageDecoder;
import io.langbridge.spi.ImageFormat;
import io.langbridge.spi.ImageMemory;
import io.langbridge.spi.PixelCollector;
import io.langbridge.spi.RgbPixels;
import io.langbridge.spi.RowSink;
import io.langbridge.spi.Services;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A picture to ask about: a file, an encoded picture in memory, or raw pixels.
 *
 * <pre>{@code
 * Image photo = Image.of(Path.of("street.jpg"));
 * Image upload = Image.of(request.body(), ImageLimits.defaults().withMaxFileBytes(5 << 20));
 *
 * int[] argb = new int[bitmap.getWidth() * bitmap.getHeight()];   // Android, or any other source of pixels
 * bitmap.getPixels(argb, 0, bitmap.getWidth(), 0, 0, bitmap.getWidth(), bitmap.getHeight());
 * Image frame = Image.ofArgb(argb, bitmap.getWidth(), bitmap.getHeight());
 * }</pre>
 *
 * <p>Making one costs nothing: a file is read and decoded whenever its pixels are needed, and nothing is kept. A
 * missing or damaged file therefore shows up as an {@link ImageException} when the picture is used. Pictures are turned
 * upright as their EXIF or XMP orientation says. Immutable, safe for use by several threads, nothing to close.
 *
 * <p>Transparent pixels count with the colour that is stored under them, as they do for the reference and did when the
 * models were trained. Where that colour is meaningless (a logo on nothing, often black on black),
 * {@link #onGround(int)} lays the picture on a plain colour.
 *
 * @since 0.1
 */
public final class Image {
    private static final int STREAM_PART = 1 << 16;

    private final @Nullable Path file;
    private final byte @Nullable [] encoded;
    private final @Nullable RawPixels raw;
    private final ImageLimits limits;
    private final @Nullable Integer ground;

    private Image(
            @Nullable Path file,
            byte @Nullable [] encoded,
            @Nullable RawPixels raw,
            ImageLimits limits,
            @Nullable Integer ground) {
        this.file = file;
        this.encoded = encoded;
        this.raw = raw;
        this.limits = Objects.requireNonNull(limits, "limits");
        this.ground = ground;
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
        return new Image(Objects.requireNonNull(file, "file"), null, null, limits, null);
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
        Objects.requireNonNull(encoded, "encoded");
        Objects.requireNonNull(limits, "limits");
        byte[] copy = ImageMemory.allocate(encoded.length, "The picture of " + encoded.length + " bytes");
        System.arraycopy(encoded, 0, copy, 0, encoded.length);
        return new Image(null, copy, null, limits, null);
    }

    /**
     * An encoded picture (JPEG, PNG, ...) from a stream, within {@link ImageLimits#defaults()}.
     *
     * @param encoded read to its end at once, not closed
     * @return the picture
     * @throws ImageException if reading fails, or the stream has more bytes than the limit allows
     */
    public static Image of(InputStream encoded) {
        return of(encoded, ImageLimits.defaults());
    }

    /**
     * An encoded picture (JPEG, PNG, ...) from a stream.
     *
     * @param encoded read to its end at once, not closed; of an endless one no more is read than the limit allows
     * @param limits what it may cost at most
     * @return the picture
     * @throws ImageException if reading fails, or the stream has more bytes than the limit allows
     */
    public static Image of(InputStream encoded, ImageLimits limits) {
        Objects.requireNonNull(encoded, "encoded");
        Objects.requireNonNull(limits, "limits");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] part = new byte[STREAM_PART];
        try {
            for (int read = encoded.read(part); read >= 0; read = encoded.read(part)) {
                if ((long) bytes.size() + read > limits.maxFileBytes()) {
                    throw new ImageException("The picture in the stream has more bytes than the limit of "
                            + limits.maxFileBytes() + "; scale the picture down, or raise maxFileBytes in ImageLimits");
                }
                bytes.write(part, 0, read);
            }
            return new Image(null, bytes.toByteArray(), null, limits, null);
        } catch (IOException e) {
            throw new ImageException("The picture in the stream cannot be read: " + e + "; open the stream again", e);
        } catch (OutOfMemoryError e) {
            throw new ImageException(
                    "The picture in the stream does not fit into the heap after " + bytes.size()
                            + " bytes; lower maxFileBytes in ImageLimits, or raise the heap (-Xmx)",
                    e);
        }
    }

    /**
     * A picture in a {@code data:} URI, as browsers and chat APIs send it, within {@link ImageLimits#defaults()}.
     *
     * @param uri for example {@code data:image/png;base64,iVBORw0...}
     * @return the picture
     * @throws ImageException if it is no data URI, its data are damaged, or they are larger than the limit allows
     */
    public static Image ofDataUri(String uri) {
        return ofDataUri(uri, ImageLimits.defaults());
    }

    /**
     * A picture in a {@code data:} URI, as browsers and chat APIs send it. Base64 (also its URL-safe alphabet, with or
     * without padding, with line breaks) and percent-encoding are read. The media type is ignored: the first bytes say
     * what a picture is.
     *
     * @param uri for example {@code data:image/png;base64,iVBORw0...}
     * @param limits what the picture may cost at most
     * @return the picture
     * @throws ImageException if it is no data URI, its data are damaged, or they are larger than the limit allows
     */
    public static Image ofDataUri(String uri, ImageLimits limits) {
        Objects.requireNonNull(limits, "limits");
        return new Image(null, DataUri.bytes(Objects.requireNonNull(uri, "uri"), limits), null, limits, null);
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
        Objects.requireNonNull(argb, "argb");
        if (width <= 0 || height <= 0 || (long) width * height != argb.length) {
            throw new ImageException("Raw pixels: " + argb.length + " values are not " + width + " x " + height
                    + " pixels; give one value per pixel, row after row without padding");
        }
        ImageLimits.defaults().checkPixels(width, height, "The raw picture");
        return new Image(null, null, RawPixels.of(argb, width, height), ImageLimits.defaults(), null);
    }

    /**
     * The same picture, laid on a plain colour where it is transparent. Without this, alpha is dropped, as the
     * reference does. Opaque pictures stay as they are.
     *
     * <pre>{@code
     * Image logo = Image.of(Path.of("logo.png")).onGround(0xFFFFFF);
     * }</pre>
     *
     * @param rgb colour {@code 0xRRGGBB}
     * @return another picture; this one stays as it is
     * @throws IllegalArgumentException if the colour has more than 24 bits
     */
    public Image onGround(int rgb) {
        if (rgb < 0 || rgb > 0xFFFFFF) {
            throw new IllegalArgumentException(
                    String.format("The ground is a colour from 0x000000 to 0xFFFFFF, not 0x%08X", rgb));
        }
        return new Image(file, encoded, raw, limits, rgb);
    }

    /**
     * Reads and decodes the picture. Applications do not need this; the result is large, so do not keep it.
     *
     * @return the picture
     * @throws ImageException if the file is missing or unreadable, or the picture is empty, damaged, larger than its
     *     limits or the heap, or of a format that no decoder reads, or the thread is interrupted (then the cause is an
     *     {@link InterruptedException} and the thread stays interrupted)
     * @throws RuntimeUnavailableException if no picture decoder is on the class path
     */
    public RgbPixels pixels() {
        if (raw == null && ground == null) {
            byte[] bytes = bytes();
            Match match = match(bytes);
            return match.decoder.decode(match.format, bytes, source(), limits);
        }
        PixelCollector collector = new PixelCollector(source());
        rows(collector);
        return collector.pixels();
    }

    /**
     * Reads and decodes the picture row by row. Applications do not need this. It takes little memory where the format
     * has its rows one after the other; the others (interlaced PNG, CMYK JPEG) are decoded as a whole on the way.
     *
     * @param sink gets the rows
     * @throws ImageException as {@link #pixels()} throws it; what {@code sink} has got by then is worthless
     * @throws RuntimeUnavailableException if no picture decoder is on the class path
     */
    public void rows(RowSink sink) {
        if (raw != null) {
            raw.rows(ground, sink);
            return;
        }
        byte[] bytes = bytes();
        Match match = match(bytes);
        match.decoder.decode(
                match.format,
                bytes,
                source(),
                limits,
                ground == null ? OptionalInt.empty() : OptionalInt.of(ground),
                sink);
    }

    private byte[] bytes() {
        byte[] bytes = file != null ? read(file) : encoded;
        if (bytes == null) {
            throw new AssertionError("An image is a file, bytes or pixels");
        }
        limits.checkFileBytes(bytes.length, source());
        return bytes;
    }

    private Match match(byte[] bytes) {
        ImageFormat format = ImageFormat.of(bytes);
        Set<ImageFormat> supported = EnumSet.noneOf(ImageFormat.class);
        ImageDecoder decoder = decoder(Decoders.own(), format, supported);
        if (decoder == null) {
            decoder = decoder(Decoders.ofContext(), format, supported);
        }
        if (decoder != null && format != null) {
            return new Match(format, decoder);
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

    /** A format and who reads it. */
    private record Match(ImageFormat format, ImageDecoder decoder) {}

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
        } catch (OutOfMemoryError e) {
            throw new ImageException(
                    path + " does not fit into the heap; lower maxFileBytes in ImageLimits, or raise the heap (-Xmx)",
                    e);
        }
    }

    private ImageException unsupported(@Nullable ImageFormat format, byte[] bytes, Set<ImageFormat> supported) {
        List<String> titles = new ArrayList<>();
        for (ImageFormat each : supported) {
            titles.add(each.title());
        }
        if (format == null) {
            throw new ImageException(source() + " is not a picture of a known format (it starts with the bytes "
                    + hex(bytes) + "); convert it to one of " + String.join(", ", titles));
        }
        String step = format.nextStep();
        return new ImageException(source() + " is " + format.what() + ", which is not supported; "
                + (step.isEmpty() ? "" : step + ", or ") + "convert it to one of " + String.join(", ", titles));
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
        return raw != null ? "Image[" + raw.width() + " x " + raw.height() + " pixels]" : "Image[" + source() + "]";
    }
}
