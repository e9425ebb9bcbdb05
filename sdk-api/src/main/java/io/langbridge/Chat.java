package io.langbridge;

import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;

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
    default Answer ask(String question) {
        try (AnswerStream stream = stream(question)) {
            return stream.answer();
        }
    }

    /**
     * Shows a picture and asks about it.
     *
     * @param image the picture
     * @param question the question
     * @return the answer, already part of the conversation
     * @throws IllegalArgumentException if the question is empty
     */
    default Answer ask(Image image, String question) {
        try (AnswerStream stream = stream(image, question)) {
            return stream.answer();
        }
    }

    /**
     * Shows a picture that was encoded before and asks about it.
     *
     * @param image made by {@link VisionLanguageModel#encode}, by this model or by one with the same encoder
     * @param question the question
     * @return the answer, already part of the conversation
     * @throws IllegalArgumentException if the question is empty
     */
    default Answer ask(EncodedImage image, String question) {
        try (AnswerStream stream = stream(image, question)) {
            return stream.answer();
        }
    }

    /**
     * Asks about what was said and shown so far and streams the answer, as {@link #stream(Message)} does.
     *
     * @param question the question
     * @return the answer; close it before the next turn
     * @throws IllegalArgumentException if the question is empty
     * @throws IllegalStateException if the last stream has not ended
     */
    default AnswerStream stream(String question) {
        return stream(new Message(Message.Role.USER, Collections.singletonList(new Message.Text(question))));
    }

    /**
     * Shows a picture, asks about it and streams the answer, as {@link #stream(Message)} does.
     *
     * @param image the picture
     * @param question the question
     * @return the answer; close it before the next turn
     * @throws IllegalArgumentException if the question is empty
     * @throws IllegalStateException if the last stream has not ended
     */
    default AnswerStream stream(Image image, String question) {
        return stream(Request.of(image, question).messages().get(0));
    }

    /**
     * Shows a picture that was encoded before, asks about it and streams the answer, as {@link #stream(Message)} does.
     *
     * @param image made by {@link VisionLanguageModel#encode}, by this model or by one with the same encoder
     * @param question the question
     * @return the answer; close it before the next turn
     * @throws IllegalArgumentException if the question is empty
     * @throws IllegalStateException if the last stream has not ended
     */
    default AnswerStream stream(EncodedImage image, String question) {
        return stream(Request.of(image, question).messages().get(0));
    }

    /**
     * Takes a turn with any parts and streams the answer. The turn joins the conversation when the stream has ended; a
     * cancelled stream joins with what it had said, and one that failed leaves the conversation as it was.
     *
     * @param turn the user's message
     * @return the answer; close it before the next turn
     * @throws IllegalStateException if the last stream has not ended
     */
    AnswerStream stream(Message turn);

    /**
     * Takes a turn and tells a listener, as {@link VisionLanguageModel#stream(Request, Executor, AnswerListener)} does.
     * The turn has joined the conversation when the listener is told the end, which may take the next one; nobody else
     * uses the chat until then.
     *
     * @param turn the user's message
     * @param executor runs the calls of the listener
     * @param listener is told every piece and how it ended
     * @return ends the answer; may be dropped
     * @throws IllegalStateException if the last answer has not ended
     * @throws java.util.concurrent.RejectedExecutionException if the executor refuses; the listener is told nothing
     */
    default AnswerHandle stream(Message turn, Executor executor, AnswerListener listener) {
        Objects.requireNonNull(executor, "executor");
        Objects.requireNonNull(listener, "listener");
        return PushedAnswer.push(stream(turn), executor, listener);
    }

    /** {@return what was said so far} */
    List<Message> messages();

    /** Frees the KV cache. Idempotent. */
    @Override
    void close();
}
