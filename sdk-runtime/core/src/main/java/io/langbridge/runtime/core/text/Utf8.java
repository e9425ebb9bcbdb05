package io.langbridge.runtime.core.text;

/** UTF-8 without a {@code String} or a {@code byte[]} for each character. */
final class Utf8 {
    private Utf8() {}

    /** The length of the well-formed character at {@code at}, 0 if there is none before {@code end}. */
    static int characterAt(byte[] bytes, int at, int end) {
        int first = bytes[at] & 0xFF;
        if (first < 0x80) {
            return 1;
        }
        int length = first >= 0xC2 && first <= 0xDF ? 2 : first >= 0xE0 && first <= 0xEF ? 3 : 4;
        if (first < 0xC2 || first > 0xF4 || at + length > end) {
            return 0;
        }
        int second = bytes[at + 1] & 0xFF;
        // No overlong forms, no surrogates, nothing above U+10FFFF.
        int lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        int highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (second < lowest || second > highest) {
            return 0;
        }
        for (int i = 2; i < length; i++) {
            if ((bytes[at + i] & 0xC0) != 0x80) {
                return 0;
            }
        }
        return length;
    }

    /** Whether a run of bytes is well formed. */
    static boolean isWellFormed(byte[] bytes, int length) {
        int at = 0;
        while (at < length) {
            int character = characterAt(bytes, at, length);
            if (character == 0) {
                return false;
            }
            at += character;
        }
        return true;
    }

    /** Writes a character, at most 4 bytes, and returns how many. */
    static int write(int codePoint, byte[] to, int at) {
        if (codePoint < 0x80) {
            to[at] = (byte) codePoint;
            return 1;
        }
        if (codePoint < 0x800) {
            to[at] = (byte) (0xC0 | codePoint >> 6);
            to[at + 1] = (byte) (0x80 | codePoint & 0x3F);
            return 2;
        }
        if (codePoint < 0x10000) {
            to[at] = (byte) (0xE0 | codePoint >> 12);
            to[at + 1] = (byte) (0x80 | codePoint >> 6 & 0x3F);
            to[at + 2] = (byte) (0x80 | codePoint & 0x3F);
            return 3;
        }
        to[at] = (byte) (0xF0 | codePoint >> 18);
        to[at + 1] = (byte) (0x80 | codePoint >> 12 & 0x3F);
        to[at + 2] = (byte) (0x80 | codePoint >> 6 & 0x3F);
        to[at + 3] = (byte) (0x80 | codePoint & 0x3F);
        return 4;
    }
}
