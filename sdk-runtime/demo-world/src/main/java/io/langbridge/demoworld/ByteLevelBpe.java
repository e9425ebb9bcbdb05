package io.langbridge.demoworld;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Learns a byte-level BPE tokenizer, as GPT-2, Qwen and Llama 3 have it: bytes are the first tokens, and the pair that
 * occurs most often in the words of a text becomes the next one.
 */
final class ByteLevelBpe {
    private final Pattern words;
    private final List<String> vocabulary = new ArrayList<>();
    private final List<String[]> merges = new ArrayList<>();

    private record Pair(String left, String right) {}

    /**
     * Learns.
     *
     * @param words what texts are cut into first
     * @param minimum how often a pair must occur to become a token
     */
    ByteLevelBpe(String words, Iterable<String> texts, int minimum) {
        this.words = Pattern.compile(words);
        for (int i = 0; i < 256; i++) {
            vocabulary.add(String.valueOf(character(i)));
        }
        vocabulary.sort(Comparator.naturalOrder());
        learn(count(texts), minimum);
    }

    private Map<String, Integer> count(Iterable<String> texts) {
        Map<String, Integer> counts = new TreeMap<>();
        for (String text : texts) {
            Matcher matcher = words.matcher(text);
            while (matcher.find()) {
                StringBuilder word = new StringBuilder();
                for (byte b : matcher.group().getBytes(StandardCharsets.UTF_8)) {
                    word.append(character(b & 0xff));
                }
                counts.merge(word.toString(), 1, Integer::sum);
            }
        }
        return counts;
    }

    private void learn(Map<String, Integer> counts, int minimum) {
        Map<List<String>, Integer> pieces = new LinkedHashMap<>();
        counts.forEach((word, count) -> pieces.put(new ArrayList<>(List.of(word.split("", -1))), count));
        // Splitting at "" leaves an empty piece at the end.
        pieces.keySet().forEach(word -> word.removeIf(String::isEmpty));
        List<Map.Entry<List<String>, Integer>> all = new ArrayList<>(pieces.entrySet());
        while (true) {
            Map<Pair, Integer> pairs = new HashMap<>();
            for (Map.Entry<List<String>, Integer> word : all) {
                for (int i = 1; i < word.getKey().size(); i++) {
                    pairs.merge(
                            new Pair(word.getKey().get(i - 1), word.getKey().get(i)), word.getValue(), Integer::sum);
                }
            }
            Pair best = pairs.entrySet().stream()
                    .filter(entry -> entry.getValue() >= minimum)
                    .max(Comparator.<Map.Entry<Pair, Integer>>comparingInt(Map.Entry::getValue)
                            .thenComparing(entry -> entry.getKey().left())
                            .thenComparing(entry -> entry.getKey().right()))
                    .map(Map.Entry::getKey)
                    .orElse(null);
            if (best == null) {
                return;
            }
            merges.add(new String[] {best.left(), best.right()});
            String token = best.left() + best.right();
            if (!vocabulary.contains(token)) {
                vocabulary.add(token);
            }
            all.forEach(word -> merge(word.getKey(), best, token));
        }
    }

    private static void merge(List<String> word, Pair pair, String token) {
        for (int i = 1; i < word.size(); i++) {
            if (word.get(i - 1).equals(pair.left()) && word.get(i).equals(pair.right())) {
                word.set(i - 1, token);
                word.remove(i);
            }
        }
    }

    /** GPT-2's way to write any byte as a visible character. */
    private static char character(int b) {
        boolean visible = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
        if (visible) {
            return (char) b;
        }
        int before = b <= ' ' ? b : b <= 0xa0 ? b - 0x7f + 33 : 67;
        return (char) (256 + before);
    }

    /** How many tokens there are without special ones. */
    int size() {
        return vocabulary.size();
    }

    /**
     * {@return a Hugging Face {@code tokenizer.json}}
     *
     * @param special their ids follow those of the other tokens
     */
    JsonObject json(List<String> special) {
        JsonObject vocab = new JsonObject();
        for (int i = 0; i < vocabulary.size(); i++) {
            vocab.addProperty(vocabulary.get(i), i);
        }
        JsonArray merged = new JsonArray();
        merges.forEach(pair -> merged.add(pair[0] + " " + pair[1]));
        JsonObject model = object("type", "BPE");
        model.addProperty("byte_fallback", false);
        model.addProperty("ignore_merges", false);
        model.add("vocab", vocab);
        model.add("merges", merged);

        JsonObject pattern = new JsonObject();
        pattern.addProperty("Regex", words.pattern());
        JsonObject split = object("type", "Split");
        split.add("pattern", pattern);
        split.addProperty("behavior", "Isolated");
        split.addProperty("invert", false);
        JsonArray steps = new JsonArray();
        steps.add(split);
        steps.add(byteLevel());
        JsonObject preTokenizer = object("type", "Sequence");
        preTokenizer.add("pretokenizers", steps);

        JsonArray added = new JsonArray();
        for (int i = 0; i < special.size(); i++) {
            JsonObject token = new JsonObject();
            token.addProperty("id", vocabulary.size() + i);
            token.addProperty("content", special.get(i));
            for (String property : new String[] {"single_word", "lstrip", "rstrip", "normalized"}) {
                token.addProperty(property, false);
            }
            token.addProperty("special", true);
            added.add(token);
        }
        JsonObject json = object("version", "1.0");
        json.add("added_tokens", added);
        json.add("pre_tokenizer", preTokenizer);
        json.add("decoder", byteLevel());
        json.add("model", model);
        return json;
    }

    private static JsonObject byteLevel() {
        JsonObject byteLevel = object("type", "ByteLevel");
        byteLevel.addProperty("add_prefix_space", false);
        byteLevel.addProperty("trim_offsets", true);
        byteLevel.addProperty("use_regex", false);
        return byteLevel;
    }

    private static JsonObject object(String key, String value) {
        JsonObject object = new JsonObject();
        object.addProperty(key, value);
        return object;
    }
}
