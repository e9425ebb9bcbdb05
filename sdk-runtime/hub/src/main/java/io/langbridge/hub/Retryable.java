package io.langbridge.hub;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Something that may go well when it is tried again. */
final class Retryable extends Exception {
    private static final long serialVersionUID = 1L;

    private final HubException error;
    private final transient @Nullable Duration after;

    /**
     * Creates it.
     *
     * @param error what is reported when no further try is left
     * @param after how long the hub asks to wait; null if it does not say
     */
    Retryable(HubException error, @Nullable Duration after) {
        super(error.getMessage(), error);
        this.error = error;
        this.after = after;
    }

    HubException error() {
        return error;
    }

    @Nullable
    Duration after() {
        return after;
    }
}
