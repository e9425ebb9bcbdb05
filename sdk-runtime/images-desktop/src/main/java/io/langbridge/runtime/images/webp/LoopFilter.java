package io.langbridge.runtime.images.webp;

/** Smooths the edges of blocks: section 15 of RFC 6386. */
final class LoopFilter {
    private static final int SUBBLOCK = 4;

    private final boolean simple;
    private final int sharpness;

    LoopFilter(boolean simple, int sharpness) {
        this.simple = simple;
        this.sharpness = sharpness;
    }

    /**
     * Filters the edges to the left, inside, above, and inside again.
     *
     * @param level 1 to 63
     * @param inner whether the edges between subblocks are filtered too
     */
    void macroblock(Plane[] planes, int x, boolean above, int level, boolean inner) {
        int interior = interior(level);
        int edge = 2 * level + interior;
        int variance = level >= 40 ? 2 : level >= 15 ? 1 : 0;
        if (simple) {
            Plane luma = planes[0];
            int at = luma.filteredAt(x);
            simple(luma, at, 1, luma.stride, x > 0, edge, inner);
            simple(luma, at, luma.stride, 1, above, edge, inner);
            return;
        }
        for (Plane plane : planes) {
            int at = plane.filteredAt(x);
            normal(plane, at, 1, plane.stride, x > 0, edge, interior, variance, inner);
            normal(plane, at, plane.stride, 1, above, edge, interior, variance, inner);
        }
    }

    private int interior(int level) {
        if (sharpness == 0) {
            return level;
        }
        return Math.max(1, Math.min(level >> (sharpness > 4 ? 2 : 1), 9 - sharpness));
    }

    /**
     * Edges of one direction.
     *
     * @param across from a sample to the next one across the edges
     * @param along from a sample to the next one along the edges
     */
    private static void simple(Plane plane, int at, int across, int along, boolean outer, int edge, boolean inner) {
        for (int i = outer ? 0 : SUBBLOCK; i < (inner ? plane.side : 1); i += SUBBLOCK) {
            int limit = 2 * (i == 0 ? edge + 4 : edge) + 1;
            int from = at + i * across;
            for (int k = 0; k < plane.side; k++) {
                simple(plane.filtered, from + k * along, across, limit);
            }
        }
    }

    private static void simple(byte[] s, int q, int across, int limit) {
        int p1 = s[q - 2 * across] & 0xff;
        int p0 = s[q - across] & 0xff;
        int q0 = s[q] & 0xff;
        int q1 = s[q + across] & 0xff;
        if (4 * Math.abs(p0 - q0) + Math.abs(p1 - q1) <= limit) {
            int a = 3 * (q0 - p0) + signed(p1 - q1);
            s[q - across] = Prediction.clamp(p0 + eighth(a + 3));
            s[q] = Prediction.clamp(q0 - eighth(a + 4));
        }
    }

    private static void normal(
            Plane plane,
            int at,
            int across,
            int along,
            boolean outer,
            int edge,
            int interior,
            int variance,
            boolean inner) {
        byte[] samples = plane.filtered;
        if (outer) {
            outer(samples, at, across, along, plane.side, 2 * (edge + 4) + 1, interior, variance);
        }
        for (int i = SUBBLOCK; inner && i < plane.side; i += SUBBLOCK) {
            inner(samples, at + i * across, across, along, plane.side, 2 * edge + 1, interior, variance);
        }
    }

    private static void outer(
            byte[] s, int from, int across, int along, int side, int limit, int interior, int variance) {
        for (int k = 0, q = from; k < side; k++, q += along) {
            int p1 = s[q - 2 * across] & 0xff;
            int p0 = s[q - across] & 0xff;
            int q0 = s[q] & 0xff;
            int q1 = s[q + across] & 0xff;
            if (4 * Math.abs(p0 - q0) + Math.abs(p1 - q1) > limit) {
                continue;
            }
            int p3 = s[q - 4 * across] & 0xff;
            int p2 = s[q - 3 * across] & 0xff;
            int q2 = s[q + 2 * across] & 0xff;
            int q3 = s[q + 3 * across] & 0xff;
            if (rough(interior, p3, p2, p1, p0) || rough(interior, q3, q2, q1, q0)) {
                continue;
            }
            int a = 3 * (q0 - p0) + signed(p1 - q1);
            if (Math.abs(p1 - p0) > variance || Math.abs(q1 - q0) > variance) {
                s[q - across] = Prediction.clamp(p0 + eighth(a + 3));
                s[q] = Prediction.clamp(q0 - eighth(a + 4));
            } else {
                int w = signed(a);
                int near = 27 * w + 63 >> 7;
                int middle = 18 * w + 63 >> 7;
                int far = 9 * w + 63 >> 7;
                s[q - 3 * across] = Prediction.clamp(p2 + far);
                s[q - 2 * across] = Prediction.clamp(p1 + middle);
                s[q - across] = Prediction.clamp(p0 + near);
                s[q] = Prediction.clamp(q0 - near);
                s[q + across] = Prediction.clamp(q1 - middle);
                s[q + 2 * across] = Prediction.clamp(q2 - far);
            }
        }
    }

    private static void inner(
            byte[] s, int from, int across, int along, int side, int limit, int interior, int variance) {
        for (int k = 0, q = from; k < side; k++, q += along) {
            int p1 = s[q - 2 * across] & 0xff;
            int p0 = s[q - across] & 0xff;
            int q0 = s[q] & 0xff;
            int q1 = s[q + across] & 0xff;
            if (4 * Math.abs(p0 - q0) + Math.abs(p1 - q1) > limit) {
                continue;
            }
            int p3 = s[q - 4 * across] & 0xff;
            int p2 = s[q - 3 * across] & 0xff;
            int q2 = s[q + 2 * across] & 0xff;
            int q3 = s[q + 3 * across] & 0xff;
            if (rough(interior, p3, p2, p1, p0) || rough(interior, q3, q2, q1, q0)) {
                continue;
            }
            boolean varied = Math.abs(p1 - p0) > variance || Math.abs(q1 - q0) > variance;
            int a = 3 * (q0 - p0) + (varied ? signed(p1 - q1) : 0);
            int down = eighth(a + 4);
            s[q - across] = Prediction.clamp(p0 + eighth(a + 3));
            s[q] = Prediction.clamp(q0 - down);
            if (!varied) {
                int half = down + 1 >> 1;
                s[q - 2 * across] = Prediction.clamp(p1 + half);
                s[q + across] = Prediction.clamp(q1 - half);
            }
        }
    }

    /** Whether samples on one side differ more than blocks do by themselves. */
    private static boolean rough(int interior, int far, int third, int second, int near) {
        return Math.abs(far - third) > interior
                || Math.abs(third - second) > interior
                || Math.abs(second - near) > interior;
    }

    private static int signed(int value) {
        return Math.max(-128, Math.min(value, 127));
    }

    private static int eighth(int value) {
        return Math.max(-16, Math.min(value >> 3, 15));
    }
}
