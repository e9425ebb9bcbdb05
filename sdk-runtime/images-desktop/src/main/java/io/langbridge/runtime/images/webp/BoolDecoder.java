package io.langbridge.runtime.images.webp;

/** The arithmetic decoder of VP8: section 7 of RFC 6386, with the bits that wait kept in a long. */
final class BoolDecoder {
    private static final int EVEN = 128;

    private final byte[] data;
    private final int end;
    private int at;
    /** The byte that decides lies above the {@link #waiting} lowest bits. */
    private long value;

    private int waiting = -8;
    private int range = 255;
    private boolean exhausted;

    BoolDecoder(byte[] data, int from, int end) {
        this.data = data;
        this.at = from;
        this.end = end;
        load();
    }

    /** Whether bits behind the end were asked for; they are zeros. */
    boolean exhausted() {
        return exhausted;
    }

    /** Reads one bit that is 0 with this probability of 256. */
    boolean bit(int probability) {
        if (waiting < 0) {
            load();
        }
        int split = 1 + ((range - 1) * probability >> 8);
        long border = (long) split << waiting;
        boolean one = value >= border;
        if (one) {
            value -= border;
            range -= split;
        } else {
            range = split;
        }
        int shift = Integer.numberOfLeadingZeros(range) - 24;
        range <<= shift;
        waiting -= shift;
        return one;
    }

    boolean flag() {
        return bit(EVEN);
    }

    int number(int bits) {
        int number = 0;
        for (int i = 0; i < bits; i++) {
            number = number << 1 | (flag() ? 1 : 0);
        }
        return number;
    }

    /** A number with its sign behind it. */
    int signed(int bits) {
        int number = number(bits);
        return flag() ? -number : number;
    }

    /** A signed number behind a flag that says whether there is one, else 0. */
    int optional(int bits) {
        return flag() ? signed(bits) : 0;
    }

    private void load() {
        if (at == end) {
            value <<= 8;
            waiting += 8;
            exhausted = true;
        }
        for (int stop = Math.min(end, at + 6); at < stop; at++) {
            value = value << 8 | data[at] & 0xff;
            waiting += 8;
        }
    }
}
