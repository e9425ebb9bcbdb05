package io.langbridge.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.explain.Embeddings;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.BitSet;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AlignmentTest {
    private static BitSet all(int rows) {
        BitSet all = new BitSet();
        all.set(0, rows);
        return all;
    }

    private static Alignment of(float[] tokens, float[] words, int width, int neighbours) {
        return Alignment.of(
                FloatTensor.of(tokens, tokens.length / width, width),
                new Embeddings(new Rows(words, words.length / width, width)),
                all(words.length / width),
                neighbours,
                Rows::product);
    }

    @Test
    void a_token_in_the_plane_of_two_words_lies_in_their_span() {
        // Words along the axes x, y and z; a token between x and y, and one that leans out of the plane.
        float[] words = {2, 0, 0, 0, 3, 0, 0, 0, 1};
        Alignment alignment = of(new float[] {4, 3, 0, 4, 3, 2}, words, 3, 2);

        assertThat(alignment.nearest(0)).containsExactly(0, 1);
        assertThat(alignment.cosines(0)[0]).isCloseTo(0.8f, within(1e-6f));
        assertThat(alignment.spanRatio(0)).isCloseTo(1, within(1e-12));
        assertThat(alignment.spanRatio(1)).isCloseTo(5 / Math.sqrt(29), within(1e-12));
        assertThat(alignment.meanSpanRatio()).isCloseTo((1 + 5 / Math.sqrt(29)) / 2, within(1e-12));
        assertThat(alignment.medianSpanRatio()).isEqualTo(alignment.meanSpanRatio());
        assertThat(alignment.meanNearestCosine()).isCloseTo((0.8 + 4 / Math.sqrt(29)) / 2, within(1e-6));
        assertThat(alignment.meanCosine()).isCloseTo((0.8 + 0.6 + 7 / Math.sqrt(29)) / 4, within(1e-6));
        assertThat(alignment.tokens()).isEqualTo(2);
        assertThat(alignment.neighbours()).isEqualTo(2);
    }

    @Test
    void one_neighbour_gives_its_cosine() {
        Alignment alignment = of(new float[] {4, 3, 2}, new float[] {2, 0, 0, 0, 3, 0}, 3, 1);

        assertThat(alignment.spanRatio(0)).isCloseTo(alignment.cosines(0)[0], within(1e-6));
    }

    @Test
    void words_that_say_the_same_span_no_more_than_one_of_them() {
        float[] words = {1, 0, 0, 2, 0, 0, 1, 1e-9f, 0};
        Alignment alignment = of(new float[] {1, 1, 0}, words, 3, 3);

        assertThat(alignment.spanRatio(0)).isCloseTo(Math.sqrt(0.5), within(1e-6));
    }

    @Test
    void with_as_many_words_as_dimensions_everything_lies_in_the_span() {
        Rows words = Rows.random(500, 12, 4);
        Rows tokens = Rows.random(6, 12, 5);
        Embeddings embeddings = new Embeddings(words);

        Alignment few = Alignment.of(tokens.tensor(), embeddings, all(500), 3, Rows::product);
        Alignment most = Alignment.of(tokens.tensor(), embeddings, all(500), 12, Rows::product);

        for (int i = 0; i < 6; i++) {
            assertThat(most.spanRatio(i)).isCloseTo(1, within(1e-9));
            assertThat(few.spanRatio(i)).isBetween((double) few.cosines(i)[0], 0.999);
        }
    }

    @Test
    void tokens_that_move_towards_a_few_words_lie_more_and_more_in_their_span() {
        Rows words = Rows.random(300, 64, 6);
        Rows start = Rows.random(10, 64, 7);
        double before = 0;
        for (int step = 0; step <= 4; step++) {
            float[] tokens = new float[10 * 64];
            for (int i = 0; i < tokens.length; i++) {
                int token = i / 64;
                int x = i % 64;
                float mixture = words.values()[token * 64 + x] + words.values()[(token + 100) * 64 + x];
                tokens[i] = start.values()[i] * (4 - step) / 4 + mixture * step / 4;
            }
            double ratio = of(tokens, words.values(), 64, 4).meanSpanRatio();
            assertThat(ratio).isGreaterThan(before);
            before = ratio;
        }
        assertThat(before).isGreaterThan(0.999);
    }

    @Test
    void a_token_of_zeros_lies_nowhere() {
        assertThat(of(new float[3], new float[] {1, 0, 0, 0, 1, 0}, 3, 2).spanRatio(0))
                .isZero();
    }

    @Test
    void senseless_numbers_of_neighbours_and_damaged_tokens_are_refused() {
        float[] words = {1, 0, 0, 0, 1, 0};
        for (int neighbours : new int[] {0, 3, 4}) {
            assertThatThrownBy(() -> of(new float[] {1, 0, 0}, words, 3, neighbours))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("not " + neighbours);
        }
        assertThatThrownBy(() -> of(new float[] {1, Float.NaN, 0}, words, 3, 1))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("damaged");
    }

    /** A tensor that lies in an array and not in a file. */
    private record Rows(float[] values, int rows, int width) implements StoredTensor {
        static Rows random(int rows, int width, long seed) {
            Random random = new Random(seed);
            float[] values = new float[rows * width];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            return new Rows(values, rows, width);
        }

        FloatTensor tensor() {
            return FloatTensor.of(values, rows, width);
        }

        /** {@code a} times {@code b} transposed. */
        static FloatTensor product(FloatTensor a, FloatTensor b) {
            float[] left = a.toArray();
            float[] right = b.toArray();
            int m = a.size(0);
            int n = b.size(0);
            int k = a.size(1);
            float[] product = new float[m * n];
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    double sum = 0;
                    for (int x = 0; x < k; x++) {
                        sum += (double) left[i * k + x] * right[j * k + x];
                    }
                    product[i * n + j] = (float) sum;
                }
            }
            return FloatTensor.of(product, m, n);
        }

        @Override
        public String name() {
            return "model.embed_tokens.weight";
        }

        @Override
        public DType dtype() {
            return DType.F32;
        }

        @Override
        public long[] shape() {
            return new long[] {rows, width};
        }

        @Override
        public Path file() {
            return Paths.get("embeddings.safetensors");
        }

        @Override
        public @Nullable Long offset() {
            return null;
        }

        @Override
        public void read(long from, FloatBuffer target) {
            target.put(values, (int) from, target.remaining());
        }
    }
}
