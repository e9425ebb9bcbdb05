package io.langbridge.runtime.core.text;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Marks words of a user, so that no token is found in them. The mark is U+FDD0, which is no character; one that the
 * user wrote is doubled.
 *
 * <p>Two rules make it safe. A token is broken by a mark behind its first character, and a text with marks is searched
 * only for tokens as they are written, before anything is normalized ({@link AddedTokens#splitLiteral}): what a
 * normalizer would make of marked text cannot matter. A text in which only the normalizer would bring a token to light
 * gets marks everywhere, so that whatever part of it a template takes has one.
 */
final class Guard {
    static final char MARK = '\uFDD0';
    private static final String ONE_MARK = String.valueOf(MARK);
    private static final String TWO_MARKS = ONE_MARK + ONE_MARK;

    private final AddedTokens added;
    private final Normalizer normalizer;
    private final Finder all;
    private final Finder special;

    Guard(AddedTokens added, Normalizer normalizer) {
        this.added = added;
        this.normalizer = normalizer;
        all = new Finder(added.contents(token -> isWorthMarking(token, added.isSpecial(token))));
        special = new Finder(added.contents(token -> added.isSpecial(token) && isWorthMarking(token, true)));
    }

    /** White space and single letters mean what they say, even where they are tokens. */
    private static boolean isWorthMarking(AddedToken token, boolean special) {
        String content = token.content();
        return !isWhiteSpace(content) && (special || content.codePointCount(0, content.length()) > 1);
    }

    private static boolean isWhiteSpace(String text) {
        return text.codePoints().allMatch(Unicode::isWhiteSpace);
    }

    List<String> guard(List<String> parts, Collection<String> alsoGuard, boolean markersAllowed) {
        String text = String.join("", parts);
        BitSet marks = new BitSet();
        mark(markersAllowed ? special : all, text, marks);
        List<String> others = new ArrayList<>();
        for (String other : alsoGuard) {
            if (!isWhiteSpace(other)) {
                others.add(other);
            }
        }
        mark(new Finder(others), text, marks);
        if (isNormalizedIntoTokens(text, parts, marks, id -> isDangerous(id, markersAllowed, alsoGuard))) {
            markEverywhere(text, marks);
        }
        keepCountable(text, marks);
        return marks.isEmpty() && text.indexOf(MARK) < 0
                ? Collections.unmodifiableList(new ArrayList<>(parts))
                : write(parts, marks);
    }

    private static void mark(Finder finder, String text, BitSet marks) {
        Finder.Matches matches = finder.find(text, new Ids(0));
        while (!matches.isEmpty()) {
            int start = matches.start();
            marks.set(start + Character.charCount(text.codePointAt(start)));
            matches.skipTo(start + 1);
        }
    }

    private static void markEverywhere(String text, BitSet marks) {
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            i += Character.charCount(c);
            // A U+FDD0 of the user is two marks already, and must not become more.
            boolean besideMark = c == MARK || i < text.length() && text.charAt(i) == MARK;
            if (!Unicode.isWhiteSpace(c) && !besideMark) {
                marks.set(i);
            }
        }
    }

    /**
     * A run of the user's own marks gets one of ours at most, behind it: of several, nobody could tell whose they are.
     */
    private static void keepCountable(String text, BitSet marks) {
        int start = text.indexOf(MARK);
        while (start >= 0) {
            int end = start;
            while (end < text.length() && text.charAt(end) == MARK) {
                end++;
            }
            int mark = marks.nextSetBit(start);
            if (mark >= 0 && mark <= end) {
                marks.clear(start, end);
                marks.set(end);
            }
            start = text.indexOf(MARK, end);
        }
    }

    /** Looks at every stretch that a template might take without a mark. */
    private boolean isNormalizedIntoTokens(String text, List<String> parts, BitSet marks, IntPredicate dangerous) {
        BitSet cuts = (BitSet) marks.clone();
        boolean found = stretchesHaveTokens(text, cuts, dangerous);
        if (parts.size() > 1) {
            int end = 0;
            for (String part : parts) {
                end += part.length();
                cuts.set(end);
            }
            found |= stretchesHaveTokens(text, cuts, dangerous);
        }
        return found;
    }

    private boolean stretchesHaveTokens(String text, BitSet cuts, IntPredicate dangerous) {
        int start = 0;
        while (start < text.length()) {
            int next = cuts.nextSetBit(start + 1);
            int end = next < 0 ? text.length() : Math.min(next, text.length());
            String stretch = text.substring(start, end);
            String normalized = normalizer.apply(stretch, true);
            if (!normalized.equals(stretch) && added.appearIn(normalized, dangerous)) {
                return true;
            }
            start = end;
        }
        return false;
    }

    private boolean isDangerous(int id, boolean onlySpecial, Collection<String> alsoGuard) {
        AddedToken token = added.token(id);
        if (token == null) {
            return false;
        }
        boolean isSpecial = added.isSpecial(id) || alsoGuard.contains(token.content());
        return (isSpecial || !onlySpecial) && isWorthMarking(token, isSpecial);
    }

    private static List<String> write(List<String> parts, BitSet marks) {
        List<String> guarded = new ArrayList<>(parts.size());
        int at = 0;
        for (int p = 0; p < parts.size(); p++) {
            String part = parts.get(p);
            StringBuilder out = new StringBuilder(part.length() + 16);
            for (int i = 0; i < part.length(); i++, at++) {
                if (marks.get(at)) {
                    out.append(MARK);
                }
                char c = part.charAt(i);
                out.append(c == MARK ? TWO_MARKS : String.valueOf(c));
            }
            if (p == parts.size() - 1 && marks.get(at)) {
                out.append(MARK);
            }
            guarded.add(out.toString());
        }
        return Collections.unmodifiableList(guarded);
    }

    static String unguard(String guarded) {
        if (guarded.indexOf(MARK) < 0) {
            return guarded;
        }
        StringBuilder text = new StringBuilder(guarded.length());
        for (int i = 0; i < guarded.length(); i++) {
            if (guarded.charAt(i) != MARK) {
                text.append(guarded.charAt(i));
            } else if (guarded.startsWith(TWO_MARKS, i)) {
                text.append(MARK);
                i++;
            }
        }
        return text.toString();
    }

    /** Whether a mark, not a U+FDD0 of the user, stands there: it breaks a token of one character before it. */
    static boolean isMarked(String text, int at) {
        int end = at;
        while (end < text.length() && text.charAt(end) == MARK) {
            end++;
        }
        return (end - at) % 2 != 0;
    }
}
