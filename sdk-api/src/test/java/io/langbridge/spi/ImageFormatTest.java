package io.langbridge.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageFormatTest {
    @ParameterizedTest
    @CsvSource(
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "ffd8ffe0,JPEG",
                "89504e470d0a1a0a,PNG",
                "474946383961,GIF",
                "424d3600000000000000,BMP",
                "524946460000000057454250,WEBP",
                "49492a00,TIFF",
                "4d4d002a,TIFF",
                "00000018667479706865696300000000,HEIC",
                "00000018667479706d69663100000000,HEIC",
                "00000020667479706d6966310000000061766966,AVIF",
                "0000001c6674797061766966,AVIF",
                "ff0a,JPEG_XL",
                "0000000c6a502020,JPEG_2000",
                "00000100,ICO",
                "38425053,PSD",
                "255044462d,PDF",
                "424d361000001a001d001a0000000c000000,BMP",
                "424d36100000000000001a00000040000000,BMP",
                "50360a3120310a,PNM",
                "000002000000000000000000020001001800,TGA",
                "010109000001001800000000020001000800,TGA"
            })
    void isRecognisedByItsFirstBytes(String hex, ImageFormat format) {
        byte[] head = new byte[hex.length() / 2];
        for (int i = 0; i < head.length; i++) {
            head[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        }
        assertThat(ImageFormat.of(head)).isEqualTo(format);
    }

    @Test
    void markupIsRecognisedBehindWhiteSpaceAndDeclarations() {
        assertThat(of("<?xml version='1.0'?>\n<svg>")).isEqualTo(ImageFormat.SVG);
        assertThat(of("\u00ef\u00bb\u00bf <SVG>")).isEqualTo(ImageFormat.SVG);
        assertThat(of("\n\n<!DOCTYPE html><html>")).isEqualTo(ImageFormat.HTML);
    }

    @Test
    void textThatStandsForAPictureIsRecognised() {
        assertThat(of("/9j/4AAQSkZJRgABAQAAAQABAAD/2wBD\r\n")).isEqualTo(ImageFormat.BASE64);
        assertThat(of("data:image/png;base64,iVBOR")).isEqualTo(ImageFormat.DATA_URI);
        assertThat(of(" HTTPS://example.org/a.png")).isEqualTo(ImageFormat.ADDRESS);
        assertThat(of("s3://bucket/a.png")).isEqualTo(ImageFormat.ADDRESS);
        assertThat(of("a few words, one of them ://")).isNull();
    }

    @Test
    void otherFilesAreNone() {
        assertThat(of("")).isNull();
        assertThat(of("BM is a text")).isNull();
        assertThat(of("plain text with a <svg in it")).isNull();
        assertThat(of("....ftypisom")).isNull();
    }

    @Test
    void pixelsMustFillTheirSize() {
        assertThatThrownBy(() -> RgbPixels.wrap(2, 2, new byte[11])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> RgbPixels.wrap(0, 2, new byte[0])).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aPartOfARowIsCopiedFromTheRightPlace() {
        RgbPixels pixels = RgbPixels.wrap(3, 2, new byte[] {
            0, 1, 2, 3, 4, 5, 6, 7, 8,
            9, 10, 11, 12, 13, 14, 15, 16, 17
        });
        byte[] target = new byte[8];
        pixels.copyRow(1, 1, 2, target, 2);
        assertThat(target).containsExactly(0, 0, 12, 13, 14, 15, 16, 17);
        assertThatThrownBy(() -> pixels.copyRow(2, 0, 1, target, 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> pixels.copyRow(0, 2, 2, target, 0)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static @Nullable ImageFormat of(String text) {
        return ImageFormat.of(text.getBytes(StandardCharsets.ISO_8859_1));
    }
}
