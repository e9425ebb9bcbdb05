package io.langbridge.runtime.images.webp;

import java.util.Arrays;

/** Predicts samples from those above and to the left: section 12 of RFC 6386. */
final class Prediction {
    static final int DC = 0;
    static final int TRUE_MOTION = 1;
    static final int VERTICAL = 2;
    static final int HORIZONTAL = 3;
    // These are for subblocks only.
    static final int LEFT_DOWN = 4;
    static final int RIGHT_DOWN = 5;
    static final int VERTICAL_RIGHT = 6;
    static final int VERTICAL_LEFT = 7;
    static final int HORIZONTAL_DOWN = 8;
    static final int HORIZONTAL_UP = 9;

    private static final int NOTHING_AROUND = 128;
    /** In {@link #edge}: the samples to the left from the bottom, the corner, and eight above. */
    private static final int CORNER = 4;

    private static final int ABOVE = 5;

    private final int[] edge = new int[13];
    private final int[] line = new int[10];

    /**
     * A whole macroblock.
     *
     * @param above whether there are macroblocks above
     * @param left whether there is a macroblock to the left
     */
    static void macroblock(Plane plane, int at, int mode, boolean above, boolean left) {
        byte[] samples = plane.unfiltered;
        int side = plane.side;
        int stride = plane.stride;
        switch (mode) {
            case DC -> {
                byte mean = (byte) mean(plane, at, above, left);
                for (int row = at; row < at + side * stride; row += stride) {
                    Arrays.fill(samples, row, row + side, mean);
                }
            }
            case VERTICAL -> {
                for (int row = at; row < at + side * stride; row += stride) {
                    System.arraycopy(samples, at - stride, samples, row, side);
                }
            }
            case HORIZONTAL -> {
                for (int row = at; row < at + side * stride; row += stride) {
                    Arrays.fill(samples, row, row + side, samples[row - 1]);
                }
            }
            default -> trueMotion(samples, stride, at, side);
        }
    }

    private static int mean(Plane plane, int at, boolean above, boolean left) {
        byte[] samples = plane.unfiltered;
        int sum = 0;
        int count = 0;
        for (int i = 0; above && i < plane.side; i++, count++) {
            sum += samples[at - plane.stride + i] & 0xff;
        }
        for (int i = 0; left && i < plane.side; i++, count++) {
            sum += samples[at + i * plane.stride - 1] & 0xff;
        }
        return count == 0 ? NOTHING_AROUND : (sum + count / 2) / count;
    }

    private static void trueMotion(byte[] samples, int stride, int at, int side) {
        int above = at - stride;
        int corner = samples[above - 1] & 0xff;
        for (int row = at; row < at + side * stride; row += stride) {
            int difference = (samples[row - 1] & 0xff) - corner;
            for (int x = 0; x < side; x++) {
                samples[row + x] = clamp((samples[above + x] & 0xff) + difference);
            }
        }
    }

    /**
     * A subblock of 4 x 4 samples.
     *
     * @param rightAt where the four samples above to the right are
     */
    void subblock(byte[] samples, int stride, int at, int rightAt, int mode) {
        if (mode == TRUE_MOTION) {
            trueMotion(samples, stride, at, 4);
            return;
        }
        for (int i = 0; i < 4; i++) {
            edge[i] = samples[at + (3 - i) * stride - 1] & 0xff;
            edge[ABOVE + i] = samples[at - stride + i] & 0xff;
            edge[ABOVE + 4 + i] = samples[rightAt + i] & 0xff;
        }
        edge[CORNER] = samples[at - stride - 1] & 0xff;
        // All samples along a line of the mode's slope are alike; the lines are numbered from one corner.
        switch (mode) {
            case DC -> {
                int sum = 4;
                for (int i = 0; i < 4; i++) {
                    sum += edge[i] + edge[ABOVE + i];
                }
                line[0] = sum >> 3;
                draw(samples, stride, at, 0, 0, 0);
            }
            case VERTICAL -> {
                for (int i = 0; i < 4; i++) {
                    line[i] = mean3(ABOVE + i);
                }
                draw(samples, stride, at, 0, 0, 1);
            }
            case HORIZONTAL -> {
                for (int i = 0; i < 3; i++) {
                    line[i] = mean3(3 - i);
                }
                line[3] = mean3(edge[1], edge[0], edge[0]);
                draw(samples, stride, at, 0, 1, 0);
            }
            case LEFT_DOWN -> {
                for (int i = 0; i < 6; i++) {
                    line[i] = mean3(ABOVE + 1 + i);
                }
                line[6] = mean3(edge[ABOVE + 6], edge[ABOVE + 7], edge[ABOVE + 7]);
                draw(samples, stride, at, 0, 1, 1);
            }
            case RIGHT_DOWN -> {
                for (int i = 0; i < 7; i++) {
                    line[i] = mean3(1 + i);
                }
                draw(samples, stride, at, 3, -1, 1);
            }
            case VERTICAL_RIGHT -> {
                line[0] = mean3(2);
                line[1] = mean3(3);
                for (int i = 0; i < 4; i++) {
                    line[2 + 2 * i] = mean3(CORNER + i);
                    line[3 + 2 * i] = mean2(CORNER + i);
                }
                draw(samples, stride, at, 3, -1, 2);
            }
            case VERTICAL_LEFT -> {
                for (int i = 0; i < 4; i++) {
                    line[2 * i] = mean2(ABOVE + i);
                    line[2 * i + 1] = mean3(ABOVE + 1 + i);
                }
                line[8] = mean3(ABOVE + 5);
                line[9] = mean3(ABOVE + 6);
                draw(samples, stride, at, 0, 1, 2);
            }
            case HORIZONTAL_DOWN -> {
                for (int i = 0; i < 4; i++) {
                    line[2 * i] = mean2(i);
                    line[2 * i + 1] = mean3(1 + i);
                }
                line[8] = mean3(ABOVE);
                line[9] = mean3(ABOVE + 1);
                draw(samples, stride, at, 6, -2, 1);
            }
            default -> {
                for (int i = 0; i < 3; i++) {
                    line[2 * i] = mean2(2 - i);
                    line[2 * i + 1] = i < 2 ? mean3(2 - i) : mean3(edge[1], edge[0], edge[0]);
                }
                Arrays.fill(line, 6, 10, edge[0]);
                draw(samples, stride, at, 0, 2, 1);
            }
        }
    }

    private void draw(byte[] samples, int stride, int at, int first, int down, int right) {
        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 4; x++) {
                samples[at + y * stride + x] = (byte) line[first + y * down + x * right];
            }
        }
    }

    private int mean2(int at) {
        return edge[at] + edge[at + 1] + 1 >> 1;
    }

    private int mean3(int at) {
        return mean3(edge[at - 1], edge[at], edge[at + 1]);
    }

    private static int mean3(int before, int middle, int after) {
        return before + 2 * middle + after + 2 >> 2;
    }

    static byte clamp(int sample) {
        return (byte) Math.max(0, Math.min(sample, 255));
    }
}
