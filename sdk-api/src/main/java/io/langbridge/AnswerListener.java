package io.langbridge;

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
 * <p>All calls come from one task of the executor, one after the other: each piece in its order, then one of
 * {@code onComplete} and {@code onError}, which comes last. The answer's place and KV cache are given back before that,
 * so that the last call may ask again. The next piece is computed when {@code onPiece} comes back, so a slow listener
 * holds the answer up and nothing piles up. Any call may cancel, and may close the model.
 *
 * <p>What {@code onPiece} throws ends the answer and is handed to {@code onError}, once. What {@code onComplete} and
 * {@code onError} throw goes to the executor's thread, as what any task throws.
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
     * The answer has ended, for whatever reason: also where it was cancelled, with {@link FinishReason#CANCELLED} and
     * what had been said until then.
     *
     * @param answer the whole answer
     */
    void onComplete(Answer answer);

    /**
     * The answer has failed.
     *
     * @param failure what {@link VisionLanguageModel#answer} would throw, or what {@link #onPiece} threw
     */
    void onError(Throwable failure);
}
