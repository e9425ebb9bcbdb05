package io.langbridge;

import java.util.Iterator;

/**
 * An answer while it is being made. Iterating does the work, in the thread that iterates; nothing runs before the first
 * piece is asked for. {@link #cancel()} may be called by any thread at any moment, also before the first piece, and the
 * pieces end soon after. Everything else is for one thread.
 *
 * <pre>{@code
 * try (AnswerStream answer = model.stream(request)) {
 *     for (AnswerStream.Piece piece : answer) {
 *         System.out.print(piece.text());
 *     }
 *     System.out.println(" (" + answer.answer().finishReason() + ")");
 * }
 * }</pre>
 *
 * @since 0.1
 */
public interface AnswerStream extends Iterable<AnswerStream.Piece>, AutoCloseable {
    /**
     * The pieces, in order. There is one iterator: asking again goes on where the last one stopped.
     *
     * @return an iterator that waits for the next piece; after {@link #cancel()} it ends
     */
    @Override
    Iterator<Piece> iterator();

    /** Ends the answer. Idempotent; for any thread. */
    void cancel();

    /** {@return whether {@link #cancel()} or {@link #close()} came before the end} */
    boolean isCancelled();

    /**
     * The whole answer; generates what is still missing. After {@link #cancel()}, what had been said until then.
     *
     * @return the answer
     */
    Answer answer();

    /** Cancels if the answer has not ended, and gives its resources back. Idempotent. */
    @Override
    void close();

    /**
     * A piece of text; characters are never cut in two. May be empty while a character is not complete.
     *
     * @param text what became certain with this token
     * @param tokenId the token
     */
    record Piece(String text, int tokenId) {}
}
