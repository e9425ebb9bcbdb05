package io.langbridge;

import java.time.Duration;

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

    @Override
    public String toString() {
        return text;
    }

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
