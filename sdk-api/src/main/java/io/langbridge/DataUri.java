package io.langbridge;

import io.langbridge.spi.ImageMemory;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;

/** The bytes in a {@code data:} URI (RFC 2397), read as leniently as browsers do. */
final class DataUri {
    private static final String SCHEME = "data:";
    private static final int SHOWN = 40;
    private static final int LONGEST_END = 100;

    private DataUri() {}

    static byte[] bytes(String uri, ImageLimits limits) {
        int start = 0;
        while (start < uri.length() && uri.charAt(start) <= ' ') {
            start++;
        }
        if (!uri.regionMatches(true, start, SCHEME, 0, SCHEME.length())) {
            throw new ImageException("The text " + shown(uri) + " is no data URI, which starts with \"data:\"; fetch an"
                    + " address with java.net.http.HttpClient and give the body to Image.of, decode plain Base64 with"
                    + " java.util.Base64");
        }
        int comma = uri.indexOf(',', start);
        if (comma < 0) {
            throw new ImageException(
                    "The data URI " + shown(uri) + " has no comma between its media type and its data; give all of it");
        }
        // Its end says how the data are written; all of it can be as long as they are.
        String head = uri.substring(Math.max(start + SCHEME.length(), comma - LONGEST_END), comma)
                .replace(" ", "")
                .toLowerCase(Locale.ROOT);
        boolean base64 = head.endsWith(";base64") || head.equals("base64");
        // What the data have at least: a character is three quarters of a byte, and may be written with three of them.
        long least = (uri.length() - comma) / (base64 ? 4L : 3L);
        if (least > limits.maxFileBytes()) {
            limits.checkFileBytes(least, "The data URI " + shown(uri));
        }
        // Both what was percent-encoded and what comes of it are there for a moment.
        byte[] bytes = ImageMemory.within(2L * (uri.length() - comma), "The data URI " + shown(uri), () -> {
            byte[] data = percentDecoded(uri, comma + 1, base64);
            return base64 ? base64Decoded(data, uri) : data;
        });
        limits.checkFileBytes(bytes.length, "The data URI " + shown(uri));
        return bytes;
    }

    /** Without white space if what comes out is Base64, which is often broken into lines. */
    private static byte[] percentDecoded(String uri, int from, boolean base64) {
        byte[] bytes = new byte[uri.length() - from];
        int count = 0;
        for (int i = from; i < uri.length(); i++) {
            int c = uri.charAt(i);
            int high = c == '%' && i + 2 < uri.length() ? Character.digit(uri.charAt(i + 1), 16) : -1;
            int low = high >= 0 ? Character.digit(uri.charAt(i + 2), 16) : -1;
            if (low >= 0) {
                c = high << 4 | low;
                i += 2;
            } else if (c > 0x7F) {
                throw new ImageException("The data URI " + shown(uri) + " has a character at position " + i
                        + " that is not ASCII; encode the data with Base64");
            }
            if (!base64 || c > ' ') {
                bytes[count++] = (byte) c;
            }
        }
        return count == bytes.length ? bytes : Arrays.copyOf(bytes, count);
    }

    private static byte[] base64Decoded(byte[] data, String uri) {
        for (int i = 0; i < data.length; i++) {
            data[i] = data[i] == '-' ? (byte) '+' : data[i] == '_' ? (byte) '/' : data[i];
        }
        try {
            return Base64.getDecoder().decode(data);
        } catch (IllegalArgumentException e) {
            throw new ImageException(
                    "The data URI " + shown(uri) + " has damaged Base64 (" + e.getMessage() + "); give all of it", e);
        }
    }

    /** The beginning alone: the rest is long, and perhaps private. */
    private static String shown(String uri) {
        StringBuilder text = new StringBuilder("\"");
        for (int i = 0; i < Math.min(SHOWN, uri.length()); i++) {
            char c = uri.charAt(i);
            text.append(c >= ' ' && c < 0x7F ? c : '?');
        }
        return text.append(uri.length() > SHOWN ? "...\"" : "\"").toString();
    }
}
