package io.langbridge.runtime.training;

import io.langbridge.LangBridgeException;
import org.jspecify.annotations.Nullable;

/**
 * A record of the training data cannot be used, or too many of them. The message names the record and what is wrong
 * with it.
 *
 * @since 0.1
 */
public final class TrainingDataException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param message names the record, the place and the next step
     */
    public TrainingDataException(String message) {
        super(message);
    }

    /**
     * Creates the error with what caused it.
     *
     * @param message names the record, the place and the next step
     * @param cause what was caught, or null
     */
    public TrainingDataException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
