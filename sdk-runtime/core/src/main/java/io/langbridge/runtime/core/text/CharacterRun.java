package io.langbridge.runtime.core.text;

import io.langbridge.runtime.core.text.PatternNode.One;
import io.langbridge.runtime.core.text.PatternNode.Repeat;
import io.langbridge.runtime.core.text.PatternNode.Sequence;
import org.jspecify.annotations.Nullable;

/**
 * Characters of one class, one or more up to a limit, with a character of another class in front or not: {@code \p{N}},
 * {@code \p{N}{1,3}}, {@code [\r\n]}, {@code \s?\p{L}+}. Reads every character at most three times.
 *
 * @param front null if nothing may stand in front
 * @param most of the class, without the one in front
 */
record CharacterRun(@Nullable CodePoints front, CodePoints set, int most) implements SplitPattern {
    /** {@return null if the pattern is of another kind} */
    static @Nullable CharacterRun of(PatternNode node) {
        if (node instanceof Sequence sequence && sequence.parts().size() == 2) {
            return sequence.parts().get(0) instanceof Repeat front
                            && front.body() instanceof One one
                            && front.min() == 0
                            && front.max() == 1
                            && !front.lazy()
                    ? of(one.set(), sequence.parts().get(1))
                    : null;
        }
        return of(null, node);
    }

    private static @Nullable CharacterRun of(@Nullable CodePoints front, PatternNode run) {
        if (run instanceof One one) {
            return new CharacterRun(front, one.set(), 1);
        }
        return run instanceof Repeat repeat && repeat.body() instanceof One one && repeat.min() == 1 && !repeat.lazy()
                ? new CharacterRun(front, one.set(), repeat.max())
                : null;
    }

    @Override
    public void matches(String text, Spans spans) {
        scan(text, spans);
    }

    void scan(CharSequence text, Spans spans) {
        int at = 0;
        while (at < text.length()) {
            int c = Character.codePointAt(text, at);
            int next = at + Character.charCount(c);
            int end = front != null && front.contains(c) ? run(text, next) : next;
            if (end == next) {
                end = set.contains(c) ? run(text, at) : at;
            }
            if (end > at) {
                spans.span(at, end);
            }
            at = Math.max(end, next);
        }
    }

    private int run(CharSequence text, int from) {
        int at = from;
        for (int n = 0; n < most && at < text.length(); n++) {
            int c = Character.codePointAt(text, at);
            if (!set.contains(c)) {
                break;
            }
            at += Character.charCount(c);
        }
        return at;
    }
}
