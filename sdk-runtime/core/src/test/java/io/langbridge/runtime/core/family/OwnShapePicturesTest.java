package io.langbridge.runtime.core.family;

import static io.langbridge.runtime.core.family.TinyModel.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.ImageException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Pictures;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.GridVit;
import io.langbridge.runtime.core.network.PixtralVitConfig;
import io.langbridge.runtime.core.network.VisionConfig;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How LFM2-VL and Mistral 3 take pictures; the sizes are the reference's. */
class OwnShapePicturesTest {
    private static final PixtralVitConfig PIXTRAL = new PixtralVitConfig(64, 64, 1, 4, 14, Activation.GELU, 10_000);

    private static Lfm2Vl.Views lfm2(String settings, int patch, int side) {
        return new Lfm2Vl.Views(
                json(settings),
                new VisionConfig(
                        VisionConfig.Kind.SIGLIP,
                        32,
                        32,
                        1,
                        2,
                        side * patch,
                        patch,
                        Activation.GELU_TANH,
                        1e-6f,
                        -1,
                        true),
                2);
    }

    private static Mistral3.AtOwnShape mistral(String settings) {
        return new Mistral3.AtOwnShape(json(settings), PIXTRAL, 2, "[IMG_BREAK]", "[IMG_END]");
    }

    @ParameterizedTest
    @CsvSource({
        "640, 480, 576, 416, 1, 1",
        "4000, 3000, 576, 416, 3, 2",
        "512, 512, 512, 512, 1, 1",
        "1024, 700, 608, 416, 3, 2",
        "1, 1, 256, 256, 1, 1",
        "300, 2000, 192, 1312, 1, 7",
        "2000, 300, 1312, 192, 7, 1",
        "3000, 200, 1952, 128, 10, 1",
        "724, 725, 480, 512, 2, 2",
        "90, 1200, 96, 1216, 1, 1",
        "1448, 362, 1024, 256, 1, 1"
    })
    void a_large_picture_is_cut_and_the_whole_keeps_its_shape(
            int width, int height, int across, int down, int columns, int rows) {
        PicturePlan plan = lfm2("", 16, 16).plan(new Size(width, height));
        int tiles = columns * rows == 1 ? 0 : columns * rows;

        assertThat(plan.views()).hasSize(tiles + 1);
        assertThat(plan.views().get(tiles).size()).isEqualTo(new Size(across, down));
        TokenLayout layout = plan.layout();
        assertThat(layout.tokens()).isEqualTo(256 * tiles + across / 32 * (down / 32));
        assertThat(layout.first(tiles)).isEqualTo(256 * tiles);
        assertThat(layout.view(layout.tokens() - 1)).isEqualTo(tiles);
        assertThat(layout.rows(tiles)).isEqualTo(down / 32);
        assertThat(layout.columns(tiles)).isEqualTo(across / 32);
        assertThat(layout.words().get(0).text())
                .isEqualTo(tiles == 0 ? "<|image_start|>" : "<|image_start|><|img_row_1_col_1|>");
        assertThat(layout.words().get(layout.words().size() - 1).text()).isEqualTo("<|image_end|>");
    }

    @Test
    void as_many_tiles_as_the_user_allows_and_then_none() {
        Pictures all = lfm2("", 16, 16);
        Size photograph = new Size(4000, 3000);
        assertThat(all.plan(photograph).layout().tokens()).isEqualTo(6 * 256 + 18 * 13);
        for (int most : new int[] {1600, 1300, 800, 300, 100, 10, 1}) {
            assertThat(all.atMost(most).plan(photograph).layout().tokens())
                    .isPositive()
                    .isLessThanOrEqualTo(most);
        }
        assertThat(all.atMost(1300).plan(photograph).views()).hasSizeGreaterThan(2);
        assertThat(all.atMost(700).plan(photograph).views()).hasSize(1);
    }

    @Test
    void a_picture_that_is_but_a_line_is_refused_with_the_numbers() {
        assertThatThrownBy(() -> lfm2("", 16, 16).plan(new Size(2, 60_000)))
                .isInstanceOf(ImageException.class)
                .hasMessageContainingAll("2 x 60000", "1024", "cut it into parts");
        assertThatThrownBy(() -> mistral("\"size\":{\"longest_edge\":56}").plan(new Size(3, 500)))
                .isInstanceOf(ImageException.class)
                .hasMessageContainingAll("3 x 500", "56 x 56", "cut it into parts");
    }

    @Test
    void every_patch_has_shares_of_the_positions_around_it() {
        float[] same = shares(4, 6, 4);
        for (int patch = 0; patch < 24; patch++) {
            assertThat(sum(same, patch, 16)).isBetween(0.999999f, 1.000001f);
        }
        // The first of four places lies before the middle of the first of two positions, the second a quarter behind.
        assertThat(shares(4, 4, 2)).startsWith(1, 0, 0, 0, 0.75f, 0.25f, 0, 0, 0.75f, 0, 0.25f, 0);
        float[] smaller = shares(4, 4, 8);
        for (int patch = 0; patch < 16; patch++) {
            assertThat(sum(smaller, patch, 64)).isBetween(0.999999f, 1.000001f);
        }
    }

    private static float sum(float[] shares, int patch, int positions) {
        float sum = 0;
        for (int i = 0; i < positions; i++) {
            sum += shares[patch * positions + i];
        }
        return sum;
    }

    private static float[] shares(int rows, int columns, int side) {
        Lfm2Vl.Views views = lfm2("\"encoder_patch_size\":4,\"tile_size\":32", 4, side);
        return Objects.requireNonNull(
                        views.inputs(new Size(4 * columns, 4 * rows)).get(GridVit.POSITION_SHARE))
                .toArray();
    }

    @Test
    void settings_that_do_not_fit_are_named() {
        assertThatThrownBy(() -> lfm2("\"tile_size\":500", 16, 16))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContainingAll("tile_size", "500", "32");
        assertThatThrownBy(() -> lfm2("\"min_tiles\":4,\"max_tiles\":2", 16, 16))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("min_tiles");
        assertThatThrownBy(() -> lfm2("\"encoder_patch_size\":14", 16, 16))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("encoder_patch_size");
        assertThatThrownBy(() -> lfm2("\"image_processor_type\":\"ViTImageProcessor\"", 16, 16))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContainingAll("ViTImageProcessor", "Lfm2VlImageProcessor");
        assertThatThrownBy(() -> mistral("\"size\":{\"shortest_edge\":224}"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContainingAll("shortest_edge", "longest_edge");
        assertThatThrownBy(() -> mistral("\"do_resize\":false"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("do_resize");
        assertThatThrownBy(() -> mistral("\"do_center_crop\":true"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("do_center_crop");
    }

    @ParameterizedTest
    @CsvSource({
        "640, 480, 644, 504",
        "4000, 3000, 1540, 1176",
        "1540, 1540, 1540, 1540",
        "1, 1, 28, 28",
        "1541, 3, 1540, 28",
        "28, 29, 28, 56",
        "3000, 1000, 1540, 532",
        "333, 7777, 84, 1540"
    })
    void mistral_takes_whole_blocks_and_ends_each_row(int width, int height, int across, int down) {
        PicturePlan plan = mistral("\"size\":{\"longest_edge\":1540}").plan(new Size(width, height));

        assertThat(plan.views().get(0).size()).isEqualTo(new Size(across, down));
        assertThat(plan.layout().tokens()).isEqualTo(across / 28 * (down / 28));
        assertThat(plan.layout().words()).hasSize(down / 28);
        assertThat(plan.layout().words().get(down / 28 - 1))
                .isEqualTo(new TokenLayout.Words(plan.layout().tokens(), "[IMG_END]"));
    }

    @Test
    void mistral_takes_no_more_than_the_user_allows() {
        Pictures all = mistral("\"size\":{\"longest_edge\":1540}");
        for (int most : new int[] {2000, 300, 40, 3, 1}) {
            for (Size size : new Size[] {new Size(4000, 3000), new Size(100, 1400), new Size(5, 5)}) {
                assertThat(all.atMost(most).plan(size).layout().tokens())
                        .isPositive()
                        .isLessThanOrEqualTo(most);
            }
        }
        assertThat(all.atMost(2300).plan(new Size(640, 480)))
                .usingRecursiveComparison()
                .isEqualTo(all.plan(new Size(640, 480)));
    }
}
