package io.langbridge.runtime.images.webp;

/** Numbers in files: the lowest byte is first. */
final class Bytes {
    private Bytes() {}

    static int int16(byte[] data, int at) {
        return data[at] & 0xff | (data[at + 1] & 0xff) << 8;
    }

    static int int24(byte[] data, int at) {
        return int16(data, at) | (data[at + 2] & 0xff) << 16;
    }

    static long unsigned32(byte[] data, int at) {
        return int24(data, at) | (data[at + 3] & 0xffL) << 24;
    }
}
