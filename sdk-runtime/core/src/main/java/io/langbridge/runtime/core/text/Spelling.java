package io.langbridge.runtime.core.text;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * How a vocabulary writes the bytes that its tokens stand for.
 *
 * @since 0.1
 */
public enum Spelling {
    /** One character for each byte, U+0120 for the space: GPT-2, Qwen, Llama 3. */
    BYTE_LEVEL,
    /** Text with U+2581 for the space, and {@code <0x0A>} for a single byte: SentencePiece, Llama 2, Mistral. */
    PIECES;

    private static final String BLOCK = "\u2581";
    private static final String SPACE_BYTE = "\u0120";

    /**
     * Tells the spelling of tokens by how they write the space.
     *
     * @param tokens some or all of a vocabulary
     * @return null if none has a space, so that both spellings write them alike
     */
    public static @Nullable Spelling of(Collection<String> tokens) {
        Spelling found = null;
        for (String token : tokens) {
            if (token.contains(BLOCK)) {
                return PIECES; // byte level never writes this character, pieces may contain U+0120 as a letter
            }
            if (token.contains(SPACE_BYTE)) {
                found = BYTE_LEVEL;
            }
        }
        return found;
    }

    /**
     * The bytes of text that a token stands for.
     *
     * @param token as the vocabulary writes it
     * @return they may begin or end inside a UTF-8 character
     */
    public byte[] bytesOf(String token) {
        if (this == BYTE_LEVEL) {
            return TokenBytes.byteLevel(token);
        }
        Byte single = TokenBytes.fallbackByte(token);
        return single != null ? new byte[] {single} : token.replace(BLOCK, " ").getBytes(StandardCharsets.UTF_8);
    }
}
