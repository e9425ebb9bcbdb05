package io.langbridge.runtime.core.text;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The patterns of published models, known by their exact text and matched by scanners that read every character a few
 * times at most. Each scanner says in its comments what the pattern's alternatives are and why going back, which a
 * regular expression would do, cannot find anything else.
 */
final class PublishedPatterns {
    private static final String ANY_CASE = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private static final String BLANKS = "\\s+(?!\\S)|\\s+";
    private static final Map<String, SplitPattern> ALL = new HashMap<>();

    static {
        String[] numbers = {"\\p{N}", "\\p{N}{1,3}", "\\p{N}+"};
        int[] digits = {1, 3, Integer.MAX_VALUE};
        for (int i = 0; i < numbers.length; i++) {
            cl100k(numbers[i], digits[i]);
            o200k(numbers[i], digits[i]);
        }
        // GPT-2, and with it what ends in ByteLevel: SmolLM, StarCoder, Granite 3, Phi-2, OLMo
        ALL.put("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|" + BLANKS, new Gpt2());
        for (String newline : new String[] {"\r\n", "\\r\\n"}) {
            ALL.put(
                    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^" + newline
                            + "\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[" + newline + "]*|\\s*[" + newline
                            + "]+|" + BLANKS,
                    new DeepSeek3());
        }
        ALL.put("\\s+$", new BlanksBeforeLineEnd());
    }

    private PublishedPatterns() {}

    private static void cl100k(String number, int digits) {
        String letters = "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
        String rest = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|" + BLANKS;
        Cl100k anyCase = new Cl100k(Unicode.LETTER, digits, true);
        // Llama 3, Qwen 2 to 3, Phi-4, OLMo 2, LFM2, Granite 4
        ALL.put(ANY_CASE + "|" + letters + number + rest, anyCase);
        // DBRX, MiniCPM: upper and lower case spelled out, so that a long s is no s
        ALL.put(
                "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|" + letters + number + rest,
                new Cl100k(Unicode.LETTER, digits, false));
        // as first published: possessive, and with one newline where any number of them ends at the same place
        ALL.put(
                "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|" + number
                        + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|" + BLANKS,
                anyCase);
        // Qwen 3.5
        ALL.put(
                ANY_CASE + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|" + number
                        + "| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|" + BLANKS,
                new Cl100k(Unicode.LETTER | Unicode.MARK, digits, true));
    }

    private static void o200k(String number, int digits) {
        String front = "[^\\r\\n\\p{L}\\p{N}]?";
        String upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
        String lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
        String rest = "|" + number + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|" + BLANKS;
        for (boolean contractions : new boolean[] {true, false}) {
            String end = contractions ? ANY_CASE + "?" : "";
            // GPT-4o, gpt-oss, Llama 4, Phi-4-mini; without contractions Mistral Nemo, Pixtral, Ministral
            ALL.put(
                    front + upper + "*" + lower + "+" + end + "|" + front + upper + "+" + lower + "*" + end + rest,
                    new O200k(digits, contractions));
        }
    }

    /** {@return null if it is not one of them} */
    static @Nullable SplitPattern find(String pattern) {
        return ALL.get(pattern);
    }

    /** Goes from match to match. */
    abstract static class Scanner implements SplitPattern {
        static final int WHITE_LETTER_NUMBER = Unicode.WHITE_SPACE | Unicode.LETTER | Unicode.NUMBER;

        @Override
        public final void matches(String text, Spans spans) {
            scan(text, spans);
        }

        final void scan(CharSequence text, Spans spans) {
            int at = 0;
            while (at < text.length()) {
                int end = end(text, at);
                if (end > at) {
                    spans.span(at, end);
                    at = end;
                } else {
                    at = next(text, at);
                }
            }
        }

        /** {@return where the match that begins here ends, or the same place if none does} */
        abstract int end(CharSequence text, int at);

        static int next(CharSequence text, int at) {
            return at + Character.charCount(Character.codePointAt(text, at));
        }

        static int bit(CharSequence text, int at) {
            char c = text.charAt(at);
            return Unicode.bit(Character.isHighSurrogate(c) ? Character.codePointAt(text, at) : c);
        }

        static boolean is(int mask, CharSequence text, int at) {
            return at < text.length() && (bit(text, at) & mask) != 0;
        }

        /** {@return the end of a run of characters of these kinds} */
        static int run(int mask, CharSequence text, int from) {
            int at = from;
            while (at < text.length()) {
                char c = text.charAt(at);
                if (Character.isHighSurrogate(c)) {
                    int codePoint = Character.codePointAt(text, at);
                    if (!Unicode.is(mask, codePoint)) {
                        return at;
                    }
                    at += Character.charCount(codePoint);
                } else if (Unicode.is(mask, c)) {
                    at++;
                } else {
                    return at;
                }
            }
            return at;
        }

        static int run(int mask, CharSequence text, int from, int most) {
            if (most == Integer.MAX_VALUE) {
                return run(mask, text, from);
            }
            int at = from;
            for (int n = 0; n < most && is(mask, text, at); n++) {
                at = next(text, at);
            }
            return at;
        }

        static int newlines(CharSequence text, int from, boolean slashes) {
            int at = from;
            while (at < text.length()) {
                char c = text.charAt(at);
                if (c != '\r' && c != '\n' && !(slashes && c == '/')) {
                    break;
                }
                at++;
            }
            return at;
        }

        /**
         * <code>\s+(?!\S)|\s+</code>, with {@code \s*[\r\n]+} in front if asked for. That one ends behind the last
         * newline of the run: {@code \s*} takes the whole run and gives back until there is one.
         */
        static int blanks(CharSequence text, int at, boolean newlinesFirst) {
            int end = run(Unicode.WHITE_SPACE, text, at);
            if (newlinesFirst) {
                for (int i = end; i > at; i--) {
                    char c = text.charAt(i - 1);
                    if (c == '\r' || c == '\n') {
                        return i;
                    }
                }
            }
            // no white space is outside the first plane, so that the last one is one char
            return end == text.length() || end - at < 2 ? end : end - 1;
        }

        /**
         * The length of {@code 's}, {@code 't}, {@code 're}, {@code 've}, {@code 'm}, {@code 'll} or {@code 'd} here.
         */
        static int contraction(CharSequence text, int at, Letters letters) {
            if (at + 1 >= text.length() || text.charAt(at) != '\'') {
                return 0;
            }
            switch (letters.plain(text.charAt(at + 1))) {
                case 's', 't', 'm', 'd' -> {
                    return 2;
                }
                case 'r', 'v' -> {
                    return at + 2 < text.length() && letters.plain(text.charAt(at + 2)) == 'e' ? 3 : 0;
                }
                case 'l' -> {
                    return at + 2 < text.length() && letters.plain(text.charAt(at + 2)) == 'l' ? 3 : 0;
                }
                default -> {
                    return 0;
                }
            }
        }
    }

    /** Which letters count as the small ones of a contraction. */
    private enum Letters {
        SMALL,
        ASCII,
        /** Unicode's folding: a long s is an s. */
        FOLDED;

        char plain(char c) {
            if (this != SMALL && c >= 'A' && c <= 'Z') {
                return (char) (c | 0x20);
            }
            return this == FOLDED && c == 0x17F ? 's' : c;
        }
    }

    /** Contractions in small letters; runs of letters, of numbers, of the rest, each with a space in front or not. */
    private static final class Gpt2 extends Scanner {
        @Override
        int end(CharSequence text, int at) {
            int contraction = contraction(text, at, Letters.SMALL);
            if (contraction > 0) {
                return at + contraction;
            }
            int start = text.charAt(at) == ' ' && at + 1 < text.length() ? at + 1 : at;
            int bit = bit(text, start);
            if ((bit & Unicode.LETTER) != 0) {
                return run(Unicode.LETTER, text, start);
            }
            if ((bit & Unicode.NUMBER) != 0) {
                return run(Unicode.NUMBER, text, start);
            }
            if ((bit & Unicode.WHITE_SPACE) == 0) {
                return run(~WHITE_LETTER_NUMBER, text, start);
            }
            return blanks(text, at, false);
        }
    }

    /**
     * Contractions, words with one other character in front, numbers, the rest with newlines behind, newlines, blanks.
     */
    private static final class Cl100k extends Scanner {
        private final int letters;
        private final int digits;
        private final Letters contractions;

        Cl100k(int letters, int digits, boolean folded) {
            this.letters = letters;
            this.digits = digits;
            contractions = folded ? Letters.FOLDED : Letters.ASCII;
        }

        @Override
        int end(CharSequence text, int at) {
            int contraction = contraction(text, at, contractions);
            if (contraction > 0) {
                return at + contraction;
            }
            char c = text.charAt(at);
            int bit = bit(text, at);
            // [^\r\n\p{L}\p{N}]? takes what it can, and gives it back only for a mark that stands alone.
            if ((bit & (Unicode.LETTER | Unicode.NUMBER)) == 0 && c != '\r' && c != '\n') {
                int next = next(text, at);
                if (is(letters, text, next)) {
                    return run(letters, text, next);
                }
            }
            if ((bit & letters) != 0) {
                return run(letters, text, at);
            }
            if ((bit & Unicode.NUMBER) != 0) {
                return run(Unicode.NUMBER, text, at, digits);
            }
            int rest = ~(WHITE_LETTER_NUMBER | letters);
            int start = c == ' ' ? at + 1 : at;
            int end = run(rest, text, start);
            return end > start ? newlines(text, end, false) : blanks(text, at, true);
        }
    }

    /** As {@link Cl100k}, but a word ends before a capital, and contractions stay with their word. */
    private static final class O200k extends Scanner {
        private static final int CASELESS = Unicode.BEFORE_LOWER & Unicode.LOWER_OR_CASELESS;

        private final int digits;
        private final boolean contractions;

        O200k(int digits, boolean contractions) {
            this.digits = digits;
            this.contractions = contractions;
        }

        @Override
        int end(CharSequence text, int at) {
            char c = text.charAt(at);
            int bit = bit(text, at);
            int word = at;
            if ((bit & Unicode.LETTER) != 0) {
                word = word(text, at, true);
            } else if ((bit & Unicode.NUMBER) == 0 && c != '\r' && c != '\n') {
                // A mark is also what a word begins with. It is one alone rather than in front of capitals only.
                boolean mark = (bit & Unicode.MARK) != 0;
                int next = next(text, at);
                word = word(text, next, !mark);
                word = word > next || mark ? word : at;
            }
            if (word > at) {
                return contractions ? word + contraction(text, word, Letters.FOLDED) : word;
            }
            if ((bit & Unicode.NUMBER) != 0) {
                return run(Unicode.NUMBER, text, at, digits);
            }
            int start = c == ' ' ? at + 1 : at;
            int end = run(~WHITE_LETTER_NUMBER, text, start);
            return end > start ? newlines(text, end, true) : blanks(text, at, true);
        }

        /**
         * Capitals and caseless letters, then small and caseless ones, at least one of these if that can be: without a
         * small letter behind the capitals, they are given back down to the last caseless one.
         *
         * @param capitals whether it may be of capitals only
         * @return the same place if no word begins here
         */
        private static int word(CharSequence text, int at, boolean capitals) {
            int caseless = at;
            int i = at;
            while (i < text.length()) {
                int bit = bit(text, i);
                if ((bit & Unicode.BEFORE_LOWER) == 0) {
                    break;
                }
                i = next(text, i);
                caseless = (bit & CASELESS) != 0 ? i : caseless;
            }
            if (is(Unicode.LOWER, text, i)) {
                return run(Unicode.LOWER_OR_CASELESS, text, i);
            }
            return caseless > at || !capitals ? caseless : i;
        }
    }

    /** An ASCII sign with ASCII letters, words with marks, signs with newlines behind, newlines, blanks; no numbers. */
    private static final class DeepSeek3 extends Scanner {
        private static final int WORD = Unicode.LETTER | Unicode.MARK;
        private static final int SIGN = Unicode.PUNCTUATION | Unicode.SYMBOL;

        @Override
        int end(CharSequence text, int at) {
            char c = text.charAt(at);
            int bit = bit(text, at);
            if (c < 128 && (bit & SIGN) != 0 && at + 1 < text.length() && isPlain(text.charAt(at + 1))) {
                int end = at + 2;
                while (end < text.length() && isPlain(text.charAt(end))) {
                    end++;
                }
                return end;
            }
            if ((bit & (Unicode.LETTER | SIGN)) == 0 && c != '\r' && c != '\n') {
                int next = next(text, at);
                if (is(WORD, text, next)) {
                    return run(WORD, text, next);
                }
            }
            if ((bit & WORD) != 0) {
                return run(WORD, text, at);
            }
            int start = c == ' ' ? at + 1 : at;
            int end = run(SIGN, text, start);
            return end > start ? newlines(text, end, false) : blanks(text, at, true);
        }

        private static boolean isPlain(char c) {
            return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 128;
        }
    }

    /**
     * {@code \s+$}: a line ends before a newline and at the end of the text, so that a run of white space matches up to
     * its last newline, or as a whole at the end.
     */
    private static final class BlanksBeforeLineEnd implements SplitPattern {
        @Override
        public void matches(String text, Spans spans) {
            int at = 0;
            while (at < text.length()) {
                int end = Scanner.run(Unicode.WHITE_SPACE, text, at);
                int match = end;
                while (match < text.length() && match > at && text.charAt(match) != '\n') {
                    match--;
                }
                if (match > at) {
                    spans.span(at, match);
                }
                at = end > at ? end : Scanner.next(text, at);
            }
        }
    }
}
