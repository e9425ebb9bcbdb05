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

    private final float[] signs;
    /** Normal of a reflection that comes last, or empty. */
    private float[] mirror = new float[0];

    private Orthogonal(int size, int block, boolean randomSigns) {
        this.size = size;
        this.block = block;
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
            matrix.apply(image, 0);
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

    /** Multiplies the row vector at {@code v[from]} with this matrix. */
    void apply(float[] v, int from) {
        for (int i = 0; i < size; i++) {
            v[from + i] *= signs[i];
        }
        for (int at = from; at < from + size; at += block) {
            applyBlock(v, at);
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

    private void applyBlock(float[] v, int from) {
        int odd = dct.length;
        int power = block / odd;
        if (odd > 1) {
            float[] mixed = new float[block];
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
            apply(row, 0);
            System.arraycopy(row, 0, all, i * block, block);
        }
        return all;
    }

    /** All that its values depend on. */
    @Override
    public String toString() {
        return "orthogonal 1 " + size + " in " + block + (mirror.length > 0 ? ", keeps mean" : "") + " "
                + java.util.Arrays.hashCode(signs);
    }
}
