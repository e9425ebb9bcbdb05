package io.langbridge.runtime.core.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StrongestTest {
    private static int[] indices(Strongest strongest) {
        return IntStream.range(0, strongest.size()).map(strongest::index).toArray();
    }

    @Test
    void the_largest_values_come_first_and_the_first_of_equals_wins() {
        Strongest strongest = new Strongest(3, false);
        strongest.offer(new float[] {1, -9, 4, 4}, 4, 10);
        strongest.offer(new float[] {4, 5, 99}, 2, 20);

        assertThat(indices(strongest)).containsExactly(21, 12, 13);
        assertThat(strongest.value(0)).isEqualTo(5);
    }

    @Test
    void by_magnitude_negative_values_count_and_keep_their_sign() {
        Strongest strongest = new Strongest(2, true);
        strongest.offer(new float[] {1, -9, 4, 4}, 4, 0);

        assertThat(indices(strongest)).containsExactly(1, 2);
        assertThat(strongest.value(0)).isEqualTo(-9);
        assertThat(strongest.strength(0)).isEqualTo(9);
    }

    @Test
    void fewer_values_than_asked_for_are_all_kept() {
        Strongest strongest = new Strongest(5, false);
        strongest.offer(new float[] {-3, -1}, 2, 0);

        assertThat(indices(strongest)).containsExactly(1, 0);
    }

    @Test
    void it_agrees_with_sorting() {
        Random random = new Random(5);
        for (boolean byMagnitude : new boolean[] {false, true}) {
            float[] row = new float[400];
            for (int i = 0; i < row.length; i++) {
                row[i] = random.nextInt(100) - 50;
            }
            Strongest strongest = new Strongest(30, byMagnitude);
            strongest.offer(row, row.length, 0);

            assertThat(indices(strongest))
                    .containsExactly(IntStream.range(0, row.length)
                            .boxed()
                            .sorted((a, b) -> byMagnitude
                                    ? Float.compare(Math.abs(row[b]), Math.abs(row[a]))
                                    : Float.compare(row[b], row[a]))
                            .limit(30)
                            .mapToInt(Integer::intValue)
                            .toArray());
        }
    }

    @Test
    void what_is_not_a_number_is_not_passed_over() {
        assertThatThrownBy(() -> new Strongest(1, false).offer(new float[] {5, Float.NaN}, 2, 3))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("value 4");
    }
}
