package io.langbridge;

import java.util.List;

/**
 * A conversation over several turns that keeps its KV cache, so that each turn costs only what is new. Not thread-safe;
 * several chats of one model may run side by side. The caller closes it; closing the model closes its chats too.
 *
 * <pre>{@code
 * try (Chat chat = model.chat()) {
 *     chat.ask(image, "What is in the picture?");
 *     chat.ask("What colour is it?");
 * }
 * }</pre>
 *
 * @since 0.1
 */
public interface Chat extends AutoCloseable {
    /**
     * Asks about what was said and shown so far.
     *
     * @param question the question
     * @return the answer, already part of the conversation
     * @throws IllegalArgumentException if the question is empty
     */
    Answer ask(String question);

    /**
     * Shows a picture and asks about it.
     *
     * @param image the picture
     * @param question the question
     * @return the answer, already part of the conversation
     * @throws IllegalArgumentException if the question is empty
     */
    Answer ask(Image image, String question);

    /**
     * Takes a turn with any parts and streams the answer. The turn joins the conversation when the stream has ended; a
     * cancelled stream joins with what it had said, and one that failed leaves the conversation as it was.
     *
     * @param turn the user's message
     * @return the answer; close it before the next turn
     * @throws IllegalStateException if the last stream has not ended
     */
    AnswerStream stream(Message turn);

    /** {@return what was said so far} */
    List<Message> messages();

    /** Frees the KV cache. Idempotent. */
    @Override
    void close();
}
