package io.langbridge.runtime.core.engine;

import java.util.Arrays;

/**
 * Which tokens of a sequence see others behind them. Those must run together, and be forgotten together. Not
 * thread-safe.
 */
public final class LookAhead {
    private final int[] ahead;

    /** Begins an empty sequence of at most so many tokens. */
    public LookAhead(int capacity) {
        ahead = new int[capacity];
    }

    /** See {@link DecoderSession#lookAhead}; the tokens come behind {@code length} others. */
    public void say(int length, int[] of) {
        if (of.length > ahead.length - length) {
            throw new IllegalStateException("The cache holds " + length + " of at most " + ahead.length
                    + " positions; there is no room for " + of.length + " more");
        }
        for (int i = 0; i < of.length; i++) {
            if (of[i] < 0 || of[i] >= of.length - i) {
                throw new IllegalArgumentException(
                        "Token " + i + " of " + of.length + " cannot see " + of[i] + " tokens behind it");
            }
        }
        System.arraycopy(of, 0, ahead, length, of.length);
        Arrays.fill(ahead, length + of.length, ahead.length, 0);
    }

    /**
     * How many tokens can run together behind {@code length} others, so that none sees one that comes later.
     *
     * @param tokens most of them
     * @param wanted so many or fewer, if that is possible
     * @return 0 if there is no such number
     */
    public int portion(int length, int tokens, int wanted) {
        int best = 0;
        int reach = 0;
        for (int i = 1; i <= tokens && (i <= wanted || best == 0); i++) {
            reach = Math.max(reach, i + ahead[length + i - 1]);
            best = reach == i ? i : best;
        }
        return best;
    }

    /** Says the same as another, as far as there is room. */
    public void takeOver(LookAhead other) {
        int common = Math.min(ahead.length, other.ahead.length);
        System.arraycopy(other.ahead, 0, ahead, 0, common);
        Arrays.fill(ahead, common, ahead.length, 0);
    }

    /** What was said of tokens from {@code first} on. */
    public int[] of(int first, int count) {
        return Arrays.copyOfRange(ahead, first, first + count);
    }

    /**
     * Forgets all behind a position.
     *
     * @return that position, or the one in front of tokens that see each other across it
     */
    public int rewind(int position) {
        int to = position;
        for (int i = to - 1; i >= 0; i--) {
            // All of a stretch see its end.
            to = i + ahead[i] >= to ? i : to;
        }
        Arrays.fill(ahead, to, ahead.length, 0);
        return to;
    }
}
