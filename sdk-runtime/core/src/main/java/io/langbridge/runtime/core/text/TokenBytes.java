package io.langbridge.runtime.core.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.langbridge.UnsupportedModelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which bytes of text a token stands for, according to the {@code decoder} of {@code tokenizer.json}. */
final class TokenBytes {
    private static final byte[] BYTE_OF_CHAR = new byte[512];
    private static final boolean[] IS_BYTE = new boolean[512];

    static {
        // The byte-level alphabet: printable Latin-1 characters stand for themselves, the others follow from U+0100.
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            int character = printable ? b : next++;
            BYTE_OF_CHAR[character] = (byte) b;
            IS_BYTE[character] = true;
        }
    }

    private final List<String[]> replacements = new ArrayList<>();
    private boolean byteLevel;
    private boolean byteFallback;
    private boolean dropsFirstSpace;

    private TokenBytes() {}

    static TokenBytes of(Path path, JsonElement decoder) {
        TokenBytes rule = new TokenBytes();
        rule.read(path, decoder);
        return rule;
    }

    private void read(Path path, JsonElement element) {
        JsonObject decoder = element.isJsonObject() ? element.getAsJsonObject() : new JsonObject();
        String type = decoder.has("type") ? decoder.get("type").getAsString() : "none";
        switch (type) {
            case "ByteLevel" -> byteLevel = true;
            case "ByteFallback" -> byteFallback = true;
            case "Fuse" -> {}
            case "Strip" ->
                dropsFirstSpace |= decoder.get("content").getAsString().equals(" ")
                        && decoder.get("start").getAsInt() > 0;
            case "Metaspace" -> {
                replacements.add(new String[] {decoder.get("replacement").getAsString(), " "});
                dropsFirstSpace |= decoder.has("prepend_scheme")
                        ? !decoder.get("prepend_scheme").getAsString().equals("never")
                        : !decoder.has("add_prefix_space")
                                || decoder.get("add_prefix_space").getAsBoolean();
            }
            case "Replace" -> {
                JsonElement literal = decoder.getAsJsonObject("pattern").get("String");
                if (literal == null) {
                    throw unsupported(path, "Replace with a regular expression");
                }
                replacements.add(new String[] {
                    literal.getAsString(), decoder.get("content").getAsString()
                });
            }
            case "Sequence" -> {
                JsonArray parts = decoder.getAsJsonArray("decoders");
                for (JsonElement part : parts) {
                    read(path, part);
                }
            }
            default -> throw unsupported(path, type);
        }
    }

    private static UnsupportedModelException unsupported(Path path, String what) {
        return new UnsupportedModelException(path + " has the decoder '" + what + "'. Supported are ByteLevel,"
                + " Metaspace, and Sequence of Replace, ByteFallback, Fuse and Strip.");
    }

    /** Whether the very first space of a decoded text was added by the tokenizer and is left out. */
    boolean dropsFirstSpace() {
        return dropsFirstSpace;
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
        for (String[] replacement : replacements) {
            text = text.replace(replacement[0], replacement[1]);
        }
        return text.getBytes(StandardCharsets.UTF_8);
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
            char c = token.charAt(i);
            if (c >= IS_BYTE.length || !IS_BYTE[c]) {
                // An added token written in plain text, not in the byte-level alphabet.
                return token.getBytes(StandardCharsets.UTF_8);
            }
            bytes[i] = BYTE_OF_CHAR[c];
        }
        return bytes;
    }
}
