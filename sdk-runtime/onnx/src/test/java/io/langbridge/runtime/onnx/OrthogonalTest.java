package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class OrthogonalTest {
    private static double product(float[] matrix, int n, int a, int b) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += (double) matrix[a * n + i] * matrix[b * n + i];
        }
        return sum;
    }

    @Test
    void rowsAreOrthogonalForEverySize() {
        for (int n : new int[] {1, 2, 7, 24, 40, 64, 72, 896}) {
            for (boolean keepsMean : new boolean[] {false, true}) {
                float[] matrix = Orthogonal.mixing(n, keepsMean).toArray();
                for (int a = 0; a < n; a += Math.max(1, n / 9)) {
                    for (int b = 0; b < n; b++) {
                        assertThat(product(matrix, n, a, b)).isCloseTo(a == b ? 1 : 0, within(1e-5));
                    }
                }
            }
        }
    }

    @Test
    void oneThatKeepsTheMeanLeavesEqualCoordinatesAlone() {
        float[] equal = new float[24];
        Arrays.fill(equal, 3);
        Orthogonal.mixing(24, true).apply(equal, 1);
        for (float value : equal) {
            assertThat(value).isCloseTo(3, within(1e-5f));
        }
    }

    @Test
    void oneLargeCoordinateIsSpreadOverAll() {
        float[] vector = new float[896];
        vector[17] = 100;
        Orthogonal.mixing(896, false).apply(vector, 1);
        float largest = 0;
        for (float value : vector) {
            largest = Math.max(largest, Math.abs(value));
        }
        // 100 / sqrt(896) if it were spread evenly; the cosine transform of size 7 makes it up to sqrt(2) more.
        assertThat(largest).isLessThan(5);
    }

    @Test
    void blocksDoNotMix() {
        float[] vector = new float[32];
        vector[9] = 1;
        Orthogonal.blocks(32, 8).apply(vector, 1);
        for (int i = 0; i < 32; i++) {
            assertThat(Math.abs(vector[i])).isCloseTo(i / 8 == 1 ? (float) Math.sqrt(1 / 8.0) : 0, within(1e-6f));
        }
    }

    /** To the bit, for any number: what lies in caches was made with others. */
    @Test
    void manyVectorsAreChangedAsOneAlone() {
        for (Orthogonal matrix : new Orthogonal[] {
            Orthogonal.mixing(56, false),
            Orthogonal.mixing(24, true),
            Orthogonal.mixing(9, true),
            Orthogonal.blocks(48, 8),
            Orthogonal.blocks(32, 16)
        }) {
            int size = matrix.size();
            int count = 277;
            float[] rows = RandomWeights.values(count * size, 5);
            float[] columns = new float[rows.length];
            float[] expected = new float[rows.length];
            for (int row = 0; row < count; row++) {
                float[] one = Arrays.copyOfRange(rows, row * size, (row + 1) * size);
                for (int i = 0; i < size; i++) {
                    columns[i * count + row] = one[i];
                }
                matrix.apply(one, 1);
                System.arraycopy(one, 0, expected, row * size, size);
            }
            matrix.apply(rows, count);
            assertThat(rows).isEqualTo(expected);
            matrix.applyToColumns(columns, count, new Scratch());
            for (int row = 0; row < count; row++) {
                for (int i = 0; i < size; i++) {
                    assertThat(columns[i * count + row]).isEqualTo(expected[row * size + i]);
                }
            }
        }
    }

    /** The product with the matrix that is written out, in float64. */
    @Test
    void mixingIsTheProductWithItsMatrix() {
        int size = 56;
        Orthogonal matrix = Orthogonal.mixing(size, true);
        float[] all = matrix.toArray();
        float[] row = RandomWeights.values(size, 6);
        float[] changed = row.clone();
        matrix.apply(changed, 1);
        for (int j = 0; j < size; j++) {
            double sum = 0;
            for (int i = 0; i < size; i++) {
                sum += (double) row[i] * all[i * size + j];
            }
            assertThat((double) changed[j]).isCloseTo(sum, within(1e-5));
        }
    }

    /** What is kept in a cache is found again by it. */
    @Test
    void matricesThatDifferAreCalledDifferently() {
        assertThat(Stream.of(
                        Orthogonal.blocks(32, 32),
                        Orthogonal.blocks(32, 8),
                        Orthogonal.mixing(32, false),
                        Orthogonal.mixing(32, true)))
                .extracting(Orthogonal::toString)
                .doesNotHaveDuplicates();
    }
}
