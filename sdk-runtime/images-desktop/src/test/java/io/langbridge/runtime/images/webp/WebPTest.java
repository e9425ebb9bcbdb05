package io.langbridge.runtime.images.webp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WebPTest {
    /**
     * Per file: name, width, height, and the SHA-256 of the bytes R, G, B, A that Pillow 12.3 gives for the first
     * frame. Between them the files use every mode of prediction, every kind of loop filter, 1, 2, 4 and 8 partitions,
     * every transform of lossless pictures, copies from as far back as there can be, and every way to code alpha.
     */
    static List<String> reference() throws IOException {
        return new String(resource("reference.txt"), StandardCharsets.UTF_8)
                .lines()
                .toList();
    }

    @ParameterizedTest
    @MethodSource("reference")
    void everySampleEqualsTheReference(String expected) throws IOException {
        String name = expected.substring(0, expected.indexOf(' '));
        WebP file = WebP.open(resource(name));
        String actual = name + " " + file.width() + " " + file.height() + " " + hash(decode(file, true));
        assertThat(actual).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("reference")
    void coloursAreTheSameWithoutAlpha(String expected) throws IOException {
        WebP file = WebP.open(resource(expected.substring(0, expected.indexOf(' '))));
        byte[] with = decode(file, true);
        byte[] without = decode(file, false);
        for (int i = 3; i < with.length; i += 4) {
            with[i] = 0;
            without[i] = 0;
        }
        assertThat(without).isEqualTo(with);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"lossy-13", "lossy-alpha-256x192", "lossless-02", "anim-la-16-0", "lossy-gray-strong-192x160"})
    void aFileThatWasCutOffIsRefusedWhereverThatWas(String name) throws IOException {
        byte[] whole = resource(name + ".webp");
        for (int kept = 0; kept < whole.length; kept++) {
            byte[] part = Arrays.copyOf(whole, kept);
            assertThatExceptionOfType(IOException.class)
                    .as("%s bytes", kept)
                    .isThrownBy(() -> decode(WebP.open(part), true));
        }
    }

    @Test
    void dataThatWereCutOffBehindTheHeaderAreRefusedThoughTheLengthsAgree() throws IOException {
        byte[] whole = resource("lossy-gray-strong-192x160.webp");
        for (int kept = 40; kept < whole.length - 20; kept += 2) {
            byte[] part = Arrays.copyOf(whole, kept);
            put32(part, 4, kept - 8);
            put32(part, 16, kept - 20);
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> decode(WebP.open(part), false))
                    .withMessageContaining("VP8");
        }
    }

    @Test
    void bytesBehindTheFileAreIgnored() throws IOException {
        byte[] file = resource("lossy-13.webp");
        byte[] longer = Arrays.copyOf(file, file.length + 9);
        assertThat(decode(WebP.open(longer), true)).isEqualTo(decode(WebP.open(file), true));
    }

    @Test
    void metadataAreHandedOutAsTheyAre() throws IOException {
        WebP file = WebP.open(resource("xmp-orientation6-64x48.webp"));
        assertThat(file.exif()).isNull();
        assertThat(new String(file.xmp(), StandardCharsets.UTF_8)).contains("tiff:Orientation");
        byte[] image = chunkOf("lossy-13.webp");
        byte[] both = riff(
                chunk("VP8X", 0x0c, 0, 0, 0, 14, 0, 0, 16, 0, 0), image, chunk("EXIF", 1, 2, 3), chunk("XMP ", '<'));
        assertThat(WebP.open(both).exif()).containsExactly(1, 2, 3);
        assertThat(WebP.open(both).xmp()).containsExactly('<');
    }

    @Test
    void metadataThatTheHeaderDoesNotAnnounceAreNone() throws IOException {
        byte[] file =
                riff(chunk("VP8X", 0, 0, 0, 0, 14, 0, 0, 16, 0, 0), chunkOf("lossy-13.webp"), chunk("EXIF", 1, 2, 3));
        assertThat(WebP.open(file).exif()).isNull();
    }

    @Test
    void chunksThatSayNothingAboutThePixelsMayHoldAnything() throws IOException {
        byte[] image = chunkOf("lossy-13.webp");
        byte[] file = riff(
                chunk("VP8X", 0x20, 0, 0, 0, 14, 0, 0, 16, 0, 0),
                chunk("ICCP", 'j', 'u', 'n', 'k'),
                chunk("\1\2\3\4"),
                image,
                chunk("wxyz", 0));
        assertThat(decode(WebP.open(file), true)).isEqualTo(decode(WebP.open(resource("lossy-13.webp")), true));
    }

    @Test
    void damagedAlphaIsNoObstacleForThoseWhoDropIt() throws IOException {
        byte[] file =
                riff(chunk("VP8X", 0x10, 0, 0, 0, 14, 0, 0, 16, 0, 0), chunk("ALPH", 3, 1), chunkOf("lossy-13.webp"));
        WebP opened = WebP.open(file);
        assertThat(opened.hasAlpha()).isTrue();
        assertThat(decode(opened, false)).hasSize(4 * 15 * 17);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> decode(opened, true))
                .withMessageContaining("alpha");
    }

    @Test
    void aPictureOfAnotherSizeThanItsCanvasIsRefused() throws IOException {
        byte[] file = riff(chunk("VP8X", 0, 0, 0, 0, 99, 0, 0, 16, 0, 0), chunkOf("lossy-13.webp"));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> WebP.open(file))
                .withMessageContaining("15 x 17")
                .withMessageContaining("100 x 17");
    }

    @Test
    void namesOfChunksAreShownWithoutControlCharacters() {
        byte[] file = riff(chunk("VP8X", 0, 0, 0, 0, 14, 0, 0, 16, 0, 0), chunk("a\n\u00e9b", 1, 2));
        put32(file, file.length - 6, 77);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> WebP.open(file))
                .withMessageContaining("chunk a??b has 2 of 77 bytes");
    }

    @Test
    void aHugePictureInAFewBytesTakesMemoryForAWindowOnly() throws Exception {
        String classPath = place(WebP.class) + File.pathSeparator + place(Flat.class);
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx24m",
                        "-cp",
                        classPath,
                        Flat.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(output.trim()).isEqualTo("9999 rows of 9999");
        assertThat(process.waitFor()).isZero();
    }

    /** One colour for all pixels takes no bits at all, so that the size of the file says nothing about theirs. */
    static final class Flat {
        private Flat() {}

        public static void main(String[] args) throws IOException {
            WebP file = WebP.open(HexFormat.of()
                    .parseHex("524946461e000000574542505650384c110000002f0ea7c30907508f2297a7ff8188e87f0000"));
            int[] rows = new int[1];
            file.decode(true, (y, row) -> rows[0] += row[row.length - 1] == 0xffc81e3c ? 1 : 0);
            System.out.println(rows[0] + " rows of " + file.height());
        }
    }

    private static String place(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI())
                .toString();
    }

    @Test
    void aHugePictureWhoseDataEndEarlyIsRefusedBeforeItsRowsAreMade() throws IOException {
        WebP file = WebP.open(resource("few-bits-10000x10000.webp"));
        int[] rows = new int[1];
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> file.decode(false, (y, row) -> rows[0]++))
                .withMessageContaining("ends in row 0 of 10000");
        assertThat(rows[0]).isZero();
    }

    @Test
    void whateverIsWrongLeavesAsOneKindOfException() throws IOException {
        Random random = new Random(1);
        List<String> names = reference();
        int refused = 0;
        for (int run = 0; run < 1500; run++) {
            String line = names.get(random.nextInt(names.size()));
            byte[] file = resource(line.substring(0, line.indexOf(' ')));
            for (int change = 0; change < 1 << random.nextInt(4); change++) {
                int at = 12 + random.nextInt(random.nextBoolean() ? 40 : file.length - 12);
                file[Math.min(at, file.length - 1)] ^= (byte) (1 << random.nextInt(8));
            }
            try {
                WebP opened = WebP.open(file);
                if ((long) opened.width() * opened.height() < 1_000_000) {
                    int[] rows = new int[1];
                    opened.decode(random.nextBoolean(), (y, row) -> rows[0]++);
                    assertThat(rows[0]).isEqualTo(opened.height());
                }
            } catch (IOException e) {
                assertThat(e).message().isNotEmpty();
                refused++;
            }
        }
        assertThat(refused).isBetween(150, 1350);
    }

    private static byte[] decode(WebP file, boolean alpha) throws IOException {
        byte[] rgba = new byte[4 * file.width() * file.height()];
        int[] rows = new int[1];
        file.decode(alpha, (y, row) -> {
            assertThat(y).isEqualTo(rows[0]++);
            assertThat(row).hasSize(file.width());
            int at = 4 * y * row.length;
            for (int pixel : row) {
                rgba[at++] = (byte) (pixel >> 16);
                rgba[at++] = (byte) (pixel >> 8);
                rgba[at++] = (byte) pixel;
                rgba[at++] = (byte) (pixel >> 24);
            }
        });
        assertThat(rows[0]).isEqualTo(file.height());
        return rgba;
    }

    private static String hash(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** The only chunk of a file, with its header and padding. */
    private static byte[] chunkOf(String name) throws IOException {
        byte[] file = resource(name);
        return Arrays.copyOfRange(file, 12, file.length);
    }

    private static byte[] chunk(String name, int... data) {
        byte[] chunk = Arrays.copyOf(name.getBytes(StandardCharsets.ISO_8859_1), 8 + data.length + data.length % 2);
        put32(chunk, 4, data.length);
        for (int i = 0; i < data.length; i++) {
            chunk[8 + i] = (byte) data[i];
        }
        return chunk;
    }

    private static byte[] riff(byte[]... chunks) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes("RIFF....WEBP".getBytes(StandardCharsets.ISO_8859_1));
        for (byte[] chunk : chunks) {
            file.writeBytes(chunk);
        }
        byte[] bytes = file.toByteArray();
        put32(bytes, 4, bytes.length - 8);
        return bytes;
    }

    private static void put32(byte[] bytes, int at, int value) {
        for (int i = 0; i < 4; i++) {
            bytes[at + i] = (byte) (value >> 8 * i);
        }
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = WebPTest.class.getResourceAsStream("/webp/" + name)) {
            assertThat(in).as(name).isNotNull();
            return in.readAllBytes();
        }
    }
}
