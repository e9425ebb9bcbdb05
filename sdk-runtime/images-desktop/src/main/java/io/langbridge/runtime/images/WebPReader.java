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
        byte[] rgb = new byte[3 * width];
        byte[] alpha = new byte[width];
        file.decode(rows.wantsAlpha(), (y, argb) -> {
            if (y == 0) {
                // Damage shows before the first row more often than not; no memory for the rows is reserved until then.
                rows.begin(width, file.height(), Metadata.orientation(file.exif(), file.xmp()));
            }
            for (int x = 0; x < width; x++) {
                int pixel = argb[x];
                alpha[x] = (byte) (pixel >> 24);
                rgb[3 * x] = (byte) (pixel >> 16);
                rgb[3 * x + 1] = (byte) (pixel >> 8);
                rgb[3 * x + 2] = (byte) pixel;
            }
            rows.row(y, rgb, alpha);
        });
    }
}
