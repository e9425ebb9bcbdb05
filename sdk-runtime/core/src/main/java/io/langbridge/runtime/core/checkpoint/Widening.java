package io.langbridge.runtime.core.checkpoint;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;

/** Conversion of stored elements to float32. */
final class Widening {
    private static final float TWO_TO_112 = 0x1p112f;

    /** Value of each byte as F8_E4M3: a sign, four bits of exponent, three of fraction. */
    private static final float[] E4M3 = new float[256];

    static {
        for (int bits = 0; bits < 128; bits++) {
            int exponent = bits >> 3;
            int fraction = bits & 7;
            float value = exponent == 0 ? fraction * 0x1p-9f : Math.scalb(8 + fraction, exponent - 10);
            E4M3[bits] = bits == 127 ? Float.NaN : value;
            E4M3[bits | 128] = -E4M3[bits];
        }
    }

    private Widening() {}

    /**
     * Converts all of {@code source}.
     *
     * @param source little-endian elements
     * @param at where the first goes
     */
    static void toFloat(DType dtype, ByteBuffer source, float[] target, int at) {
        int count = source.remaining() / dtype.bytes();
        switch (dtype) {
            case F32 -> source.asFloatBuffer().get(target, at, count);
            case BF16 -> {
                // Most weights are in it: bytes of an array are read twice as fast as through a buffer's view.
                byte[] from = source.array();
                int first = source.arrayOffset() + source.position();
                for (int i = 0; i < count; i++) {
                    int low = from[first + 2 * i] & 0xff;
                    target[at + i] = Float.intBitsToFloat((low | from[first + 2 * i + 1] << 8) << 16);
                }
            }
            case F16 -> {
                ShortBuffer from = source.asShortBuffer();
                for (int i = 0; i < count; i++) {
                    target[at + i] = halfToFloat(from.get(i));
                }
            }
            case F8_E4M3 -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = E4M3[source.get() & 0xff];
                }
            }
            case F8_E5M2 -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = halfToFloat((short) (source.get() << 8)); // the same with less fraction
                }
            }
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = (float) source.getDouble();
                }
            }
            case I64 -> {
                LongBuffer from = source.asLongBuffer();
                for (int i = 0; i < count; i++) {
                    target[at + i] = from.get(i);
                }
            }
            case I32 -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = source.getInt();
                }
            }
            case I16 -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = source.getShort();
                }
            }
            case I8 -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = source.get();
                }
            }
            case U8 -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = source.get() & 0xff;
                }
            }
            case BOOL -> {
                for (int i = 0; i < count; i++) {
                    target[at + i] = source.get() == 0 ? 0 : 1;
                }
            }
        }
    }

    /** Exponent and fraction move 13 bits up; the multiplication corrects the bias, subnormals included. */
    static float halfToFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int magnitude = (half & 0x7fff) << 13;
        int bits = (half & 0x7c00) == 0x7c00
                ? magnitude | 0x7f800000 // infinity and NaN
                : Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) * TWO_TO_112);
        return Float.intBitsToFloat(sign | bits);
    }
}
