package io.langbridge.runtime.pytorch;

import io.langbridge.LangBridgeException;

/**
 * PyTorch refused to build or to run a network. The message says which and what for; the cause is PyTorch's own error.
 *
 * @since 0.1
 */
public final class PyTorchException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    PyTorchException(String message, Throwable cause) {
        super(message, cause);
    }
}
