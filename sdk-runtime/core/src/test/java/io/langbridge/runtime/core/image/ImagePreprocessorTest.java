package io.langbridge.runtime.core.image;

import static io.langbridge.runtime.core.image.ResamplerTest.part;
import static io.langbridge.runtime.core.image.ResamplerTest.picture;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.CheckpointException;
import io.langbridge.Explanation;
import io.langbridge.runtime.core.family.LlavaPictures;
import io.langbridge.runtime.core.family.PreprocessorConfig;
import io.langbridge.runtime.core.family.PreprocessorConfig.Resize;
import io.langbridge.runtime.core.family.PreprocessorConfig.ShortestEdge;
import io.langbridge.runtime.core.family.PreprocessorConfig.Stretch;
import io.langbridge.runtime.core.family.Tiling;
import io.langbridge.spi.RgbPixels;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ImagePreprocessorTest {
    private static final List<Double> MEAN = Arrays.asList(0.48145466, 0.4578275, 0.40821073);
    private static final List<Double> STD = Arrays.asList(0.26862954, 0.26130258, 0.27577711);
    private static final Tiling PLAIN = new Tiling.Plain();

    @Test
    void theCentreOfANonSquarePictureIsCropped() {
        RgbPixels picture = picture(9, 4);
        ImagePreprocessor preprocessor = preprocessor(clip(4), PLAIN, 4);
        assertThat(preprocessor.tiles(picture))
                .singleElement()
                .satisfies(tile -> assertThat(tile.toByteArray()).isEqualTo(part(picture, 2, 0, 4, 4)));
    }

    @Test
    void theLongerEdgeIsCutOffAfterTheDecimalPoint() {
        // 10 * 7 / 4 = 17.5, so 17 x 10 and the crop starts at (17 - 10) / 2 = 3.
        RgbPixels resized = Resampler.resize(Canvas.of(picture(7, 4)), 17, 10, Resampler.Filter.BICUBIC);
        RgbPixels tile = preprocessor(clip(10), PLAIN, 10).tiles(picture(7, 4)).get(0);
        assertThat(tile.toByteArray()).isEqualTo(part(resized, 3, 0, 10, 10));
    }

    @Test
    void aCropLargerThanThePictureIsFilledWithBlack() {
        RgbPixels picture = picture(2, 2);
        PreprocessorConfig config = config(new ShortestEdge(2), new Size(5, 5));
        byte[] tile = preprocessor(config, PLAIN, 5).tiles(picture).get(0).toByteArray();
        assertThat(part(RgbPixels.wrap(5, 5, tile), 2, 2, 2, 2)).isEqualTo(picture.toByteArray());
        assertThat(Arrays.copyOf(tile, 3 * 5 * 2)).containsOnly(0);
    }

    @Test
    void stretchingIgnoresTheAspectRatio() {
        RgbPixels tile = preprocessor(config(new Stretch(new Size(6, 6)), null), PLAIN, 6)
                .tiles(picture(9, 4))
                .get(0);
        assertThat(tile.toByteArray())
                .isEqualTo(Resampler.resize(Canvas.of(picture(9, 4)), 6, 6, Resampler.Filter.BICUBIC)
                        .toByteArray());
    }

    @Test
    void paddingPutsThePictureInTheMiddleOfTheMeanColour() {
        RgbPixels picture = picture(3, 6);
        RgbPixels tile =
                preprocessor(clip(6), new Tiling.Pad(), 6).tiles(picture).get(0);
        assertThat(part(tile, 1, 0, 3, 6)).isEqualTo(picture.toByteArray());
        assertThat(part(tile, 0, 5, 1, 1)).containsExactly(122, 116, 104);
        assertThat(part(tile, 4, 0, 2, 1)).containsExactly(122, 116, 104, 122, 116, 104);
    }

    @Test
    void theTilesSayWhatOfThePictureTheyShow() {
        Size wide = new Size(20, 10);
        // Resized to 12 x 6, of which the middle 6 x 6 stays.
        assertThat(new LlavaPictures(clip(6), PLAIN, 6, 4).plan(wide).areas())
                .containsExactly(new Explanation.Area(5, 0, 15, 10));
        assertThat(new LlavaPictures(clip(6), new Tiling.Pad(), 6, 4).plan(wide).areas())
                .containsExactly(new Explanation.Area(0, -5, 20, 15));
        Tiling tiles = new Tiling.AnyResolution(
                Collections.singletonList(new Size(12, 12)), Tiling.Convention.LLAVA, Tiling.Merge.SPATIAL_UNPAD);
        // Fitted to 12 x 6 and put 3 pixels down: one pixel is 5/3 of the picture's.
        assertThat(new LlavaPictures(clip(6), tiles, 6, 4).plan(wide).areas())
                .containsExactly(
                        new Explanation.Area(0, 0, 20, 10),
                        new Explanation.Area(0, -5, 10, 5),
                        new Explanation.Area(10, -5, 20, 5),
                        new Explanation.Area(0, 5, 10, 15),
                        new Explanation.Area(10, 5, 20, 15));
    }

    @Test
    void aVeryLongPictureNeedsNoMemoryForWhatIsCutOff() {
        // Resized as a whole it would be 336 x 11,010,048 pixels, padded 32,768 x 32,768.
        for (Tiling tiling : Arrays.asList(PLAIN, new Tiling.Pad())) {
            for (RgbPixels picture : Arrays.asList(picture(1, 32_768), picture(32_768, 1))) {
                assertThat(preprocessor(clip(336), tiling, 336)
                                .prepare(picture)
                                .pixels()
                                .shape())
                        .containsExactly(1, 3, 336, 336);
            }
        }
    }

    @Test
    void bytesAreScaledInDoubleAndNormalisedInFloat() {
        RgbPixels picture = picture(4, 4);
        byte[] rgb = picture.toByteArray();
        float[] pixels =
                preprocessor(clip(4), PLAIN, 4).prepare(picture).pixels().toArray();
        for (int channel = 0; channel < 3; channel++) {
            for (int i = 0; i < 16; i++) {
                float scaled = (float) ((rgb[3 * i + channel] & 0xff) * (1.0 / 255.0));
                assertThat(pixels[16 * channel + i])
                        .isEqualTo((scaled - MEAN.get(channel).floatValue())
                                / STD.get(channel).floatValue());
            }
        }
    }

    @Test
    void withoutFactorAndMeanTheBytesStay() {
        PreprocessorConfig config = new PreprocessorConfig(null, 3, null, null, null, null);
        assertThat(preprocessor(config, PLAIN, 1)
                        .prepare(RgbPixels.wrap(1, 1, new byte[] {1, 2, (byte) 255}))
                        .pixels()
                        .toArray())
                .containsExactly(1, 2, 255);
    }

    @Test
    void anyResolutionCutsTilesRowByRowFromAPictureOnBlack() {
        // 12 x 7 is fitted into 8 x 8 as 8 x 5 (4.67 rounded up), which starts in row 1.
        RgbPixels picture = picture(12, 7);
        List<RgbPixels> tiles = anyResolution(Tiling.Convention.HF).tiles(picture);
        RgbPixels fitted = Resampler.resize(Canvas.of(picture), 8, 5, Resampler.Filter.BICUBIC);
        assertThat(tiles).hasSize(5);
        assertThat(tiles.get(0).toByteArray())
                .isEqualTo(Resampler.resize(Canvas.of(picture), 4, 4, Resampler.Filter.BICUBIC)
                        .toByteArray());
        assertThat(part(tiles.get(1), 0, 0, 4, 1)).containsOnly(0);
        assertThat(part(tiles.get(2), 0, 1, 4, 3)).isEqualTo(part(fitted, 4, 0, 4, 3));
        assertThat(part(tiles.get(3), 0, 0, 4, 2)).isEqualTo(part(fitted, 0, 3, 4, 2));
        assertThat(part(tiles.get(4), 0, 2, 4, 2)).containsOnly(0);
    }

    @Test
    void equalResolutionsAreDecidedByTheirOrder() {
        Size wide = new Size(8, 4);
        Size high = new Size(4, 8);
        assertThat(LlavaPictures.bestResolution(new Size(1, 1), Arrays.asList(wide, high)))
                .isEqualTo(wide);
        assertThat(LlavaPictures.bestResolution(new Size(1, 1), Arrays.asList(high, wide)))
                .isEqualTo(high);
        assertThat(LlavaPictures.bestResolution(new Size(5, 9), Arrays.asList(wide, high)))
                .isEqualTo(high);
    }

    @Test
    void tilesOfAnotherSizeThanTheEncoderReadsAreRefused() {
        assertRefused(() -> preprocessor(clip(224), PLAIN, 336), "224 x 224", "336");
        assertRefused(
                () -> preprocessor(config(new Stretch(new Size(384, 378)), null), PLAIN, 384), "384 x 378", "384");
        assertRefused(() -> preprocessor(config(new ShortestEdge(28), null), new Tiling.Pad(), 30), "28", "30");
        ImagePreprocessor uncropped = preprocessor(config(new ShortestEdge(4), null), PLAIN, 4);
        assertRefused(() -> uncropped.tiles(picture(8, 4)), "8 x 4", "image_size", "4");
    }

    @Test
    void resolutionsThatAreNoWholeNumberOfTilesAreRefused() {
        assertRefused(() -> anyResolution(clip(4), new Size(8, 6)), "8 x 6", "image_size 4");
        assertRefused(() -> anyResolution(clip(4), new Size(0, 4)), "0 x 4");
        assertRefused(() -> anyResolution(config(new ShortestEdge(5), new Size(4, 4)), new Size(8, 4)), "5", "4");
        assertRefused(
                () -> preprocessor(
                        clip(4),
                        new Tiling.AnyResolution(
                                Collections.emptyList(), Tiling.Convention.HF, Tiling.Merge.SPATIAL_UNPAD),
                        4),
                "image_grid_pinpoints is empty");
    }

    @Test
    void unusableConfigurationIsRefused() {
        assertRefused(
                () -> preprocessor(
                        new PreprocessorConfig(new ShortestEdge(4), 1, new Size(4, 4), 1.0, MEAN, STD), PLAIN, 4),
                "resample = 1");
        assertRefused(
                () -> preprocessor(
                        new PreprocessorConfig(new ShortestEdge(4), 3, new Size(4, 4), 1.0, Arrays.asList(0.5), STD),
                        PLAIN,
                        4),
                "image_mean has 1 values");
        assertRefused(
                () -> preprocessor(
                        new PreprocessorConfig(new ShortestEdge(4), 3, new Size(4, 4), 1.0, null, null),
                        new Tiling.Pad(),
                        4),
                "image_mean");
        assertRefused(() -> preprocessor(config(new ShortestEdge(0), new Size(4, 4)), PLAIN, 4), "shortest_edge is 0");
    }

    private static ImagePreprocessor preprocessor(PreprocessorConfig config, Tiling tiling, int tileSize) {
        return new ImagePreprocessor(new LlavaPictures(config, tiling, tileSize, 4));
    }

    private static PreprocessorConfig clip(int size) {
        return config(new ShortestEdge(size), new Size(size, size));
    }

    private static PreprocessorConfig config(Resize resize, @Nullable Size crop) {
        return new PreprocessorConfig(resize, 3, crop, 1 / 255.0, MEAN, STD);
    }

    private static ImagePreprocessor anyResolution(Tiling.Convention convention) {
        return preprocessor(
                clip(4),
                new Tiling.AnyResolution(
                        Arrays.asList(new Size(8, 4), new Size(4, 8), new Size(8, 8)),
                        convention,
                        Tiling.Merge.SPATIAL_UNPAD),
                4);
    }

    private static ImagePreprocessor anyResolution(PreprocessorConfig config, Size resolution) {
        return preprocessor(
                config,
                new Tiling.AnyResolution(
                        Collections.singletonList(resolution), Tiling.Convention.HF, Tiling.Merge.SPATIAL_UNPAD),
                4);
    }

    private static void assertRefused(ThrowingCallable action, String... words) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(action)
                .satisfies(e -> assertThat(e).message().contains(words));
    }
}
