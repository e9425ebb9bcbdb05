package io.langbridge.runtime.core.config;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code generation_config.json}: how the model's authors generate. A value that is not there is null.
 *
 * @param eosTokenIds ids that end an answer; from {@code config.json} if they are not here, empty if they are nowhere
 * @param doSample true samples, false takes the best token
 * @param temperature 0 or more
 * @param topK 0 keeps all tokens
 * @param topP 0 to 1
 * @param minP 0 to 1
 * @param repetitionPenalty more than 0, 1 changes nothing
 * @param maxNewTokens at least 1
 */
public record GenerationDefaults(
        List<Integer> eosTokenIds,
        @Nullable Boolean doSample,
        @Nullable Double temperature,
        @Nullable Integer topK,
        @Nullable Double topP,
        @Nullable Double minP,
        @Nullable Double repetitionPenalty,
        @Nullable Integer maxNewTokens) {

    public GenerationDefaults {
        eosTokenIds = Collections.unmodifiableList(new ArrayList<>(eosTokenIds));
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
            return new GenerationDefaults(eos(config), null, null, null, null, null, null, null);
        }
        Json json = Json.read(file);
        return new GenerationDefaults(
                eos(json.has("eos_token_id") ? json : config),
                json.has("do_sample") ? json.booleanOr("do_sample", false) : null,
                between(json, "temperature", 0, Double.MAX_VALUE),
                json.has("top_k") ? json.intOr("top_k", 0) : null,
                between(json, "top_p", 0, 1),
                between(json, "min_p", 0, 1),
                between(json, "repetition_penalty", Double.MIN_VALUE, Double.MAX_VALUE),
                json.has("max_new_tokens") ? json.requiredPositive("max_new_tokens") : null);
    }

    private static List<Integer> eos(Json json) {
        List<Integer> ids = new ArrayList<>();
        if (json.has("eos_token_id")) {
            for (long id : json.longs("eos_token_id")) {
                if (id < 0 || id > Integer.MAX_VALUE) {
                    throw new CheckpointException(json.at("eos_token_id") + " has the impossible id " + id + ".");
                }
                ids.add((int) id);
            }
        }
        return ids;
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
