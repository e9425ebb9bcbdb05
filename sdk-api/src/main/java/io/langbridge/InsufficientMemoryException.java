package io.langbridge;

import org.jspecify.annotations.Nullable;

/**
 * The model needs more memory than there is. Thrown before loading; the message lists the three biggest items.
 *
 * @since 0.1
 */
public final class InsufficientMemoryException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param message names the thing, the place and the next step
     */
    public InsufficientMemoryException(String message) {
        super(message);
    }

    /**
     * Creates the error with what caused it.
     *
     * @param message names the thing, the place and the next step
     * @param cause what was caught, or null
     */
    public InsufficientMemoryException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
