package io.langbridge.tools;

import io.langbridge.Llm;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import io.langbridge.runtime.core.vocabulary.TokenCounts;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * The tokens that several language models know, the most frequent ones, for a LangBridge adapter to be trained over:
 *
 * <pre>{@code
 * SharedVocabularies.count(qwen, List.of(Path.of("captions.txt")), Path.of("counts.json"), (bytes, all, tokens) -> {});
 * SharedVocabularies shared = SharedVocabularies.builder()
 *         .llm("qwen", qwen)
 *         .llm("llama", llama)
 *         .counts(Path.of("counts.json"))
 *         .size(19_200)
 *         .build();
 * shared.save("qwen", Path.of("vocabulary.json"));
 * }</pre>
 *
 * <p>Of the language models only the tokenizers are read. Immutable and safe for use by several threads.
 *
 * @since 0.1
 */
public final class SharedVocabularies {
    private final Map<String, SharedVocabulary> vocabularies;

    private SharedVocabularies(Map<String, SharedVocabulary> vocabularies) {
        this.vocabularies = vocabularies;
    }

    /** Told about every part of the text that is counted. */
    @FunctionalInterface
    public interface Progress {
        /**
         * A part was counted.
         *
         * @param bytes of all files read so far, as they lie on disk
         * @param allBytes of all files together
         * @param tokens counted so far
         */
        void counted(long bytes, long allBytes, long tokens);
    }

    /**
     * What became of the counted tokens in a language model.
     *
     * @param tokens counted
     * @param exact of them spelled the same
     * @param byText of them spelled in another way, but standing for exactly the same text
     * @param ambiguous of them standing for the same text as several tokens there; not taken
     * @param missing of them not there
     */
    public record Found(int tokens, int exact, int byText, int ambiguous, int missing) {
        private static Found of(SharedVocabulary.Transfer transfer) {
            return new Found(
                    transfer.tokens().size(),
                    transfer.count(SharedVocabulary.Match.EXACT),
                    transfer.count(SharedVocabulary.Match.BY_TEXT),
                    transfer.count(SharedVocabulary.Match.AMBIGUOUS),
                    transfer.count(SharedVocabulary.Match.MISSING));
        }
    }

    /**
     * Counts how often the tokens of a language model occur in text, and writes {@code {token: count}}, most frequent
     * first. Special tokens written in the text are read as ordinary characters.
     *
     * @param llm whose tokens to count
     * @param texts in UTF-8, plain or gzip
     * @param file where the counts go, as JSON; replaced if it exists, and only when everything is counted
     * @param progress called in this thread
     * @throws io.langbridge.CheckpointException if a file is missing, cannot be read or is not UTF-8, there is no token
     *     in them, or the counts cannot be written
     */
    public static void count(Llm llm, List<Path> texts, Path file, Progress progress) {
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(progress, "progress");
        TokenCounts.save(TokenCounts.count(Tokenizer.of(llm.folder()), texts, progress::counted), file);
    }

    /**
     * How many tokens of a vocabulary language models know, and each two of them: what an adapter over it keeps when it
     * moves from one to the other. Known is a token that is spelled the same, or is the only one there that stands for
     * the same text.
     *
     * @param vocabulary {@code {token: id}}, as {@link #save} and the authors of LangBridge write it, plain or gzip
     * @param llms by names of your own; of each only the tokenizer is read
     * @return for each language model, in their order, the tokens that it and each of them know; with itself all it
     *     knows
     * @throws io.langbridge.CheckpointException if a file is missing or damaged
     */
    public static Map<String, Map<String, Integer>> known(Path vocabulary, Map<String, Llm> llms) {
        SharedVocabulary tokens = SharedVocabulary.read(Objects.requireNonNull(vocabulary, "vocabulary"));
        Map<String, int[]> ids = new LinkedHashMap<>();
        llms.forEach((name, llm) ->
                ids.put(name, tokens.forTokenizer(Tokenizer.of(llm.folder())).idsOrMinusOne()));
        Map<String, Map<String, Integer>> known = new LinkedHashMap<>();
        ids.forEach((name, own) -> {
            Map<String, Integer> withOthers = new LinkedHashMap<>();
            ids.forEach((other, others) -> withOthers.put(other, (int) IntStream.range(0, own.length)
                    .filter(i -> own[i] >= 0 && others[i] >= 0)
                    .count()));
            known.put(name, withOthers);
        });
        return known;
    }

    /**
     * Starts with no language model.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Writes the vocabulary with the ids of one language model, {@code {token: id}}, as
     * {@link io.langbridge.Adapter#langBridge(Path, Path)} and training read it.
     *
     * @param name of the language model, as it was added
     * @param file replaced if it exists, and only when everything is written
     * @throws IllegalArgumentException if no language model was added under that name
     * @throws io.langbridge.CheckpointException if it cannot be written
     */
    public void save(String name, Path file) {
        SharedVocabulary vocabulary = vocabularies.get(name);
        if (vocabulary == null) {
            throw new IllegalArgumentException(
                    "There is no language model '" + name + "' here, there are " + vocabularies.keySet());
        }
        vocabulary.save(file);
    }

    /**
     * Collects language models and counts. The last call wins, but for language models, which add up. Not thread-safe.
     */
    public static final class Builder {
        private final SharedVocabulary.Builder vocabulary = SharedVocabulary.builder();

        private Builder() {}

        /**
         * Adds a language model and reads its tokenizer. If that does not spell tokens as the counts do, they are
         * matched by the bytes of text they stand for.
         *
         * @param name under which the result is found
         * @param llm the language model
         * @return this builder
         * @throws IllegalStateException if there is one of that name
         * @throws io.langbridge.CheckpointException if its tokenizer is missing or damaged
         */
        public Builder llm(String name, Llm llm) {
            vocabulary.tokenizer(Objects.requireNonNull(name, "name"), Tokenizer.of(llm.folder()));
            return this;
        }

        /**
         * How often each token occurs, as {@link SharedVocabularies#count} writes it.
         *
         * @param file JSON {@code {token: count}}, plain or gzip
         * @return this builder
         * @throws io.langbridge.CheckpointException if the file is missing or damaged, or a token occurs twice
         */
        public Builder counts(Path file) {
            vocabulary.counts(Objects.requireNonNull(file, "file"));
            return this;
        }

        /**
         * Where the list is cut.
         *
         * @param tokens wanted, at least 1
         * @return this builder
         */
        public Builder size(int tokens) {
            if (tokens < 1) {
                throw new IllegalArgumentException("size must be at least 1, not " + tokens);
            }
            vocabulary.size(tokens);
            return this;
        }

        /**
         * Looks up all counted tokens, whatever the size.
         *
         * @return what each language model knows, by name
         * @throws IllegalStateException if no language model or no counts were given
         */
        public Map<String, Found> lookUp() {
            Map<String, Found> found = new LinkedHashMap<>();
            vocabulary.lookUp().forEach((name, transfer) -> found.put(name, Found.of(transfer)));
            return found;
        }

        /**
         * Builds.
         *
         * @return the same tokens in the same order for each language model
         * @throws IllegalStateException if fewer than two language models, no counts or no size were given
         * @throws io.langbridge.CheckpointException if the language models share fewer tokens than wanted
         */
        public SharedVocabularies build() {
            return new SharedVocabularies(vocabulary.build());
        }
    }
}
