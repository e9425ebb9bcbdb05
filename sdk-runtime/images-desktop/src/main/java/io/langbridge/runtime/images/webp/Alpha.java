package io.langbridge.runtime.images.webp;

import java.io.IOException;

/** The alpha of a lossy picture: a plane of its own, raw or coded as the green of a lossless one. */
final class Alpha {
    private static final int RAW = 0;
    private static final int LOSSLESS = 1;

    private Alpha() {}

    /** {@return one byte per pixel} */
    static byte[] read(byte[] data, int from, int end, int width, int height) throws IOException {
        if (from == end) {
            throw new IOException("the alpha is empty");
        }
        int method = data[from] & 3;
        int filter = data[from] >> 2 & 3;
        byte[] alpha = new byte[width * height];
        switch (method) {
            case RAW -> {
                if (end - from - 1 < alpha.length) {
                    throw new IOException("the alpha is cut off");
                }
                System.arraycopy(data, from + 1, alpha, 0, alpha.length);
            }
            case LOSSLESS ->
                new Vp8l(data, from + 1, end, width, height).decode((y, row) -> {
                    for (int x = 0; x < width; x++) {
                        alpha[y * width + x] = (byte) (row[x] >> 8);
                    }
                });
            default -> throw new IOException("the alpha is coded in the unknown way " + method);
        }
        if (filter != 0) {
            unfilter(alpha, width, filter);
        }
        return alpha;
    }

    /** Adds what was predicted from the left (1), from above (2), or along the slope of both (3). */
    private static void unfilter(byte[] alpha, int width, int filter) {
        for (int i = 1; i < alpha.length; i++) {
            int left = i % width == 0 ? -1 : alpha[i - 1] & 0xff;
            int above = i < width ? -1 : alpha[i - width] & 0xff;
            int predicted;
            if (above < 0) {
                predicted = left;
            } else if (left < 0 || filter == 2) {
                predicted = above;
            } else if (filter == 1) {
                predicted = left;
            } else {
                predicted = Math.max(0, Math.min(left + above - (alpha[i - width - 1] & 0xff), 255));
            }
            alpha[i] += (byte) predicted;
        }
    }
}
