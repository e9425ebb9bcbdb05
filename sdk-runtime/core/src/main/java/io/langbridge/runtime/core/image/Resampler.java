package io.langbridge.runtime.core.image;

import io.langbridge.spi.RgbPixels;

/**
 * Resizing as PIL does it, equal to the byte: a separable filter, widened when the picture shrinks (antialiasing), with
 * integer weights, and bytes between the two passes. Only the part that is asked for is computed, so that cutting the
 * centre out of a very long picture does not first make all of it.
 */
final class Resampler {
    /** Fractional bits of the integer weights: 32 less 8 for a byte less 2 for overshoot and sign. */
    private static final int PRECISION = 22;

    /** Added to a sum before its fraction is cut off, so that it is rounded. */
    private static final int HALF = 1 << (PRECISION - 1);

    /** Kernels, by PIL's numbers. */
    enum Filter {
        /** 2: a triangle. */
        BILINEAR(1) {
            @Override
            double weight(double x) {
                return Math.max(0, 1 - Math.abs(x));
            }
        },
        /** 3: Keys' cubic with a = -0.5. */
        BICUBIC(2) {
            @Override
            double weight(double x) {
                double a = -0.5;
                double d = Math.abs(x);
                if (d < 1) {
                    return ((a + 2) * d - (a + 3)) * d * d + 1;
                }
                return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
            }
        };

        /** The kernel is zero at this distance and beyond. */
        private final double support;

        Filter(double support) {
            this.support = support;
        }

        abstract double weight(double x);
    }

    private Resampler() {}

    /**
     * Resizes all of {@code source}.
     *
     * @param width of the result
     * @param height of the result
     */
    static RgbPixels resize(Canvas source, int width, int height, Filter filter) {
        return resize(source, width, height, 0, 0, width, height, filter);
    }

    /**
     * Resizes {@code source} to {@code width x height} and cuts a rectangle out of the result.
     *
     * @param left first column of the rectangle; it must lie inside
     * @param top first row of the rectangle
     * @param cutWidth of the rectangle
     * @param cutHeight of the rectangle
     */
    static RgbPixels resize(
            Canvas source, int width, int height, int left, int top, int cutWidth, int cutHeight, Filter filter) {
        Weights columns = Weights.of(source.width(), width, left, cutWidth, filter);
        Weights rows = Weights.of(source.height(), height, top, cutHeight, filter);
        // PIL saves work on very high pictures with the other order; the bytes in between make the results differ.
        boolean rowsFirst = source.height() > 100L * source.width() && height < source.height();
        byte[] rgb = rowsFirst ? rowsThenColumns(source, columns, rows) : columnsThenRows(source, columns, rows);
        return RgbPixels.wrap(cutWidth, cutHeight, rgb);
    }

    private static byte[] columnsThenRows(Canvas source, Weights columns, Weights rows) {
        RgbPixels picture = source.picture();
        Weights inside = columns.within(source.left(), picture.width());
        Weights insideRows = rows.within(source.top(), picture.height());
        int stride = 3 * columns.count();
        int firstRow = insideRows.first();
        int neededRows = insideRows.end() - firstRow;
        byte[] between = new byte[Math.multiplyExact(neededRows, stride)];
        byte[] line = new byte[3 * picture.width()];
        for (int y = 0; y < neededRows; y++) {
            picture.copyRow(firstRow + y, 0, picture.width(), line, 0);
            alongRow(line, 0, inside, source.background(), between, y * stride);
        }
        byte[] plain = new byte[stride];
        alongRow(line, 0, columns.within(source.width(), 0), source.background(), plain, 0);
        return alongColumns(between, firstRow, stride, insideRows, plain);
    }

    private static byte[] rowsThenColumns(Canvas source, Weights columns, Weights rows) {
        int firstRow = rows.first();
        int neededRows = rows.end() - firstRow;
        int stride = 3 * source.width();
        byte[] lines = new byte[Math.multiplyExact(neededRows, stride)];
        for (int y = 0; y < neededRows; y++) {
            source.copyRow(firstRow + y, lines, y * stride);
        }
        byte[] between = alongColumns(lines, firstRow, stride, rows, new byte[stride]);
        byte[] result = new byte[Math.multiplyExact(rows.count(), 3 * columns.count())];
        for (int y = 0; y < rows.count(); y++) {
            alongRow(between, y * stride, columns, new byte[3], result, y * 3 * columns.count());
        }
        return result;
    }

    /** One row: every target pixel is a weighted sum of source pixels beside each other. */
    private static void alongRow(
            byte[] line, int lineStart, Weights columns, byte[] background, byte[] target, int targetStart) {
        int at = targetStart;
        for (int x = 0; x < columns.count(); x++) {
            int outside = columns.outside[x];
            int r = HALF + (background[0] & 0xff) * outside;
            int g = HALF + (background[1] & 0xff) * outside;
            int b = HALF + (background[2] & 0xff) * outside;
            int from = lineStart + 3 * columns.start[x];
            int weightAt = x * columns.room + columns.skip[x];
            for (int i = 0; i < columns.length[x]; i++) {
                int weight = columns.value[weightAt + i];
                r += (line[from] & 0xff) * weight;
                g += (line[from + 1] & 0xff) * weight;
                b += (line[from + 2] & 0xff) * weight;
                from += 3;
            }
            target[at++] = toByte(r);
            target[at++] = toByte(g);
            target[at++] = toByte(b);
        }
    }

    /**
     * All columns: every target row is a weighted sum of source rows, added row by row to stay in the cache.
     *
     * @param plain the row that stands for all rows outside {@code source}
     */
    private static byte[] alongColumns(byte[] source, int firstRow, int stride, Weights rows, byte[] plain) {
        byte[] target = new byte[Math.multiplyExact(rows.count(), stride)];
        int[] sum = new int[stride];
        for (int y = 0; y < rows.count(); y++) {
            for (int x = 0; x < stride; x++) {
                sum[x] = HALF + (plain[x] & 0xff) * rows.outside[y];
            }
            for (int i = 0; i < rows.length[y]; i++) {
                int weight = rows.value[y * rows.room + rows.skip[y] + i];
                int from = (rows.start[y] + i - firstRow) * stride;
                for (int x = 0; x < stride; x++) {
                    sum[x] += (source[from + x] & 0xff) * weight;
                }
            }
            for (int x = 0; x < stride; x++) {
                target[y * stride + x] = toByte(sum[x]);
            }
        }
        return target;
    }

    private static byte toByte(int sum) {
        return (byte) Math.max(0, Math.min(255, sum >> PRECISION));
    }

    /**
     * Where the sources of each target position start, how many they are, and their integer weights.
     *
     * @param skip weights of each position that are not used, before its first
     * @param room weights reserved per target position
     * @param outside sum of the weights that fall on plain background
     */
    private record Weights(int[] start, int[] length, int[] skip, int[] value, int room, int[] outside) {
        static Weights of(int sourceSize, int size, int first, int count, Filter filter) {
            // Without a change of size PIL skips the pass; the one weight that is left then copies exactly.
            double scale = (double) sourceSize / size;
            double stretch = Math.max(scale, 1);
            double support = sourceSize == size ? 0.5 : filter.support * stretch;
            int room = (int) Math.ceil(support) * 2 + 1;
            Weights weights = new Weights(
                    new int[count],
                    new int[count],
                    new int[count],
                    new int[Math.multiplyExact(count, room)],
                    room,
                    new int[count]);
            double[] kernel = new double[room];
            for (int i = 0; i < count; i++) {
                double centre = (first + i + 0.5) * scale;
                int from = Math.max(0, (int) (centre - support + 0.5));
                int to = Math.min(sourceSize, (int) (centre + support + 0.5));
                double sum = 0;
                for (int j = from; j < to; j++) {
                    kernel[j - from] = filter.weight((j - centre + 0.5) * (1 / stretch));
                    sum += kernel[j - from];
                }
                weights.start[i] = from;
                weights.length[i] = to - from;
                for (int j = 0; j < to - from; j++) {
                    double fixed = kernel[j] / sum * (1 << PRECISION);
                    weights.value[i * room + j] = (int) (fixed < 0 ? fixed - 0.5 : fixed + 0.5);
                }
            }
            return weights;
        }

        /**
         * The weights for the sources {@code from} to {@code from + size} alone, counted from there; all others lie on
         * plain background, where their sum is enough.
         */
        Weights within(int from, int size) {
            Weights part =
                    new Weights(new int[count()], new int[count()], new int[count()], value, room, new int[count()]);
            for (int i = 0; i < count(); i++) {
                int begin = Math.max(start[i], Math.min(from, start[i] + length[i]));
                int end = Math.max(begin, Math.min(start[i] + length[i], from + size));
                part.start[i] = Math.min(size, Math.max(0, begin - from));
                part.length[i] = end - begin;
                part.skip[i] = begin - start[i];
                for (int j = 0; j < length[i]; j++) {
                    if (j < begin - start[i] || j >= end - start[i]) {
                        part.outside[i] += value[i * room + j];
                    }
                }
            }
            return part;
        }

        int count() {
            return start.length;
        }

        /** First source position used at all. */
        int first() {
            return start[0];
        }

        /** End of the source positions used. */
        int end() {
            return start[count() - 1] + length[count() - 1];
        }
    }
}
