package io.langbridge;

/**
 * Why an answer ended.
 *
 * @since 0.1
 */
public enum FinishReason {
    /**
     * The model ended it with one of its stop tokens, or it is complete as {@link GenerationOptions#jsonSchema} or
     * {@link GenerationOptions#pattern} has it, so that nothing else could follow.
     */
    STOP_TOKEN,
    /** One of the request's stop strings appeared; it is not part of the text. */
    STOP_STRING,
    /** {@link GenerationOptions#maxNewTokens()} were generated. */
    MAX_NEW_TOKENS,
    /** The context is full. */
    CONTEXT_FULL,
    /** The caller cancelled, closed stream or model, or interrupted the thread that read. */
    CANCELLED,
    /** {@link GenerationOptions#timeout()} was over. */
    TIMED_OUT
}
