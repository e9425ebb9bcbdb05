package io.langbridge.runtime.images.webp;

/**
 * Luma and halved chroma to RGB. A decoder is free here; this is what the reference does, to the last bit: chroma is
 * interpolated with weights 9, 3, 3, 1 that are rounded in two steps, and BT.601 is applied in 14-bit arithmetic.
 */
final class Colours {
    private Colours() {}

    /**
     * One row.
     *
     * @param near where the nearer row of chroma begins
     * @param far where the farther one begins, the same at the upper and lower edge
     */
    static void row(byte[] luma, int at, byte[] u, byte[] v, int near, int far, int width, int[] argb) {
        int un = u[near] & 0xff;
        int vn = v[near] & 0xff;
        int uf = u[far] & 0xff;
        int vf = v[far] & 0xff;
        argb[0] = argb(luma[at] & 0xff, 3 * un + uf + 2 >> 2, 3 * vn + vf + 2 >> 2);
        for (int x = 1, i = 1; x < width; x += 2, i++) {
            if (x + 1 == width) {
                argb[x] = argb(luma[at + x] & 0xff, 3 * un + uf + 2 >> 2, 3 * vn + vf + 2 >> 2);
                break;
            }
            int unNext = u[near + i] & 0xff;
            int vnNext = v[near + i] & 0xff;
            int ufNext = u[far + i] & 0xff;
            int vfNext = v[far + i] & 0xff;
            int uSum = un + unNext + uf + ufNext + 8;
            int vSum = vn + vnNext + vf + vfNext + 8;
            argb[x] = argb(
                    luma[at + x] & 0xff,
                    (uSum + 2 * (unNext + uf) >> 3) + un >> 1,
                    (vSum + 2 * (vnNext + vf) >> 3) + vn >> 1);
            argb[x + 1] = argb(
                    luma[at + x + 1] & 0xff,
                    (uSum + 2 * (un + ufNext) >> 3) + unNext >> 1,
                    (vSum + 2 * (vn + vfNext) >> 3) + vnNext >> 1);
            un = unNext;
            vn = vnNext;
            uf = ufNext;
            vf = vfNext;
        }
    }

    private static int argb(int y, int u, int v) {
        int luma = y * 19077 >> 8;
        int red = luma + (v * 26149 >> 8) - 14234;
        int green = luma - (u * 6419 >> 8) - (v * 13320 >> 8) + 8708;
        int blue = luma + (u * 33050 >> 8) - 17685;
        return 0xff000000 | clamp(red) << 16 | clamp(green) << 8 | clamp(blue);
    }

    private static int clamp(int value) {
        return Math.max(0, Math.min(value >> 6, 255));
    }
}
