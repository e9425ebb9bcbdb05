package io.langbridge;

import org.jspecify.annotations.Nullable;

/**
 * Is told an answer while it is being made, in place of a loop that reads an {@link AnswerStream}.
 *
 * <pre>{@code
 * AnswerHandle handle = model.stream(request, executor, new AnswerListener() {
 *     public void onPiece(AnswerStream.Piece piece) {
 *         connection.send(piece.text());
 *     }
 *
 *     public void onComplete(Answer answer) {
 *         connection.end();
 *     }
 *
 *     public void onError(Throwable failure) {
 *         connection.fail(failure);
 *     }
 * });
 * connection.onClosed(handle::cancel);
 * }</pre>
 *
 * <p>All calls come from one task of the executor, one after the other: each piece in its order, with the values that
 * it completes behind it, then one of {@code onComplete} and {@code onError}, which comes last. The answer's place and
 * KV cache are given back before that, so that the last call may ask again. The next piece is computed when
 * {@code onPiece} comes back, so a slow listener holds the answer up and nothing piles up. Any call may cancel, and may
 * close the model.
 *
 * <p>What {@code onPiece} and {@code onValue} throw ends the answer and is handed to {@code onError}, once. What
 * {@code onComplete} and {@code onError} throw goes to the executor's thread, as what any task throws.
 *
 * @since 0.1
 */
public interface AnswerListener {
    /**
     * A piece of the answer. Does nothing unless overridden.
     *
     * @param piece its text may be empty while a character is not complete
     */
    default void onPiece(AnswerStream.Piece piece) {}

    /**
     * A value within a JSON answer is complete. Told of an answer that is an object or a list, which one that is held
     * to {@link GenerationOptions#jsonSchema} is if the schema says so: each value once and in its order, an object or
     * a list behind what it holds. The last is the whole, at the empty pointer, unless the answer ends before. Does
     * nothing unless overridden.
     *
     * @param pointer where the value is, as in {@code /items/0/price} (RFC 6901)
     * @param value as {@link Answer#json} gives it
     */
    default void onValue(String pointer, @Nullable Object value) {}

    /**
     * The answer has ended, for whatever reason: also where it was cancelled, with {@link FinishReason#CANCELLED} and
     * what had been said until then.
     *
     * @param answer the whole answer
     */
    void onComplete(Answer answer);

    /**
     * The answer has failed.
     *
     * @param failure what {@link VisionLanguageModel#answer} would throw, or what {@link #onPiece} or {@link #onValue}
     *     threw
     */
    void onError(Throwable failure);
}
