package io.langbridge;

import org.jspecify.annotations.Nullable;

/**
 * A request cannot be answered as it stands: longer than the context, wrong number of pictures, roles out of order, or
 * refused by the chat template, held to a schema or pattern that is not supported, or it asks about a word that the
 * model does not have.
 *
 * @since 0.1
 */
public final class PromptException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param message names the thing, the place and the next step
     */
    public PromptException(String message) {
        super(message);
    }

    /**
     * Creates the error with what caused it.
     *
     * @param message names the thing, the place and the next step
     * @param cause what was caught, or null
     */
    public PromptException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
