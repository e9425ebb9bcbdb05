package io.langbridge;

import org.jspecify.annotations.Nullable;

/**
 * The files are sound, but ask for something this library does not do: an architecture, an activation, a device, a
 * template construct. The message lists what is supported.
 *
 * @since 0.1
 */
public final class UnsupportedModelException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param message names the thing, the place and the next step
     */
    public UnsupportedModelException(String message) {
        super(message);
    }

    /**
     * Creates the error with what caused it.
     *
     * @param message names the thing, the place and the next step
     * @param cause what was caught, or null
     */
    public UnsupportedModelException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
