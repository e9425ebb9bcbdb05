package io.langbridge.runtime.core.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class MixturesTest {
    private static final int WIDTH = 12;
    private static final int ROWS = 40;

    private final ArrayTensor table = ArrayTensor.random(ROWS, WIDTH, 3);
    private final Nearest nearest = new Nearest(new Embeddings(table), all(), ArrayTensor::product);

    private static BitSet all() {
        BitSet all = new BitSet();
        all.set(0, ROWS);
        return all;
    }

    private float[] mixture(double... factors) {
        float[] mixture = new float[WIDTH];
        for (int i = 0; i < factors.length; i += 2) {
            float[] direction = nearest.direction((int) factors[i]);
            for (int j = 0; j < WIDTH; j++) {
                mixture[j] += (float) (factors[i + 1] * direction[j]);
            }
        }
        return mixture;
    }

    private static double distance(float[] vector, float[] other) {
        double sum = 0;
        for (int i = 0; i < vector.length; i++) {
            sum += Math.pow(vector[i] - other[i], 2);
        }
        return Math.sqrt(sum);
    }

    @Test
    void a_vector_of_one_row_is_that_row() {
        Strongest found = new Mixtures(nearest, WIDTH).of(new float[][] {mixture(7, 2.5)}, 3)[0];

        assertThat(found.size()).isEqualTo(1);
        assertThat(found.index(0)).isEqualTo(7);
        assertThat(found.value(0)).isCloseTo(2.5f, within(1e-4f));
        assertThat(found.strength(0)).isCloseTo(1, within(1e-4f));
    }

    @Test
    void the_rebuilt_vector_is_as_near_as_the_strengths_say_and_no_row_has_a_minus_sign() {
        float[][] vectors = {
            mixture(3, 1, 30, 0.6),
            mixture(11, 1, 5, -1),
            ArrayTensor.random(1, WIDTH, 9).values()
        };

        Strongest[] found = new Mixtures(nearest, WIDTH).of(vectors, 4);

        for (int i = 0; i < vectors.length; i++) {
            double[] factors = new double[2 * found[i].size()];
            double explained = 0;
            for (int rank = 0; rank < found[i].size(); rank++) {
                assertThat(found[i].value(rank)).isPositive();
                factors[2 * rank] = found[i].index(rank);
                factors[2 * rank + 1] = found[i].value(rank);
                explained += found[i].strength(rank);
            }
            double missing = distance(vectors[i], mixture(factors)) / distance(vectors[i], new float[WIDTH]);
            if (found[i].size() == 4) { // none was dropped
                assertThat(explained).isCloseTo(1 - missing * missing, within(1e-3));
            }
            assertThat(missing).isLessThan(0.75);
        }
    }

    @Test
    void no_single_row_more_would_have_been_nearer() {
        float[] vector = ArrayTensor.random(1, WIDTH, 21).values();

        Strongest one = new Mixtures(nearest, WIDTH).of(new float[][] {vector}, 1)[0];

        double best = distance(vector, mixture(one.index(0), one.value(0)));
        for (int row = 0; row < ROWS; row++) {
            for (double factor = 0; factor < 3; factor += 0.05) {
                assertThat(distance(vector, mixture(row, factor))).isGreaterThan(best - 1e-4);
            }
        }
    }

    @Test
    void a_vector_of_zeros_is_made_of_nothing() {
        assertThat(new Mixtures(nearest, WIDTH).of(new float[][] {new float[WIDTH]}, 3)[0].size())
                .isZero();
        assertThat(new Mixtures(nearest, WIDTH).of(new float[0][], 3)).isEmpty();
    }
}
