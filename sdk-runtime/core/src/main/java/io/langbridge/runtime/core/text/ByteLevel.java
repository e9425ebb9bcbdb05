package io.langbridge.runtime.core.text;

import java.util.Arrays;

/**
 * The alphabet that GPT-2 writes bytes with: printable Latin-1 characters stand for themselves, the others follow from
 * U+0100.
 */
final class ByteLevel {
    private static final char[] CHAR_OF_BYTE = new char[256];
    private static final short[] BYTE_OF_CHAR = new short[512];

    static {
        Arrays.fill(BYTE_OF_CHAR, (short) -1);
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            CHAR_OF_BYTE[b] = (char) (printable ? b : next++);
            BYTE_OF_CHAR[CHAR_OF_BYTE[b]] = (short) b;
        }
    }

    private ByteLevel() {}

    static char charOf(int b) {
        return CHAR_OF_BYTE[b];
    }

    /** The byte, or -1 for a character that is not of the alphabet. */
    static int byteOf(char c) {
        return c < BYTE_OF_CHAR.length ? BYTE_OF_CHAR[c] : -1;
    }

    static String write(String text, int start, int end) {
        StringBuilder out = new StringBuilder(2 * (end - start));
        byte[] bytes = new byte[4];
        for (int i = start; i < end; ) {
            int c = text.codePointAt(i);
            int length = Utf8.write(c, bytes, 0);
            for (int b = 0; b < length; b++) {
                out.append(CHAR_OF_BYTE[bytes[b] & 0xFF]);
            }
            i += Character.charCount(c);
        }
        return out.toString();
    }
}
