package io.langbridge.runtime.core.text;

/**
 * Reads UTF-8 byte by byte. What is not yet certain is held back; malformed bytes become one U+FFFD per maximal
 * subpart, as Unicode recommends.
 */
final class Utf8Decoder {
    private static final char REPLACEMENT = '\uFFFD';

    /** Continuation bytes that still miss, and the range allowed for the next one. */
    private int missing;

    private int lowest;
    private int highest;
    private int codePoint;
    /** ED A0 to ED BF begins a surrogate and is wrong already, but the reference waits for one more byte. */
    private boolean heldSurrogate;

    /** Ends the text: U+FFFD if it ends inside a character. */
    void flush(StringBuilder text) {
        rejectHeldSurrogate(text);
        if (missing > 0) {
            missing = 0;
            text.append(REPLACEMENT);
        }
    }

    private void rejectHeldSurrogate(StringBuilder text) {
        if (heldSurrogate) {
            heldSurrogate = false;
            text.append(REPLACEMENT).append(REPLACEMENT);
        }
    }

    /** Takes a byte, 0 to 255. */
    void accept(int b, StringBuilder text) {
        rejectHeldSurrogate(text);
        if (missing > 0) {
            if (highest == 0x9F && b > highest && b <= 0xBF) {
                missing = 0;
                heldSurrogate = true;
                return;
            }
            if (b >= lowest && b <= highest) {
                codePoint = codePoint << 6 | b & 0x3F;
                lowest = 0x80;
                highest = 0xBF;
                if (--missing == 0) {
                    text.appendCodePoint(codePoint);
                }
                return;
            }
            missing = 0;
            text.append(REPLACEMENT);
        }
        if (b < 0x80) {
            text.append((char) b);
        } else if (b >= 0xC2 && b <= 0xDF) {
            start(1, b & 0x1F, 0x80, 0xBF);
        } else if (b >= 0xE0 && b <= 0xEF) {
            // E0 must not start an overlong form, ED not a surrogate.
            start(2, b & 0x0F, b == 0xE0 ? 0xA0 : 0x80, b == 0xED ? 0x9F : 0xBF);
        } else if (b >= 0xF0 && b <= 0xF4) {
            // F0 must not start an overlong form, F4 nothing above U+10FFFF.
            start(3, b & 0x07, b == 0xF0 ? 0x90 : 0x80, b == 0xF4 ? 0x8F : 0xBF);
        } else {
            text.append(REPLACEMENT);
        }
    }

    private void start(int missingBytes, int bits, int lowestNext, int highestNext) {
        missing = missingBytes;
        codePoint = bits;
        lowest = lowestNext;
        highest = highestNext;
    }
}
