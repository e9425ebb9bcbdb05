package io.langbridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageTest {
    private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0};

    @TempDir
    Path folder;

    @Test
    void rawPixelsKeepTheColourUnderTransparentOnes() {
        Image image = Image.ofArgb(new int[] {0x00112233, 0xff445566}, 1, 2);
        assertThat(image.pixels().width()).isEqualTo(1);
        assertThat(image.pixels().height()).isEqualTo(2);
        assertThat(image.pixels().toByteArray()).containsExactly(0x11, 0x22, 0x33, 0x44, 0x55, 0x66);
    }

    @Test
    void rawPixelsThatDoNotFillTheirSizeAreRefused() {
        assertRefused(() -> Image.ofArgb(new int[5], 2, 3), "5 values", "2 x 3");
        assertRefused(() -> Image.ofArgb(new int[0], 0, 3), "0 x 3");
        assertRefused(() -> Image.ofArgb(new int[40_000], 40_000, 1), "40000 x 1", "32768");
    }

    @Test
    void rawPixelsAreCopied() {
        int[] argb = {0x010203};
        Image image = Image.ofArgb(argb, 1, 1);
        argb[0] = 0;
        assertThat(image.pixels().toByteArray()).containsExactly(1, 2, 3);
    }

    @Test
    void aFileIsReadWhenItsPixelsAreNeeded() throws IOException {
        Path file = folder.resolve("later.png");
        Image image = Image.of(file);
        Files.write(file, PNG);
        assertThat(image.pixels().toByteArray()).containsExactly(PNG.length, 0, 0);
    }

    @Test
    void encodedBytesAreCopied() {
        byte[] bytes = PNG.clone();
        Image image = Image.of(bytes);
        bytes[0] = 0;
        assertThat(image.pixels().toByteArray()).containsExactly(PNG.length, 0, 0);
    }

    @Test
    void aMissingFileIsNamedWithItsFullPath() {
        Path missing = folder.resolve("none.png");
        assertRefused(() -> Image.of(missing).pixels(), "none.png", "does not exist", missing.toAbsolutePath() + "");
    }

    @Test
    void aFolderIsNotAPicture() {
        assertRefused(() -> Image.of(folder).pixels(), folder.toString(), "is a folder");
    }

    @Test
    void anEmptyFileIsNotAPicture() throws IOException {
        Path file = Files.createFile(folder.resolve("empty.jpg"));
        assertRefused(() -> Image.of(file).pixels(), "empty.jpg", "0 bytes");
        assertRefused(() -> Image.of(new byte[0]).pixels(), "0 bytes");
    }

    @Test
    void aFileAboveTheLimitIsRefusedUnread() throws IOException {
        Path file = Files.write(folder.resolve("big.png"), PNG);
        ImageLimits limits = new ImageLimits(PNG.length - 1, 100, 100);
        assertRefused(() -> Image.of(file, limits).pixels(), "big.png", "10 bytes", "limit of 9", "maxFileBytes");
        assertRefused(() -> Image.of(PNG, limits).pixels(), "10 bytes", "limit of 9");
    }

    @Test
    void aFormatWithoutDecoderIsNamedBesideTheSupportedOnes() {
        byte[] heic = "\0\0\0\u0018ftypheic\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1);
        assertRefused(() -> Image.of(heic).pixels(), "HEIC", "convert it to one of PNG");
    }

    @Test
    void anUnknownFormatIsShownByItsFirstBytes() {
        assertRefused(() -> Image.of(new byte[] {1, 2, (byte) 0xfe}).pixels(), "01 02 fe", "PNG");
    }

    @Test
    void limitsNameBothNumbers() {
        ImageLimits limits = new ImageLimits(1, 1000, 100);
        limits.checkPixels(100, 10, "x.png");
        assertRefused(() -> limits.checkPixels(101, 1, "x.png"), "x.png", "101 x 1", "maxSide", "100");
        assertRefused(() -> limits.checkPixels(100, 11, "x.png"), "1100 pixels", "limit of 1000", "maxPixels");
        assertRefused(() -> limits.checkPixels(0, 11, "x.png"), "0 x 11");
    }

    private static void assertRefused(Runnable action, String... words) {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(action::run)
                .satisfies(e -> assertThat(e).message().contains(words));
    }
}
