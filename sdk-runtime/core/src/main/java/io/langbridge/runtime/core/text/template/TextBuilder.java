package io.langbridge.runtime.core.text.template;

/** A text in the making, charged character by character before it grows. */
final class TextBuilder {
    private final StringBuilder text = new StringBuilder();
    private final Budget budget;

    TextBuilder(Budget budget) {
        this.budget = budget;
    }

    TextBuilder append(String more) {
        return append(more, 0, more.length());
    }

    TextBuilder append(String more, int from, int to) {
        budget.append(text.length(), to - from);
        text.append(more, from, to);
        return this;
    }

    TextBuilder append(char more) {
        budget.append(text.length(), 1);
        text.append(more);
        return this;
    }

    TextBuilder appendCodePoint(int more) {
        budget.append(text.length(), 2);
        text.appendCodePoint(more);
        return this;
    }

    TextBuilder hex(int value, int digits) {
        for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
            append(Character.forDigit(value >>> shift & 0xF, 16));
        }
        return this;
    }

    TextBuilder repeat(String more, long times) {
        if (times > 0 && !more.isEmpty()) {
            if (times > Budget.LONGEST_TEXT) {
                budget.append(times, 1);
            }
            budget.append(text.length(), more.length() * times);
            for (long i = 0; i < times; i++) {
                text.append(more);
            }
        }
        return this;
    }

    int length() {
        return text.length();
    }

    @Override
    public String toString() {
        budget.objects(1);
        return text.toString();
    }
}
