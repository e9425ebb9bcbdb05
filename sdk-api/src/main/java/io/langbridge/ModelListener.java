package io.langbridge;

import java.time.Duration;

/**
 * Is told what happens to requests, for metrics, traces and logs. Set with
 * {@link VisionLanguageModel.Builder#listener}.
 *
 * <pre>{@code
 * .listener(new ModelListener() {
 *     public void finished(long request, FinishReason reason, Answer.Usage usage, Answer.Timings timings) {
 *         log.info("request {} ended with {} after {} tokens", request, reason, usage.newTokens());
 *     }
 * })
 * }</pre>
 *
 * <p>Each request has a number, unique within the process. It is told as {@code started}, {@code encoded} once per
 * picture, {@code prefilled}, {@code firstToken}, and one of {@code finished} and {@code failed}, which comes last;
 * what does not come to pass is left out. Numbers and times only: no picture, no word of question or answer is handed
 * over, but for the message of an exception, which may quote a file or a template.
 *
 * <p>Calls come from threads of the model, and the end also from whoever brings it about (asks, cancels, closes);
 * several at a time for several requests, and the request waits meanwhile: be quick. What a listener throws is logged
 * once per kind and otherwise ignored. A listener must not ask or close the model that calls it; that is an
 * {@link IllegalStateException}. All methods do nothing unless overridden, and more may be added.
 *
 * @since 0.1
 */
public interface ModelListener {
    /**
     * A request begins to run.
     *
     * @param request its number
     * @param waited how long it had to wait for others
     */
    default void started(long request, Duration waited) {}

    /**
     * A picture is encoded. {@link VisionLanguageModel#encode} tells this and nothing else, under a number of its own.
     *
     * @param request its number
     * @param picture what that took
     */
    default void encoded(long request, Encoding picture) {}

    /**
     * The prompt has run.
     *
     * @param request its number
     * @param prompt what that took
     */
    default void prefilled(long request, Prompt prompt) {}

    /**
     * The first token is there.
     *
     * @param request its number
     * @param time since the request began to run
     */
    default void firstToken(long request, Duration time) {}

    /**
     * An answer has ended, for whatever reason. Also told of a stream that was closed or dropped before its end.
     *
     * @param request its number
     * @param reason why it ended
     * @param usage token counts
     * @param timings how long each phase took
     */
    default void finished(long request, FinishReason reason, Answer.Usage usage, Answer.Timings timings) {}

    /**
     * A request has failed, or was refused with {@link BusyException}.
     *
     * @param request its number
     * @param failure what the caller gets too
     */
    default void failed(long request, Throwable failure) {}

    /**
     * What a picture took.
     *
     * @param tiles tiles the encoder sees
     * @param encodedBefore whether it came as an {@link EncodedImage} and cost nothing now
     * @param time decoding, preprocessing and encoding
     */
    record Encoding(int tiles, boolean encodedBefore, Duration time) {}

    /**
     * What a prompt took.
     *
     * @param tokens positions of the prompt, visual tokens included
     * @param visualTokens those that came from pictures
     * @param cachedTokens those that were still in the KV cache and did not run again
     * @param time running it
     */
    record Prompt(int tokens, int visualTokens, int cachedTokens, Duration time) {}
}
