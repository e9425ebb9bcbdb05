package io.langbridge;

import java.util.Iterator;

/**
 * An answer while it is being made. Nothing runs before the first piece is asked for, and nothing runs ahead of the one
 * who reads: asking for a piece computes it, in a thread of the model, and waits for it. {@link #cancel()} and
 * {@link #close()} may be called by any thread at any moment, also before the first piece. Everything else is for one
 * thread.
 *
 * <p>What ends an answer early takes effect as soon as the tile of the encoder, the chunk of the prompt or the token
 * that is being computed is done: {@code cancel()}, {@code close()}, closing the model, interrupting the thread that
 * reads (it stays interrupted, and the pieces end with {@link FinishReason#CANCELLED}), and
 * {@link GenerationOptions#timeout()} ({@link FinishReason#TIMED_OUT}).
 *
 * <p>Where {@link VisionLanguageModel.Builder#maxConcurrentRequests} sets a limit, a stream takes its place when its
 * first piece is asked for, and gives it back when the answer ends or the stream is closed. Without a limit it also
 * gives way to those who wait when nobody has read it for a second (a tenth of that from then on), and waits for a
 * place itself when it is read on. A stream that is dropped without being closed gives back its place and its KV cache
 * once the garbage collector has found it.
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
     * The pieces, in order. There is one iterator: asking again on the way goes on where it stopped.
     *
     * @return an iterator that waits for the next piece; after {@link #cancel()} it ends. Its first call throws
     *     {@link BusyException} where the model has too many requests, and what {@link VisionLanguageModel#answer}
     *     throws
     * @throws IllegalStateException if the stream is closed, or has been read to its end: {@link #answer()} has the
     *     whole text, and {@link VisionLanguageModel#stream} begins another one
     */
    @Override
    Iterator<Piece> iterator();

    /** Ends the answer. Idempotent; for any thread. */
    void cancel();

    /** {@return whether {@link #cancel()}, {@link #close()} or an interrupt came before the end} */
    boolean isCancelled();

    /**
     * The whole answer; generates what is still missing. After {@link #cancel()} or {@link #close()}, what had been
     * said until then.
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
     * @param thinking whether the text is a part of {@link Answer#thinking()}, and not of {@link Answer#text()}
     */
    record Piece(String text, int tokenId, boolean thinking) {}
}
