package io.langbridge.runtime.core.vocabulary;

import io.langbridge.runtime.core.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** Finds the tokens of a tokenizer by the bytes of text they stand for. */
final class TextIndex {
    static final int MISSING = -1;
    static final int AMBIGUOUS = -2;

    private final Map<String, Integer> ids = new HashMap<>();

    TextIndex(Tokenizer tokenizer) {
        Map<String, Integer> fallback = new HashMap<>();
        for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            byte[] bytes = tokenizer.bytesOf(id);
            if (bytes.length > 0) {
                (tokenizer.isByteFallback(id) ? fallback : ids).merge(key(bytes), id, (a, b) -> AMBIGUOUS);
            }
        }
        // As the tokenizer itself does: a byte token is used only where no piece covers the byte.
        fallback.forEach(ids::putIfAbsent);
    }

    /** The id, {@link #MISSING} or {@link #AMBIGUOUS}. */
    int idOf(byte[] bytes) {
        return ids.getOrDefault(key(bytes), MISSING);
    }

    private static String key(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
