package io.langbridge.runtime.pytorch;

import io.langbridge.runtime.core.checkpoint.DType;
import org.jspecify.annotations.Nullable;

/** Element types that networks compute in, with PyTorch's numbers for them. */
enum ScalarType {
    FLOAT(6, 4),
    HALF(5, 2),
    BFLOAT16(15, 2);

    private final int code;
    private final int bytes;

    ScalarType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    int code() {
        return code;
    }

    int bytes() {
        return bytes;
    }

    static @Nullable ScalarType of(DType stored) {
        switch (stored) {
            case F32:
                return FLOAT;
            case F16:
                return HALF;
            case BF16:
                return BFLOAT16;
            default:
                return null;
        }
    }
}
