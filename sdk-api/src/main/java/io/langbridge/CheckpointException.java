package io.langbridge;

import org.jspecify.annotations.Nullable;

/**
 * A model file or folder is missing, damaged, contradicts itself, or does not fit the other parts. The remedy is
 * another file; the message names the file and, where there is one, the tensor or JSON key.
 *
 * @since 0.1
 */
public final class CheckpointException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param message names the thing, the place and the next step
     */
    public CheckpointException(String message) {
        super(message);
    }

    /**
     * Creates the error with what caused it.
     *
     * @param message names the thing, the place and the next step
     * @param cause what was caught, or null
     */
    public CheckpointException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
