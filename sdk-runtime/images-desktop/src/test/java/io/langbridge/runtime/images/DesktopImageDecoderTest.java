package io.langbridge.runtime.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import io.langbridge.spi.RgbPixels;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DesktopImageDecoderTest {
    @Test
    void grayIsCopiedWithoutGamma() {
        byte[] png = new PngFile(3, 1, 8, PngFile.GRAY)
                .chunk("gAMA", new byte[] {0, 1, (byte) 0x86, (byte) 0xa0})
                .rows(new int[] {0, 100, 255});
        assertDecodes(png, 3, 1, 0, 0, 0, 100, 100, 100, 255, 255, 255);
    }

    @Test
    void fewBitsOfGrayAreSpreadOverTheWholeRange() {
        assertDecodes(
                new PngFile(3, 1, 1, PngFile.GRAY).rows(new int[] {0b0100_0000}),
                3,
                1,
                0,
                0,
                0,
                255,
                255,
                255,
                0,
                0,
                0);
        assertDecodes(
                new PngFile(2, 1, 2, PngFile.GRAY).rows(new int[] {0b0110_0000}), 2, 1, 85, 85, 85, 170, 170, 170);
        assertDecodes(new PngFile(2, 1, 4, PngFile.GRAY).rows(new int[] {0x1e}), 2, 1, 17, 17, 17, 238, 238, 238);
    }

    @Test
    void sixteenBitGrayIsClippedAsTheReferenceDoes() {
        assertDecodes(
                new PngFile(3, 1, 16, PngFile.GRAY).rows(new int[] {0, 7, 0, 255, 1, 0}),
                3,
                1,
                7,
                7,
                7,
                255,
                255,
                255,
                255,
                255,
                255);
    }

    @Test
    void sixteenBitColoursAndGrayWithAlphaGiveTheirHighByte() {
        assertDecodes(new PngFile(1, 1, 16, PngFile.RGB).rows(new int[] {1, 255, 2, 255, 3, 255}), 1, 1, 1, 2, 3);
        assertDecodes(new PngFile(1, 1, 16, PngFile.GRAY_ALPHA).rows(new int[] {9, 255, 2, 255}), 1, 1, 9, 9, 9);
    }

    @Test
    void alphaIsDroppedAndNotBlended() {
        assertDecodes(
                new PngFile(2, 1, 8, PngFile.RGBA).rows(new int[] {10, 20, 30, 0, 40, 50, 60, 128}),
                2,
                1,
                10,
                20,
                30,
                40,
                50,
                60);
        assertDecodes(
                new PngFile(2, 1, 8, PngFile.GRAY_ALPHA).rows(new int[] {70, 0, 80, 1}), 2, 1, 70, 70, 70, 80, 80, 80);
    }

    @Test
    void transparencyOfPalettesAndColoursIsIgnored() {
        byte[] palette = new PngFile(3, 2, 8, PngFile.PALETTE)
                .chunk("PLTE", (byte) 1, (byte) 2, (byte) 3, (byte) 200, (byte) 100, (byte) 50)
                .chunk("tRNS", (byte) 255, (byte) 0)
                .rows(new int[] {0, 1, 0}, new int[] {1, 1, 0});
        assertDecodes(palette, 3, 2, 1, 2, 3, 200, 100, 50, 1, 2, 3, 200, 100, 50, 200, 100, 50, 1, 2, 3);
        byte[] colour = new PngFile(1, 1, 8, PngFile.RGB)
                .chunk("tRNS", (byte) 0, (byte) 5, (byte) 0, (byte) 6, (byte) 0, (byte) 7)
                .rows(new int[] {5, 6, 7});
        assertDecodes(colour, 1, 1, 5, 6, 7);
    }

    @Test
    void aPngIsTurnedByItsExifBlock() {
        byte[] png = new PngFile(2, 1, 8, PngFile.GRAY).chunk("eXIf", exif(6)).rows(new int[] {1, 2});
        assertDecodes(png, 1, 2, 1, 1, 1, 2, 2, 2);
    }

    @Test
    void aDamagedExifBlockIsIgnored() {
        byte[] png = new PngFile(2, 1, 8, PngFile.GRAY)
                .chunk("eXIf", (byte) 'I', (byte) 'I', (byte) 9)
                .rows(new int[] {1, 2});
        assertDecodes(png, 2, 1, 1, 1, 1, 2, 2, 2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"photo-420", "gray", "cmyk", "exif-rotated"})
    void aJpegComesCloseToTheReference(String name) throws IOException {
        RgbPixels jpeg = Image.of(resource(name + ".jpg")).pixels();
        RgbPixels expected = Image.of(resource(name + ".decoded.png")).pixels();
        assertThat(jpeg).hasToString(expected.toString());
        byte[] actualBytes = jpeg.toByteArray();
        byte[] expectedBytes = expected.toByteArray();
        long sum = 0;
        int largest = 0;
        for (int i = 0; i < actualBytes.length; i++) {
            int difference = Math.abs((actualBytes[i] & 0xff) - (expectedBytes[i] & 0xff));
            sum += difference;
            largest = Math.max(largest, difference);
        }
        assertThat((double) sum / actualBytes.length).isLessThanOrEqualTo(1.0);
        assertThat(largest).isLessThanOrEqualTo(24);
    }

    @Test
    void anAdobeMarkerTellsInksFromLumaAndChroma() throws IOException {
        byte[] inks = resource("cmyk.jpg");
        byte[] luma = inks.clone();
        int adobe = indexOf(luma, "Adobe");
        assertThat(luma[adobe + 11]).isZero();
        luma[adobe + 11] = 2;
        byte[] cmyk = Image.of(inks).pixels().toByteArray();
        byte[] ycck = Image.of(luma).pixels().toByteArray();
        assertThat(ycck).hasSameSizeAs(cmyk).isNotEqualTo(cmyk);
    }

    @Test
    void aWebPIsTurnedAndItsAlphaAndColourProfileAreIgnored() throws IOException {
        assertDecodes(
                resource("rotated-profile-alpha.webp"),
                2,
                3,
                31,
                62,
                93,
                1,
                2,
                3,
                41,
                82,
                123,
                11,
                22,
                33,
                51,
                102,
                153,
                21,
                42,
                63);
    }

    @Test
    void aLossyWebPKeepsItsColour() throws IOException {
        RgbPixels pixels = Image.of(resource("lossy.webp")).pixels();
        byte[] rgb = pixels.toByteArray();
        assertThat(pixels).hasToString("RgbPixels[20 x 10]");
        assertThat(rgb[0] & 0xff).isCloseTo(200, within(3));
        assertThat(rgb[1] & 0xff).isCloseTo(30, within(3));
        assertThat(rgb[2] & 0xff).isCloseTo(60, within(3));
    }

    @Test
    void aBmpKeepsItsPixelsInTheirPlaces() throws IOException {
        BufferedImage image = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
        image.setRGB(2, 0, 0x0a141e);
        image.setRGB(0, 1, 0xc8642b);
        assertDecodes(write(image, "bmp"), 3, 2, 0, 0, 0, 0, 0, 0, 10, 20, 30, 200, 100, 43, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void fiveBitsOfColourAreSpreadOverTheWholeRange() {
        assertDecodes(bmp(1, 1, 16, 0, new byte[] {(byte) 0xe0, 0x7f, 0, 0}), 1, 1, 255, 255, 0);
        assertDecodes(bmp(1, 1, 16, 0, new byte[] {0x01, 0x04, 0, 0}), 1, 1, 8, 0, 8);
    }

    @Test
    void theFirstFrameOfAGifLiesOnItsScreen() throws IOException {
        BufferedImage frame = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY);
        frame.setRGB(1, 0, 0xffffff);
        byte[] gif = write(frame, "gif");
        assertDecodes(gif, 2, 1, 0, 0, 0, 255, 255, 255);
        // A larger screen (3 x 2), and the frame one further to the right and down.
        gif[6] = 3;
        gif[8] = 2;
        int descriptor = indexOf(gif, ",\0\0\0\0\2\0\1\0");
        gif[descriptor + 1] = 1;
        gif[descriptor + 3] = 1;
        assertDecodes(gif, 3, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255);
    }

    @Test
    void aDeclaredSizeAboveTheLimitIsRefusedBeforeAnyMemoryIsUsed() throws IOException {
        byte[] png = new PngFile(60_000, 60_000, 8, PngFile.RGB).rows(new int[] {1, 2, 3});
        assertRefused(png, "60000 x 60000", "32768");
        byte[] gif = write(new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY), "gif");
        gif[7] = (byte) 0xea;
        gif[9] = (byte) 0xea;
        assertRefused(gif, "59906 x 59905", "32768");
        assertRefused(bmp(40_000, 100, 24, 0, new byte[4]), "40000 x 100", "32768");
        byte[] jpeg = resource("photo-420.jpg");
        int frame = indexOf(jpeg, "\u00ff\u00c0");
        jpeg[frame + 5] = (byte) 0xea;
        jpeg[frame + 7] = (byte) 0xea;
        assertRefused(jpeg, "x 60037", "32768");
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> Image.of(resource("lossy.webp"), new ImageLimits(1000, 199, 20))
                        .pixels())
                .withMessageContaining("20 x 10 = 200 pixels");
    }

    @Test
    void aJpegThatWasCutOffIsRefusedAndNotFilledWithGray() throws IOException {
        byte[] jpeg = resource("photo-420.jpg");
        for (int kept : new int[] {3, 20, 300, 700, jpeg.length / 2, jpeg.length - 20}) {
            assertRefused(Arrays.copyOf(jpeg, kept), "damaged or incomplete JPEG");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\0\0\0\u0018ftypmp42", "\u00ff\u00d8\u00ff\u00e1\0\4\1\2"})
    void whatFollowsTheEndOfAJpegIsNoScanOfIt(String start) throws IOException {
        byte[] jpeg = resource("photo-420.jpg");
        byte[] behind = (start + "\u00ff\u00da\0\2".repeat(50_000)).getBytes(StandardCharsets.ISO_8859_1);
        byte[] both = Arrays.copyOf(jpeg, jpeg.length + behind.length);
        System.arraycopy(behind, 0, both, jpeg.length, behind.length);
        assertThat(Image.of(both).pixels().toByteArray())
                .isEqualTo(Image.of(jpeg).pixels().toByteArray());
        ImageLimits onePass = new ImageLimits(1 << 20, 1 << 20, 1 << 10, 100_000);
        assertThat(Image.of(both, onePass).pixels())
                .hasToString(Image.of(jpeg).pixels().toString());
        assertThat(JpegFile.of(both).hasPasses()).isFalse();
        assertRefused(Arrays.copyOfRange(both, 0, jpeg.length - 20), "too early");
    }

    @Test
    void aJpegWhoseScanIsTooShortButSaysThatItEndsIsFilledWithGray() throws IOException {
        byte[] jpeg = resource("photo-420.jpg");
        byte[] whole = Image.of(jpeg).pixels().toByteArray();
        byte[] cut = Arrays.copyOf(jpeg, jpeg.length / 2);
        cut[cut.length - 2] = (byte) 0xff;
        cut[cut.length - 1] = (byte) 0xd9;
        byte[] filled = Image.of(cut).pixels().toByteArray();
        assertThat(Arrays.copyOf(filled, 300)).isEqualTo(Arrays.copyOf(whole, 300));
        assertThat(filled[filled.length - 1]).isEqualTo((byte) 128);
        jpeg[jpeg.length - 1] = 0; // whole, but without its end
        assertRefused(jpeg, "the picture data end too early");
    }

    @Test
    void otherPicturesThatWereCutOffAreRefused() throws IOException {
        byte[] png = resource("gray.decoded.png");
        byte[] webp = resource("lossy.webp");
        byte[] lossless = resource("rotated-profile-alpha.webp");
        byte[] gif = write(new BufferedImage(50, 40, BufferedImage.TYPE_BYTE_INDEXED), "gif");
        byte[] bmp = write(new BufferedImage(50, 40, BufferedImage.TYPE_INT_RGB), "bmp");
        for (double part : new double[] {0.2, 0.5, 0.8}) {
            assertRefused(Arrays.copyOf(png, (int) (png.length * part)), "PNG");
            assertRefused(Arrays.copyOf(webp, (int) (webp.length * part)), "WebP");
            assertRefused(Arrays.copyOf(lossless, (int) (lossless.length * part)), "WebP");
            assertRefused(Arrays.copyOf(gif, (int) (gif.length * part)), "GIF");
            assertRefused(Arrays.copyOf(bmp, (int) (bmp.length * part)), "BMP");
        }
    }

    @Test
    void aPngWithDamagedDataIsRefused() throws IOException {
        byte[] png = resource("gray.decoded.png");
        png[png.length / 2] ^= 0x55;
        assertRefused(png, "damaged or incomplete PNG");
    }

    @Test
    void aPictureInsideABmpIsRefused() {
        assertRefused(bmp(1, 1, 24, 5, new byte[4]), "compression 5 is not supported");
    }

    @Test
    void otherFormatsAreNamedBesideTheSupportedOnes() {
        assertRefused("8BPS".getBytes(StandardCharsets.US_ASCII), "Photoshop", "JPEG, PNG, GIF, BMP, WebP, TIFF");
        assertRefused("%PDF-1.7".getBytes(StandardCharsets.US_ASCII), "PDF");
        assertRefused(new byte[0], "0 bytes");
    }

    private static void assertDecodes(byte[] encoded, int width, int height, int... rgb) {
        RgbPixels pixels = Image.of(encoded).pixels();
        assertThat(pixels).hasToString("RgbPixels[" + width + " x " + height + "]");
        byte[] bytes = pixels.toByteArray();
        int[] actual = new int[bytes.length];
        Arrays.setAll(actual, i -> bytes[i] & 0xff);
        assertThat(actual).containsExactly(rgb);
    }

    private static void assertRefused(byte[] encoded, String... words) {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> Image.of(encoded).pixels())
                .satisfies(e -> assertThat(e).message().contains(words));
    }

    /** A TIFF block with nothing but an orientation. */
    private static byte[] exif(int orientation) {
        return ByteBuffer.allocate(26)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) 'I')
                .put((byte) 'I')
                .putShort((short) 42)
                .putInt(8)
                .putShort((short) 1)
                .putShort((short) 0x112)
                .putShort((short) 3)
                .putInt(1)
                .putInt(orientation)
                .array();
    }

    private static byte[] bmp(int width, int height, int bits, int compression, byte[] data) {
        return ByteBuffer.allocate(54 + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) 'B')
                .put((byte) 'M')
                .putInt(54 + data.length)
                .putInt(0)
                .putInt(54)
                .putInt(40)
                .putInt(width)
                .putInt(height)
                .putShort((short) 1)
                .putShort((short) bits)
                .putInt(compression)
                .putInt(0)
                .putInt(0)
                .putInt(0)
                .putInt(0)
                .putInt(0)
                .put(data)
                .array();
    }

    private static byte[] write(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        assertThat(ImageIO.write(image, format, bytes)).isTrue();
        return bytes.toByteArray();
    }

    private static int indexOf(byte[] bytes, String text) {
        int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(text);
        assertThat(at).isNotNegative();
        return at;
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = DesktopImageDecoderTest.class.getResourceAsStream("/pictures/" + name)) {
            assertThat(in).as(name).isNotNull();
            return in.readAllBytes();
        }
    }
}
