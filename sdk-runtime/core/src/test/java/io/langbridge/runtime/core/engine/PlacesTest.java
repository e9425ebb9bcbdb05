package io.langbridge.runtime.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.langbridge.runtime.core.network.Rope;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlacesTest {
    private static final int CAPACITY = 100;
    private static final int FREQUENCIES = 4;

    /** What the table holds, -1 where nothing was said. */
    private final int[] table = new int[CAPACITY * FREQUENCIES];

    private final Places places = new Places(
            new Rope.Sections(List.of(1, 2, 1), false),
            FREQUENCIES,
            CAPACITY,
            (first, positions) -> System.arraycopy(positions, 0, table, first * FREQUENCIES, positions.length));

    private int[] at(int place) {
        return Arrays.copyOfRange(table, place * FREQUENCIES, (place + 1) * FREQUENCIES);
    }

    @Test
    void each_frequency_has_the_number_of_its_axis() {
        places.place(0, new int[][] {{0, 1}, {0, 5}, {0, 7}});
        assertThat(at(0)).containsExactly(0, 0, 0, 0);
        assertThat(at(1)).containsExactly(1, 5, 5, 7);
    }

    @Test
    void what_follows_goes_on_behind_the_largest_number() {
        places.place(0, new int[][] {{0, 1}, {0, 5}, {0, 7}});
        places.reach(4);
        assertThat(at(2)).containsExactly(8, 8, 8, 8);
        assertThat(at(3)).containsExactly(9, 9, 9, 9);
        places.reach(90);
        assertThat(at(89)).containsExactly(95, 95, 95, 95);
    }

    @Test
    void without_a_word_tokens_stand_one_behind_the_other() {
        places.reach(3);
        assertThat(at(0)).containsExactly(0, 0, 0, 0);
        assertThat(at(2)).containsExactly(2, 2, 2, 2);
    }

    @Test
    void going_back_forgets_what_came_behind() {
        places.place(0, new int[][] {{0, 1, 1}, {0, 1, 1}, {0, 1, 2}});
        places.reach(20);
        places.rewind(1);
        places.reach(3);
        assertThat(at(1)).containsExactly(1, 1, 1, 1);
        assertThat(at(2)).containsExactly(2, 2, 2, 2);

        places.rewind(2);
        places.place(2, new int[][] {{9}, {10}, {11}});
        places.reach(4);
        assertThat(at(2)).containsExactly(9, 10, 10, 11);
        assertThat(at(3)).containsExactly(12, 12, 12, 12);
    }

    @Test
    void what_was_placed_may_come_in_several_runs() {
        places.place(0, new int[][] {{0, 4, 4}, {0, 4, 5}, {0, 4, 6}});
        places.reach(1);
        places.reach(2);
        places.reach(3);
        assertThat(at(1)).containsExactly(4, 4, 4, 4);
        assertThat(at(2)).containsExactly(4, 5, 5, 6);
    }

    @Test
    void positions_that_cannot_be_are_refused() {
        assertThatIllegalArgumentException().isThrownBy(() -> places.place(0, new int[][] {{0}}));
        assertThatIllegalArgumentException().isThrownBy(() -> places.place(0, new int[][] {{0}, {0, 1}, {0}}));
        assertThatIllegalArgumentException().isThrownBy(() -> places.place(0, new int[][] {{0}, {-1}, {0}}));
        assertThatIllegalArgumentException().isThrownBy(() -> places.place(0, new int[][] {{0}, {CAPACITY}, {0}}));
        assertThatIllegalStateException().isThrownBy(() -> places.place(99, new int[][] {{1, 2}, {1, 2}, {1, 2}}));
    }

    @Test
    void sections_are_runs_or_take_turns() {
        assertThat(new Rope.Sections(List.of(2, 3, 3), false).axes(8)).containsExactly(0, 0, 1, 1, 1, 2, 2, 2);
        assertThat(new Rope.Sections(List.of(4, 2, 2), true).axes(8)).containsExactly(0, 1, 2, 0, 1, 2, 0, 0);
        // More than there are frequencies.
        assertThat(new Rope.Sections(List.of(24, 20, 20), true).axes(4)).containsExactly(0, 1, 2, 0);
    }
}
