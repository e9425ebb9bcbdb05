package io.langbridge.runtime.core.text.template;

/** Finds texts in texts in time linear to both, whatever they are. */
final class Search {
    /** Up to here the JDK's search, which is quadratic, costs at most so many looks at a character. */
    private static final int SHORT = 8;

    private Search() {}

    static int first(String text, String part, int from, Budget budget) {
        if (part.length() > text.length() - from) {
            return -1;
        }
        if (part.length() <= SHORT) {
            // Charged for what is touched: up to the place where it is found.
            int at = text.indexOf(part, from);
            budget.scan((at < 0 ? text.length() : at) - from + 1L);
            return at;
        }
        return new Pattern(part, budget).first(text, from, budget);
    }

    static int last(String text, String part, int to, Budget budget) {
        if (part.length() <= SHORT) {
            budget.scan(text.length());
            return text.lastIndexOf(part, to - part.length());
        }
        Pattern pattern = new Pattern(part, budget);
        int last = -1;
        for (int at = pattern.first(text, 0, budget);
                at >= 0 && at + part.length() <= to;
                at = pattern.first(text, at + 1, budget)) {
            last = at;
            // Each search goes on from the next character, so a text of one letter would be walked many times.
            budget.scan(part.length());
        }
        return last;
    }

    /** Knuth, Morris and Pratt's, to be used for many searches. */
    static final class Pattern {
        private final String part;
        private final int[] border;

        Pattern(String part, Budget budget) {
            this.part = part;
            if (part.length() <= SHORT) {
                border = new int[0];
                return;
            }
            budget.text(part.length() * 2L);
            border = new int[part.length()];
            for (int i = 1, matched = 0; i < part.length(); i++) {
                while (matched > 0 && part.charAt(i) != part.charAt(matched)) {
                    matched = border[matched - 1];
                }
                matched += part.charAt(i) == part.charAt(matched) ? 1 : 0;
                border[i] = matched;
            }
        }

        int first(String text, int from, Budget budget) {
            if (part.length() <= SHORT) {
                return Search.first(text, part, from, budget);
            }
            int at = -1;
            int i = from;
            for (int matched = 0; i < text.length() && at < 0; i++) {
                while (matched > 0 && text.charAt(i) != part.charAt(matched)) {
                    matched = border[matched - 1];
                }
                matched += text.charAt(i) == part.charAt(matched) ? 1 : 0;
                at = matched == part.length() ? i - matched + 1 : -1;
            }
            // Linear, so it is done before the charge could grow.
            budget.scan(8L * (i - from));
            return at;
        }
    }
}
