package io.langbridge.runtime.core.text;

/** What readers of regular expressions have in common, whatever they are for: the place in the text, and numbers. */
public abstract class PatternReader {
    protected final String pattern;
    /** Where the next character stands. */
    protected int at;

    protected PatternReader(String pattern) {
        this.pattern = pattern;
    }

    /** The error of a pattern that is none, for a message that goes on behind "it has". */
    protected abstract RuntimeException damaged(String what);

    /** The next unit, which stays; -1 at the end. */
    protected final int peek() {
        return at < pattern.length() ? pattern.charAt(at) : -1;
    }

    /** Takes the next character. */
    protected final int next() {
        if (at == pattern.length()) {
            throw damaged("an end in the middle");
        }
        int c = pattern.codePointAt(at);
        at += Character.charCount(c);
        return c;
    }

    /**
     * Takes a number.
     *
     * @param most what stands for all that are larger
     * @return -1 if there is none
     */
    protected final int digits(int most) {
        int value = -1;
        while (peek() >= '0' && peek() <= '9') {
            value = Math.min(Math.max(value, 0) * 10 + next() - '0', most);
        }
        return value;
    }
}
