package io.langbridge.runtime.images;

import io.langbridge.runtime.images.webp.WebP;
import java.io.IOException;

/** Reads WebP, and turns it upright. */
final class WebPReader {
    private WebPReader() {}

    static void read(byte[] encoded, RowWriter rows) throws IOException {
        WebP file = WebP.open(encoded);
        int width = file.width();
        rows.limits().checkWork((long) width * file.height(), rows.source());
        rows.begin(width, file.height(), Metadata.orientation(file.exif(), file.xmp()));
        byte[] rgb = new byte[3 * width];
        byte[] alpha = new byte[width];
        boolean transparent = rows.wantsAlpha() && file.hasAlpha();
        file.decode(transparent, (y, argb) -> {
            for (int x = 0; x < width; x++) {
                rgb[3 * x] = (byte) (argb[x] >> 16);
                rgb[3 * x + 1] = (byte) (argb[x] >> 8);
                rgb[3 * x + 2] = (byte) argb[x];
                alpha[x] = (byte) (argb[x] >>> 24);
            }
            if (transparent) {
                rows.row(y, rgb, alpha);
            } else {
                rows.row(y, rgb, 0);
            }
        });
    }
}
