package io.langbridge.runtime.core.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.Test;

class StopStringsTest {
    @Test
    void text_without_a_stop_string_passes_piece_by_piece() {
        StopStrings stops = new StopStrings(Collections.singletonList("###"));
        assertThat(stops.next("Hello ")).isEqualTo("Hello ");
        assertThat(stops.next("world")).isEqualTo("world");
        assertThat(stops.flush()).isEmpty();
    }

    @Test
    void a_stop_string_in_pieces_is_held_back_and_cut_off() {
        StopStrings stops = new StopStrings(Collections.singletonList("###"));
        assertThat(stops.next("a#")).isEqualTo("a");
        assertThat(stops.next("#")).isEmpty();
        assertThat(stops.next("#b")).isEmpty();
        assertThat(stops.found()).isTrue();
        assertThat(stops.flush()).isEmpty();
    }

    @Test
    void what_only_began_like_a_stop_string_comes_out_later() {
        StopStrings stops = new StopStrings(Collections.singletonList("###"));
        assertThat(stops.next("a##")).isEqualTo("a");
        assertThat(stops.next("b#")).isEqualTo("##b");
        assertThat(stops.flush()).isEqualTo("#");
    }

    @Test
    void the_earliest_of_several_stop_strings_counts() {
        StopStrings stops = new StopStrings(Arrays.asList("world", "lo"));
        assertThat(stops.next("Hello world")).isEqualTo("Hel");
    }

    @Test
    void the_longest_possible_beginning_is_held_back() {
        StopStrings stops = new StopStrings(Arrays.asList("ab", "aab"));
        assertThat(stops.next("xaa")).isEqualTo("x");
        assertThat(stops.next("c")).isEqualTo("aac");
    }
}
