package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import io.langbridge.PromptException;
import io.langbridge.UnsupportedModelException;
import java.nio.file.Path;

/**
 * A pattern out of {@code tokenizer.json} that cuts a text into what is tokenized apart. Immutable, safe for several
 * threads.
 */
interface SplitPattern {
    /** Many times what published models have. A class of characters takes some kilobytes, written with three. */
    int LONGEST = 20_000;

    /** Takes matches. */
    interface Spans {
        /**
         * Takes the next match.
         *
         * @param start index into the text, never inside a surrogate pair
         * @param end index behind it; equal to {@code start} for a pattern that matches nothing between two characters,
         *     which cuts the text there
         */
        void span(int start, int end);
    }

    /**
     * Finds all matches, in order and apart from each other.
     *
     * @throws PromptException if that takes more work than a text of this length may, see {@link PatternMatcher}
     */
    void matches(String text, Spans spans);

    /**
     * A regular expression as Oniguruma reads it. Those of published models run as scanners, whose time is linear in
     * the text; so does any that is a run of characters of one class. Others run with backtracking and a limit.
     *
     * @param file for messages
     * @throws CheckpointException if it is no regular expression, or longer than any that is published
     * @throws UnsupportedModelException if it has syntax that is not supported
     */
    static SplitPattern regex(String pattern, Path file) {
        if (pattern.length() > LONGEST) {
            throw new CheckpointException(file + " has a regular expression of " + pattern.length()
                    + " characters; at most " + LONGEST + " are read. Download the file again.");
        }
        SplitPattern published = PublishedPatterns.find(pattern);
        if (published != null) {
            return published;
        }
        PatternNode node = new PatternParser(pattern, file).parse();
        SplitPattern run = CharacterRun.of(node);
        return run != null ? run : new PatternMatcher(node, pattern, file);
    }

    /** Plain text, which must not be empty. */
    static SplitPattern literal(String text) {
        return (in, spans) -> {
            for (int at = in.indexOf(text); at >= 0; at = in.indexOf(text, at + text.length())) {
                spans.span(at, at + text.length());
            }
        };
    }
}
