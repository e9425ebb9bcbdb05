package io.langbridge.runtime.core.family;

import static io.langbridge.runtime.core.family.TinyModel.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.ImageException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.network.Gemma4Vit;
import io.langbridge.runtime.core.network.Gemma4VitConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Gemma4PicturesTest {
    private static Gemma4VitConfig tower(int patch, int positions) {
        return new Gemma4VitConfig(16, 16, 1, 2, 8, patch, 3, positions, 1e-6f, 100, false, false);
    }

    private static Gemma4Pictures pictures(int budget) {
        return new Gemma4Pictures(json("\"max_soft_tokens\":" + budget), tower(16, 10_240));
    }

    @ParameterizedTest
    @CsvSource({
        "640, 480, 280, 912, 672",
        "4000, 3000, 280, 912, 672",
        "10, 10, 70, 384, 384",
        "1, 1, 1120, 1584, 1584",
        "1023, 1025, 560, 1104, 1104",
        "48, 48, 70, 384, 384",
        "336, 480, 70, 336, 480",
        // Thinner than a block: as long as it is, and no longer than the budget.
        "3, 500, 280, 48, 10368",
        "5600, 28, 280, 11328, 48",
        "30000, 20, 70, 3360, 48",
        "7, 2000, 140, 48, 6720"
    })
    void a_picture_is_as_large_as_its_budget_allows(int width, int height, int budget, int across, int down) {
        PicturePlan plan = pictures(budget).plan(new Size(width, height));

        assertThat(plan.views().get(0).size()).isEqualTo(new Size(across, down));
        assertThat(plan.layout().tokens()).isEqualTo(across / 48 * (down / 48)).isLessThanOrEqualTo(budget);
        assertThat(pictures(280)
                        .atMost(budget)
                        .plan(new Size(width, height))
                        .layout()
                        .tokens())
                .isEqualTo(plan.layout().tokens());
    }

    @Test
    void the_budget_is_one_of_those_that_the_models_know() {
        assertThat(pictures(70).atMost(1000).description()).contains("at most 560");
        assertThatThrownBy(() -> pictures(70).atMost(69))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContainingAll("69", "70, 140, 280, 560, 1120");
        assertThatThrownBy(() -> pictures(100))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("max_soft_tokens");
        assertThat(new Gemma4Pictures(json(""), tower(16, 10_240)).description())
                .contains("at most 280");
    }

    @Test
    void a_picture_longer_than_the_tables_of_positions_is_refused_with_the_numbers() {
        Gemma4Pictures short_ = new Gemma4Pictures(json("\"max_soft_tokens\":70"), tower(16, 64));
        assertThat(short_.plan(new Size(1000, 300)).layout().columns()).isLessThanOrEqualTo(21);
        assertThatThrownBy(() -> short_.plan(new Size(2000, 10)))
                .isInstanceOf(ImageException.class)
                .hasMessageContainingAll("2000 x 10", "210", "64");
    }

    @Test
    void what_another_tower_takes_is_refused() {
        assertThatThrownBy(() -> new Gemma4Pictures(json("\"patch_size\":14"), tower(16, 64)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("patch_size");
        assertThatThrownBy(() -> new Gemma4Pictures(json("\"do_resize\":false"), tower(16, 64)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("do_resize");
        assertThatThrownBy(() ->
                        new Gemma4Pictures(json("\"image_processor_type\":\"SiglipImageProcessor\""), tower(16, 64)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("SiglipImageProcessor");
    }

    @Test
    void patches_come_block_by_block_with_their_places() {
        Gemma4Pictures pictures = new Gemma4Pictures(json("\"max_soft_tokens\":70,\"patch_size\":4"), tower(4, 64));
        PicturePlan plan = pictures.plan(new Size(300, 200));
        Map<String, FloatTensor> inputs = pictures.inputs(plan.views().get(0).size());
        FloatTensor column = Objects.requireNonNull(inputs.get(Gemma4Vit.COLUMN));
        FloatTensor row = Objects.requireNonNull(inputs.get(Gemma4Vit.ROW));

        assertThat(column.size(1)).isEqualTo(9 * plan.layout().tokens());
        assertThat(column.toArray()).startsWith(0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 4, 5);
        assertThat(row.toArray()).startsWith(64, 64, 64, 65, 65, 65, 66, 66, 66, 64, 64, 64);
    }
}
