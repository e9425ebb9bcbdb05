package io.langbridge.runtime.core.family;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code generation_config.json}: how the model's authors generate. A value that is not there is null, a list empty.
 *
 * @param eosTokenIds ids that end an answer; from {@code config.json} if they are not here, empty if they are nowhere
 * @param doSample true samples, false takes the best token
 * @param temperature 0 or more
 * @param topK 0 keeps all tokens
 * @param topP 0 to 1
 * @param minP 0 to 1
 * @param repetitionPenalty more than 0, 1 changes nothing
 * @param maxNewTokens at least 1
 * @param minNewTokens 0 or more
 * @param minLength of prompt and answer together, 0 or more
 * @param suppressTokens ids that never come
 * @param beginSuppressTokens ids that never come first
 * @param badWords sequences of ids that never come
 * @param noRepeatNgramSize sequences of so many ids come at most once, 0 for no such rule
 * @param stopStrings texts that end an answer
 * @param ignored fields that would change answers and are not followed
 */
public record GenerationDefaults(
        Set<Integer> eosTokenIds,
        @Nullable Boolean doSample,
        @Nullable Double temperature,
        @Nullable Integer topK,
        @Nullable Double topP,
        @Nullable Double minP,
        @Nullable Double repetitionPenalty,
        @Nullable Integer maxNewTokens,
        int minNewTokens,
        int minLength,
        Set<Integer> suppressTokens,
        Set<Integer> beginSuppressTokens,
        List<List<Integer>> badWords,
        int noRepeatNgramSize,
        List<String> stopStrings,
        List<String> ignored) {
    /** Ids above any vocabulary are never chosen; the limit keeps a damaged one from asking for gigabytes. */
    private static final int ID_LIMIT = 1 << 22;

    /** Fields of the reference that are not followed, with the values that have no effect; null never has one. */
    private static final Map<String, List<String>> NOT_FOLLOWED = notFollowed();

    private static Map<String, List<String>> notFollowed() {
        Map<String, List<String>> fields = new LinkedHashMap<>();
        for (String field : Arrays.asList("num_beams", "num_beam_groups", "typical_p", "encoder_repetition_penalty")) {
            fields.put(field, Arrays.asList("1", "1.0"));
        }
        fields.put("guidance_scale", Arrays.asList("1", "1.0"));
        for (String field : Arrays.asList(
                "penalty_alpha", "epsilon_cutoff", "eta_cutoff", "diversity_penalty", "encoder_no_repeat_ngram_size")) {
            fields.put(field, Arrays.asList("0", "0.0"));
        }
        fields.put("token_healing", Collections.singletonList("false"));
        for (String field : Arrays.asList(
                "sequence_bias",
                "forced_bos_token_id",
                "forced_eos_token_id",
                "forced_decoder_ids",
                "exponential_decay_length_penalty",
                "constraints",
                "force_words_ids",
                "top_h",
                "dola_layers",
                "watermarking_config",
                "max_time")) {
            fields.put(field, Collections.emptyList());
        }
        return Collections.unmodifiableMap(fields);
    }

    /**
     * Reads {@code generation_config.json} in {@code folder}, if there is one.
     *
     * @param config the language model's part of {@code config.json}
     * @throws CheckpointException if a value is out of range
     */
    static GenerationDefaults read(Path folder, Json config) {
        Path file = folder.resolve("generation_config.json");
        if (!Files.exists(file)) {
            return of(ids(config, "eos_token_id"));
        }
        Json json = Json.read(file);
        return new GenerationDefaults(
                ids(json.has("eos_token_id") ? json : config, "eos_token_id"),
                json.has("do_sample") ? json.booleanOr("do_sample", false) : null,
                between(json, "temperature", 0, Double.MAX_VALUE),
                json.has("top_k") ? json.intOr("top_k", 0) : null,
                between(json, "top_p", 0, 1),
                between(json, "min_p", 0, 1),
                between(json, "repetition_penalty", Double.MIN_VALUE, Double.MAX_VALUE),
                json.has("max_new_tokens") ? json.requiredPositive("max_new_tokens") : null,
                notNegative(json, "min_new_tokens"),
                notNegative(json, "min_length"),
                ids(json, "suppress_tokens"),
                ids(json, "begin_suppress_tokens"),
                badWords(json),
                notNegative(json, "no_repeat_ngram_size"),
                stopStrings(json),
                ignored(json));
    }

    /** The same with one more id that ends an answer. */
    GenerationDefaults endingWith(int id) {
        Set<Integer> all = new LinkedHashSet<>(eosTokenIds);
        all.add(id);
        return new GenerationDefaults(
                all,
                doSample,
                temperature,
                topK,
                topP,
                minP,
                repetitionPenalty,
                maxNewTokens,
                minNewTokens,
                minLength,
                suppressTokens,
                beginSuppressTokens,
                badWords,
                noRepeatNgramSize,
                stopStrings,
                ignored);
    }

    /** Where there is no file. */
    private static GenerationDefaults of(Set<Integer> eosTokenIds) {
        return new GenerationDefaults(
                eosTokenIds,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                0,
                0,
                Collections.emptySet(),
                Collections.emptySet(),
                Collections.emptyList(),
                0,
                Collections.emptyList(),
                Collections.emptyList());
    }

    private static int notNegative(Json json, String key) {
        int value = json.has(key) ? json.requiredInt(key) : 0;
        if (value < 0) {
            throw new CheckpointException(json.at(key) + " is " + value + ", but must not be negative.");
        }
        return value;
    }

    private static List<List<Integer>> badWords(Json json) {
        List<List<Integer>> words = new ArrayList<>();
        if (json.has("bad_words_ids")) {
            for (List<Long> word : json.longLists("bad_words_ids")) {
                List<Integer> ids = new ArrayList<>();
                for (long id : word) {
                    ids.add(id(json, "bad_words_ids", id));
                }
                words.add(Collections.unmodifiableList(ids));
            }
        }
        return Collections.unmodifiableList(words);
    }

    private static List<String> stopStrings(Json json) {
        List<String> stops = json.has("stop_strings") ? json.strings("stop_strings") : new ArrayList<>();
        if (stops.contains("")) {
            throw new CheckpointException(
                    json.at("stop_strings") + " has an empty text, which would end every answer.");
        }
        return Collections.unmodifiableList(stops);
    }

    private static List<String> ignored(Json json) {
        List<String> ignored = new ArrayList<>();
        NOT_FOLLOWED.forEach((field, harmless) -> {
            if (json.has(field) && !harmless.contains(String.valueOf(json.element(field)))) {
                ignored.add(field);
            }
        });
        return Collections.unmodifiableList(ignored);
    }

    /** Each once, in the order of the file. */
    private static Set<Integer> ids(Json json, String key) {
        Set<Integer> ids = new LinkedHashSet<>();
        if (json.has(key)) {
            for (long id : json.longs(key)) {
                ids.add(id(json, key, id));
            }
        }
        return Collections.unmodifiableSet(ids);
    }

    private static int id(Json json, String key, long id) {
        if (id < 0 || id >= ID_LIMIT) {
            throw new CheckpointException(json.at(key) + " has the impossible id " + id + ".");
        }
        return (int) id;
    }

    private static @Nullable Double between(Json json, String key, double least, double most) {
        if (!json.has(key)) {
            return null;
        }
        double value = json.requiredDouble(key);
        if (value < least || value > most) {
            throw new CheckpointException(json.at(key) + " is " + value + ", outside its range.");
        }
        return value;
    }
}
