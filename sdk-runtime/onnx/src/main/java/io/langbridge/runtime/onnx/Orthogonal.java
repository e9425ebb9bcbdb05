package io.langbridge.runtime.onnx;

import java.util.Random;
import org.jspecify.annotations.Nullable;

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

    /** Values that a processor's own cache holds beside others. */
    private static final int CACHED = 1 << 17;

    private static final int LEAST_TOGETHER = 64;

    /** Most vectors side by side: as many as make a loop over them worth its beginning and its end. */
    private static final int LINE = 256;

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
        apply(rows, count, null, new Scratch());
    }

    /**
     * The same for rows whose coordinates are multiplied before.
     *
     * @param factors one for each coordinate, or null
     * @param scratch memory that is used again
     */
    void apply(float[] rows, int count, float @Nullable [] factors, Scratch scratch) {
        float[] all = signs;
        if (factors != null) {
            all = scratch.floats(size);
            for (int i = 0; i < size; i++) {
                all[i] = factors[i] * signs[i];
            }
        }
        int together = Math.min(together(), Math.max(count, 1));
        float[][] lines = scratch.lines(lines(), together);
        for (int first = 0; first < count; first += together) {
            int width = Math.min(together, count - first);
            for (int at = 0; at < size; at += block) {
                turn(rows, first * size + at, all, at, lines, width);
                mix(lines, width);
                turnBack(lines, rows, first * size + at, width);
            }
        }
        scratch.giveBack(lines);
        if (factors != null) {
            scratch.giveBack(all);
        }
    }

    /**
     * Multiplies the transposed matrix with the columns of {@code matrix}, {@code [size, columns]}: what a row vector
     * times a matrix is, is for a column the transposed matrix times it.
     */
    void applyToColumns(float[] matrix, int columns, Scratch scratch) {
        int together = Math.min(together(), columns);
        float[][] lines = scratch.lines(lines(), together);
        for (int from = 0; from < columns; from += together) {
            int width = Math.min(together, columns - from);
            for (int at = 0; at < size; at += block) {
                for (int i = 0; i < block; i++) {
                    System.arraycopy(matrix, (at + i) * columns + from, lines[i], 0, width);
                    if (signs[at + i] < 0) {
                        scale(lines[i], -1, width);
                    }
                }
                mix(lines, width);
                for (int i = 0; i < block; i++) {
                    System.arraycopy(lines[i], 0, matrix, (at + i) * columns + from, width);
                }
            }
        }
        scratch.giveBack(lines);
    }

    /** Memory that changing vectors needs beside them. */
    long workBytes() {
        return (long) lines() * together() * Float.BYTES;
    }

    /** A line for each coordinate of a block, and those that {@link #mix} needs. */
    private int lines() {
        return block + Math.max(dct.length, 1);
    }

    /** How many vectors are mixed side by side: a block of them is to stay in a processor's cache. */
    private int together() {
        return Math.max(LEAST_TOGETHER, Math.min(LINE, CACHED / block / LEAST_TOGETHER * LEAST_TOGETHER));
    }

    /** Makes lines of coordinates out of rows: where vectors lie side by side, each step of all of them is one loop. */
    private void turn(float[] rows, int from, float[] factors, int coordinate, float[][] lines, int width) {
        int first = 0;
        // Eight rows at a time, so that a cache keeps their lines in whatever power of two they lie apart.
        for (; first + 8 <= width; first += 8) {
            int at = from + first * size;
            for (int i = 0; i < block; i++, at++) {
                float[] line = lines[i];
                float factor = factors[coordinate + i];
                line[first] = rows[at] * factor;
                line[first + 1] = rows[at + size] * factor;
                line[first + 2] = rows[at + 2 * size] * factor;
                line[first + 3] = rows[at + 3 * size] * factor;
                line[first + 4] = rows[at + 4 * size] * factor;
                line[first + 5] = rows[at + 5 * size] * factor;
                line[first + 6] = rows[at + 6 * size] * factor;
                line[first + 7] = rows[at + 7 * size] * factor;
            }
        }
        for (; first < width; first++) {
            for (int i = 0; i < block; i++) {
                lines[i][first] = rows[from + first * size + i] * factors[coordinate + i];
            }
        }
    }

    private void turnBack(float[][] lines, float[] rows, int from, int width) {
        int first = 0;
        for (; first + 8 <= width; first += 8) {
            int at = from + first * size;
            for (int i = 0; i < block; i++, at++) {
                float[] line = lines[i];
                rows[at] = line[first];
                rows[at + size] = line[first + 1];
                rows[at + 2 * size] = line[first + 2];
                rows[at + 3 * size] = line[first + 3];
                rows[at + 4 * size] = line[first + 4];
                rows[at + 5 * size] = line[first + 5];
                rows[at + 6 * size] = line[first + 6];
                rows[at + 7 * size] = line[first + 7];
            }
        }
        for (; first < width; first++) {
            for (int i = 0; i < block; i++) {
                rows[from + first * size + i] = lines[i][first];
            }
        }
    }

    /** Changes a block of vectors, whose coordinates are lines; lines may change their places. */
    private void mix(float[][] lines, int width) {
        int odd = dct.length;
        int power = block / odd;
        for (int k = 0; odd > 1 && k < power; k++) {
            for (int j = 0; j < odd; j++) {
                float[] sum = lines[block + j];
                begin(sum, lines[k], dct[0][j], width);
                for (int i = 1; i < odd; i += 2) {
                    float[] one = lines[i * power + k];
                    float[] next = lines[(i + 1) * power + k];
                    add(sum, one, dct[i][j], next, dct[i + 1][j], width);
                }
            }
            for (int j = 0; j < odd; j++) {
                float[] sum = lines[block + j];
                lines[block + j] = lines[j * power + k];
                lines[j * power + k] = sum;
            }
        }
        float scale = (float) (1 / Math.sqrt(power));
        for (int from = 0; from < block; from += power) {
            int half = 1;
            for (; 4 * half <= power; half *= 4) {
                for (int at = from; at < from + power; at += 4 * half) {
                    for (int i = at; i < at + half; i++) {
                        butterflies(lines[i], lines[i + half], lines[i + 2 * half], lines[i + 3 * half], width);
                    }
                }
            }
            for (int i = from; half < power && i < from + half; i++) {
                butterfly(lines[i], lines[i + half], width);
            }
            for (int i = from; i < from + power; i++) {
                scale(lines[i], scale, width);
            }
        }
        if (mirror.length > 0) {
            float[] products = lines[block];
            begin(products, lines[0], mirror[0], width);
            for (int i = 1; i < size; i++) {
                add(products, lines[i], mirror[i], width);
            }
            scale(products, 2, width);
            for (int i = 0; i < size; i++) {
                add(lines[i], products, -mirror[i], width);
            }
        }
    }

    // Loops over arrays at the same index are what a JIT compiler makes vector instructions of.

    private static void butterflies(float[] a, float[] b, float[] c, float[] d, int width) {
        for (int i = 0; i < width; i++) {
            float sum = a[i] + b[i];
            float difference = a[i] - b[i];
            float nextSum = c[i] + d[i];
            float nextDifference = c[i] - d[i];
            a[i] = sum + nextSum;
            b[i] = difference + nextDifference;
            c[i] = sum - nextSum;
            d[i] = difference - nextDifference;
        }
    }

    private static void butterfly(float[] a, float[] b, int width) {
        for (int i = 0; i < width; i++) {
            float sum = a[i] + b[i];
            float difference = a[i] - b[i];
            a[i] = sum;
            b[i] = difference;
        }
    }

    private static void scale(float[] values, float factor, int width) {
        for (int i = 0; i < width; i++) {
            values[i] *= factor;
        }
    }

    private static void begin(float[] sum, float[] values, float factor, int width) {
        for (int i = 0; i < width; i++) {
            sum[i] = 0 + values[i] * factor;
        }
    }

    private static void add(float[] sum, float[] values, float factor, int width) {
        for (int i = 0; i < width; i++) {
            sum[i] += values[i] * factor;
        }
    }

    private static void add(float[] sum, float[] values, float factor, float[] next, float nextFactor, int width) {
        for (int i = 0; i < width; i++) {
            sum[i] = sum[i] + values[i] * factor + next[i] * nextFactor;
        }
    }

    /** Row by row, {@code [block, block]}: all there is of a matrix of equal blocks. */
    float[] toArray() {
        float[] all = new float[block * size];
        for (int i = 0; i < block; i++) {
            all[i * size + i] = 1;
        }
        apply(all, block);
        if (block == size) {
            return all;
        }
        float[] square = new float[block * block];
        for (int i = 0; i < block; i++) {
            System.arraycopy(all, i * size, square, i * block, block);
        }
        return square;
    }

    /** All that its values depend on. */
    @Override
    public String toString() {
        return "orthogonal 2 " + size + " in " + block + (mirror.length > 0 ? ", keeps mean" : "")
                + (randomSigns ? ", signs of " + SEED : "");
    }
}
