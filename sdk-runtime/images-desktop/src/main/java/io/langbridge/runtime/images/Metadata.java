package io.langbridge.runtime.images;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How a picture must be turned, from the EXIF and XMP blocks beside it. EXIF wins, and damage is ignored, as the
 * reference does: a picture is not refused for its metadata.
 */
final class Metadata {
    static final int UPRIGHT = 1;

    private static final int ORIENTATION = 0x112;
    private static final Pattern XMP_ORIENTATION = Pattern.compile("tiff:Orientation(?:=\"|>)([0-9])");
    private static final String EXIF_ID = "Exif\0\0";

    private Metadata() {}

    /**
     * The orientation.
     *
     * @param exif a TIFF file, perhaps behind {@code Exif\0\0}
     * @param xmp XML
     * @return 1 to 8
     */
    static int orientation(byte @Nullable [] exif, byte @Nullable [] xmp) {
        if (exif != null) {
            int from = 0;
            while (startsWith(exif, from, EXIF_ID)) {
                from += EXIF_ID.length();
            }
            if (from < exif.length) {
                TiffDirectory directory = TiffDirectory.of(
                        ByteBuffer.wrap(exif, from, exif.length - from).slice());
                if (directory == null) {
                    return UPRIGHT;
                }
                if (directory.has(ORIENTATION)) {
                    return upright(directory.number(ORIENTATION, UPRIGHT));
                }
            }
        }
        return inXmp(xmp);
    }

    /** The orientation of a TIFF file, whose own directory stands for the EXIF block. */
    static int orientation(TiffDirectory directory, byte @Nullable [] xmp) {
        return directory.has(ORIENTATION) ? upright(directory.number(ORIENTATION, UPRIGHT)) : inXmp(xmp);
    }

    private static int inXmp(byte @Nullable [] xmp) {
        if (xmp == null) {
            return UPRIGHT;
        }
        Matcher matcher = XMP_ORIENTATION.matcher(new String(xmp, StandardCharsets.ISO_8859_1));
        return matcher.find() ? upright(matcher.group(1).charAt(0) - '0') : UPRIGHT;
    }

    private static int upright(long value) {
        return value >= 1 && value <= 8 ? (int) value : UPRIGHT;
    }

    static boolean startsWith(byte[] bytes, int at, String text) {
        if (at < 0 || at > bytes.length - text.length()) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (bytes[at + i] != (byte) text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    static ByteBuffer bigEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.BIG_ENDIAN);
    }

    static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
