package io.langbridge.runtime.images;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import io.langbridge.spi.ImageFormat;
import io.langbridge.spi.PixelCollector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever a picture file holds, an {@link ImageException} with a message that can be shown is the worst that comes of
 * it. This looks for new findings, one format at a time:
 *
 * <pre>{@code
 * JAZZER_FUZZ=1 JAZZER_MAX_DURATION=2m ./mvnw -q -pl sdk-runtime/images-desktop -am test \
 *     -Dtest=PictureFuzzTest#webp -Dsurefire.failIfNoSpecifiedTests=false
 * }</pre>
 */
class PictureFuzzTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final Path RESOURCES = Paths.get("src/test/resources");

    /** Small, so that what a header claims costs little time. */
    private static final ImageLimits LIMITS = new ImageLimits(1 << 20, 1 << 18, 2048, 1 << 20);

    private static final long PER_PIXEL = 32;
    private static final long PER_BYTE = 200;
    private static final long LEAST_MEMORY = 4 << 20;
    private static final int LONGEST_MESSAGE = 2_000;

    private static Stream<byte[]> resources(String... names) {
        return Arrays.stream(names).map(name -> {
            try {
                return Files.readAllBytes(RESOURCES.resolve(name));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static Stream<byte[]> bytes(String... latin1) {
        return Arrays.stream(latin1).map(text -> text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Once more if it took much memory, which may be that of classes that are loaded once. */
    private static void decode(ImageFormat format, byte[] input) {
        long most = LEAST_MEMORY + 2 * PER_PIXEL * LIMITS.maxPixels() + PER_BYTE * input.length;
        if (memory(format, input) > most) {
            long taken = memory(format, input);
            if (taken > most) {
                throw new AssertionError(input.length + " bytes of input took " + taken + " bytes of memory");
            }
        }
    }

    private static long memory(ImageFormat format, byte[] input) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        decode(format, input, OptionalInt.empty());
        decode(format, input, OptionalInt.of(0x336699));
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    private static void decode(ImageFormat format, byte[] input, OptionalInt ground) {
        PixelCollector pixels = new PixelCollector("upload");
        try {
            new DesktopImageDecoder().decode(format, input, "upload", LIMITS, ground, pixels);
            if (pixels.pixels().width() < 1) {
                throw new AssertionError("no pixels");
            }
        } catch (ImageException e) {
            String message = String.valueOf(e.getMessage());
            if (message.length() > LONGEST_MESSAGE || message.chars().anyMatch(Character::isISOControl)) {
                throw new AssertionError("a message that cannot be shown: " + message, e);
            }
        }
    }

    static Stream<byte[]> jpegs() {
        return resources(
                "pictures/gray.jpg",
                "pictures/cases/jpeg-4channels-adobe1.jpg",
                "pictures/cases/jpeg-xmp-orientation3-50x70.jpg",
                "pictures/cases/jpg-prog-10000.jpg");
    }

    @MethodSource("jpegs")
    @FuzzTest
    void jpeg(byte[] input) {
        decode(ImageFormat.JPEG, input);
    }

    static Stream<byte[]> pngs() {
        return resources(
                "pictures/cases/png-rawprofile-exif3-50x70.png", "pictures/cases/png-xmp-orientation6-64x48.png");
    }

    @MethodSource("pngs")
    @FuzzTest
    void png(byte[] input) {
        decode(ImageFormat.PNG, input);
    }

    static Stream<byte[]> gifs() {
        return bytes(
                "GIF89a\2\0\2\0\200\0\0\377\0\0\0\0\377!\371\4\1\0\0\1\0,\0\0\0\0\2\0\2\0\0\2\2D\12\0;",
                "GIF87a\4\0\4\0\200\0\0\0\0\0\377\377\377!\376\3abc\0,\1\1\0\0\2\0\3\0\100\2\3\214\217\5\0;");
    }

    @MethodSource("gifs")
    @FuzzTest
    void gif(byte[] input) {
        decode(ImageFormat.GIF, input);
    }

    static Stream<byte[]> bmps() {
        return Stream.concat(
                resources("pictures/cases/bmp-os2-byte30-127.bmp", "pictures/cases/bmp-os2v2-64x48.bmp"),
                bytes("BM\106\0\0\0\0\0\0\0\76\0\0\0\50\0\0\0\4\0\0\0\2\0\0\0\1\0\10\0\1\0\0\0\10\0\0\0"
                        + "\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0\377\0\377\377\0\0\4\1\0\0\0\4\0\1\0\1\0\1"));
    }

    @MethodSource("bmps")
    @FuzzTest
    void bmp(byte[] input) {
        decode(ImageFormat.BMP, input);
    }

    static Stream<byte[]> webps() {
        return resources(
                "webp/lossless-01.webp",
                "webp/lossless-03.webp",
                "webp/lossy-04.webp",
                "webp/lossy-18.webp",
                "webp/anim-40x40-frame-16x16at-0-0.webp",
                "webp/few-bits-10000x10000.webp",
                "webp/lossy-alpha-256x192.webp");
    }

    @MethodSource("webps")
    @FuzzTest
    void webp(byte[] input) {
        decode(ImageFormat.WEBP, input);
    }

    static Stream<byte[]> tiffs() {
        String entries = "\0\1\4\0\1\0\0\0\2\0\0\0" + "\1\1\4\0\1\0\0\0\2\0\0\0" + "\2\1\3\0\1\0\0\0\10\0\0\0"
                + "\3\1\3\0\1\0\0\0\1\0\0\0" + "\6\1\3\0\1\0\0\0\1\0\0\0" + "\21\1\4\0\1\0\0\0\10\0\0\0"
                + "\22\1\3\0\1\0\0\0\6\0\0\0" + "\26\1\4\0\1\0\0\0\2\0\0\0" + "\27\1\4\0\1\0\0\0\4\0\0\0";
        return bytes("II*\0\14\0\0\0\1\2\3\4\11\0" + entries + "\0\0\0\0");
    }

    @MethodSource("tiffs")
    @FuzzTest
    void tiff(byte[] input) {
        decode(ImageFormat.TIFF, input);
    }

    static Stream<byte[]> metadata() {
        return bytes(
                "Exif\0\0II*\0\10\0\0\0\1\0\22\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0",
                "MM\0*\0\0\0\10\0\2\1\22\0\3\0\0\0\1\0\3\0\0\1\33\0\5\0\0\0\1\0\0\0\50",
                "<x:xmpmeta><rdf:Description tiff:Orientation=\"3\"/></x:xmpmeta>");
    }

    /** Damage is ignored here. */
    @MethodSource("metadata")
    @FuzzTest
    void orientation(byte[] input) {
        byte[] nothing = new byte[0];
        for (int turned : new int[] {Metadata.orientation(input, nothing), Metadata.orientation(nothing, input)}) {
            if (turned < 1 || turned > 8) {
                throw new AssertionError("orientation " + turned);
            }
        }
    }
}
