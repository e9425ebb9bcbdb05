package io.langbridge.runtime.core.text;

import java.util.Arrays;

/** Collects ids up to a limit, and counts the steps that were taken to find them. */
final class Ids {
    private final int limit;
    private int[] ids = new int[32];
    private int size;
    private long steps;

    /** @param limit after how many ids the rest may be left out */
    Ids(int limit) {
        this.limit = limit;
    }

    void add(int id) {
        if (size == ids.length) {
            ids = Arrays.copyOf(ids, (int) Math.min(Integer.MAX_VALUE - 8, 2L * size));
        }
        ids[size++] = id;
    }

    boolean isFull() {
        return size >= limit;
    }

    int[] toArray() {
        return Arrays.copyOf(ids, size);
    }

    void steps(long more) {
        steps += more;
    }

    /** Looks at a character, merges and comparisons alike: what grows with the text. */
    long steps() {
        return steps;
    }
}
