package io.langbridge;

/**
 * An answer is not what was asked for, such as a JSON value that was cut off where its tokens ran out. Holds the
 * answer: its {@link Answer#finishReason()} says why it ended, its {@link Answer#text()} is what there is of it.
 *
 * @since 0.1
 */
public final class AnswerException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    private final transient Answer answer;

    /**
     * Creates the error.
     *
     * @param message names the thing, the place and the next step
     * @param answer the answer
     */
    public AnswerException(String message, Answer answer) {
        super(message);
        this.answer = answer;
    }

    /** {@return the answer} */
    public Answer answer() {
        return answer;
    }
}
