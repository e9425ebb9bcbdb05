package io.langbridge.runtime.core.text;

import java.util.List;

/** A regular expression as a tree. */
sealed interface PatternNode {
    /** One character of a set. */
    record One(CodePoints set) implements PatternNode {}

    record Sequence(List<PatternNode> parts) implements PatternNode {}

    /** The first that leads to a match counts. */
    record Choice(List<PatternNode> ways) implements PatternNode {}

    /** So many times; as often as possible unless {@code lazy}. */
    record Repeat(PatternNode body, int min, int max, boolean lazy) implements PatternNode {
        static final int UNBOUNDED = Integer.MAX_VALUE;
    }

    /** What matched first stays so. */
    record Atomic(PatternNode body) implements PatternNode {}

    /** What follows, if {@code back} is 0, or what so many characters before here match. */
    record Look(PatternNode body, boolean negative, int back) implements PatternNode {}

    record Here(Place place) implements PatternNode {}

    /** A place between characters. */
    enum Place {
        LINE_START,
        LINE_END,
        START,
        END,
        END_OR_LAST_NEWLINE,
        WORD_EDGE,
        NO_WORD_EDGE
    }
}
