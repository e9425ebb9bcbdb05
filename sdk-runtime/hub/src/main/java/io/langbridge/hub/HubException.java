package io.langbridge.hub;

import io.langbridge.LangBridgeException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A model could not be had from the hub or from the cache. {@link #reason()} says what can be done about it, the
 * message names the next step. A token is never part of it.
 *
 * @since 0.1
 */
public final class HubException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    /** What went wrong, by what the caller can do about it. */
    public enum Reason {
        /** The hub cannot be reached, does not answer in time, or is out of order: try again later. */
        UNREACHABLE,
        /** The hub refuses further requests for now: try again later, or with a token. */
        RATE_LIMITED,
        /** The hub wants a token, or does not accept the one it got. */
        UNAUTHORIZED,
        /** The model's terms have to be accepted on its page first. */
        GATED,
        /** There is no such model, or it is private and there was no token for it. */
        REPOSITORY_NOT_FOUND,
        /** The model has no such branch, tag or commit. */
        REVISION_NOT_FOUND,
        /** The model has no such file, or none that the patterns fit. */
        FILE_NOT_FOUND,
        /** Connecting is forbidden, and the cache does not hold everything. */
        OFFLINE,
        /** There is too little room on the disk. */
        DISK_FULL,
        /** The bytes that arrived are not those that the hub announced, even when fetched again. */
        DAMAGED,
        /** The hub answered something that is not understood or not safe to follow. */
        INVALID_ANSWER,
        /** The cache cannot be read or written. */
        CACHE,
        /** The thread was interrupted; what was downloaded is kept, and its flag is set again. */
        INTERRUPTED
    }

    /**
     * Creates the error.
     *
     * @param reason what can be done about it
     * @param message names the thing, the place and the next step
     */
    public HubException(Reason reason, String message) {
        this(reason, message, null);
    }

    /**
     * Creates the error with what caused it.
     *
     * @param reason what can be done about it
     * @param message names the thing, the place and the next step
     * @param cause what was caught, or null
     */
    public HubException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = Objects.requireNonNull(reason, "reason");
    }

    /** {@return what went wrong, by what the caller can do about it} */
    public Reason reason() {
        return reason;
    }
}
