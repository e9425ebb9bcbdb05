package io.langbridge;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the model said. Immutable.
 *
 * @since 0.1
 */
public final class Answer {
    private final String thinking;
    private final String text;
    private final int[] tokenIds;
    private final FinishReason finishReason;
    private final Usage usage;
    private final Timings timings;
    private final List<TokenProbability> logProbabilities;
    private final String model;

    /**
     * Made by a runtime.
     *
     * @param thinking what the model thought before, empty if nothing
     * @param text the text, without stop tokens and stop strings
     * @param tokenIds all generated ids, the stop token included
     * @param finishReason why it ended
     * @param usage token counts
     * @param timings how long each phase took
     */
    public Answer(
            String thinking, String text, int[] tokenIds, FinishReason finishReason, Usage usage, Timings timings) {
        this(thinking, text, tokenIds, finishReason, usage, timings, Collections.emptyList(), "");
    }

    /**
     * Made by a runtime, with probabilities and the model's name.
     *
     * @param thinking what the model thought before, empty if nothing
     * @param text the text, without stop tokens and stop strings
     * @param tokenIds all generated ids, the stop token included
     * @param finishReason why it ended
     * @param usage token counts
     * @param timings how long each phase took
     * @param logProbabilities one entry for each generated id, or none at all
     * @param model what {@link #model} gives
     */
    public Answer(
            String thinking,
            String text,
            int[] tokenIds,
            FinishReason finishReason,
            Usage usage,
            Timings timings,
            List<TokenProbability> logProbabilities,
            String model) {
        this.model = model;
        this.logProbabilities = Collections.unmodifiableList(new ArrayList<>(logProbabilities));
        this.thinking = thinking;
        this.text = text;
        this.tokenIds = tokenIds.clone();
        this.finishReason = finishReason;
        this.usage = usage;
        this.timings = timings;
    }

    /**
     * What the model thought before it answered, as models do that write it between {@code <think>} and
     * {@code </think>}. It is no part of {@link #text()}; whether a later turn is shown it is for the chat template.
     *
     * @return the thoughts, empty if there are none
     */
    public String thinking() {
        return thinking;
    }

    /** {@return the text, without thoughts, stop tokens and stop strings} */
    public String text() {
        return text;
    }

    /** {@return all generated token ids, the stop token included} The array is the caller's own. */
    public int[] tokenIds() {
        return tokenIds.clone();
    }

    /** {@return why it ended} */
    public FinishReason finishReason() {
        return finishReason;
    }

    /** {@return token counts} */
    public Usage usage() {
        return usage;
    }

    /** {@return how long each phase took} */
    public Timings timings() {
        return timings;
    }

    /**
     * Which model answered, for logs and where several are asked: the names of its folders, a Hugging Face name with
     * the beginning of its revision where it lies in their cache, then the engine and the language model's precision.
     * For people to read and to tell models apart; its form may change.
     *
     * @return for example {@code SmolVLM-256M-Instruct (onnx, INT8)}, empty if the runtime does not say
     */
    public String model() {
        return model;
    }

    /**
     * How likely each generated token was, where {@link GenerationOptions.Builder#logProbabilities} asked for it.
     *
     * @return one entry for each of {@link #tokenIds}, or none if nobody asked
     */
    public List<TokenProbability> logProbabilities() {
        return logProbabilities;
    }

    /**
     * How likely the model was to write one value of a JSON answer as it did: the product of the probabilities of the
     * tokens that have a part of it. Needs {@link GenerationOptions.Builder#logProbabilities}.
     *
     * @param pointer where the value is, as in {@code /items/0/price} (RFC 6901); empty for the whole
     * @return from 0 to 1; 1 for what the schema leaves no choice of
     * @throws AnswerException if the text is no JSON value, see {@link #json}
     * @throws IllegalArgumentException if there is no such value
     * @throws IllegalStateException if nobody asked for probabilities
     */
    public double probability(String pointer) {
        if (logProbabilities.size() != tokenIds.length) {
            throw new IllegalStateException(
                    "The answer has no probabilities; ask for them with GenerationOptions.logProbabilities(..)");
        }
        int[] span = JsonValue.span(this, Objects.requireNonNull(pointer, "pointer"));
        double sum = 0;
        for (int i = 0; i < logProbabilities.size(); i++) {
            TokenProbability token = logProbabilities.get(i);
            int end = i + 1 < logProbabilities.size()
                    ? logProbabilities.get(i + 1).start()
                    : text.length();
            if (token.start() < span[1] && end > span[0]) {
                sum += token.logProbability();
            }
        }
        return Math.exp(sum);
    }

    /**
     * The text as a JSON value, for an answer that was held to {@link GenerationOptions#jsonSchema}.
     *
     * @return a {@code Map<String, Object>} in the order of the text, a {@code List<Object>}, a {@code String}, a
     *     {@code Boolean}, a {@code Long} or, where it has a point, an exponent or too many digits, a
     *     {@code BigDecimal}; null for {@code null}. Maps and lists are unmodifiable
     * @throws AnswerException if the text is no JSON value, because the answer was ended before it was complete or was
     *     not held to a schema
     */
    public @Nullable Object json() {
        return JsonValue.of(this);
    }

    @Override
    public String toString() {
        return text;
    }

    /**
     * How likely a token was: before penalties and at temperature 1, so that it is the model's own opinion. In an
     * answer that is held to a schema or a pattern, among the tokens that this allows; 1, a logarithm of 0, where it
     * allows one only.
     *
     * @param tokenId the token
     * @param text what it writes by itself; U+FFFD in place of a part of a character
     * @param start where in the answer's text what it added begins
     * @param logProbability the natural logarithm of its probability
     * @param others the likeliest tokens at this place, the likeliest first, itself included if it is one of them; they
     *     have no others
     */
    public record TokenProbability(
            int tokenId, String text, int start, double logProbability, List<TokenProbability> others) {}

    /**
     * Token counts.
     *
     * @param promptTokens positions of the prompt, visual tokens included
     * @param visualTokens those that came from pictures
     * @param cachedTokens those that were still in the KV cache and did not run again
     * @param newTokens generated tokens, the stop token included
     */
    public record Usage(int promptTokens, int visualTokens, int cachedTokens, int newTokens) {}

    /**
     * Wall-clock time per phase. A phase that did not run took {@link Duration#ZERO}.
     *
     * @param encode decoding, preprocessing and encoding of the pictures
     * @param adapter from features to visual tokens
     * @param prefill running the prompt
     * @param timeToFirstToken from the start to the first token, all phases included
     * @param decode all tokens after the first
     */
    public record Timings(
            Duration encode, Duration adapter, Duration prefill, Duration timeToFirstToken, Duration decode) {}
}
