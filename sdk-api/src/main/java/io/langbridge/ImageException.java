package io.langbridge;

import org.jspecify.annotations.Nullable;

/**
 * A picture is broken, empty, of an unknown format, or too large to decode safely.
 *
 * @since 0.1
 */
public final class ImageException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param message names the thing, the place and the next step
     */
    public ImageException(String message) {
        super(message);
    }

    /**
     * Creates the error with what caused it.
     *
     * @param message names the thing, the place and the next step
     * @param cause what was caught, or null
     */
    public ImageException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
