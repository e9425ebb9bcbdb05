package io.langbridge;

import org.jspecify.annotations.Nullable;

/**
 * Base of all errors this library reports. The subclasses are split by what the caller can do about them.
 *
 * <p>Messages quote files and requests, which may be anybody's, and end in terminals and logs: control characters, line
 * ends and characters that turn the direction of writing stand in them escaped ({@code \u001b}), and the middle of a
 * message above 8,000 characters is left out.
 *
 * @since 0.1
 */
public class LangBridgeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates the error.
     *
     * @param message names the thing, the place and the next step
     */
    public LangBridgeException(String message) {
        super(Visible.text(message));
    }

    /**
     * Creates the error with what caused it.
     *
     * @param message names the thing, the place and the next step
     * @param cause what was caught, or null
     */
    public LangBridgeException(String message, @Nullable Throwable cause) {
        super(Visible.text(message), cause);
    }
}
