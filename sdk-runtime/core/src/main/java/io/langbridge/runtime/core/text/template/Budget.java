package io.langbridge.runtime.core.text.template;

/**
 * What one rendering may use. Everything is charged before it is done or made, in one unit: about a nanosecond of work
 * or a quarter of a character of memory. So one number bounds time and memory; a hostile template ends with an error.
 */
final class Budget {
    /** A conversation of a million characters takes about a fifth of it. */
    static final long WORK = 100_000_000;

    /** More than any model reads, and little enough to be built in a small heap. */
    static final int LONGEST_TEXT = 1 << 23;

    /** Nested nodes, macro calls included; at some 300 bytes of stack each this fits the small stacks of Android. */
    static final int DEEPEST = 400;

    private static final int STEP = 20;
    private static final int TURN = 100;
    private static final int SLOT = 16;
    private static final int OBJECT = 100;
    private static final int CHARACTER = 4;

    /** The last net, for machines on which a unit takes far longer than thought. */
    private static final long LONGEST_NANOS = 20_000_000_000L;

    private static final long CLOCK_EVERY = 1 << 20;

    private final long begin = System.nanoTime();
    private long left = WORK;
    private long nextClock = WORK - CLOCK_EVERY;
    private int depth;

    private void charge(long amount, int unit) {
        if (amount > left / unit) {
            left = 0;
            throw new Failure("it takes more work or memory than the " + WORK + " units allowed");
        }
        left -= Math.max(0, amount) * unit;
        if (left < nextClock) {
            nextClock = left - CLOCK_EVERY;
            if (System.nanoTime() - begin > LONGEST_NANOS) {
                throw new Failure("it takes more than " + LONGEST_NANOS / 1_000_000_000L + " seconds");
            }
        }
    }

    long spent() {
        return WORK - left;
    }

    /** Small pieces of work, such as the evaluation of a node. */
    void steps(long count) {
        charge(count, STEP);
    }

    /** One more turn of a loop, with its names. */
    void turn() {
        charge(1, TURN);
    }

    /** Characters or places that are looked at. */
    void scan(long count) {
        charge(count, 1);
    }

    /** A new text. */
    void text(long length) {
        if (length > LONGEST_TEXT) {
            throw new Failure("a text gets longer than " + LONGEST_TEXT + " characters");
        }
        charge(1, OBJECT);
        charge(length, CHARACTER);
    }

    /** Characters added to a text that has {@code before} already. */
    void append(long before, long length) {
        if (before + length > LONGEST_TEXT) {
            throw new Failure("a text gets longer than " + LONGEST_TEXT + " characters");
        }
        charge(length + 2, CHARACTER);
    }

    /** Places in a new list. */
    void slots(long count) {
        charge(count, SLOT);
    }

    /** Small new values. */
    void objects(long count) {
        charge(count, OBJECT);
    }

    void enter() {
        charge(1, STEP);
        if (++depth > DEEPEST) {
            throw new Failure("it nests more than " + DEEPEST + " levels deep");
        }
    }

    void leave() {
        depth--;
    }
}
