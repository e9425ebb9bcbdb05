package io.langbridge.runtime.images.webp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The bits of a VP8L stream, the lowest of each byte first. Behind the end come zeros. */
final class BitReader {
    private final ByteBuffer data;
    private final int end;
    private int at;
    private long bits;
    private int count;

    BitReader(byte[] data, int from, int end) {
        this.data = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        this.at = from;
        this.end = end;
    }

    /** Reads a number of up to 24 bits. */
    int number(int size) {
        int number = peek() & (1 << size) - 1;
        skip(size);
        return number;
    }

    boolean flag() {
        return number(1) != 0;
    }

    /** The next bits, at least 24 of them. */
    int peek() {
        if (count < 32) {
            fill();
        }
        return (int) bits;
    }

    void skip(int size) {
        bits >>>= size;
        count -= size;
    }

    /** Whether bits behind the end were used. */
    boolean exhausted() {
        return at > end && 8L * at - count > 8L * end;
    }

    private void fill() {
        if (end - at >= Long.BYTES) {
            bits |= data.getLong(at) << count;
            int bytes = 63 - count >> 3;
            at += bytes;
            count += 8 * bytes;
            return;
        }
        for (; count <= 48; count += 8, at++) {
            bits |= (at < end ? data.get(at) & 0xffL : 0) << count;
        }
    }
}
