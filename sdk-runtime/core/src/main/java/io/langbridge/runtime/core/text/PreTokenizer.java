package io.langbridge.runtime.core.text;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** Cuts a normalized text into words: the {@code pre_tokenizer} of {@code tokenizer.json}. Immutable. */
final class PreTokenizer {
    /** Takes the words, in order. */
    interface Words {
        void word(String text, int start, int end);
    }

    private static final String SUPPORTED = "ByteLevel, Split, Metaspace, Whitespace, WhitespaceSplit, Digits,"
            + " Punctuation, BertPreTokenizer, CharDelimiterSplit and Sequence";
    private static final int MOST_STEPS = 64;

    /** What becomes of the matches of a pattern. The names are those of the files. */
    private enum Behavior {
        REMOVED("Removed"),
        ISOLATED("Isolated"),
        MERGED_WITH_PREVIOUS("MergedWithPrevious"),
        MERGED_WITH_NEXT("MergedWithNext"),
        CONTIGUOUS("Contiguous");

        private final String name;

        Behavior(String name) {
            this.name = name;
        }

        static Behavior of(Part part) {
            String name = part.text();
            for (Behavior behavior : values()) {
                if (behavior.name.equals(name)) {
                    return behavior;
                }
            }
            throw part.unsupported(
                    Shown.text(name), "Removed, Isolated, MergedWithPrevious, MergedWithNext and Contiguous");
        }
    }

    private interface Step {
        /** @param first whether the piece begins the whole text */
        void apply(String text, int start, int end, boolean first, Words next);
    }

    private final List<Step> steps = new ArrayList<>();
    private boolean endsInBytes;
    private boolean keepsAllText = true;

    private PreTokenizer() {}

    static PreTokenizer of(Part part) {
        PreTokenizer preTokenizer = new PreTokenizer();
        preTokenizer.add(part);
        return preTokenizer;
    }

    /**
     * Whether the words are to be written in the alphabet of {@link ByteLevel}. That step comes last nearly always, and
     * is left to the model then, which need not write anything.
     */
    boolean endsInBytes() {
        return endsInBytes;
    }

    /** @param first whether the text begins the whole text, which "prepend_scheme": "first" asks for */
    void split(String text, boolean first, Words words) {
        split(0, text, 0, text.length(), first, words);
    }

    private void split(int step, String text, int start, int end, boolean first, Words words) {
        if (start == end) {
            return;
        }
        if (step == steps.size()) {
            words.word(text, start, end);
            return;
        }
        steps.get(step)
                .apply(
                        text,
                        start,
                        end,
                        first,
                        (piece, from, to) -> split(step + 1, piece, from, to, first && from == start, words));
    }

    private void add(Part part) {
        if (part.isNull()) {
            return;
        }
        if (endsInBytes) {
            // Something follows ByteLevel after all.
            endsInBytes = false;
            steps.add((text, start, end, first, next) -> {
                String written = ByteLevel.write(text, start, end);
                next.word(written, 0, written.length());
            });
        }
        String type = part.part("type").text();
        switch (type) {
            case "Sequence" -> part.part("pretokenizers").parts().forEach(this::add);
            case "ByteLevel" -> byteLevel(part);
            case "Split" ->
                split(
                        Patterns.of(part.part("pattern")),
                        Behavior.of(part.part("behavior")),
                        part.part("invert").flag());
            case "Metaspace" -> metaspace(part);
            case "Whitespace" -> {
                split(PreTokenizer::words, Behavior.REMOVED, true);
            }
            case "WhitespaceSplit" -> split(each(Unicode::isWhiteSpace), Behavior.REMOVED, false);
            case "Digits" ->
                split(
                        each(Unicode::isNumeric),
                        part.part("individual_digits").flag() ? Behavior.ISOLATED : Behavior.CONTIGUOUS,
                        false);
            case "Punctuation" -> {
                Part behavior = part.part("behavior");
                split(
                        each(Unicode::isPunctuationToSplit),
                        behavior.isNull() ? Behavior.ISOLATED : Behavior.of(behavior),
                        false);
            }
            case "BertPreTokenizer" -> {
                split(each(Unicode::isWhiteSpace), Behavior.REMOVED, false);
                split(each(Unicode::isPunctuationToSplit), Behavior.ISOLATED, false);
            }
            case "CharDelimiterSplit" -> {
                int delimiter = part.part("delimiter").character();
                split(each(c -> c == delimiter), Behavior.REMOVED, false);
            }
            default -> throw part.unsupported(Shown.text(type), SUPPORTED);
        }
        if (steps.size() > MOST_STEPS) {
            throw part.unsupported("one of more than " + MOST_STEPS, "chains of at most " + MOST_STEPS);
        }
    }

    private void byteLevel(Part part) {
        if (part.part("add_prefix_space").flag()) {
            steps.add((text, start, end, first, next) -> {
                if (text.charAt(start) == ' ') {
                    next.word(text, start, end);
                } else {
                    String spaced = " " + text.substring(start, end);
                    next.word(spaced, 0, spaced.length());
                }
            });
        }
        if (part.part("use_regex").flagOr(true)) {
            split(SplitPattern.regex(GPT2, part.file()), Behavior.ISOLATED, false);
        }
        endsInBytes = true;
    }

    /** The pattern that ByteLevel brings along. */
    private static final String GPT2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

    private void metaspace(Part part) {
        int replacement = part.part("replacement").character();
        String block = new String(Character.toChars(replacement));
        Scheme scheme = Scheme.of(part);
        steps.add((text, start, end, first, next) -> {
            String piece = text.substring(start, end).replace(" ", block);
            if ((scheme == Scheme.ALWAYS || scheme == Scheme.FIRST && first) && !piece.startsWith(block)) {
                piece = block + piece;
            }
            next.word(piece, 0, piece.length());
        });
        if (part.part("split").flagOr(true)) {
            split(each(c -> c == replacement), Behavior.MERGED_WITH_NEXT, false);
        }
    }

    /** Where Metaspace puts a space in front. Files from before 2024 say so with another key. */
    enum Scheme {
        ALWAYS,
        FIRST,
        NEVER;

        static Scheme of(Part metaspace) {
            Part scheme = metaspace.part("prepend_scheme");
            if (!metaspace.part("add_prefix_space").flagOr(true)) {
                if (!scheme.isNull() && !scheme.text().equals("never")) {
                    throw scheme.damaged("contradicts 'add_prefix_space'");
                }
                return NEVER;
            }
            String name = scheme.textOr("always");
            return switch (name) {
                case "always" -> ALWAYS;
                case "first" -> FIRST;
                case "never" -> NEVER;
                default -> throw scheme.unsupported(Shown.text(name), "always, first and never");
            };
        }
    }

    private static SplitPattern each(IntPredicate characters) {
        return (text, spans) -> {
            for (int i = 0; i < text.length(); ) {
                int c = text.codePointAt(i);
                int end = i + Character.charCount(c);
                if (characters.test(c)) {
                    spans.span(i, end);
                }
                i = end;
            }
        };
    }

    /** Runs of word characters, and runs of what is neither a word nor white space. */
    private static void words(String text, SplitPattern.Spans spans) {
        int start = 0;
        int kind = 0;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            int next = Unicode.isWord(c) ? 1 : Unicode.isWhiteSpace(c) ? 0 : 2;
            if (next != kind) {
                if (kind != 0) {
                    spans.span(start, i);
                }
                start = i;
                kind = next;
            }
            i += Character.charCount(c);
        }
        if (kind != 0) {
            spans.span(start, text.length());
        }
    }

    /** Whether everything of a text is in some word. */
    boolean keepsAllText() {
        return keepsAllText;
    }

    private void split(SplitPattern pattern, Behavior behavior, boolean invert) {
        keepsAllText &= behavior != Behavior.REMOVED;
        steps.add((text, start, end, first, next) -> {
            boolean whole = start == 0 && end == text.length();
            String piece = whole ? text : text.substring(start, end);
            Pieces pieces = new Pieces(piece, behavior, invert, next);
            pattern.matches(piece, pieces);
            pieces.end();
        });
    }

    /** Puts matches and what lies between them together as a behaviour wants it. */
    private static final class Pieces implements SplitPattern.Spans {
        private final String text;
        private final Behavior behavior;
        private final boolean invert;
        private final Words next;
        /** Up to where the text was looked at. */
        private int at;
        /** What may still grow, from here to {@link #openEnd}; nothing if both are equal. */
        private int openStart;

        private int openEnd;
        private boolean openIsMatch;

        Pieces(String text, Behavior behavior, boolean invert, Words next) {
            this.text = text;
            this.behavior = behavior;
            this.invert = invert;
            this.next = next;
        }

        @Override
        public void span(int start, int end) {
            if (at < start) {
                piece(at, start, invert);
            }
            piece(start, end, !invert);
            at = end;
        }

        void end() {
            if (at < text.length()) {
                piece(at, text.length(), invert);
            }
            flush();
        }

        private void piece(int start, int end, boolean match) {
            switch (behavior) {
                case ISOLATED -> next.word(text, start, end);
                case REMOVED -> {
                    if (!match) {
                        next.word(text, start, end);
                    }
                }
                case CONTIGUOUS -> join(start, end, match, match == openIsMatch);
                case MERGED_WITH_PREVIOUS -> join(start, end, match, match && !openIsMatch);
                case MERGED_WITH_NEXT -> join(start, end, match, !match && openIsMatch);
            }
        }

        private void join(int start, int end, boolean match, boolean together) {
            if (!together || openStart == openEnd) {
                flush();
                openStart = start;
            }
            openEnd = end;
            openIsMatch = match;
        }

        private void flush() {
            if (openStart < openEnd) {
                next.word(text, openStart, openEnd);
            }
            openStart = openEnd;
        }
    }
}
