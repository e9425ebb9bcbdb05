package io.langbridge.runtime.core.text;

/**
 * Turns token ids into text one at a time, as they are generated. A token may end inside a character; what is not yet
 * certain is held back. Malformed bytes become one U+FFFD per maximal subpart, as Unicode recommends. Special tokens
 * produce nothing and do not interrupt the bytes around them.
 *
 * <p>One decoder serves one answer. Not thread-safe; holds no resources.
 *
 * @since 0.1
 */
public final class StreamingDecoder {
    private static final char REPLACEMENT = '\uFFFD';

    private final Tokenizer tokenizer;
    private boolean dropSpace;
    /** Continuation bytes that still miss, and the range allowed for the next one. */
    private int missing;

    private int lowest;
    private int highest;
    private int codePoint;
    /** ED A0 to ED BF begins a surrogate and is wrong already, but the reference waits for one more byte. */
    private boolean heldSurrogate;

    StreamingDecoder(Tokenizer tokenizer, boolean dropsFirstSpace) {
        this.tokenizer = tokenizer;
        this.dropSpace = dropsFirstSpace;
    }

    /**
     * Takes one token.
     *
     * @param id a token id; special tokens and ids the tokenizer does not know add nothing
     * @return the text that is certain now and was not before, often empty
     */
    public String next(int id) {
        if (tokenizer.isSpecial(id)) {
            return "";
        }
        byte[] bytes = tokenizer.bytesOf(id);
        StringBuilder text = new StringBuilder(bytes.length);
        for (byte b : bytes) {
            if (dropSpace) {
                dropSpace = false;
                if (b == ' ') {
                    continue;
                }
            }
            accept(b & 0xFF, text);
        }
        return text.toString();
    }

    /**
     * Ends the text.
     *
     * @return U+FFFD if the bytes so far end inside a character, otherwise the empty string
     */
    public String flush() {
        StringBuilder text = new StringBuilder();
        rejectHeldSurrogate(text);
        if (missing > 0) {
            missing = 0;
            text.append(REPLACEMENT);
        }
        return text.toString();
    }

    private void rejectHeldSurrogate(StringBuilder text) {
        if (heldSurrogate) {
            heldSurrogate = false;
            text.append(REPLACEMENT).append(REPLACEMENT);
        }
    }

    private void accept(int b, StringBuilder text) {
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
