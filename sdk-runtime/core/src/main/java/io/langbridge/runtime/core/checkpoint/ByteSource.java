package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;

/** Reads a range of a file from front to back. Not thread-safe. */
final class ByteSource {
    private static final int WINDOW_BYTES = 8192;

    private final OpenFile file;
    private final long end;
    private long position;
    private byte[] window = new byte[0];
    private long windowStart;

    ByteSource(OpenFile file, long start, long end) {
        this.file = file;
        this.position = start;
        this.end = end;
    }

    /** Place of the next byte in the file. */
    long position() {
        return position;
    }

    long remaining() {
        return end - position;
    }

    int u8() {
        need(1);
        if (position < windowStart || position >= windowStart + window.length) {
            window = file.read(position, (int) Math.min(WINDOW_BYTES, end - position));
            windowStart = position;
        }
        return window[(int) (position++ - windowStart)] & 0xff;
    }

    int u16() {
        return u8() | u8() << 8;
    }

    int i32() {
        return u16() | u16() << 16;
    }

    long u32() {
        return i32() & 0xffffffffL;
    }

    long i64() {
        return u32() | (long) i32() << 32;
    }

    /** {@code most} is what a sound file has at most. */
    byte[] bytes(long length, int most) {
        need(length);
        if (length > most) {
            throw new CheckpointException(file.path() + " is refused: byte " + position + " begins a text of " + length
                    + " bytes, and at most " + most + " are read.");
        }
        byte[] bytes = file.read(position, (int) length);
        position += length;
        return bytes;
    }

    void skip(long length) {
        need(length);
        position += length;
    }

    /** {@code length} more bytes must be there; a length that lies is found before memory is taken for it. */
    private void need(long length) {
        if (length < 0 || length > end - position) {
            throw new CheckpointException(file.path() + " is truncated or damaged: byte " + position + " asks for "
                    + Long.toUnsignedString(length) + " more bytes, but " + (end - position)
                    + " are left. Download it again.");
        }
    }
}
