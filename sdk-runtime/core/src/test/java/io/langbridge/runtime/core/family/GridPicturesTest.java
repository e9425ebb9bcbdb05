package io.langbridge.runtime.core.family;

import static io.langbridge.runtime.core.family.TinyModel.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.CheckpointException;
import io.langbridge.ImageException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.PreparedImage;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.GridVit;
import io.langbridge.runtime.core.network.GridVitConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.spi.RgbPixels;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GridPicturesTest {
    private static GridVitConfig tower(int patch, int positions, int window) {
        return new GridVitConfig(
                16,
                16,
                2,
                2,
                patch,
                2,
                Activation.SILU,
                10_000,
                window > 0,
                List.of("fc1", "fc2"),
                false,
                positions,
                window,
                List.of(),
                List.of());
    }

    private static GridPictures pictures(int patch, int min, int max) {
        String size = "\"size\":{\"shortest_edge\":" + min + ",\"longest_edge\":" + max + "}";
        return new GridPictures(json("\"patch_size\":" + patch + "," + size), tower(patch, 0, 0));
    }

    @ParameterizedTest
    @CsvSource({
        "640, 480, 28, 3136, 1003520, 644, 476",
        "4000, 3000, 28, 3136, 1003520, 1148, 840",
        "10, 10, 28, 3136, 1003520, 56, 56",
        "3, 500, 28, 3136, 1003520, 28, 728",
        "5600, 28, 28, 3136, 1003520, 5600, 28",
        // Halves go to the even multiple.
        "14, 70, 28, 3136, 1003520, 28, 140",
        "42, 98, 28, 3136, 12845056, 56, 112",
        "1, 1, 32, 65536, 16777216, 256, 256",
        "1023, 1025, 32, 65536, 16777216, 1024, 1024",
        "30000, 200, 32, 65536, 16777216, 30016, 192",
        // Never less than a block, though that is more than is allowed.
        "5000, 26, 32, 65536, 262144, 4992, 32",
        "200, 1, 28, 3136, 1003520, 812, 28"
    })
    void sides_become_the_nearest_blocks_within_the_range(
            int width, int height, int block, int min, int max, int resizedWidth, int resizedHeight) {
        PicturePlan plan = pictures(block / 2, min, max).plan(new Size(width, height));

        assertThat(plan.views().get(0).size()).isEqualTo(new Size(resizedWidth, resizedHeight));
        assertThat(plan.layout().columns()).isEqualTo(resizedWidth / block);
        assertThat(plan.layout().rows()).isEqualTo(resizedHeight / block);
        assertThat(plan.layout().tokens()).isEqualTo(resizedWidth / block * (resizedHeight / block));
    }

    @Test
    void a_side_more_than_200_times_the_other_is_refused_with_the_numbers() {
        GridPictures pictures = pictures(14, 3136, 1003520);
        assertThat(pictures.plan(new Size(2000, 10)).layout().tokens()).isPositive();
        assertThatThrownBy(() -> pictures.plan(new Size(10, 2001)))
                .isInstanceOf(ImageException.class)
                .hasMessageContainingAll("10 x 2001", "200");
    }

    @ParameterizedTest
    @CsvSource({"4000, 3000, 256", "4000, 3000, 4000", "10, 10, 4", "10, 10, 1", "1000, 200, 7", "99, 301, 16"})
    void a_picture_costs_what_the_user_allows(int width, int height, int most) {
        PicturePlan plan = pictures(14, 3136, 1003520).atMost(most).plan(new Size(width, height));
        assertThat(plan.layout().tokens()).isPositive().isLessThanOrEqualTo(most);
        // Of a large picture not much is given away.
        assertThat(plan.layout().tokens()).isGreaterThan(width > 3000 ? most * 9 / 10 : 0);
    }

    @Test
    void the_range_is_read_from_old_and_new_keys() {
        String old = "\"min_pixels\":400,\"max_pixels\":900";
        String both = "\"size\":{\"shortest_edge\":1,\"longest_edge\":2}," + old;
        String inside = "\"size\":{\"min_pixels\":400,\"max_pixels\":900}";
        String edges = "\"size\":{\"shortest_edge\":400,\"longest_edge\":900}";
        for (String members : List.of(old, both, inside, edges)) {
            assertThat(new GridPictures(json("\"patch_size\":4," + members), tower(4, 0, 0)).description())
                    .contains("400 to 900");
        }
        assertThat(new GridPictures(json("\"patch_size\":14"), tower(14, 0, 0)).description())
                .contains("3136 to 1003520");
    }

    @Test
    void what_does_not_fit_the_tower_or_is_no_such_way_is_refused() {
        assertThatThrownBy(() -> new GridPictures(json("\"patch_size\":16"), tower(14, 0, 0)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("patch_size", "16", "14");
        assertThatThrownBy(() -> new GridPictures(json("\"merge_size\":3"), tower(14, 0, 0)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("merge_size", "3", "2");
        assertThatThrownBy(() -> new GridPictures(json("\"do_resize\":false"), tower(14, 0, 0)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("do_resize");
        assertThatThrownBy(() ->
                        new GridPictures(json("\"image_processor_type\":\"CLIPImageProcessor\""), tower(14, 0, 0)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("CLIPImageProcessor");
        assertThatThrownBy(() -> pictures(14, 1000, 900))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContainingAll("1000", "900");
    }

    /** Patches of 1 pixel whose red says where they are: ten times the row and the column. */
    private static PreparedImage prepared(int rows, int columns, int positions, int window) {
        byte[] rgb = new byte[3 * rows * columns];
        for (int i = 0; i < rows * columns; i++) {
            rgb[3 * i] = (byte) (i / columns * 10 + i % columns);
        }
        String plain =
                "\"patch_size\":1,\"min_pixels\":4,\"max_pixels\":900,\"do_rescale\":false,\"do_normalize\":false";
        GridPictures pictures = new GridPictures(json(plain), tower(1, positions, window));
        return new ImagePreprocessor(pictures).prepare(RgbPixels.wrap(columns, rows, rgb));
    }

    private static float[] input(PreparedImage prepared, String name) {
        return Objects.requireNonNull(prepared.inputs().get(name)).toArray();
    }

    @Test
    void patches_come_block_by_block() {
        FloatTensor pixels = prepared(4, 4, 0, 0).pixels();
        assertThat(pixels.shape()).containsExactly(1, 16, 3);
        float[] red = new float[16];
        for (int i = 0; i < 16; i++) {
            red[i] = pixels.data().get(3 * i);
        }
        assertThat(red).containsExactly(0, 1, 10, 11, 2, 3, 12, 13, 20, 21, 30, 31, 22, 23, 32, 33);
    }

    @Test
    void half_of_the_angles_go_by_the_row_and_half_by_the_column() {
        PreparedImage prepared = prepared(4, 4, 0, 0);
        // Heads of 8: two frequencies, 1 and 1/100, each for row and column.
        float[] cos = input(prepared, GridVit.COS);
        float[] sin = input(prepared, GridVit.SIN);
        assertThat(Objects.requireNonNull(prepared.inputs().get(GridVit.COS)).shape())
                .containsExactly(1, 16, 4);
        int patch = 13; // the second of the last block: row 2, column 3
        double[] angles = {2, 0.02, 3, 0.03};
        for (int i = 0; i < 4; i++) {
            assertThat((double) cos[4 * patch + i]).isCloseTo(Math.cos(angles[i]), within(1e-6));
            assertThat((double) sin[4 * patch + i]).isCloseTo(Math.sin(angles[i]), within(1e-6));
        }
    }

    @Test
    void the_table_of_positions_is_stretched_corner_to_corner() {
        // Two rows and four columns over a table of 3 x 3.
        PreparedImage prepared = prepared(2, 4, 3, 0);
        float[] table = {0, 1, 2, 3, 4, 5, 6, 7, 8};
        float[] shares = input(prepared, GridVit.POSITION_SHARE);
        float[] expected = {0, 2 / 3f, 6, 6 + 2 / 3f, 4 / 3f, 2, 7 + 1 / 3f, 8};
        for (int patch = 0; patch < 8; patch++) {
            float sum = 0;
            for (int corner = 0; corner < GridVit.CORNERS; corner++) {
                int row = (int) input(prepared, GridVit.POSITION + "." + corner)[patch];
                sum += table[row] * shares[patch * GridVit.CORNERS + corner];
            }
            assertThat(sum).isCloseTo(expected[patch], within(1e-5f));
        }
    }

    @Test
    void windows_at_the_edges_are_smaller_and_filled_up_with_what_nobody_sees() {
        // 3 x 2 cells in windows of 2 x 2: one full, one with a row of two cells.
        Map<String, FloatTensor> inputs = prepared(6, 4, 0, 2).inputs();
        FloatTensor patches = Objects.requireNonNull(inputs.get(GridVit.WINDOW_PATCHES));
        FloatTensor places = Objects.requireNonNull(inputs.get(GridVit.WINDOW_PLACES));
        FloatTensor bias = Objects.requireNonNull(inputs.get(GridVit.WINDOW_BIAS));
        assertThat(patches.shape()).containsExactly(1, 32, 1);
        assertThat(places.shape()).containsExactly(1, 24, 1);
        assertThat(bias.shape()).containsExactly(1, 32, 16);
        for (int patch = 0; patch < 24; patch++) {
            assertThat(patches.data().get((int) places.data().get(patch))).isEqualTo(patch);
            assertThat(places.data().get(patch) < 16).isEqualTo(patch < 16);
        }
        for (int row = 0; row < 32; row++) {
            for (int seen = 0; seen < 16; seen++) {
                assertThat(bias.data().get(row * 16 + seen))
                        .isEqualTo(row < 16 || seen < 8 ? 0 : Float.NEGATIVE_INFINITY);
            }
        }
    }
}
