package io.langbridge.benchmarks;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.List;

/**
 * A byte-level BPE tokenizer as large as a real one: all bytes, then every pair, triple and longer run of letters until
 * the vocabulary is full. Its words are no language's, its size and its work are those of one.
 */
final class RandomTokenizer {
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz";
    /** How byte-level tokenizers write the space. */
    private static final char SPACE = '\u0120';

    private static final String TEMPLATE = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' +"
            + " message['content'] + '<|im_end|>\\n' }}{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private final int size;
    private final int startId;
    private final int endId;

    /** Tokens below both ids are text, those from the smaller to the larger one are special. */
    RandomTokenizer(int bosId, int eosId) {
        size = Math.min(bosId, eosId);
        startId = bosId;
        endId = eosId;
    }

    /** The first {@code count} tokens, by id; the same whatever the count. */
    static List<String> tokens(int count) {
        List<String> tokens = new ArrayList<>(count);
        merges(count, tokens, new JsonArray());
        return tokens;
    }

    private static void merges(int count, List<String> tokens, JsonArray merges) {
        for (int b = 0; b < 256 && tokens.size() < count; b++) {
            tokens.add(String.valueOf(character(b)));
        }
        List<String> shorter = new ArrayList<>(List.of(String.valueOf(SPACE)));
        LETTERS.chars().forEach(c -> shorter.add(String.valueOf((char) c)));
        for (int i = 0; tokens.size() < count; i++) {
            String begin = shorter.get(i);
            for (int c = 0; c < LETTERS.length() && tokens.size() < count; c++) {
                String end = LETTERS.substring(c, c + 1);
                tokens.add(begin + end);
                shorter.add(begin + end);
                merges.add(begin + " " + end);
            }
        }
    }

    /** The published mapping: bytes that can be shown stand for themselves, the others follow from U+0100 on. */
    private static char character(int wanted) {
        int next = 0x100;
        for (int b = 0; b <= wanted; b++) {
            boolean shown = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            if (b == wanted) {
                return (char) (shown ? b : next);
            }
            next += shown ? 0 : 1;
        }
        throw new IllegalArgumentException("Not a byte: " + wanted);
    }

    /** {@code tokenizer.json}. */
    JsonElement file() {
        List<String> tokens = new ArrayList<>(size);
        JsonArray merges = new JsonArray();
        merges(size, tokens, merges);
        JsonObject vocabulary = new JsonObject();
        for (int id = 0; id < size; id++) {
            vocabulary.addProperty(tokens.get(id), id);
        }
        JsonObject model = new JsonObject();
        model.addProperty("type", "BPE");
        model.addProperty("byte_fallback", false);
        model.addProperty("ignore_merges", false);
        model.add("vocab", vocabulary);
        model.add("merges", merges);
        JsonArray added = new JsonArray();
        for (int id = size; id <= Math.max(startId, endId); id++) {
            added.add(special(id));
        }
        JsonObject file = JsonParser.parseString("""
                {"version": "1.0", "truncation": null, "padding": null, "normalizer": null,
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                  "use_regex": true},
                 "post_processor": null,
                 "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}}
                """).getAsJsonObject();
        file.add("added_tokens", added);
        file.add("model", model);
        return file;
    }

    private JsonObject special(int id) {
        JsonObject token = new JsonObject();
        token.addProperty("id", id);
        token.addProperty("content", id == startId ? "<|im_start|>" : id == endId ? "<|im_end|>" : "<|" + id + "|>");
        for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
            token.addProperty(flag, false);
        }
        token.addProperty("special", true);
        return token;
    }

    /** {@code tokenizer_config.json}. */
    JsonElement config() {
        JsonObject config = new JsonObject();
        config.addProperty("tokenizer_class", "PreTrainedTokenizerFast");
        config.addProperty("eos_token", "<|im_end|>");
        config.addProperty("chat_template", TEMPLATE);
        return config;
    }
}
