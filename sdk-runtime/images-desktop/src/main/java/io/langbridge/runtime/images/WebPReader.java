package io.langbridge.runtime.images;

import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.ImageReader;
import org.jspecify.annotations.Nullable;

/** Reads WebP. */
final class WebPReader {
    private static final int RIFF_HEADER = 12;
    private static final int WEBP_FLAGS = 20;
    private static final int WEBP_ICC_FLAG = 0x20;

    private WebPReader() {}

    static void read(byte[] encoded, RowWriter rows) throws IOException {
        long declared =
                8 + Integer.toUnsignedLong(Metadata.littleEndian(encoded).getInt(4));
        // The reader takes zeros for what is missing.
        if (encoded.length < declared) {
            throw new IOException("it has " + encoded.length + " of " + declared + " bytes");
        }
        ImageReader reader = new WebPImageReaderSpi().createReaderInstance(null);
        try (ByteInput input = new ByteInput(withoutColourProfile(encoded))) {
            reader.setInput(input, false, true);
            rows.limits().checkPixels(reader.getWidth(0), reader.getHeight(0), rows.source());
            BufferedImage image = reader.read(0);
            int orientation = Metadata.orientation(chunk(encoded, "EXIF"), chunk(encoded, "XMP "));
            rows.begin(image.getWidth(), image.getHeight(), orientation);
            byte[] rgb = new byte[3 * image.getWidth()];
            byte[] alpha = new byte[image.getWidth()];
            boolean transparent = rows.wantsAlpha() && image.getColorModel().hasAlpha();
            for (int y = 0; y < image.getHeight(); y++) {
                Rasters.row(image, y, false, rgb);
                if (transparent) {
                    Rasters.alpha(image, y, alpha);
                    rows.row(y, rgb, alpha);
                } else {
                    rows.row(y, rgb, 0);
                }
            }
        } finally {
            reader.dispose();
        }
    }

    /** The reader would convert the colours; it does not if the flag in the header says that there is no profile. */
    private static byte[] withoutColourProfile(byte[] encoded) {
        boolean extended = encoded.length > WEBP_FLAGS && Metadata.startsWith(encoded, RIFF_HEADER, "VP8X");
        if (!extended || (encoded[WEBP_FLAGS] & WEBP_ICC_FLAG) == 0) {
            return encoded;
        }
        byte[] copy = Arrays.copyOf(encoded, encoded.length);
        copy[WEBP_FLAGS] &= ~WEBP_ICC_FLAG;
        return copy;
    }

    private static byte @Nullable [] chunk(byte[] encoded, String name) {
        long at = RIFF_HEADER;
        while (at + 8 <= encoded.length) {
            long length = Integer.toUnsignedLong(Metadata.littleEndian(encoded).getInt((int) at + 4));
            if (at + 8 + length > encoded.length) {
                return null;
            }
            if (Metadata.startsWith(encoded, (int) at, name)) {
                return Arrays.copyOfRange(encoded, (int) at + 8, (int) (at + 8 + length));
            }
            at += 8 + length + (length & 1);
        }
        return null;
    }
}
