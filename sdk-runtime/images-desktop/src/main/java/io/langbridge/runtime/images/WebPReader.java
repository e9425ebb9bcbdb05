package io.langbridge.runtime.images;

import io.langbridge.runtime.images.webp.WebP;
import java.io.IOException;

/** Reads WebP. */
final class WebPReader {
    private WebPReader() {}

    static void read(byte[] encoded, RowWriter rows) throws IOException {
        WebP file = WebP.open(encoded);
        int width = file.width();
        rows.limits().checkPixels(width, file.height(), rows.source());
        rows.limits().checkWork((long) width * file.height(), rows.source());
        int orientation = Metadata.orientation(file.exif(), file.xmp());
        boolean transparent = rows.wantsAlpha() && file.hasAlpha();
        byte[] rgb = new byte[3 * width];
        byte[] alpha = new byte[transparent ? width : 0];
        file.decode(transparent, (y, argb) -> {
            if (y == 0) {
                // Damage shows before the first row more often than not; nothing is reserved until then.
                rows.begin(width, file.height(), orientation);
            }
            for (int x = 0; x < width; x++) {
                rgb[3 * x] = (byte) (argb[x] >> 16);
                rgb[3 * x + 1] = (byte) (argb[x] >> 8);
                rgb[3 * x + 2] = (byte) argb[x];
            }
            if (transparent) {
                for (int x = 0; x < width; x++) {
                    alpha[x] = (byte) (argb[x] >>> 24);
                }
                rows.row(y, rgb, alpha);
            } else {
                rows.row(y, rgb, 0);
            }
        });
    }
}
