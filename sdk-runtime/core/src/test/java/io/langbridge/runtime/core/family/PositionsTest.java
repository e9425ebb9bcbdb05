package io.langbridge.runtime.core.family;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.runtime.core.family.Positions.Segment;
import java.util.List;
import org.junit.jupiter.api.Test;

class PositionsTest {
    @Test
    void words_have_one_number_for_all_axes() {
        int[][] positions = Positions.onGrids(List.of(new Segment(2, 0), new Segment(1, 0)));
        assertThat(positions).isDeepEqualTo(new int[][] {{0, 1, 2}, {0, 1, 2}, {0, 1, 2}});
    }

    @Test
    void a_picture_is_a_grid_at_one_time_and_words_go_on_behind_its_longer_side() {
        // Two words, 2 rows of 3, a word, 3 rows of 1, a word.
        int[][] positions = Positions.onGrids(
                List.of(new Segment(2, 0), new Segment(6, 3), new Segment(1, 0), new Segment(3, 1), new Segment(1, 0)));
        assertThat(positions).isDeepEqualTo(new int[][] {
            {0, 1, 2, 2, 2, 2, 2, 2, 5, 6, 6, 6, 9},
            {0, 1, 2, 2, 2, 3, 3, 3, 5, 6, 7, 8, 9},
            {0, 1, 2, 3, 4, 2, 3, 4, 5, 6, 6, 6, 9},
        });
    }
}
