package io.langbridge.runtime.images;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.management.ThreadMXBean;
import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import io.langbridge.drawing.DesktopImage;
import io.langbridge.spi.PixelCollector;
import io.langbridge.spi.RgbPixels;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files as people have them. The expected pictures are Pillow's (12.3). */
class PictureCasesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "bmp-os2-byte30-127.bmp",
                "bmp-os2-byte30-4.bmp",
                "bmp-os2v2-64x48.bmp",
                "bmp-reserved-1a001d00.bmp",
                "jpeg-4channels-adobe1.jpg",
                "jpeg-app14-11bytes.jpg",
                "png-rawprofile-exif3-50x70.png",
                "png-rawprofile-exif6-64x48.png",
                "png-xmp-orientation3-50x70.png",
                "png-xmp-orientation6-64x48.png",
                "webp-anim-100x80-frame64x48at20,10.webp",
                "webp-anim-40x40-frame16x16at0,0.webp",
                "webp-lossy-gray-default-192x160.webp",
                "webp-lossy-gray-no-filter-control-160x160.webp",
                "webp-lossy-gray-one-segment-192x160.webp",
                "webp-lossy-gray-strong-192x160.webp",
                "webp-xmp-orientation3-50x70.webp",
                "webp-xmp-orientation6-64x48.webp"
            })
    void equalsTheReference(String name) throws IOException {
        RgbPixels expected = Image.of(resource(name + ".expected.png")).pixels();
        RgbPixels actual = Image.of(resource(name)).pixels();
        assertThat(actual).hasToString(expected.toString());
        assertThat(actual.toByteArray()).isEqualTo(expected.toByteArray());
    }

    @ParameterizedTest
    @CsvSource({
        "jpeg-xmp-orientation3-50x70.jpg, 24",
        "jpeg-xmp-orientation6-64x48.jpg, 24",
        "webp-lossy-alpha-256x192.webp, 1"
    })
    void comesCloseToTheReference(String name, int most) throws IOException {
        byte[] expected = Image.of(resource(name + ".expected.png")).pixels().toByteArray();
        byte[] actual = Image.of(resource(name)).pixels().toByteArray();
        int largest = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs((actual[i] & 0xff) - (expected[i] & 0xff)));
        }
        assertThat(largest).isLessThanOrEqualTo(most);
    }

    @Test
    void aTinyFileThatClaimsToBeHugeIsRefusedUndecoded() throws IOException {
        assertRefused(resource("jpg-prog-10000.jpg"), "cannot fill 10000 x 10000 pixels");
        assertRefused(resource("webp-vp8l-9999.webp"), "WebP");
        byte[] png = new PngFile(10_000, 10_000, 8, PngFile.RGB).rows(new int[] {0});
        assertRefused(png, "cannot fill 10000 x 10000 pixels");
    }

    @Test
    void passesOverManyPixelsAreCountedBeforehand() throws IOException {
        byte[] jpeg = progressive(new BufferedImage(64, 48, BufferedImage.TYPE_INT_RGB));
        assertThat(Image.of(jpeg).pixels()).hasToString("RgbPixels[64 x 48]");
        ImageLimits limits = new ImageLimits(1 << 20, 1 << 20, 1 << 10, 20_000);
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> Image.of(jpeg, limits).pixels())
                .withMessageContaining("samples of work")
                .withMessageContaining("maxWork");
    }

    @Test
    void aCommentOfAnyLengthCostsNoTime() throws IOException {
        ByteArrayOutputStream gif = new ByteArrayOutputStream();
        gif.writeBytes("GIF89a\1\0\1\0\u0080\0\0\1\2\3\4\5\6!\u00fe".getBytes(StandardCharsets.ISO_8859_1));
        byte[] block = new byte[256];
        block[0] = (byte) 255;
        for (int i = 0; i < 200_000; i++) {
            gif.writeBytes(block);
        }
        gif.writeBytes("\0,\0\0\0\0\1\0\1\0\0\2\2L\1\0;".getBytes(StandardCharsets.ISO_8859_1));
        assertThat(Image.of(gif.toByteArray()).pixels().toByteArray()).containsExactly(4, 5, 6);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tEXt", "zTXt", "iTXt", "iCCP", "gAMA", "cHRM", "sRGB", "pHYs", "tIME", "eXIf", "acTL"})
    void damageBesideThePixelsOfAPngIsPassedOver(String chunk) {
        byte[] png = new PngFile(2, 1, 8, PngFile.GRAY)
                .chunk(chunk, (byte) 'x', (byte) 0, (byte) 0, (byte) 1)
                .chunk(chunk)
                .rows(new int[] {1, 2});
        png[33 + 8] ^= 1; // its check sum is wrong, too
        assertThat(Image.of(png).pixels().toByteArray()).containsExactly(1, 1, 1, 2, 2, 2);
    }

    @Test
    void textThatInflatesWithoutEndIsPassedOver() {
        byte[] text = new byte[40 << 20];
        Deflater deflater = new Deflater();
        deflater.setInput(text);
        deflater.finish();
        byte[] packed = new byte[1 << 20];
        int length = deflater.deflate(packed);
        deflater.end();
        byte[] key = "Raw profile type exif\0\0".getBytes(StandardCharsets.ISO_8859_1);
        byte[] data = Arrays.copyOf(key, key.length + length);
        System.arraycopy(packed, 0, data, key.length, length);
        byte[] png = new PngFile(1, 1, 8, PngFile.GRAY).chunk("zTXt", data).rows(new int[] {7});
        assertThat(Image.of(png).pixels().toByteArray()).containsExactly(7, 7, 7);
    }

    @Test
    void exifWinsOverXmp() {
        byte[] exif = ByteBuffer.allocate(26)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(new byte[] {'I', 'I', 42, 0})
                .putInt(8)
                .putShort((short) 1)
                .putShort((short) 0x112)
                .putShort((short) 3)
                .putInt(1)
                .putInt(1)
                .array();
        byte[] xmp = "XML:com.adobe.xmp\0\0\0\0\0<a tiff:Orientation=\"6\"/>".getBytes(StandardCharsets.ISO_8859_1);
        byte[] both = new PngFile(2, 1, 8, PngFile.GRAY)
                .chunk("eXIf", exif)
                .chunk("iTXt", xmp)
                .rows(new int[] {1, 2});
        byte[] one = new PngFile(2, 1, 8, PngFile.GRAY).chunk("iTXt", xmp).rows(new int[] {1, 2});
        assertThat(Image.of(both).pixels()).hasToString("RgbPixels[2 x 1]");
        assertThat(Image.of(one).pixels()).hasToString("RgbPixels[1 x 2]");
    }

    @ParameterizedTest
    @CsvSource({"'\\0\\1junk'", "ffe30000", "ffe30001", "fffe0003ff", "ffe20010"})
    void damageBesideThePixelsOfAJpegIsPassedOver(String junk) throws IOException {
        byte[] jpeg = resource("jpeg-app14-11bytes.jpg");
        byte[] bytes = junk.startsWith("ff") ? hex(junk) : new byte[] {0, 1, 'j'};
        byte[] inside = junk.equals("ffe20010") ? Arrays.copyOf(bytes, 18) : bytes;
        int at = 4 + (jpeg[4] << 8 | jpeg[5] & 0xff); // behind the first segment
        byte[] damaged = new byte[jpeg.length + inside.length + 5]; // and something behind the end
        System.arraycopy(jpeg, 0, damaged, 0, at);
        System.arraycopy(inside, 0, damaged, at, inside.length);
        System.arraycopy(jpeg, at, damaged, at + inside.length, jpeg.length - at);
        assertThat(Image.of(damaged).pixels().toByteArray())
                .isEqualTo(Image.of(jpeg).pixels().toByteArray());
    }

    @Test
    void kindsOfJpegThatAreNotReadAreNamed() throws IOException {
        byte[] jpeg = resource("jpeg-app14-11bytes.jpg");
        int frame = new String(jpeg, StandardCharsets.ISO_8859_1).indexOf("\u00ff\u00c0");
        jpeg[frame + 1] = (byte) 0xc9;
        assertRefused(jpeg, "arithmetic coding is not supported");
        jpeg[frame + 1] = (byte) 0xc1;
        jpeg[frame + 4] = 12;
        assertRefused(jpeg, "12 bits per sample are not supported");
    }

    @ParameterizedTest
    @ValueSource(strings = {"LZW", "Deflate", "ZLib", "PackBits", "none"})
    void aTiffIsRead(String compression) throws IOException {
        BufferedImage image = new BufferedImage(50, 40, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 2000; i++) {
            image.setRGB(i % 50, i / 50, 7919 * i);
        }
        byte[] tiff = tiff(image, compression);
        assertThat(Image.of(tiff).pixels().toByteArray())
                .isEqualTo(DesktopImage.of(image).pixels().toByteArray());
        assertRefused(Arrays.copyOf(tiff, tiff.length / 2), "TIFF");
    }

    @Test
    void allRowsOfATiffAreInOneStripIfItDoesNotSayHowMany() {
        byte[] pixels = {1, 2, 3, 4, 5, 6};
        for (long rows : new long[] {3, 0xFFFF_FFFFL, 0x8000_0000L}) {
            byte[] tiff =
                    tiff(pixels, 2, 3, 1, new long[] {273, 4, 8}, new long[] {278, 4, rows}, new long[] {279, 4, 6});
            assertThat(Image.of(tiff).pixels().toByteArray())
                    .containsExactly(1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6);
        }
        byte[] none = tiff(pixels, 2, 3, 1, new long[] {273, 4, 8}, new long[] {278, 4, 0}, new long[] {279, 4, 6});
        assertRefused(none, "2 x 0 pixels");
    }

    @Test
    void stripsOfATiffMayShareTheirDataButNotWithoutEnd() throws IOException {
        byte[] row = deflated(new byte[] {7});
        byte[] data = Arrays.copyOf(row, 10 << 20);
        for (int size : new int[] {row.length, data.length}) {
            byte[] tiff = tiff(data, 1, 300, 8, filled(273, 300, 8), new long[] {278, 4, 1}, filled(279, 300, size));
            if (size == row.length) {
                byte[] expected = new byte[900];
                Arrays.fill(expected, (byte) 7);
                assertThat(Image.of(tiff).pixels().toByteArray()).isEqualTo(expected);
            } else {
                assertRefused(tiff, "samples of work", "maxWork");
            }
        }
    }

    @Test
    void valuesOfATiffThatNobodyNeedsTakeNoMemory() {
        byte[] eights = new byte[10 << 20];
        for (int i = 0; i < eights.length; i += 2) {
            eights[i] = 8;
        }
        byte[] tiff = tiff(eights, 1, 1, 1, new long[] {273, 3, 8}, new long[] {279, 3, 8}, new long[] {320, 3, 8});
        ByteBuffer entries = ByteBuffer.wrap(tiff).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = entries.getInt(4) + 2; at < tiff.length; at += 12) {
            int tag = entries.getShort(at);
            if (tag == 258 || tag == 273 || tag == 279 || tag == 320) {
                entries.putInt(at + 4, eights.length / 2).putInt(at + 8, 8);
            }
        }
        Image image = Image.of(tiff);
        assertThat(image.pixels().toByteArray()).containsExactly(8, 8, 8);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        image.pixels();
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(3L * eights.length);
    }

    @Test
    void aPieceOfATiffThatLiesBeyondAllNumbersIsRefused() {
        byte[] tiff =
                tiff(new byte[] {1}, 1, 1, 1, new long[] {273, 16, Long.MAX_VALUE}, new long[] {278, 4, 1}, new long[] {
                    279, 16, Long.MAX_VALUE
                });
        assertRefused(tiff, "piece 0 lies outside the file");
    }

    @Test
    void anInterruptEndsReadingInTheMiddleOfATiff() throws IOException {
        RowWriter rows = new RowWriter("scan", ImageLimits.defaults(), OptionalInt.empty(), new PixelCollector("scan"));
        try (ByteInput input = new ByteInput(new byte[] {1, 2}, rows)) {
            assertThat(input.read(new byte[1])).isEqualTo(1);
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(ImageException.class)
                    .isThrownBy(() -> input.read(new byte[1]))
                    .withMessageContaining("scan was not decoded to its end");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void kindsOfTiffThatAreNotReadAreNamed() throws IOException {
        BufferedImage image = new BufferedImage(50, 40, BufferedImage.TYPE_BYTE_BINARY);
        assertRefused(tiff(image, "CCITT T.6"), "fax compression is not supported", "DesktopImage.of");
    }

    @Test
    void aGroundLiesBelowWhatAPngLeavesTransparent() {
        byte[] png = new PngFile(2, 1, 8, PngFile.RGBA).rows(new int[] {10, 20, 30, 0, 40, 50, 60, 255});
        assertThat(Image.of(png).onGround(0x0102FF).pixels().toByteArray()).containsExactly(1, 2, -1, 40, 50, 60);
        byte[] palette = new PngFile(2, 1, 8, PngFile.PALETTE)
                .chunk("PLTE", (byte) 1, (byte) 2, (byte) 3, (byte) 4, (byte) 5, (byte) 6)
                .chunk("tRNS", (byte) 0)
                .rows(new int[] {0, 1});
        assertThat(Image.of(palette).onGround(0x070809).pixels().toByteArray()).containsExactly(7, 8, 9, 4, 5, 6);
    }

    @Test
    void anInterruptEndsDecoding() throws IOException {
        Image png = Image.of(new PngFile(1, 1, 8, PngFile.GRAY).rows(new int[] {7}));
        Image jpeg = Image.of(resource("jpeg-app14-11bytes.jpg"));
        for (Image image : new Image[] {png, jpeg}) {
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(ImageException.class)
                    .isThrownBy(image::pixels)
                    .withMessageContaining("interrupted")
                    .withCauseInstanceOf(InterruptedException.class);
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void grayOfAwtIsCopiedWithoutGamma() {
        BufferedImage image = new BufferedImage(1, 1, BufferedImage.TYPE_BYTE_GRAY);
        image.getRaster().setSample(0, 0, 0, 100);
        assertThat(DesktopImage.of(image).pixels().toByteArray()).containsExactly(100, 100, 100);
        BufferedImage clear = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB);
        clear.setRGB(0, 0, 0x00112233);
        assertThat(DesktopImage.of(clear).pixels().toByteArray()).containsExactly(0x11, 0x22, 0x33);
        assertThat(DesktopImage.of(clear).onGround(0x445566).pixels().toByteArray())
                .containsExactly(0x44, 0x55, 0x66);
    }

    @ParameterizedTest
    @CsvSource({"16,1,false", "16,1,true", "12,16,false", "12,16,true"})
    void wideRgbOfAwtIsCutToTheHighByte(int bits, int step, boolean alpha) {
        int bands = alpha ? 4 : 3;
        int[] sizes = new int[bands];
        Arrays.fill(sizes, bits);
        ColorModel model = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB),
                sizes,
                alpha,
                false,
                alpha ? Transparency.TRANSLUCENT : Transparency.OPAQUE,
                DataBuffer.TYPE_USHORT);
        WritableRaster raster = model.createCompatibleWritableRaster(2, 2);
        int[] below = {0x00FF / step, 0x80FF / step, 0xFFFF / step, 0x7F00 / step};
        raster.setPixel(1, 1, Arrays.copyOf(below, bands));
        BufferedImage image = new BufferedImage(model, raster, false, null);
        byte[] rgb = DesktopImage.of(image.getSubimage(1, 0, 1, 2)).pixels().toByteArray();
        assertThat(rgb).containsExactly(0, 0, 0, 0, 0x80, 0xFF);
        byte[] onWhite = DesktopImage.of(image).onGround(0xFFFFFF).pixels().toByteArray();
        assertThat(Arrays.copyOfRange(onWhite, 9, 12))
                .isEqualTo(alpha ? new byte[] {(byte) 0x80, (byte) 0xC0, -1} : new byte[] {0, (byte) 0x80, -1});
    }

    @Test
    void premultipliedColoursOfAwtAreDivided() {
        ColorModel model = new ComponentColorModel(
                ColorSpace.getInstance(ColorSpace.CS_sRGB),
                true,
                true,
                Transparency.TRANSLUCENT,
                DataBuffer.TYPE_USHORT);
        WritableRaster raster = model.createCompatibleWritableRaster(1, 1);
        raster.setPixel(0, 0, new int[] {0x8000, 0x4000, 0, 0x8000});
        assertThat(DesktopImage.of(new BufferedImage(model, raster, true, null))
                        .pixels()
                        .toByteArray())
                .containsExactly(0xFF, 0x80, 0);
    }

    @Test
    void aPictureOfAwtThatTheHeapHasNoRoomForIsRefusedWithTheHeapItNeeds() {
        BufferedImage image = new BufferedImage(1000, 1000, BufferedImage.TYPE_INT_RGB) {
            @Override
            public int[] getRGB(int x, int y, int width, int height, int[] argb, int offset, int line) {
                throw new OutOfMemoryError();
            }
        };
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> DesktopImage.of(image))
                .withMessageContaining("The raw picture needs 7 MB of heap")
                .withMessageContaining("-Xmx");
    }

    private static byte[] progressive(BufferedImage image) throws IOException {
        return write(image, "jpeg", "progressive");
    }

    private static byte[] tiff(BufferedImage image, String compression) throws IOException {
        return write(image, "tiff", compression);
    }

    /** A gray file of 8 bits: its data at 8, then its directory. Entries are a tag, a type, and values. */
    private static byte[] tiff(byte[] data, int width, int height, int compression, long[]... pieces) {
        List<long[]> entries = new ArrayList<>(List.of(
                new long[] {256, 4, width},
                new long[] {257, 4, height},
                new long[] {258, 3, 8},
                new long[] {259, 3, compression},
                new long[] {262, 3, 1}));
        entries.addAll(List.of(pieces));
        int directory = 8 + data.length;
        int behind = directory + 6 + 12 * entries.size();
        int room = entries.stream().mapToInt(entry -> 8 * entry.length).sum();
        ByteBuffer file = ByteBuffer.allocate(behind + room).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {'I', 'I', 42, 0}).putInt(directory).put(data).putShort((short) entries.size());
        for (long[] entry : entries) {
            file.putShort((short) entry[0]).putShort((short) entry[1]).putInt(entry.length - 2);
            if (entry.length == 3 && entry[1] != 16) {
                file.putInt((int) entry[2]);
                continue;
            }
            file.putInt(behind);
            for (int i = 2; i < entry.length; i++, behind += entry[1] == 16 ? 8 : 4) {
                if (entry[1] == 16) {
                    file.putLong(behind, entry[i]);
                } else {
                    file.putInt(behind, (int) entry[i]);
                }
            }
        }
        return Arrays.copyOf(file.array(), behind);
    }

    private static long[] filled(int tag, int count, long value) {
        long[] entry = new long[2 + count];
        Arrays.fill(entry, value);
        entry[0] = tag;
        entry[1] = 4;
        return entry;
    }

    private static byte[] deflated(byte[] bytes) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream out = new DeflaterOutputStream(packed)) {
            out.write(bytes);
        }
        return packed.toByteArray();
    }

    private static byte[] write(BufferedImage image, String format, String compression) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName(format).next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (var output = ImageIO.createImageOutputStream(bytes)) {
            ImageWriteParam param = writer.getDefaultWriteParam();
            if (compression.equals("progressive")) {
                param.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
            } else if (!compression.equals("none")) {
                param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
                param.setCompressionType(compression);
            }
            writer.setOutput(output);
            writer.write(null, new IIOImage(image, null, null), param);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    private static void assertRefused(byte[] encoded, String... words) {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> Image.of(encoded).pixels())
                .satisfies(e -> assertThat(e).message().contains(words));
    }

    private static byte[] hex(String text) {
        byte[] bytes = new byte[text.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(text.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = PictureCasesTest.class.getResourceAsStream("/pictures/cases/" + name)) {
            assertThat(in).as(name).isNotNull();
            return in.readAllBytes();
        }
    }
}
