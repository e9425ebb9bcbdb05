package io.langbridge.runtime.core.image;

import io.langbridge.spi.RgbPixels;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Resizing as PIL does it, equal to the byte: a separable filter, widened when the picture shrinks (antialiasing), with
 * integer weights, and bytes between the two passes. Only the part that is asked for is computed, so that cutting the
 * centre out of a very long picture does not first make all of it; and rows are taken one by one, so that nobody needs
 * memory for the whole picture. One resampler is for one picture and one thread.
 */
public final class Resampler {
    /** Fractional bits of the integer weights: 32 less 8 for a byte less 2 for overshoot and sign. */
    private static final int PRECISION = 22;

    /** Added to a sum before its fraction is cut off, so that it is rounded. */
    private static final int HALF = 1 << (PRECISION - 1);

    /** Kernels, by PIL's numbers. */
    public enum Filter {
        /** 1: a windowed sinc. */
        LANCZOS(3) {
            @Override
            double weight(double x) {
                return Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
            }

            private double sinc(double x) {
                return x == 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
            }
        },
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

    /**
     * What to make of a picture.
     *
     * @param picture its size, upright
     * @param canvas the plain background on which it lies
     * @param left column of the canvas where the picture starts
     * @param top row of the canvas where the picture starts
     * @param background R, G, B
     * @param size to which the canvas is resized
     * @param cutLeft first column of the part that is wanted; it must lie inside
     * @param cutTop first row of the part that is wanted
     * @param cut size of that part
     */
    public record Job(
            Size picture,
            Size canvas,
            int left,
            int top,
            byte[] background,
            Size size,
            int cutLeft,
            int cutTop,
            Size cut,
            Filter filter) {
        /** All of a picture, without background. */
        public static Job of(Size picture, Size size, Filter filter) {
            return new Job(picture, picture, 0, 0, new byte[3], size, 0, 0, size, filter);
        }
    }

    private final Job job;
    private final boolean swapsSides;
    private final boolean feedReversed;
    private final boolean lineReversed;

    /** True if the pixels of a row are summed up before rows are. */
    private final boolean lineFirst;

    /** Along the axis on which rows arrive. */
    private final Weights feed;

    /** Along the rows that arrive. */
    private final Weights line;

    private final int feedSize;
    private final int lineSize;

    /** For each arriving row the first target it adds to, and the one behind the last. */
    private final int[] firstTarget;

    private final int[] endTarget;

    private final int[] @Nullable [] sums;
    private final int[] missing;
    private final ArrayDeque<int[]> unused = new ArrayDeque<>();
    private final byte[] reversed;
    private final byte[] filtered;
    private final byte[] finished;
    private final byte[] result;

    /**
     * Begins one job.
     *
     * @param orientation 1 to 8 as EXIF numbers them: how the rows to come must be turned to be upright
     */
    Resampler(Job job, int orientation) {
        this.job = job;
        swapsSides = orientation >= 5;
        feedReversed = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        lineReversed = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        Size canvas = job.canvas;
        Weights columns = Weights.of(canvas.width(), job.size.width(), job.cutLeft, job.cut.width(), job.filter)
                .within(job.left, job.picture.width());
        Weights rows = Weights.of(canvas.height(), job.size.height(), job.cutTop, job.cut.height(), job.filter)
                .within(job.top, job.picture.height());
        // PIL saves work on very high pictures with the other order; the bytes in between make the results differ.
        boolean rowsFirst = canvas.height() > 100L * canvas.width() && job.size.height() < canvas.height();
        lineFirst = rowsFirst == swapsSides;
        feed = swapsSides ? columns : rows;
        line = swapsSides ? rows : columns;
        feedSize = swapsSides ? job.picture.width() : job.picture.height();
        lineSize = swapsSides ? job.picture.height() : job.picture.width();
        firstTarget = new int[feedSize];
        endTarget = new int[feedSize];
        for (int target = feed.count() - 1; target >= 0; target--) {
            for (int i = feed.start[target]; i < feed.start[target] + feed.length[target]; i++) {
                firstTarget[i] = target;
                endTarget[i] = Math.max(endTarget[i], target + 1);
            }
        }
        sums = new int[feed.count()][];
        missing = feed.length.clone();
        reversed = new byte[lineReversed ? 3 * lineSize : 0];
        filtered = new byte[3 * line.count()];
        finished = new byte[3 * (lineFirst ? line.count() : lineSize)];
        result = new byte[Math.multiplyExact(Math.multiplyExact(job.cut.width(), job.cut.height()), 3)];
    }

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
        RgbPixels picture = source.picture();
        Resampler resampler = new Resampler(
                new Job(
                        new Size(picture.width(), picture.height()),
                        new Size(source.width(), source.height()),
                        source.left(),
                        source.top(),
                        source.background(),
                        new Size(width, height),
                        left,
                        top,
                        new Size(cutWidth, cutHeight),
                        filter),
                1);
        byte[] row = new byte[3 * picture.width()];
        for (int y = 0; y < picture.height(); y++) {
            picture.copyRow(y, 0, picture.width(), row, 0);
            resampler.row(y, row, 0);
        }
        return resampler.result();
    }

    /**
     * Takes one row of the picture, each once, in any order. Memory is needed for the targets that are not complete,
     * not for the picture.
     *
     * @param y row as it is stored
     * @param rgb three bytes per pixel
     * @param offset where in {@code rgb} the row starts
     */
    void row(int y, byte[] rgb, int offset) {
        int at = feedReversed ? feedSize - 1 - y : y;
        if (firstTarget[at] >= endTarget[at]) {
            return;
        }
        byte[] values = rgb;
        int from = offset;
        if (lineReversed) {
            for (int x = 0; x < lineSize; x++) {
                System.arraycopy(rgb, offset + 3 * x, reversed, 3 * (lineSize - 1 - x), 3);
            }
            values = reversed;
            from = 0;
        }
        if (lineFirst) {
            alongRow(values, from, line, job.background, filtered, 0);
            values = filtered;
            from = 0;
        }
        for (int target = firstTarget[at]; target < endTarget[at]; target++) {
            int[] sum = sum(target);
            int weight = feed.value[target * feed.room + feed.skip[target] + at - feed.start[target]];
            for (int x = 0; x < sum.length; x++) {
                sum[x] += (values[from + x] & 0xff) * weight;
            }
            if (--missing[target] == 0) {
                finish(target, sum);
            }
        }
    }

    /** The resized part. */
    RgbPixels result() {
        for (int target = 0; target < feed.count(); target++) {
            if (feed.length[target] == 0) {
                finish(target, sum(target)); // Nothing but background.
            } else if (missing[target] != 0) {
                throw new IllegalStateException("Rows are missing");
            }
        }
        return RgbPixels.wrap(job.cut.width(), job.cut.height(), result);
    }

    /** What a target has got so far; at first, the background outside the picture. */
    private int[] sum(int target) {
        int[] sum = sums[target];
        if (sum == null) {
            int[] free = unused.poll();
            sum = free == null ? new int[finished.length] : free;
            sums[target] = sum;
            for (int channel = 0; channel < 3; channel++) {
                int plain = HALF + (job.background[channel] & 0xff) * feed.outside[target];
                for (int x = channel; x < sum.length; x += 3) {
                    sum[x] = plain;
                }
            }
        }
        return sum;
    }

    private void finish(int target, int[] sum) {
        byte[] bytes = finished;
        for (int x = 0; x < sum.length; x++) {
            bytes[x] = toByte(sum[x]);
        }
        sums[target] = null;
        unused.push(sum);
        if (!lineFirst) {
            alongRow(bytes, 0, line, job.background, filtered, 0);
            bytes = filtered;
        }
        if (!swapsSides) {
            System.arraycopy(bytes, 0, result, target * bytes.length, bytes.length);
            return;
        }
        for (int i = 0; i < line.count(); i++) {
            System.arraycopy(bytes, 3 * i, result, 3 * (i * job.cut.width() + target), 3);
        }
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
    }
}
