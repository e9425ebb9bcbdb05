package io.langbridge.contract;

import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** Shared vocabularies: built from token counts and the ids of every language model, equal to the stored lists. */
final class VocabularyCases {
    private VocabularyCases() {}

    /** {@code base.json} and {@code <N>_<model>.json}, with the tokenizers in the folders beside. */
    static void checkShared(Check check) {
        int size = check.json().integer("N");
        Path counts = check.folder().resolve("base.json");
        check.same("entries of the counts", counts(counts).size(), check.json().integer("entries_base"));
        SharedVocabulary.Builder builder =
                SharedVocabulary.builder().counts(counts).size(size);
        Map<String, SharedVocabulary> expected = new TreeMap<>();
        Map<String, Tokenizer> tokenizers = tokenizers(check);
        for (Path file : list(check.folder())) {
            if (String.valueOf(file.getFileName()).startsWith(size + "_")) {
                SharedVocabulary stored = SharedVocabulary.read(file);
                String tokenizer = tokenizers.keySet().stream()
                        .filter(name -> knows(Objects.requireNonNull(tokenizers.get(name)), stored))
                        .findFirst()
                        .orElseThrow(() -> new AssertionError("No tokenizer has the ids of " + file));
                expected.put(tokenizer, stored);
                builder.tokenizer(
                        tokenizer,
                        Objects.requireNonNull(tokenizers.get(tokenizer)).vocabulary());
            }
        }
        compare(check, builder.build(), expected, check.json().integer("tokens_with_equal_id_in_both"));
        expected.forEach((tokenizer, vocabulary) -> expected.values()
                .forEach(other -> check.same(
                        "transfer to " + tokenizer,
                        other.forTokenizer(Objects.requireNonNull(tokenizers.get(tokenizer)))
                                .complete(),
                        vocabulary)));
    }

    /** The published files. */
    static void check(Check check) {
        Entry json = check.json();
        Entry files = json.object("files");
        files.describeAll();
        Map<String, Entry> published = new LinkedHashMap<>();
        for (Entry entry : json.objects("published_files")) {
            entry.describeAll();
            published.put(entry.text("file") + ".gz", entry);
        }
        Path base = files.keys().stream()
                .filter(name -> !published.containsKey(name))
                .map(check.folder()::resolve)
                .findFirst()
                .orElseThrow();
        Map<String, Long> counts = counts(base);
        checkCounts(check, json.object("base"), counts);
        Map<String, SharedVocabulary> expected = new TreeMap<>();
        SharedVocabulary.Builder builder = SharedVocabulary.builder().counts(base);
        for (String name : files.keys()) {
            Entry entry = published.get(name);
            if (entry != null) {
                SharedVocabulary stored = SharedVocabulary.read(check.folder().resolve(name));
                check.same("entries of " + name, stored.size(), entry.integer("entries"));
                check.same("smallest id", Arrays.stream(stored.ids()).min().getAsInt(), entry.integer("smallest_id"));
                check.same("largest id", Arrays.stream(stored.ids()).max().getAsInt(), entry.integer("largest_id"));
                expected.put(entry.text("llm"), stored);
                builder.tokenizer(entry.text("llm"), ids(stored)).size(stored.size());
            }
        }
        compare(check, builder.build(), expected, json.integer("entries_with_equal_id_in_both"));
        for (Entry sample : json.objects("sample")) {
            int index = sample.integer("index");
            String token = sample.text("token");
            check.same("count of " + token, counts.get(token), (long) sample.integer("count"));
            expected.forEach((llm, vocabulary) -> {
                check.same("token " + index, vocabulary.tokens().get(index), token);
                check.same(llm + " id of " + token, vocabulary.ids()[index], sample.integer(llm));
            });
        }
    }

    private static void checkCounts(Check check, Entry base, Map<String, Long> counts) {
        List<Long> values = new ArrayList<>(counts.values());
        check.same("entries", values.size(), base.integer("entries"));
        check.same("largest count", values.get(0), (long) base.integer("largest"));
        check.same("smallest count", values.get(values.size() - 1), (long) base.integer("smallest"));
        boolean descending = true;
        for (int i = 1; i < values.size(); i++) {
            descending &= values.get(i) <= values.get(i - 1);
        }
        check.same("counts descend", descending, base.isTrue("counts_descending"));
    }

    private static void compare(
            Check check, Map<String, SharedVocabulary> built, Map<String, SharedVocabulary> expected, int equalIds) {
        check.same("names", new TreeMap<>(built).keySet(), expected.keySet());
        expected.forEach((name, vocabulary) -> {
            SharedVocabulary actual = Objects.requireNonNull(built.get(name));
            check.same("tokens of " + name, actual.tokens(), vocabulary.tokens());
            check.same("ids of " + name, actual.ids(), vocabulary.ids());
        });
        List<int[]> ids = expected.values().stream().map(SharedVocabulary::ids).toList();
        int equal = 0;
        for (int i = 0; i < ids.get(0).length; i++) {
            int at = i;
            equal += ids.stream().allMatch(each -> each[at] == ids.get(0)[at]) ? 1 : 0;
        }
        check.same("tokens with equal ids", equal, equalIds);
    }

    private static boolean knows(Tokenizer tokenizer, SharedVocabulary vocabulary) {
        for (int i = 0; i < vocabulary.size(); i++) {
            Integer id = tokenizer.idOf(vocabulary.tokens().get(i));
            if (id == null || id != vocabulary.ids()[i]) {
                return false;
            }
        }
        return true;
    }

    private static Map<String, Tokenizer> tokenizers(Check check) {
        Map<String, Tokenizer> tokenizers = new TreeMap<>();
        for (Path folder : list(Objects.requireNonNull(check.folder().getParent()))) {
            if (Files.exists(folder.resolve("tokenizer.json"))) {
                tokenizers.put(String.valueOf(folder.getFileName()), Tokenizer.of(folder));
            }
        }
        return tokenizers;
    }

    private static Map<String, Integer> ids(SharedVocabulary vocabulary) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        int[] values = vocabulary.ids();
        for (int i = 0; i < values.length; i++) {
            ids.put(vocabulary.tokens().get(i), values[i]);
        }
        return ids;
    }

    private static Map<String, Long> counts(Path file) {
        boolean packed = file.toString().endsWith(".gz");
        try (InputStream in = Files.newInputStream(file);
                InputStream plain = packed ? new GZIPInputStream(in) : in) {
            String text = new String(plain.readAllBytes(), StandardCharsets.UTF_8);
            Map<String, Long> counts = new LinkedHashMap<>();
            com.google.gson.JsonParser.parseString(text)
                    .getAsJsonObject()
                    .entrySet()
                    .forEach(
                            entry -> counts.put(entry.getKey(), entry.getValue().getAsLong()));
            return counts;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> list(Path folder) {
        try (Stream<Path> list = Files.list(folder)) {
            return list.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
