package io.langbridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    @Test
    @SuppressWarnings("NullAway") // what a caller without such a check does
    void nothingIsNoPicture() {
        assertThatNullPointerException().isThrownBy(() -> Image.of((Path) null)).withMessage("file");
        assertThatNullPointerException()
                .isThrownBy(() -> Image.of((byte[]) null))
                .withMessage("encoded");
        assertThatNullPointerException()
                .isThrownBy(() -> Image.of((InputStream) null))
                .withMessage("encoded");
        assertThatNullPointerException().isThrownBy(() -> Image.ofDataUri(null)).withMessage("uri");
        assertThatNullPointerException().isThrownBy(() -> Image.of(PNG, null)).withMessage("limits");
    }

    @Test
    void aStreamIsReadToItsEndAndLeftOpen() {
        boolean[] closed = new boolean[1];
        InputStream stream = new ByteArrayInputStream(PNG) {
            @Override
            public void close() {
                closed[0] = true;
            }
        };
        assertThat(Image.of(stream).pixels().toByteArray()).containsExactly(PNG.length, 0, 0);
        assertThat(closed[0]).isFalse();
    }

    @Test
    void anEndlessStreamEndsAtTheLimit() {
        InputStream endless = new InputStream() {
            @Override
            public int read() {
                return 1;
            }

            @Override
            public int read(byte[] target, int offset, int length) {
                return length;
            }
        };
        assertRefused(() -> Image.of(endless, new ImageLimits(1000, 1, 1)), "limit of 1000", "maxFileBytes");
    }

    @Test
    void aStreamThatCannotBeReadSaysWhy() {
        InputStream broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("connection reset");
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                throw new IOException("connection reset");
            }
        };
        assertRefused(() -> Image.of(broken), "connection reset");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "data:image/png;base64,iVBORw0KGgoAAA==",
                "DATA:;BASE64,iVBORw0KGgoAAA",
                " data:image/jpeg;charset=utf-8;base64,iVBO\r\n Rw0K%47goAAA%3D%3D",
                "data:,%89PNG%0D%0A%1a%0A%00%00"
            })
    void aDataUriHoldsAPicture(String uri) {
        assertThat(Image.ofDataUri(uri).pixels().toByteArray()).containsExactly(PNG.length, 0, 0);
    }

    @Test
    void aDataUriOfTheUrlSafeAlphabetIsRead() {
        assertThat(Image.ofDataUri("data:;base64,-_-_")).hasToString("Image[The picture of 3 bytes]");
    }

    @Test
    void aDamagedDataUriIsShownByItsBeginning() {
        assertRefused(() -> Image.ofDataUri("https://example.org/a.png"), "https://example.org/a.png", "HttpClient");
        assertRefused(() -> Image.ofDataUri("data:image/png;base64"), "no comma");
        assertRefused(() -> Image.ofDataUri("data:image/png;base64,iV*O"), "damaged Base64");
        assertRefused(() -> Image.ofDataUri("data:image/png;base64,"), "0 bytes");
        assertRefused(() -> Image.ofDataUri("data:,\u00e9"), "position 6");
        ImageLimits limits = new ImageLimits(10, 1, 1);
        assertRefused(() -> Image.ofDataUri("data:;base64,iVBORw0KGgoAAAAA", limits), "12 bytes", "limit of 10");
        assertRefused(() -> Image.ofDataUri("data:;base64," + "A".repeat(100), limits), "limit of 10");
    }

    @Test
    void aGroundLiesBelowTransparentPixelsOnly() {
        Image image = Image.ofArgb(new int[] {0x00112233, 0x80FFFFFF, 0xFF445566}, 3, 1);
        assertThat(image.onGround(0x0000FF).pixels().toByteArray())
                .containsExactly(0, 0, -1, -128, -128, -1, 0x44, 0x55, 0x66);
        assertThat(image.pixels().toByteArray()).containsExactly(0x11, 0x22, 0x33, -1, -1, -1, 0x44, 0x55, 0x66);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> image.onGround(0x1000000))
                .withMessageContaining("0x01000000");
    }

    @Test
    void aDecoderThatDropsAlphaSaysThatItCannotLayOnAGround() {
        assertRefused(() -> Image.of(PNG).onGround(0).pixels(), "OnlyPngDecoder", "Image.ofArgb");
    }

    @Test
    void textInPlaceOfAPictureIsNamed() {
        assertRefused(
                () -> Image.of(text("iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB")).pixels(), "Base64 text", "java.util.Base64");
        assertRefused(() -> Image.of(text("data:image/png;base64,AAAA")).pixels(), "data URI", "Image.ofDataUri");
        assertRefused(() -> Image.of(text("https://example.org/a.png\n")).pixels(), "web address", "HttpClient");
        assertRefused(() -> Image.of(text("<html>")).pixels(), "HTML", "browser");
    }

    @Test
    void workBeyondTheBudgetIsRefused() {
        ImageLimits limits = new ImageLimits(1, 1, 1, 10);
        limits.checkWork(10, "x.png");
        assertRefused(() -> limits.checkWork(11, "x.png"), "x.png", "11 samples", "limit of 10", "maxWork");
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static void assertRefused(Runnable action, String... words) {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(action::run)
                .satisfies(e -> assertThat(e).message().contains(words));
    }

    @Test
    void eachLimitIsVariedByItself() {
        ImageLimits usual = ImageLimits.defaults();
        ImageLimits all =
                usual.withMaxFileBytes(1).withMaxPixels(2).withMaxSide(3).withMaxWork(4);
        assertThat(all).isEqualTo(new ImageLimits(1, 2, 3, 4));
        assertThat(usual.withMaxSide(3).maxPixels()).isEqualTo(usual.maxPixels());
    }
}
