package io.langbridge.runtime.onnx;

import java.util.Random;

/**
 * An orthogonal matrix that spreads every coordinate over many, fast to apply. Activations of language models have a
 * few channels a hundred times larger than the rest; after such a change of basis all channels are about as large, and
 * eight bits hold them (QuaRot, arXiv 2404.00456). What follows undoes it, so a network in full precision stays the
 * same.
 *
 * <p>Immutable.
 */
final class Orthogonal {
    private static final long SEED = 2404_00456;

    private final int size;
    /** Coordinates that are mixed with each other: {@code dct} times a power of two. */
    private final int block;
    /** {@code [dct, dct]}, the odd factor of the block. */
    private final float[][] dct;

    private final boolean randomSigns;
    private final float[] signs;
    /** Normal of a reflection that comes last, or empty. */
    private float[] mirror = new float[0];

    private Orthogonal(int size, int block, boolean randomSigns) {
        this.size = size;
        this.block = block;
        this.randomSigns = randomSigns;
        int odd = block >> Integer.numberOfTrailingZeros(block);
        dct = new float[odd][odd];
        for (int i = 0; i < odd; i++) {
            for (int j = 0; j < odd; j++) {
                double length = Math.sqrt((i == 0 ? 1.0 : 2.0) / odd);
                dct[i][j] = (float) (length * Math.cos(Math.PI * i * (2 * j + 1) / (2.0 * odd)));
            }
        }
        signs = new float[size];
        Random random = new Random(SEED);
        for (int i = 0; i < size; i++) {
            signs[i] = randomSigns && random.nextBoolean() ? -1 : 1;
        }
    }

    /**
     * Mixes all coordinates: random signs, then the Kronecker product of a cosine transform and a Hadamard matrix.
     *
     * @param keepsMean whether a vector of equal coordinates stays as it is, which makes it commute with layer norm
     */
    static Orthogonal mixing(int size, boolean keepsMean) {
        Orthogonal matrix = new Orthogonal(size, size, true);
        if (keepsMean && size > 1) {
            float equal = (float) (1 / Math.sqrt(size));
            float[] image = new float[size];
            java.util.Arrays.fill(image, equal);
            matrix.apply(image, 1);
            double norm = 0;
            for (int i = 0; i < size; i++) {
                image[i] -= equal;
                norm += (double) image[i] * image[i];
            }
            for (int i = 0; i < size; i++) {
                image[i] = (float) (image[i] / Math.sqrt(norm));
            }
            matrix.mirror = image;
        }
        return matrix;
    }

    /**
     * Mixes coordinates within blocks, a Hadamard matrix on the diagonal.
     *
     * @param block divides {@code size}
     */
    static Orthogonal blocks(int size, int block) {
        return new Orthogonal(size, block, false);
    }

    int size() {
        return size;
    }

    /** Multiplies the first {@code count} of {@code rows}, {@code [n, size]}, with this matrix. */
    void apply(float[] rows, int count) {
        float[] mixed = new float[dct.length > 1 ? block : 0];
        for (int row = 0; row < count; row++) {
            apply(rows, row * size, mixed);
        }
    }

    /**
     * Multiplies the transposed matrix with the columns of {@code matrix}, {@code [size, columns]}: what a row vector
     * times a matrix is, is for a column the transposed matrix times it.
     */
    void applyToColumns(float[] matrix, int columns) {
        int together = Math.min(16, columns); // a cache line of each row
        float[] turned = new float[together * size];
        float[] mixed = new float[dct.length > 1 ? block : 0];
        for (int from = 0; from < columns; from += together) {
            int width = Math.min(together, columns - from);
            for (int row = 0; row < size; row++) {
                for (int i = 0; i < width; i++) {
                    turned[i * size + row] = matrix[row * columns + from + i];
                }
            }
            for (int i = 0; i < width; i++) {
                apply(turned, i * size, mixed);
            }
            for (int row = 0; row < size; row++) {
                for (int i = 0; i < width; i++) {
                    matrix[row * columns + from + i] = turned[i * size + row];
                }
            }
        }
    }

    private void apply(float[] v, int from, float[] mixed) {
        for (int i = 0; i < size; i++) {
            v[from + i] *= signs[i];
        }
        for (int at = from; at < from + size; at += block) {
            applyBlock(v, at, mixed);
        }
        if (mirror.length > 0) {
            float product = 0;
            for (int i = 0; i < size; i++) {
                product += v[from + i] * mirror[i];
            }
            for (int i = 0; i < size; i++) {
                v[from + i] -= 2 * product * mirror[i];
            }
        }
    }

    private void applyBlock(float[] v, int from, float[] mixed) {
        int odd = dct.length;
        int power = block / odd;
        if (odd > 1) {
            java.util.Arrays.fill(mixed, 0);
            for (int i = 0; i < odd; i++) {
                for (int j = 0; j < odd; j++) {
                    float factor = dct[i][j];
                    for (int k = 0; k < power; k++) {
                        mixed[j * power + k] += v[from + i * power + k] * factor;
                    }
                }
            }
            System.arraycopy(mixed, 0, v, from, block);
        }
        for (int half = 1; half < power; half *= 2) {
            for (int at = from; at < from + block; at += 2 * half) {
                for (int i = at; i < at + half; i++) {
                    float a = v[i];
                    float b = v[i + half];
                    v[i] = a + b;
                    v[i + half] = a - b;
                }
            }
        }
        float scale = (float) (1 / Math.sqrt(power));
        for (int i = from; i < from + block; i++) {
            v[i] *= scale;
        }
    }

    /** Row by row, {@code [block, block]}: all there is of a matrix of equal blocks. */
    float[] toArray() {
        float[] all = new float[block * block];
        float[] row = new float[size];
        for (int i = 0; i < block; i++) {
            java.util.Arrays.fill(row, 0);
            row[i] = 1;
            apply(row, 1);
            System.arraycopy(row, 0, all, i * block, block);
        }
        return all;
    }

    /** All that its values depend on. */
    @Override
    public String toString() {
        return "orthogonal 2 " + size + " in " + block + (mirror.length > 0 ? ", keeps mean" : "")
                + (randomSigns ? ", signs of " + SEED : "");
    }
}
