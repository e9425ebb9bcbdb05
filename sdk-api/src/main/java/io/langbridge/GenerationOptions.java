package io.langbridge;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How tokens are chosen and when to stop. What is not set comes from the checkpoint's {@code generation_config.json},
 * and what that does not say is greedy, up to 512 new tokens. Immutable.
 *
 * <p>The order is the reference's: repetition penalty, frequency and presence penalty, forbidden tokens, temperature,
 * top-k, top-p, min-p, then the draw.
 *
 * <p>Only the checkpoint says {@code suppress_tokens}, {@code begin_suppress_tokens}, {@code bad_words_ids},
 * {@code no_repeat_ngram_size} and {@code min_length}; they are followed. Of its other fields that would change an
 * answer, such as {@code num_beams}, loading logs a warning that names them.
 *
 * @since 0.1
 */
public final class GenerationOptions {
    private static final GenerationOptions DEFAULTS = builder().build();

    private final @Nullable Integer maxNewTokens;
    private final @Nullable Integer minNewTokens;
    private final @Nullable Double temperature;
    private final @Nullable Integer topK;
    private final @Nullable Double topP;
    private final @Nullable Double minP;
    private final @Nullable Double repetitionPenalty;
    private final @Nullable Long seed;
    private final @Nullable List<String> stopStrings;
    private final @Nullable Set<Integer> stopTokens;
    private final @Nullable Duration timeout;
    private final @Nullable String jsonSchema;
    private final @Nullable String pattern;
    private final @Nullable Double frequencyPenalty;
    private final @Nullable Double presencePenalty;
    private final @Nullable Integer logProbabilities;
    private final @Nullable Boolean thinking;

    private GenerationOptions(Builder builder) {
        this.maxNewTokens = builder.maxNewTokens;
        this.minNewTokens = builder.minNewTokens;
        this.temperature = builder.temperature;
        this.topK = builder.topK;
        this.topP = builder.topP;
        this.minP = builder.minP;
        this.repetitionPenalty = builder.repetitionPenalty;
        this.seed = builder.seed;
        this.stopStrings =
                builder.stopStrings == null ? null : Collections.unmodifiableList(new ArrayList<>(builder.stopStrings));
        this.stopTokens = builder.stopTokens == null
                ? null
                : Collections.unmodifiableSet(new LinkedHashSet<>(builder.stopTokens));
        this.timeout = builder.timeout;
        this.jsonSchema = builder.jsonSchema;
        this.pattern = builder.pattern;
        this.frequencyPenalty = builder.frequencyPenalty;
        this.presencePenalty = builder.presencePenalty;
        this.logProbabilities = builder.logProbabilities;
        this.thinking = builder.thinking;
    }

    /** {@return the checkpoint's own options} */
    public static GenerationOptions defaults() {
        return DEFAULTS;
    }

    /** {@return the likeliest token every time: reproducible, whatever the checkpoint says about sampling} */
    public static GenerationOptions greedy() {
        return builder().temperature(0).build();
    }

    /**
     * Starts from the checkpoint's own options.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A builder that starts from these options.
     *
     * @return a builder
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.maxNewTokens = maxNewTokens;
        builder.minNewTokens = minNewTokens;
        builder.temperature = temperature;
        builder.topK = topK;
        builder.topP = topP;
        builder.minP = minP;
        builder.repetitionPenalty = repetitionPenalty;
        builder.seed = seed;
        builder.stopStrings = stopStrings;
        builder.stopTokens = stopTokens == null ? null : new LinkedHashSet<>(stopTokens);
        builder.timeout = timeout;
        builder.jsonSchema = jsonSchema;
        builder.pattern = pattern;
        builder.frequencyPenalty = frequencyPenalty;
        builder.presencePenalty = presencePenalty;
        builder.logProbabilities = logProbabilities;
        builder.thinking = thinking;
        return builder;
    }

    /** {@return most tokens to generate, or null for the checkpoint's} */
    public @Nullable Integer maxNewTokens() {
        return maxNewTokens;
    }

    /** {@return tokens before the answer may end, or null for the checkpoint's} */
    public @Nullable Integer minNewTokens() {
        return minNewTokens;
    }

    /** {@return temperature, 0 for greedy, or null for the checkpoint's} */
    public @Nullable Double temperature() {
        return temperature;
    }

    /** {@return how many of the likeliest tokens stay, 0 for all, or null for the checkpoint's} */
    public @Nullable Integer topK() {
        return topK;
    }

    /** {@return probability mass that stays, or null for the checkpoint's} */
    public @Nullable Double topP() {
        return topP;
    }

    /** {@return least probability relative to the likeliest token's, or null for the checkpoint's} */
    public @Nullable Double minP() {
        return minP;
    }

    /** {@return repetition penalty, or null for the checkpoint's} */
    public @Nullable Double repetitionPenalty() {
        return repetitionPenalty;
    }

    /** {@return seed of the draw, or null for a new one each time} */
    public @Nullable Long seed() {
        return seed;
    }

    /** {@return texts that end the answer, or null for the checkpoint's} */
    public @Nullable List<String> stopStrings() {
        return stopStrings;
    }

    /** {@return token ids that end the answer, or null for the checkpoint's} */
    public @Nullable Set<Integer> stopTokens() {
        return stopTokens;
    }

    /** {@return how long an answer may take, or null for as long as it needs} */
    public @Nullable Duration timeout() {
        return timeout;
    }

    /** {@return the JSON Schema that the answer is held to, or null} */
    public @Nullable String jsonSchema() {
        return jsonSchema;
    }

    /** {@return the regular expression that the answer is held to, or null} */
    public @Nullable String pattern() {
        return pattern;
    }

    /** {@return what each use of a token takes from its score, or null for nothing} */
    public @Nullable Double frequencyPenalty() {
        return frequencyPenalty;
    }

    /** {@return what is taken from the score of a token that was used, or null for nothing} */
    public @Nullable Double presencePenalty() {
        return presencePenalty;
    }

    /** {@return how many others the answer names beside each token, or null if it says nothing of probabilities} */
    public @Nullable Integer logProbabilities() {
        return logProbabilities;
    }

    /** {@return whether the model thinks before it answers, or null for the chat template's default} */
    public @Nullable Boolean thinking() {
        return thinking;
    }

    /** Collects options; each setter checks its value at once. */
    public static final class Builder {
        private @Nullable Integer maxNewTokens;
        private @Nullable Integer minNewTokens;
        private @Nullable Double temperature;
        private @Nullable Integer topK;
        private @Nullable Double topP;
        private @Nullable Double minP;
        private @Nullable Double repetitionPenalty;
        private @Nullable Long seed;
        private @Nullable List<String> stopStrings;
        private @Nullable Set<Integer> stopTokens;
        private @Nullable Duration timeout;
        private @Nullable String jsonSchema;
        private @Nullable String pattern;
        private @Nullable Double frequencyPenalty;
        private @Nullable Double presencePenalty;
        private @Nullable Integer logProbabilities;
        private @Nullable Boolean thinking;

        private Builder() {}

        /**
         * Most tokens to generate.
         *
         * @param maxNewTokens at least 1
         * @return this builder
         */
        public Builder maxNewTokens(int maxNewTokens) {
            check(maxNewTokens >= 1, "maxNewTokens must be at least 1, not " + maxNewTokens);
            this.maxNewTokens = maxNewTokens;
            return this;
        }

        /**
         * Fewest tokens to generate: no stop token is chosen before. Stop strings and {@link #maxNewTokens} still end
         * the answer.
         *
         * @param minNewTokens at least 0
         * @return this builder
         */
        public Builder minNewTokens(int minNewTokens) {
            check(minNewTokens >= 0, "minNewTokens must not be negative: " + minNewTokens);
            this.minNewTokens = minNewTokens;
            return this;
        }

        /**
         * Flattens (above 1) or sharpens (below 1) the distribution before the draw. A positive temperature switches
         * sampling on.
         *
         * @param temperature 0 for the likeliest token every time, else positive
         * @return this builder
         */
        public Builder temperature(double temperature) {
            check(
                    temperature >= 0 && temperature < Double.POSITIVE_INFINITY,
                    "temperature must be 0 (greedy) or positive, not " + temperature);
            this.temperature = temperature;
            return this;
        }

        /**
         * Keeps the likeliest tokens; ties with the last one stay too.
         *
         * @param topK how many, 0 for all
         * @return this builder
         */
        public Builder topK(int topK) {
            check(topK >= 0, "topK must be 0 (all) or positive, not " + topK);
            this.topK = topK;
            return this;
        }

        /**
         * Keeps the likeliest tokens that together reach this probability.
         *
         * @param topP above 0, at most 1 (all)
         * @return this builder
         */
        public Builder topP(double topP) {
            check(topP > 0 && topP <= 1, "topP must be above 0 and at most 1, not " + topP);
            this.topP = topP;
            return this;
        }

        /**
         * Drops tokens less likely than this fraction of the likeliest one.
         *
         * @param minP from 0 (none is dropped) to 1
         * @return this builder
         */
        public Builder minP(double minP) {
            check(minP >= 0 && minP <= 1, "minP must be from 0 to 1, not " + minP);
            this.minP = minP;
            return this;
        }

        /**
         * Makes tokens that were already generated less likely. A prompt with pictures enters as embeddings, so as in
         * the reference its tokens are not counted.
         *
         * @param repetitionPenalty positive; 1 for none, above 1 to discourage
         * @return this builder
         */
        public Builder repetitionPenalty(double repetitionPenalty) {
            check(
                    repetitionPenalty > 0 && repetitionPenalty < Double.POSITIVE_INFINITY,
                    "repetitionPenalty must be positive, not " + repetitionPenalty);
            this.repetitionPenalty = repetitionPenalty;
            return this;
        }

        /**
         * Makes sampling repeatable: the same request, model, runtime and seed give the same answer.
         *
         * @param seed any number
         * @return this builder
         */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Ends the answer where one of these texts begins, in place of the checkpoint's.
         *
         * @param stopStrings not empty texts; none to end at no text
         * @return this builder
         */
        public Builder stopStrings(String... stopStrings) {
            Objects.requireNonNull(stopStrings, "stopStrings");
            for (String stop : stopStrings) {
                Objects.requireNonNull(stop, "A stop string");
                check(!stop.isEmpty(), "A stop string must not be empty");
            }
            this.stopStrings = new ArrayList<>(Arrays.asList(stopStrings));
            return this;
        }

        /**
         * Replaces the checkpoint's stop tokens.
         *
         * @param stopTokens token ids; none to let the answer run on
         * @return this builder
         */
        public Builder stopTokens(int... stopTokens) {
            Objects.requireNonNull(stopTokens, "stopTokens");
            Set<Integer> ids = new LinkedHashSet<>();
            for (int id : stopTokens) {
                check(id >= 0, "A stop token must not be negative: " + id);
                ids.add(id);
            }
            this.stopTokens = ids;
            return this;
        }

        /**
         * How long an answer may take. It then ends with {@link FinishReason#TIMED_OUT} and what was said until then,
         * as soon as the tile of the encoder, the chunk of the prompt or the token that is being computed is done. The
         * time runs from the call of {@link VisionLanguageModel#stream}, {@code answer} or {@code ask}, so that waiting
         * for other requests counts, and so does time in which nobody reads. Default is as long as it needs.
         *
         * @param timeout positive
         * @return this builder
         */
        public Builder timeout(Duration timeout) {
            Objects.requireNonNull(timeout, "timeout");
            check(!timeout.isNegative() && !timeout.isZero(), "timeout must be positive, not " + timeout);
            this.timeout = timeout;
            return this;
        }

        /**
         * Holds the answer to a JSON Schema: every token is chosen among those that lead to a value of it, and
         * {@link Answer#json} gives that value. Members come in the order of the schema, on one line, without those
         * that it does not name. Where nothing is to choose, no step of the model is made. Replaces a {@link #pattern}.
         *
         * <p>The answer ends with {@link FinishReason#STOP_TOKEN} when the value is complete. What else ends an answer
         * still does, {@link #maxNewTokens} and {@link #stopStrings} for example, and leaves a part of a value.
         *
         * <p>Supported are {@code type}, {@code enum}, {@code const}, {@code properties}, {@code required},
         * {@code additionalProperties} (true or false; none are written), {@code items}, {@code prefixItems},
         * {@code minItems}, {@code maxItems}, {@code minLength}, {@code maxLength}, {@code pattern}, {@code format}
         * ({@code date}, {@code time}, {@code date-time}, {@code uuid}, {@code email}), {@code minimum},
         * {@code maximum} and their exclusive kin, {@code anyOf}, {@code oneOf} of alternatives that cannot both hold,
         * and {@code $ref} within the schema. Anything else makes the request fail with {@link PromptException} before
         * it runs; no keyword is passed over.
         *
         * @param jsonSchema JSON
         * @return this builder
         */
        public Builder jsonSchema(String jsonSchema) {
            this.jsonSchema = Objects.requireNonNull(jsonSchema, "jsonSchema");
            this.pattern = null;
            return this;
        }

        /**
         * Holds the answer to a regular expression that matches it as a whole, in the language of JSON Schema's
         * {@code pattern}: ECMAScript's, without look-around, references and edges of words. Replaces a
         * {@link #jsonSchema}; ends and fails as that does.
         *
         * @param pattern for example {@code \d{4}-\d{2}}
         * @return this builder
         */
        public Builder pattern(String pattern) {
            this.pattern = Objects.requireNonNull(pattern, "pattern");
            this.jsonSchema = null;
            return this;
        }

        /**
         * Takes something from the score of a token for each time that the answer has it already.
         *
         * @param frequencyPenalty any number; 0 for nothing, above 0 to discourage
         * @return this builder
         */
        public Builder frequencyPenalty(double frequencyPenalty) {
            check(
                    Math.abs(frequencyPenalty) < Double.POSITIVE_INFINITY,
                    "frequencyPenalty must be a finite number, not " + frequencyPenalty);
            this.frequencyPenalty = frequencyPenalty;
            return this;
        }

        /**
         * Takes something from the score of a token that the answer has already, however often.
         *
         * @param presencePenalty any number; 0 for nothing, above 0 to discourage
         * @return this builder
         */
        public Builder presencePenalty(double presencePenalty) {
            check(
                    Math.abs(presencePenalty) < Double.POSITIVE_INFINITY,
                    "presencePenalty must be a finite number, not " + presencePenalty);
            this.presencePenalty = presencePenalty;
            return this;
        }

        /**
         * Has the answer say how likely each of its tokens was, see {@link Answer#logProbabilities}. Takes a little
         * longer: the scores of the whole vocabulary are looked at in every step.
         *
         * @param others how many of the likeliest tokens in place of each are named too, 0 to 100
         * @return this builder
         */
        public Builder logProbabilities(int others) {
            check(others >= 0 && others <= 100, "logProbabilities must be from 0 to 100, not " + others);
            this.logProbabilities = others;
            return this;
        }

        /**
         * Whether the model thinks before it answers: {@code enable_thinking} of its chat template, which has a default
         * of its own. Thoughts count as new tokens. They are {@link Answer#thinking()}, where stop strings end nothing.
         * A template that cannot do what is asked for is a {@link PromptException} when the question is asked.
         *
         * @param thinking whether it does
         * @return this builder
         */
        public Builder thinking(boolean thinking) {
            this.thinking = thinking;
            return this;
        }

        /** {@return the options} */
        public GenerationOptions build() {
            return new GenerationOptions(this);
        }

        private static void check(boolean holds, String message) {
            if (!holds) {
                throw new IllegalArgumentException(message);
            }
        }
    }
}
