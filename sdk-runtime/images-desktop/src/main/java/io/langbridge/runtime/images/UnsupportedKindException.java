package io.langbridge.runtime.images;

import java.io.IOException;

/** A picture that is in order, but of a kind that is not read. */
final class UnsupportedKindException extends IOException {
    private static final long serialVersionUID = 1L;

    UnsupportedKindException(String message) {
        super(message);
    }
}
