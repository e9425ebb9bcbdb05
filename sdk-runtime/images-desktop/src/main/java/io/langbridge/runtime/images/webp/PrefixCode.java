package io.langbridge.runtime.images.webp;

import java.io.IOException;

/** A canonical prefix code, as a table of the next 8 bits and tables of up to 7 more behind it. */
final class PrefixCode {
    private static final int ROOT_BITS = 8;
    private static final int MAX_LENGTH = 15;
    /** Entries have a symbol, or the place of a further table, above the bits to skip; more than 8 mean a table. */
    private static final int LENGTH_BITS = 4;

    private static final int LENGTH = (1 << LENGTH_BITS) - 1;

    private final char[] table;
    private final int mask;

    private PrefixCode(char[] table, int mask) {
        this.table = table;
        this.mask = mask;
    }

    /** Of a code length for each symbol, 0 for those that do not occur. */
    static PrefixCode of(int[] lengths, int symbols) throws IOException {
        int[] count = new int[MAX_LENGTH + 1];
        int used = 0;
        int last = 0;
        for (int symbol = 0; symbol < symbols; symbol++) {
            if (lengths[symbol] > 0) {
                count[lengths[symbol]]++;
                used++;
                last = symbol;
            }
        }
        if (used == 1) {
            return new PrefixCode(new char[] {(char) (last << LENGTH_BITS)}, 0);
        }
        int[] next = new int[MAX_LENGTH + 1];
        int code = 0;
        int longest = 0;
        for (int length = 1; length <= MAX_LENGTH; length++) {
            code <<= 1;
            next[length] = code;
            code += count[length];
            longest = count[length] > 0 ? length : longest;
        }
        if (code != 1 << MAX_LENGTH) {
            throw new IOException("a VP8L prefix code is not complete");
        }
        int rootBits = Math.min(ROOT_BITS, longest);
        int[] codes = new int[symbols];
        int[] further = new int[1 << rootBits];
        for (int symbol = 0; symbol < symbols; symbol++) {
            int length = lengths[symbol];
            if (length > 0) {
                codes[symbol] = Integer.reverse(next[length]++) >>> 32 - length;
                int root = codes[symbol] & (1 << rootBits) - 1;
                further[root] = Math.max(further[root], length - rootBits);
            }
        }
        int size = 1 << rootBits;
        int[] place = new int[1 << rootBits];
        for (int root = 0; root < further.length; root++) {
            if (further[root] > 0) {
                place[root] = size;
                size += 1 << further[root];
            }
        }
        char[] table = new char[size];
        for (int symbol = 0; symbol < symbols; symbol++) {
            int length = lengths[symbol];
            int root = codes[symbol] & (1 << rootBits) - 1;
            if (length > rootBits) {
                table[root] = (char) (place[root] << LENGTH_BITS | ROOT_BITS + further[root]);
                fill(table, place[root], further[root], codes[symbol] >> rootBits, length - rootBits, symbol);
            } else if (length > 0) {
                fill(table, 0, rootBits, codes[symbol], length, symbol);
            }
        }
        return new PrefixCode(table, (1 << rootBits) - 1);
    }

    private static void fill(char[] table, int from, int bits, int code, int length, int symbol) {
        for (int i = code; i < 1 << bits; i += 1 << length) {
            table[from + i] = (char) (symbol << LENGTH_BITS | length);
        }
    }

    /** {@return the number of entries, each of two bytes} */
    int size() {
        return table.length;
    }

    int read(BitReader in) {
        int bits = in.peek();
        int entry = table[bits & mask];
        int length = entry & LENGTH;
        if (length > ROOT_BITS) {
            in.skip(ROOT_BITS);
            entry = table[(entry >> LENGTH_BITS) + (bits >> ROOT_BITS & (1 << length - ROOT_BITS) - 1)];
            length = entry & LENGTH;
        }
        in.skip(length);
        return entry >> LENGTH_BITS;
    }
}
