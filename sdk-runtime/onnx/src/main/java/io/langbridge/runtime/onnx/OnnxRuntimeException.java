package io.langbridge.runtime.onnx;

import io.langbridge.LangBridgeException;

/**
 * ONNX Runtime refused to build or to run a network. The message says which and what for; the cause is ONNX Runtime's
 * own error.
 *
 * @since 0.1
 */
public final class OnnxRuntimeException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    OnnxRuntimeException(String message, Throwable cause) {
        super(message, cause);
    }
}
