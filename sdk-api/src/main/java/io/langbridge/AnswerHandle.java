package io.langbridge;

/**
 * Ends an answer that an {@link AnswerListener} is told. For any thread, at any moment; nothing to close. Not meant to
 * be implemented by users.
 *
 * @since 0.1
 */
public interface AnswerHandle {
    /**
     * Ends the answer as soon as what is being computed is done; the listener is then told {@code onComplete} with
     * {@link FinishReason#CANCELLED}. Idempotent, and without effect once the answer has ended.
     */
    void cancel();

    /** {@return whether {@link #cancel()} or an interrupt came before the end} */
    boolean isCancelled();
}
