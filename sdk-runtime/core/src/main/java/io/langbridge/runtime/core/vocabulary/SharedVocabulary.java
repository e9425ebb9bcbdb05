package io.langbridge.runtime.core.vocabulary;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import com.google.gson.stream.JsonWriter;
import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.AtomicWrite;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.text.Spelling;
import io.langbridge.runtime.core.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that a LangBridge adapter speaks in, with their ids in one language model. The order is the order of the
 * adapter's output columns and of the rows of the vocabulary matrix.
 *
 * <p>Attaching the adapter to another language model means looking the same tokens up in that model's tokenizer:
 *
 * <pre>{@code
 * SharedVocabulary trained = SharedVocabulary.read(Path.of("19200_Qwen_sub_llava_share_intersect_llama_qwen.json"));
 * SharedVocabulary llama = trained.forTokenizer(llamaTokenizer).complete();
 * }</pre>
 *
 * Immutable and thread-safe.
 *
 * @since 0.1
 */
public final class SharedVocabulary {
    /** Far above any published vocabulary; ends the reading of a file that is something else. */
    private static final int LONGEST = 1 << 22;

    private final String source;
    private final List<String> tokens;
    private final int[] ids;

    private SharedVocabulary(String source, List<String> tokens, int[] ids) {
        this.source = source;
        this.tokens = Collections.unmodifiableList(new ArrayList<>(tokens));
        this.ids = ids.clone();
        if (ids.length == 0) {
            throw new CheckpointException(source + " holds no tokens; expected an object token -> id.");
        }
        Set<String> knownTokens = new HashSet<>();
        Map<Integer, String> knownIds = new HashMap<>();
        for (int i = 0; i < ids.length; i++) {
            String token = tokens.get(i);
            if (ids[i] < 0) {
                throw new CheckpointException(
                        source + ": the token '" + token + "' has the id " + ids[i] + ", ids start at 0.");
            }
            if (!knownTokens.add(token)) {
                throw new CheckpointException(source + ": the token '" + token + "' stands there twice, the second"
                        + " time at position " + i + ". Every column of the adapter needs a token of its own.");
            }
            String other = knownIds.put(ids[i], token);
            if (other != null) {
                throw new CheckpointException(
                        source + ": the tokens '" + other + "' and '" + token + "' have the same id " + ids[i] + ".");
            }
        }
    }

    /**
     * Makes a vocabulary.
     *
     * @param tokens in the order of the adapter's columns
     * @param ids one for each token
     * @return the vocabulary
     * @throws CheckpointException if it is empty, or tokens or ids occur twice, or an id is negative
     */
    public static SharedVocabulary of(List<String> tokens, int[] ids) {
        if (tokens.size() != ids.length) {
            throw new IllegalArgumentException(tokens.size() + " tokens and " + ids.length + " ids");
        }
        return new SharedVocabulary("The shared vocabulary", tokens, ids);
    }

    /**
     * Reads a published file, plain or gzip: an object {@code {token: id}}, or a list of one-entry objects
     * {@code {token: [id, index]}}.
     *
     * @param file JSON in UTF-8
     * @return in the order of the file
     * @throws CheckpointException if the file is missing, damaged or empty, or a token or id is wrong or occurs twice
     */
    public static SharedVocabulary read(Path file) {
        List<String> tokens = new ArrayList<>();
        List<Integer> ids = new ArrayList<>();
        byte[] json = VocabularyJson.read(file);
        if (Json.isObject(json, file.toString())) {
            Json.members(json, file.toString(), (token, member) -> {
                tokens.add(limited(file, token, tokens.size()));
                ids.add(id(file, token, member.element(token)));
            });
        } else {
            readList(file, json, tokens, ids);
        }
        return new SharedVocabulary(
                file.toString(),
                tokens,
                ids.stream().mapToInt(Integer::intValue).toArray());
    }

    private static void readList(Path file, byte[] json, List<String> tokens, List<Integer> ids) {
        int[] before = {-1};
        Json.objects(json, file.toString(), entry -> {
            String token = entry.keys().size() == 1 ? entry.keys().iterator().next() : "";
            JsonElement pair = entry.element(token);
            if (!(pair instanceof JsonArray array) || array.size() != 2) {
                throw new CheckpointException(file + " cannot be read as a shared vocabulary ({token: id}, or a list of"
                        + " {token: [id, index]}): item " + tokens.size() + " of the list is another thing.");
            }
            tokens.add(limited(file, token, tokens.size()));
            ids.add(id(file, token, array.get(0)));
            int index = id(file, token, array.get(1));
            if (index <= before[0]) {
                throw new CheckpointException(file + ": the token '" + token + "' has the index " + index + " after "
                        + before[0] + ". The list must be in the order of its indices.");
            }
            before[0] = index;
        });
    }

    private static int id(Path file, String token, @Nullable JsonElement value) {
        String number = value instanceof JsonPrimitive primitive && primitive.isNumber()
                ? primitive.getAsString()
                : "another thing than a number";
        try {
            return Integer.parseInt(number);
        } catch (NumberFormatException e) {
            throw new CheckpointException(file + ": the token '" + token + "' has the id " + number
                    + ", expected a whole number from 0 to " + Integer.MAX_VALUE + ".");
        }
    }

    private static String limited(Path file, String token, int count) {
        if (count >= LONGEST) {
            throw new CheckpointException(file + " holds more than " + LONGEST + " tokens.");
        }
        return token;
    }

    /**
     * How many tokens there are, which is the number of the adapter's output columns.
     *
     * @return at least 1
     */
    public int size() {
        return ids.length;
    }

    /**
     * The tokens, as the vocabulary of the tokenizer writes them.
     *
     * @return in order, unmodifiable
     */
    public List<String> tokens() {
        return tokens;
    }

    /**
     * The ids, which are rows of the language model's input embeddings.
     *
     * @return in order, a copy
     */
    public int[] ids() {
        return ids.clone();
    }

    /**
     * Checks that every id is a row of an embedding matrix.
     *
     * @param rows of the matrix
     * @return this
     * @throws CheckpointException naming the first token whose id is too large
     */
    public SharedVocabulary requireRows(int rows) {
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] >= rows) {
                throw new CheckpointException(source + ": the token '" + tokens.get(i) + "' has the id " + ids[i]
                        + ", but the language model has only " + rows + " rows in embed_tokens. The vocabulary was"
                        + " made for another language model; look it up again with forTokenizer.");
            }
        }
        return this;
    }

    /**
     * Looks the same tokens up in another tokenizer: as they are spelled, or, where that tokenizer spells in another
     * way (a space as U+2581 and not as U+0120), by the bytes of text they stand for.
     *
     * @param tokenizer of the language model to attach
     * @return what was found and what is missing
     */
    public Transfer forTokenizer(Tokenizer tokenizer) {
        return Transfer.find(source, tokens, tokenizer);
    }

    /**
     * Looks the same tokens up in another vocabulary of the same spelling.
     *
     * @param vocabulary token to id
     * @return what was found and what is missing
     */
    public Transfer forVocabulary(Map<String, Integer> vocabulary) {
        return Transfer.find(source, tokens, vocabulary);
    }

    /** How a token was found in another tokenizer. */
    public enum Match {
        /** Spelled the same. */
        EXACT,
        /** Spelled in another way, but it stands for exactly the same bytes of text, and is the only one that does. */
        BY_TEXT,
        /** Several tokens of the other tokenizer stand for the same text; none is taken. */
        AMBIGUOUS,
        /** The other tokenizer has no such token. */
        MISSING
    }

    /** What became of a list of tokens in another tokenizer. Immutable. */
    public static final class Transfer {
        private final String source;
        private final List<String> tokens;
        private final int[] ids;
        private final Match[] matches;

        private Transfer(String source, List<String> tokens, int[] ids, Match[] matches) {
            this.source = source;
            this.tokens = Collections.unmodifiableList(tokens);
            this.ids = ids;
            this.matches = matches;
        }

        private static Transfer find(String source, List<String> tokens, Map<String, Integer> vocabulary) {
            int[] ids = new int[tokens.size()];
            Match[] matches = new Match[ids.length];
            for (int i = 0; i < ids.length; i++) {
                Integer id = vocabulary.get(tokens.get(i));
                ids[i] = id == null ? -1 : id;
                matches[i] = id == null ? Match.MISSING : Match.EXACT;
            }
            return new Transfer(source, tokens, ids, matches);
        }

        private static Transfer find(String source, List<String> tokens, Tokenizer tokenizer) {
            Spelling spelling = Spelling.of(tokens);
            if (spelling == null || spelling == tokenizer.spelling()) {
                return find(source, tokens, tokenizer.vocabulary());
            }
            // Not by spelling at all: a byte-level token can look like a word of the other tokenizer and be another.
            TextIndex index = new TextIndex(tokenizer);
            int[] ids = new int[tokens.size()];
            Match[] matches = new Match[ids.length];
            for (int i = 0; i < ids.length; i++) {
                int id = index.idOf(spelling.bytesOf(tokens.get(i)));
                ids[i] = Math.max(id, -1);
                matches[i] = id >= 0 ? Match.BY_TEXT : id == TextIndex.AMBIGUOUS ? Match.AMBIGUOUS : Match.MISSING;
            }
            return new Transfer(source, tokens, ids, matches);
        }

        /**
         * All tokens, found or not.
         *
         * @return in order, as they are spelled where they come from; unmodifiable
         */
        public List<String> tokens() {
            return tokens;
        }

        /**
         * How a token was found.
         *
         * @param position in the vocabulary
         * @return how
         */
        public Match match(int position) {
            return matches[position];
        }

        /**
         * How many tokens were found in one way.
         *
         * @param match the way
         * @return 0 to all
         */
        public int count(Match match) {
            return Collections.frequency(Arrays.asList(matches), match);
        }

        /**
         * The tokens that have no id in the other tokenizer: missing or ambiguous.
         *
         * @return in order, empty if the transfer is complete
         */
        public List<String> missing() {
            List<String> missing = new ArrayList<>();
            for (int i = 0; i < ids.length; i++) {
                if (ids[i] < 0) {
                    missing.add(tokens.get(i));
                }
            }
            return Collections.unmodifiableList(missing);
        }

        /**
         * The new ids.
         *
         * @return one for each token of the old vocabulary, -1 where it is missing; a copy
         */
        public int[] idsOrMinusOne() {
            return ids.clone();
        }

        /**
         * The vocabulary with the new ids.
         *
         * @return same tokens, in the old spelling and order
         * @throws CheckpointException if a token is missing or ambiguous, naming the first of them
         */
        public SharedVocabulary complete() {
            List<String> missing = missing();
            if (!missing.isEmpty()) {
                int ambiguous = count(Match.AMBIGUOUS);
                throw new CheckpointException(source + ": " + missing.size() + " of " + tokens.size()
                        + " tokens are not in the tokenizer of the other language model"
                        + (ambiguous > 0
                                ? ", or stand for the same text as several of its tokens (" + ambiguous + ")"
                                : "")
                        + ", the first are " + missing.subList(0, Math.min(5, missing.size()))
                        + ". Say with LangBridgeAdapter.missingTokens(..) what to do with them, or train an adapter on the tokens that"
                        + " both models know.");
            }
            return new SharedVocabulary(source, tokens, ids);
        }

        @Override
        public String toString() {
            return "Transfer[" + count(Match.EXACT) + " exact, " + count(Match.BY_TEXT) + " by text, "
                    + count(Match.AMBIGUOUS) + " ambiguous, " + count(Match.MISSING) + " missing]";
        }
    }

    /**
     * Writes the object form, one token on a line.
     *
     * @param file replaced if it exists, and only when everything is written
     * @throws CheckpointException if it cannot be written
     */
    public void save(Path file) {
        AtomicWrite.to(file, out -> {
            try (JsonWriter json = new JsonWriter(Files.newBufferedWriter(out, StandardCharsets.UTF_8))) {
                json.setIndent(" ");
                json.beginObject();
                for (int i = 0; i < ids.length; i++) {
                    json.name(tokens.get(i)).value(ids[i]);
                }
                json.endObject();
            }
        });
    }

    /**
     * Builds the vocabulary that several language models share.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SharedVocabulary that && tokens.equals(that.tokens) && Arrays.equals(ids, that.ids);
    }

    @Override
    public int hashCode() {
        return 31 * tokens.hashCode() + Arrays.hashCode(ids);
    }

    @Override
    public String toString() {
        return "SharedVocabulary[" + ids.length + " tokens, " + source + "]";
    }

    /**
     * Keeps the tokens that all tokenizers know, most frequent first, and cuts the list. Tokens with the same count
     * stay in the order of the counts. Not thread-safe.
     */
    public static final class Builder {
        private final Map<String, Function<List<String>, Transfer>> vocabularies = new LinkedHashMap<>();
        private final Map<String, Long> counts = new LinkedHashMap<>();
        private int size;

        private Builder() {}

        /**
         * Adds a language model whose vocabulary spells tokens as the counts do.
         *
         * @param name under which the result is found
         * @param vocabulary token to id
         * @return this
         */
        public Builder tokenizer(String name, Map<String, Integer> vocabulary) {
            return add(name, tokens -> Transfer.find("The vocabulary of " + name, tokens, vocabulary));
        }

        /**
         * Adds a language model. If its tokenizer does not spell tokens as the counts do, they are matched by the bytes
         * of text they stand for.
         *
         * @param name under which the result is found
         * @param tokenizer asked in {@link #build()}
         * @return this
         */
        public Builder tokenizer(String name, Tokenizer tokenizer) {
            return add(name, tokens -> Transfer.find("The vocabulary of " + name, tokens, tokenizer));
        }

        private Builder add(String name, Function<List<String>, Transfer> vocabulary) {
            if (vocabularies.put(name, vocabulary) != null) {
                throw new IllegalStateException("A tokenizer named '" + name + "' was added before.");
            }
            return this;
        }

        /**
         * Sets how often each token occurs in the training text.
         *
         * @param tokenCounts in an order that decides between equal counts
         * @return this
         */
        public Builder counts(Map<String, Long> tokenCounts) {
            counts.clear();
            counts.putAll(tokenCounts);
            return this;
        }

        /**
         * Reads the counts from an object {@code {token: count}}, plain or gzip.
         *
         * @param file JSON in UTF-8
         * @return this
         * @throws CheckpointException if the file is missing or damaged, or a token occurs twice
         */
        public Builder counts(Path file) {
            Map<String, Long> read = new LinkedHashMap<>();
            Json.members(VocabularyJson.read(file), file.toString(), (key, member) -> {
                String token = limited(file, key, read.size());
                List<Long> count = member.has(token) ? member.longs(token) : Collections.emptyList();
                if (count.size() != 1 || count.get(0) < 0 || read.put(token, count.get(0)) != null) {
                    throw new CheckpointException(file + ": the token '" + token
                            + "' stands there twice, or its count is no number of at least 0 " + count + ".");
                }
            });
            return counts(read);
        }

        /**
         * Sets where the list is cut.
         *
         * @param tokens wanted, at least 1
         * @return this
         */
        public Builder size(int tokens) {
            size = tokens;
            return this;
        }

        /**
         * Looks up all counted tokens, whatever the size: says which of them a tokenizer does not have.
         *
         * @return what each tokenizer knows, by name; the tokens are in the order of their counts
         * @throws IllegalStateException if no tokenizer or no counts were given
         */
        public Map<String, Transfer> lookUp() {
            if (vocabularies.isEmpty() || counts.isEmpty()) {
                throw new IllegalStateException("There is nothing to look up: " + vocabularies.size()
                        + " tokenizers and " + counts.size() + " counted tokens were given.");
            }
            List<Map.Entry<String, Long>> ranked = new ArrayList<>(counts.entrySet());
            ranked.sort((a, b) -> Long.compare(b.getValue(), a.getValue()));
            List<String> tokens = new ArrayList<>();
            ranked.forEach(entry -> tokens.add(entry.getKey()));
            Map<String, Transfer> found = new LinkedHashMap<>();
            vocabularies.forEach((name, vocabulary) -> found.put(name, vocabulary.apply(tokens)));
            return found;
        }

        /**
         * Builds.
         *
         * @return one vocabulary for each tokenizer, by name: same tokens, same order, each with its own ids
         * @throws IllegalStateException if fewer than two tokenizers, no counts or no size were given
         * @throws CheckpointException if the tokenizers share fewer tokens than wanted
         */
        public Map<String, SharedVocabulary> build() {
            if (vocabularies.size() < 2 || counts.isEmpty() || size < 1) {
                throw new IllegalStateException("A shared vocabulary needs at least two tokenizers (there are "
                        + vocabularies.size() + "), counts (" + counts.size() + " tokens) and a size of at least 1 ("
                        + size + ").");
            }
            Map<String, Transfer> found = lookUp();
            int[] shared = IntStream.range(0, counts.size())
                    .filter(i -> found.values().stream().allMatch(transfer -> transfer.ids[i] >= 0))
                    .toArray();
            if (shared.length < size) {
                throw new CheckpointException("The tokenizers " + vocabularies.keySet() + " share " + shared.length
                        + " of the " + counts.size() + " counted tokens, fewer than the " + size + " wanted: " + found
                        + ". Ask for fewer, or count more text.");
            }
            Map<String, SharedVocabulary> built = new LinkedHashMap<>();
            found.forEach((name, transfer) -> {
                List<String> tokens = new ArrayList<>();
                int[] ids = new int[size];
                for (int i = 0; i < size; i++) {
                    tokens.add(transfer.tokens.get(shared[i]));
                    ids[i] = transfer.ids[shared[i]];
                }
                built.put(name, new SharedVocabulary("The vocabulary shared with " + name, tokens, ids));
            });
            return built;
        }
    }
}
