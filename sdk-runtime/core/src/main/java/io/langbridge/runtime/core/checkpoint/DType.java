package io.langbridge.runtime.core.checkpoint;

/** Element types of stored tensors, named as safetensors names them. */
public enum DType {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    /** Four bits of exponent, no infinity. */
    F8_E4M3(1),
    F8_E5M2(1),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U8(1),
    BOOL(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    /** Whether its elements have fractions. */
    public boolean isFloatingPoint() {
        return this == F64 || this == F32 || this == F16 || this == BF16 || isFloat8();
    }

    /** Whether its elements are floating-point numbers of 8 bits. */
    public boolean isFloat8() {
        return this == F8_E4M3 || this == F8_E5M2;
    }

    /** Size of one element in bytes. */
    public int bytes() {
        return bytes;
    }
}
