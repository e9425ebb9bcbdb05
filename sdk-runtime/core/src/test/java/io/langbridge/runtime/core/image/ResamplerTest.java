package io.langbridge.runtime.core.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.spi.RgbPixels;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The expected bytes are PIL's (12.3). */
class ResamplerTest {
    @Test
    void shrinkingWithTheCubicEqualsPil() {
        assertThat(resize(7, 5, 3, 2, Resampler.Filter.BICUBIC))
                .containsExactly(
                        90, 134, 131, 148, 138, 110, 147, 115, 105, 169, 94, 132, 133, 130, 126, 119, 129, 135);
    }

    @Test
    void shrinkingWithTheTriangleEqualsPil() {
        assertThat(resize(7, 5, 3, 2, Resampler.Filter.BILINEAR))
                .containsExactly(
                        98, 134, 129, 144, 134, 112, 145, 118, 108, 162, 96, 134, 135, 129, 124, 120, 128, 134);
    }

    @Test
    void enlargingEqualsPil() {
        assertThat(resize(3, 2, 5, 4, Resampler.Filter.BICUBIC))
                .containsExactly(
                        0, 75, 156, 5, 88, 179, 31, 114, 219, 56, 139, 246, 70, 153, 255, 11, 92, 179, 24, 107, 171, 51,
                        134, 164, 79, 162, 190, 94, 177, 207, 44, 126, 225, 61, 144, 156, 93, 176, 56, 124, 207, 78,
                        142, 225, 105, 60, 143, 248, 80, 163, 148, 113, 196, 1, 147, 230, 22, 166, 249, 54);
    }

    @Test
    void aSideThatKeepsItsSizeIsNotFiltered() {
        assertThat(resize(4, 3, 4, 2, Resampler.Filter.BICUBIC))
                .containsExactly(
                        18, 101, 195, 59, 152, 135, 99, 192, 176, 150, 133, 50, 100, 183, 99, 155, 72, 55, 211, 127,
                        111, 100, 83, 176);
    }

    @Test
    void aVeryHighPictureIsShrunkDownwardsFirst() {
        assertThat(resize(2, 250, 2, 3, Resampler.Filter.BICUBIC))
                .containsExactly(
                        133, 125, 123, 128, 128, 127, 128, 133, 129, 129, 126, 129, 122, 126, 131, 126, 129, 126);
    }

    @ParameterizedTest
    @EnumSource(Resampler.Filter.class)
    void aCutEqualsTheSamePartOfTheWhole(Resampler.Filter filter) {
        for (int height : new int[] {19, 900}) {
            Canvas source = Canvas.of(picture(8, height));
            RgbPixels whole = Resampler.resize(source, 11, 13, filter);
            RgbPixels cut = Resampler.resize(source, 11, 13, 2, 3, 5, 4, filter);
            assertThat(cut.toByteArray()).isEqualTo(part(whole, 2, 3, 5, 4));
        }
    }

    @ParameterizedTest
    @EnumSource(Resampler.Filter.class)
    void aPaddedCanvasEqualsThePictureItStandsFor(Resampler.Filter filter) {
        byte[] colour = {122, 116, 104};
        for (int[] size : new int[][] {{40, 3}, {3, 40}, {17, 12}, {1, 9}}) {
            RgbPixels picture = picture(size[0], size[1]);
            int side = Math.max(size[0], size[1]);
            Canvas canvas = new Canvas(picture, side, side, (side - size[0]) / 2, (side - size[1]) / 2, colour);
            for (int to : new int[] {5, 14, 50}) {
                assertThat(Resampler.resize(canvas, to, to, filter).toByteArray())
                        .isEqualTo(Resampler.resize(Canvas.of(canvas.toPixels()), to, to, filter)
                                .toByteArray());
            }
        }
    }

    static RgbPixels picture(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        int at = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    rgb[at++] = (byte) (x * 37 + y * 59 + c * 83 + x * y * 11);
                }
            }
        }
        return RgbPixels.wrap(width, height, rgb);
    }

    static byte[] part(RgbPixels picture, int left, int top, int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0; y < height; y++) {
            picture.copyRow(top + y, left, width, rgb, 3 * y * width);
        }
        return rgb;
    }

    @ParameterizedTest
    @EnumSource(Resampler.Filter.class)
    void rowsThatArriveTurnedOrOutOfOrderGiveTheSameBytes(Resampler.Filter filter) {
        byte[] ground = {9, 100, (byte) 200};
        for (int[] size : new int[][] {{13, 9}, {9, 13}, {2, 250}, {250, 2}}) {
            RgbPixels upright = picture(size[0], size[1]);
            int side = Math.max(size[0], size[1]);
            Canvas padded = new Canvas(upright, side, side, (side - size[0]) / 2, (side - size[1]) / 2, ground);
            for (Canvas canvas : new Canvas[] {Canvas.of(upright), padded}) {
                for (int orientation = 1; orientation <= 8; orientation++) {
                    Resampler resampler = new Resampler(
                            new Resampler.Job(
                                    new Size(size[0], size[1]),
                                    new Size(canvas.width(), canvas.height()),
                                    canvas.left(),
                                    canvas.top(),
                                    canvas.background(),
                                    new Size(7, 5),
                                    1,
                                    1,
                                    new Size(5, 3),
                                    filter),
                            orientation);
                    feed(resampler, upright, orientation);
                    assertThat(resampler.result().toByteArray())
                            .as("%d x %d, orientation %d", size[0], size[1], orientation)
                            .isEqualTo(Resampler.resize(canvas, 7, 5, 1, 1, 5, 3, filter)
                                    .toByteArray());
                }
            }
        }
    }

    /** Gives the rows of the picture that must be turned to become {@code upright}, even ones first. */
    private static void feed(Resampler resampler, RgbPixels upright, int orientation) {
        int width = upright.width();
        int height = upright.height();
        int storedWidth = orientation >= 5 ? height : width;
        int storedHeight = orientation >= 5 ? width : height;
        byte[] row = new byte[3 * storedWidth];
        for (int i = 0; i < storedHeight; i++) {
            int even = (storedHeight + 1) / 2;
            int y = i < even ? 2 * i : 2 * (i - even) + 1;
            for (int x = 0; x < storedWidth; x++) {
                boolean mirrorsX = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
                boolean mirrorsY = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
                int fromX = orientation >= 5 ? y : x;
                int fromY = orientation >= 5 ? x : y;
                upright.copyRow(
                        mirrorsY ? height - 1 - fromY : fromY, mirrorsX ? width - 1 - fromX : fromX, 1, row, 3 * x);
            }
            resampler.row(y, row, 0);
        }
    }

    private static int[] resize(int fromWidth, int fromHeight, int width, int height, Resampler.Filter filter) {
        byte[] rgb = Resampler.resize(Canvas.of(picture(fromWidth, fromHeight)), width, height, filter)
                .toByteArray();
        int[] values = new int[rgb.length];
        Arrays.setAll(values, i -> rgb[i] & 0xff);
        return values;
    }
}
