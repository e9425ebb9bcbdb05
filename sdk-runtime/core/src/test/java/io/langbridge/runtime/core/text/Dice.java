package io.langbridge.runtime.core.text;

/** The same numbers in every language, so that other programs can make the same texts. */
final class Dice {
    private long state = 1;

    int next(int bound) {
        state = state * 6364136223846793005L + 1442695040888963407L;
        return (int) ((state >>> 33) % bound);
    }
}
