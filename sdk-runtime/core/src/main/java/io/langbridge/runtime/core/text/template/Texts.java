package io.langbridge.runtime.core.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What Python's str can do, on Java's. */
final class Texts {
    private Texts() {}

    /** {@code str.strip} and its one-sided forms; null strips white space. */
    static String strip(String text, @Nullable String characters, boolean left, boolean right, Budget budget) {
        int start = 0;
        int end = text.length();
        String few = characters == null ? null : distinct(characters, budget);
        while (left && start < end && strips(few, text.codePointAt(start))) {
            budget.scan(few == null ? 1 : few.length());
            start += Character.charCount(text.codePointAt(start));
        }
        while (right && end > start && strips(few, text.codePointBefore(end))) {
            budget.scan(few == null ? 1 : few.length());
            end -= Character.charCount(text.codePointBefore(end));
        }
        return part(text, start, end, budget);
    }

    private static String distinct(String characters, Budget budget) {
        if (characters.length() < 16) {
            return characters;
        }
        budget.text(characters.length() * 2L);
        int[] sorted = characters.codePoints().sorted().distinct().toArray();
        return new String(sorted, 0, sorted.length);
    }

    private static boolean strips(@Nullable String characters, int c) {
        return characters == null ? Python.isSpace(c) : characters.indexOf(c) >= 0;
    }

    static String part(String text, int from, int to, Budget budget) {
        if (from == 0 && to == text.length()) {
            return text;
        }
        budget.text(to - from);
        return text.substring(from, to);
    }

    static String upper(String text, Budget budget) {
        budget.text(text.length() * 3L);
        return text.toUpperCase(Locale.ROOT);
    }

    static String lower(String text, Budget budget) {
        budget.text(text.length() * 3L);
        return text.toLowerCase(Locale.ROOT);
    }

    static String capitalize(String text, Budget budget) {
        return text.isEmpty() ? text : titled(text, text.offsetByCodePoints(0, 1), budget);
    }

    /** The first character in title case, the others in lower case. */
    private static String titled(String text, int first, Budget budget) {
        String head = text.substring(0, first);
        int c = head.codePointAt(0);
        String upper = head.toUpperCase(Locale.ROOT);
        // A sharp s becomes Ss, a dz with caron the letter Unicode has for titles.
        String title = upper.length() > head.length()
                ? upper.substring(0, 1) + upper.substring(1).toLowerCase(Locale.ROOT)
                : new String(Character.toChars(Character.toTitleCase(c)));
        return title + lower(text.substring(first), budget);
    }

    /** {@code str.title}: a word is a run of letters with case. */
    static String title(String text, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        boolean inWord = false;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int c = text.codePointAt(i);
            out.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = isCased(c);
        }
        return out.toString();
    }

    static String swapCase(String text, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        text.codePoints().forEach(c -> {
            String character = new String(Character.toChars(c));
            out.append(
                    Character.isUpperCase(c)
                            ? character.toLowerCase(Locale.ROOT)
                            : Character.isLowerCase(c) ? character.toUpperCase(Locale.ROOT) : character);
        });
        return out.toString();
    }

    static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }

    static boolean isCase(String text, boolean upper, Budget budget) {
        budget.objects(1);
        budget.scan(text.length());
        return text.codePoints().anyMatch(Texts::isCased)
                && text.codePoints()
                        .allMatch(c -> !isCased(c) || (upper ? Character.isUpperCase(c) : Character.isLowerCase(c)));
    }

    static boolean isTitle(String text, Budget budget) {
        budget.scan(text.length());
        boolean any = false;
        boolean inWord = false;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int c = text.codePointAt(i);
            if (isCased(c) && Character.isLowerCase(c) != inWord) {
                return false;
            }
            inWord = isCased(c);
            any |= inWord;
        }
        return any;
    }

    static String replace(String text, String old, String replacement, long limit, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        Search.Pattern pattern = new Search.Pattern(old, budget);
        int from = 0;
        for (long done = 0; limit < 0 || done < limit; done++) {
            int at = old.isEmpty()
                    ? done == 0 ? 0 : from < text.length() ? text.offsetByCodePoints(from, 1) : -1
                    : pattern.first(text, from, budget);
            if (at < 0) {
                break;
            }
            budget.steps(1);
            out.append(text, from, at).append(replacement);
            from = at + old.length();
        }
        return out.append(text, from, text.length()).toString();
    }

    static long count(String text, String part, Budget budget) {
        if (part.isEmpty()) {
            return Python.length(text, budget) + 1;
        }
        Search.Pattern pattern = new Search.Pattern(part, budget);
        long count = 0;
        for (int at = pattern.first(text, 0, budget); at >= 0; at = pattern.first(text, at + part.length(), budget)) {
            count++;
        }
        return count;
    }

    static List<Object> split(String text, @Nullable String separator, long limit, Budget budget) {
        if (separator == null) {
            return splitAtSpaces(text, limit, budget);
        }
        if (separator.isEmpty()) {
            throw new Failure("empty separator");
        }
        List<Object> parts = new ArrayList<>();
        Search.Pattern pattern = new Search.Pattern(separator, budget);
        int from = 0;
        for (int at = pattern.first(text, 0, budget);
                at >= 0 && (limit < 0 || parts.size() < limit);
                at = pattern.first(text, from, budget)) {
            add(text, from, at, parts, budget);
            from = at + separator.length();
        }
        add(text, from, text.length(), parts, budget);
        return parts;
    }

    private static void add(String text, int from, int to, List<Object> parts, Budget budget) {
        budget.slots(1);
        budget.text(to - from);
        parts.add(text.substring(from, to));
    }

    private static List<Object> splitAtSpaces(String text, long limit, Budget budget) {
        List<Object> parts = new ArrayList<>();
        budget.scan(text.length());
        int at = 0;
        while (true) {
            while (at < text.length() && Python.isSpace(text.charAt(at))) {
                at++;
            }
            if (at == text.length()) {
                return parts;
            }
            int end = at;
            if (limit >= 0 && parts.size() >= limit) {
                end = text.length();
            }
            while (end < text.length() && !Python.isSpace(text.charAt(end))) {
                end++;
            }
            add(text, at, end, parts, budget);
            at = end;
        }
    }

    static List<Object> splitFromRight(String text, @Nullable String separator, long limit, Budget budget) {
        if (limit < 0) {
            return split(text, separator, -1, budget);
        }
        List<Object> parts = new ArrayList<>();
        int end = text.length();
        while (true) {
            end = separator == null ? spacesBefore(text, end) : end;
            boolean last = parts.size() >= limit;
            int from = separator == null && end == 0 ? -1 : last ? 0 : partBefore(text, separator, end, budget);
            if (from < 0) {
                break;
            }
            add(text, from, end, parts, budget);
            end = from - (separator == null ? 0 : separator.length());
            if (last || end < 0 || separator != null && from == 0) {
                break;
            }
        }
        budget.scan(text.length());
        java.util.Collections.reverse(parts);
        return parts;
    }

    private static int spacesBefore(String text, int end) {
        int at = end;
        while (at > 0 && Python.isSpace(text.charAt(at - 1))) {
            at--;
        }
        return at;
    }

    /** Where the last part of the text up to {@code end} begins. */
    private static int partBefore(String text, @Nullable String separator, int end, Budget budget) {
        if (separator == null) {
            int at = end;
            while (at > 0 && !Python.isSpace(text.charAt(at - 1))) {
                at--;
            }
            return at;
        }
        if (separator.isEmpty()) {
            throw new Failure("empty separator");
        }
        int at = Search.last(text, separator, end, budget);
        return at < 0 ? 0 : at + separator.length();
    }

    static List<Object> splitLines(String text, boolean keepEnds, Budget budget) {
        List<Object> lines = new ArrayList<>();
        int from = 0;
        budget.scan(text.length());
        for (int i = 0; i < text.length(); i++) {
            if ("\n\r\u000B\f\u001C\u001D\u001E\u0085\u2028\u2029".indexOf(text.charAt(i)) >= 0) {
                int next = text.startsWith("\r\n", i) ? i + 2 : i + 1;
                add(text, from, keepEnds ? next : i, lines, budget);
                from = next;
                i = next - 1;
            }
        }
        if (from < text.length()) {
            add(text, from, text.length(), lines, budget);
        }
        return lines;
    }

    static String expandTabs(String text, long size, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        long column = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\t') {
                long blanks = size <= 0 ? 0 : size - column % size;
                out.repeat(" ", blanks);
                column += blanks;
            } else {
                out.append(c);
                column = c == '\n' || c == '\r' ? 0 : column + (Character.isLowSurrogate(c) ? 0 : 1);
            }
        }
        return out.toString();
    }

    /** Filled up to a width: all on the right for {@code -1}, on both sides for 0, on the left for 1. */
    static String pad(String text, long width, String fill, int side, Budget budget) {
        if (fill.isEmpty() || fill.codePointCount(0, fill.length()) != 1) {
            throw new Failure("The fill character must be exactly one character long");
        }
        long missing = width - Python.length(text, budget);
        if (missing <= 0) {
            return text;
        }
        // Where it cannot be halved, Python puts the odd one to the left of an odd width.
        long left = side < 0 ? 0 : side > 0 ? missing : missing / 2 + (missing & width & 1);
        return new TextBuilder(budget)
                .repeat(fill, left)
                .append(text)
                .repeat(fill, missing - left)
                .toString();
    }

    static String zeroFilled(String text, long width, Budget budget) {
        boolean signed = text.startsWith("+") || text.startsWith("-");
        long missing = width - Python.length(text, budget);
        return missing <= 0
                ? text
                : new TextBuilder(budget)
                        .append(signed ? text.substring(0, 1) : "")
                        .repeat("0", missing)
                        .append(text, signed ? 1 : 0, text.length())
                        .toString();
    }
}
