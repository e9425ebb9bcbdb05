package io.langbridge.runtime.training;

import io.langbridge.LangBridgeException;
import org.jspecify.annotations.Nullable;

/**
 * A training cannot go on: the loss is no longer a number, its folder belongs to another training, or it cannot be
 * written to. What was saved before is still there.
 *
 * @since 0.1
 */
public final class TrainingException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param message names the place, the numbers and the next step
     */
    public TrainingException(String message) {
        super(message);
    }

    /**
     * Creates the error with what caused it.
     *
     * @param message names the place, the numbers and the next step
     * @param cause what was caught, or null
     */
    public TrainingException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
