package io.langbridge.runtime.core.model;

import io.langbridge.runtime.core.prompt.PromptAssembler;

/**
 * Takes what a model thinks before it answers out of what it says, though both arrive in pieces. Line breaks at the
 * edges belong to neither. Not thread-safe.
 */
final class Thinking {
    private static final String BEGINS = PromptAssembler.THINKING_BEGINS;
    private static final String ENDS = PromptAssembler.THINKING_ENDS;

    private enum Where {
        START,
        INSIDE,
        BEHIND,
        TEXT
    }

    private final StringBuilder thought = new StringBuilder();
    private String held = "";
    private Where where;
    private boolean thinks;

    /** @param opened whether the prompt ends inside of it */
    Thinking(boolean opened) {
        where = opened ? Where.INSIDE : Where.START;
    }

    /** Takes the next piece and returns what is certain of one kind; see {@link #thinks}. */
    String next(String piece) {
        held += piece;
        return taken(false);
    }

    /** Whether the thought goes on. */
    boolean isInside() {
        return where == Where.INSIDE;
    }

    /** Whether what was returned last is a thought. */
    boolean thinks() {
        return thinks;
    }

    /** All thoughts so far. */
    String thought() {
        return thought.toString();
    }

    /** What was held back, at the end. */
    String flush() {
        return taken(true);
    }

    private String taken(boolean atTheEnd) {
        if (where == Where.START) {
            String said = withoutBreaks(held);
            if (said.startsWith(BEGINS)) {
                where = Where.INSIDE;
                held = said.substring(BEGINS.length());
            } else if (atTheEnd || !BEGINS.startsWith(said)) {
                where = Where.TEXT;
            }
        }
        thinks = where == Where.INSIDE;
        if (thinks) {
            String part = ofThought(atTheEnd);
            thought.append(part);
            return part;
        }
        if (where == Where.BEHIND) {
            held = withoutBreaks(held);
            where = held.isEmpty() ? Where.BEHIND : Where.TEXT;
        }
        String said = where == Where.START ? "" : held;
        held = where == Where.START ? held : "";
        return said;
    }

    /** Up to the mark; without it, what is neither the beginning of one nor line breaks that may be the last. */
    private String ofThought(boolean atTheEnd) {
        if (thought.length() == 0) {
            held = withoutBreaks(held);
        }
        int end = held.indexOf(ENDS);
        int rest = end + ENDS.length();
        if (end >= 0) {
            where = Where.BEHIND;
        } else {
            end = held.length();
            for (int n = Math.min(ENDS.length() - 1, end); n > 0 && !atTheEnd; n--) {
                if (ENDS.startsWith(held.substring(held.length() - n))) {
                    end = held.length() - n;
                    break;
                }
            }
            rest = end;
        }
        int last = end;
        while (last > 0 && held.charAt(last - 1) == '\n') {
            last--;
        }
        String part = held.substring(0, last);
        held = held.substring(where == Where.BEHIND ? rest : last);
        return part;
    }

    private static String withoutBreaks(String text) {
        int first = 0;
        while (first < text.length() && text.charAt(first) == '\n') {
            first++;
        }
        return text.substring(first);
    }
}
