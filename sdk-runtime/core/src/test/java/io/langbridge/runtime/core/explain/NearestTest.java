package io.langbridge.runtime.core.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class NearestTest {
    private static final int WIDTH = 6;
    private static final int VECTORS = 5;

    /** More than one block. */
    private final ArrayTensor table = ArrayTensor.random(5000, WIDTH, 1);

    private final ArrayTensor vectors = ArrayTensor.random(VECTORS, WIDTH, 2);

    private double cosine(int vector, int row) {
        double product = 0;
        double a = 0;
        double b = 0;
        for (int i = 0; i < WIDTH; i++) {
            double x = vectors.values()[vector * WIDTH + i];
            double y = table.values()[row * WIDTH + i];
            product += x * y;
            a += x * x;
            b += y * y;
        }
        return b == 0 ? 0 : product / Math.sqrt(a * b);
    }

    @Test
    void the_nearest_rows_are_those_of_a_search_one_by_one() {
        BitSet usable = new BitSet();
        for (int row = 0; row < 4998; row++) {
            usable.set(row, row % 7 != 3);
        }
        Nearest nearest = new Nearest(new Embeddings(table), usable, ArrayTensor::product);

        Strongest[] found = nearest.of(vectors.tensor(), 4, false);

        for (int vector = 0; vector < VECTORS; vector++) {
            int v = vector;
            int[] expected = usable.stream()
                    .boxed()
                    .sorted((a, b) -> Double.compare(cosine(v, b), cosine(v, a)))
                    .limit(4)
                    .mapToInt(Integer::intValue)
                    .toArray();
            for (int rank = 0; rank < 4; rank++) {
                assertThat(found[vector].index(rank)).isEqualTo(expected[rank]);
                assertThat((double) found[vector].value(rank)).isCloseTo(cosine(vector, expected[rank]), within(1e-6));
            }
        }
    }

    @Test
    void rows_can_be_ranked_by_what_sets_a_vector_apart() {
        BitSet usable = new BitSet();
        usable.set(3, 4990);
        double[] mean = new double[5000];
        for (int row = 0; row < mean.length; row++) {
            for (int vector = 0; vector < VECTORS; vector++) {
                mean[row] += cosine(vector, row) / VECTORS;
            }
        }
        Nearest nearest = new Nearest(new Embeddings(table), usable, ArrayTensor::product);

        Strongest[] found = nearest.of(vectors.tensor(), 0.5, 4, false);

        for (int vector = 0; vector < VECTORS; vector++) {
            int v = vector;
            int[] expected = usable.stream()
                    .boxed()
                    .sorted((a, b) -> Double.compare(cosine(v, b) - mean[b] / 2, cosine(v, a) - mean[a] / 2))
                    .limit(4)
                    .mapToInt(Integer::intValue)
                    .toArray();
            for (int rank = 0; rank < 4; rank++) {
                int row = expected[rank];
                assertThat(found[vector].index(rank)).isEqualTo(row);
                assertThat((double) found[vector].value(rank)).isCloseTo(cosine(v, row), within(1e-6));
                assertThat((double) found[vector].strength(rank)).isCloseTo(cosine(v, row) - mean[row] / 2, within(1e-6));
            }
        }
    }

    @Test
    void the_cosine_with_a_row_can_be_asked_for_and_a_row_of_zeros_is_near_to_nothing() {
        for (int i = 0; i < WIDTH; i++) {
            table.values()[17 * WIDTH + i] = 0;
        }
        BitSet all = new BitSet();
        all.set(0, 5000);
        Nearest nearest = new Nearest(new Embeddings(table), all, ArrayTensor::product);

        float[][] cosines = nearest.cosines(vectors.tensor(), new int[] {4999, 17});

        for (int vector = 0; vector < VECTORS; vector++) {
            assertThat((double) cosines[0][vector]).isCloseTo(cosine(vector, 4999), within(1e-6));
            assertThat(cosines[1][vector]).isZero();
        }
    }
}
