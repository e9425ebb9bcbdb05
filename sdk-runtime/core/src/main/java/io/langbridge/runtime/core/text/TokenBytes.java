package io.langbridge.runtime.core.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Which bytes of text a token stands for, according to the {@code decoder} of {@code tokenizer.json}. */
final class TokenBytes {
    private final List<UnaryOperator<String>> replacements = new ArrayList<>();
    private boolean byteLevel;
    private boolean byteFallback;
    /** Whether all tokens have become one, so that what follows sees the ends of the text only. */
    private boolean fused;

    private boolean concatenates = true;
    private boolean dropsFirstBlank;

    private TokenBytes() {}

    /** @param decoder one that {@link Decoder} has accepted */
    static TokenBytes of(Part decoder) {
        TokenBytes rule = new TokenBytes();
        if (decoder.isNull()) {
            rule.concatenates = false; // blanks come between them
        } else {
            rule.read(decoder);
        }
        return rule;
    }

    private void read(Part decoder) {
        switch (decoder.part("type").text()) {
            case "Sequence" -> decoder.part("decoders").parts().forEach(this::read);
            case "ByteLevel" -> {
                byteLevel = true;
                fused = true;
            }
            case "ByteFallback" -> byteFallback = true;
            case "Metaspace" -> {
                String block = decoder.part("replacement").text();
                replacements.add(token -> token.replace(block, " "));
                dropsFirstBlank |= PreTokenizer.Scheme.of(decoder) != PreTokenizer.Scheme.NEVER;
            }
            case "Replace" -> {
                String wanted = decoder.part("pattern").part("String").textOr("");
                String content = decoder.part("content").text();
                // A pattern may look at what is around a token, which has nothing around it here.
                replacements.add(token -> wanted.isEmpty() ? token : token.replace(wanted, content));
                concatenates &= !wanted.isEmpty();
            }
            case "Fuse" -> fused = true;
            case "Strip" -> {
                int start = decoder.part("start").integer(Integer.MAX_VALUE);
                int stop = decoder.part("stop").integer(Integer.MAX_VALUE);
                boolean first = fused && decoder.part("content").character() == ' ' && start == 1 && stop == 0;
                concatenates &= first || start == 0 && stop == 0;
                dropsFirstBlank |= first;
            }
            default -> concatenates = false; // speaks of tokens in a row
        }
    }

    byte[] of(String token) {
        if (byteLevel) {
            return byteLevel(token);
        }
        Byte single = byteFallback ? fallbackByte(token) : null;
        if (single != null) {
            return new byte[] {single};
        }
        String text = token;
        for (UnaryOperator<String> replacement : replacements) {
            text = replacement.apply(text);
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Whether a text is the bytes of its tokens one behind the other, but for a blank in front. */
    boolean concatenates() {
        return concatenates;
    }

    /** Whether a blank in front of a text is not part of it. */
    boolean dropsFirstBlank() {
        return dropsFirstBlank;
    }

    Spelling spelling() {
        return byteLevel ? Spelling.BYTE_LEVEL : Spelling.PIECES;
    }

    /** Whether a token stands for a byte that no other token covers; the tokenizer uses it only then. */
    boolean isFallback(String token) {
        return byteFallback && fallbackByte(token) != null;
    }

    /** The byte of {@code <0xNN>}, or null. */
    static @Nullable Byte fallbackByte(String token) {
        if (token.length() == 6 && token.startsWith("<0x") && token.endsWith(">")) {
            int high = Character.digit(token.charAt(3), 16);
            int low = Character.digit(token.charAt(4), 16);
            if (high >= 0 && low >= 0) {
                return (byte) (high * 16 + low);
            }
        }
        return null;
    }

    static byte[] byteLevel(String token) {
        byte[] bytes = new byte[token.length()];
        for (int i = 0; i < bytes.length; i++) {
            int b = ByteLevel.byteOf(token.charAt(i));
            if (b < 0) {
                // An added token written in plain text, not in the byte-level alphabet.
                return token.getBytes(StandardCharsets.UTF_8);
            }
            bytes[i] = (byte) b;
        }
        return bytes;
    }
}
