package io.langbridge;

import org.jspecify.annotations.Nullable;

/**
 * No engine can run the model here: an artefact or a native library is missing, or the device asked for is not there.
 * The message names the artefact to add.
 *
 * @since 0.1
 */
public final class RuntimeUnavailableException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param message names the thing, the place and the next step
     */
    public RuntimeUnavailableException(String message) {
        super(message);
    }

    /**
     * Creates the error with what caused it.
     *
     * @param message names the thing, the place and the next step
     * @param cause what was caught, or null
     */
    public RuntimeUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
