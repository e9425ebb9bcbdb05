package io.langbridge.runtime.core.text;

/** Pairs of tokens that become one: which are joined first, and what becomes of them. */
final class PairTable {
    static final int NONE = -1;

    private long[] keys = new long[64];
    /** Rank plus one, 0 for a free place. */
    private int[] ranks = new int[64];

    private int size;

    private static long key(int left, int right) {
        return (long) left << 32 | right;
    }

    private static int slot(long key, int mask) {
        long mixed = key * 0x9E3779B97F4A7C15L;
        return (int) (mixed >>> 32 ^ mixed >>> 15) & mask;
    }

    /** A pair that is there already gets the new rank. */
    void put(int left, int right, int rank) {
        if (2 * size >= keys.length) {
            grow();
        }
        put(key(left, right), rank + 1);
    }

    private void put(long key, int rank) {
        int mask = keys.length - 1;
        int slot = slot(key, mask);
        while (ranks[slot] != 0 && keys[slot] != key) {
            slot = slot + 1 & mask;
        }
        size += ranks[slot] == 0 ? 1 : 0;
        keys[slot] = key;
        ranks[slot] = rank;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldRanks = ranks;
        keys = new long[2 * oldKeys.length];
        ranks = new int[keys.length];
        size = 0;
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldRanks[i] != 0) {
                put(oldKeys[i], oldRanks[i]);
            }
        }
    }

    /** The rank of a pair, or {@link #NONE}. */
    int rank(int left, int right) {
        long key = key(left, right);
        int mask = keys.length - 1;
        int slot = slot(key, mask);
        while (ranks[slot] != 0) {
            if (keys[slot] == key) {
                return ranks[slot] - 1;
            }
            slot = slot + 1 & mask;
        }
        return NONE;
    }
}
