package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.PatternNode.Atomic;
import io.langbridge.runtime.core.text.PatternNode.Choice;
import io.langbridge.runtime.core.text.PatternNode.Here;
import io.langbridge.runtime.core.text.PatternNode.Look;
import io.langbridge.runtime.core.text.PatternNode.One;
import io.langbridge.runtime.core.text.PatternNode.Place;
import io.langbridge.runtime.core.text.PatternNode.Repeat;
import io.langbridge.runtime.core.text.PatternNode.Sequence;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads a regular expression as Oniguruma does with Ruby's syntax, which is what the reference uses. What it would read
 * in a way that is not provided for here is refused by name, never read in another way.
 */
final class PatternParser extends PatternReader {
    private static final int DEEPEST = 100;
    private static final int MOST_REPEATS = 1000;
    private static final int LARGEST = 1_000_000;
    private static final int LONGEST_SHOWN = 200;

    /** Among the first 256, Oniguruma's {@code \w} outside of brackets follows an older list. */
    private static final CodePoints OLD_WORDS =
            CodePoints.range(0xB2, 0xB3).or(CodePoints.of(0xB9)).or(CodePoints.range(0xBC, 0xBE));

    private static final CodePoints NEWLINE = CodePoints.of('\n');
    private static final CodePoints HEX =
            CodePoints.range('0', '9').or(CodePoints.range('A', 'F')).or(CodePoints.range('a', 'f'));
    private static final CodePoints UPPER = CodePoints.range('A', 'Z');
    private static final CodePoints LOWER = CodePoints.range('a', 'z');

    private final Path file;
    private int depth;
    private boolean ignoreCase;
    private boolean dotAll;

    PatternParser(String pattern, Path file) {
        super(pattern);
        this.file = file;
    }

    PatternNode parse() {
        PatternNode node = choice();
        if (at < pattern.length()) {
            throw damaged("a ')' too many");
        }
        return node;
    }

    /** Large sets, made once: a pattern can name them thousands of times. */
    private static final class Sets {
        static final CodePoints WORD_IN_BRACKETS = property("alphabetic")
                .or(Unicode.ofKinds(Unicode.MARK))
                .or(property("nd"))
                .or(property("pc"));
        static final CodePoints WORD = WORD_IN_BRACKETS.or(OLD_WORDS);
        static final CodePoints CASED = property("lo")
                .or(property("nd"))
                .or(property("p"))
                .or(property("z"))
                .not();

        private Sets() {}
    }

    /** How {@code \w} is read outside of brackets, and where words end. */
    static CodePoints word() {
        return Sets.WORD;
    }

    private static CodePoints property(String name) {
        CodePoints set = Unicode.property(name);
        if (set == null) {
            throw new IllegalArgumentException(name);
        }
        return set;
    }

    private PatternNode choice() {
        if (++depth > DEEPEST) {
            throw unsupported("more than " + DEEPEST + " groups within each other");
        }
        boolean outerCase = ignoreCase;
        boolean outerDot = dotAll;
        List<PatternNode> ways = new ArrayList<>();
        ways.add(sequence());
        while (at < pattern.length() && pattern.charAt(at) == '|') {
            at++;
            ways.add(sequence());
        }
        ignoreCase = outerCase;
        dotAll = outerDot;
        depth--;
        return ways.size() == 1 ? ways.get(0) : new Choice(ways);
    }

    private PatternNode sequence() {
        List<PatternNode> parts = new ArrayList<>();
        int previous = -1;
        while (at < pattern.length() && pattern.charAt(at) != '|' && pattern.charAt(at) != ')') {
            int start = at;
            PatternNode part = atom();
            if (part != null) {
                refuseLigature(previous, start);
                previous = ignoreCase && at == start + 1 ? pattern.charAt(start) | 0x20 : -1;
                parts.add(repeated(part));
            }
        }
        return parts.size() == 1 ? parts.get(0) : new Sequence(parts);
    }

    /** Without regard to case, some pairs of letters match one character, a sharp s or a ligature. */
    private void refuseLigature(int previous, int start) {
        if (!ignoreCase || previous < 0) {
            return;
        }
        String pair = "" + (char) previous + (char) (pattern.charAt(start) | 0x20);
        if (pair.equals("ss") || pair.equals("st") || pair.equals("ff") || pair.equals("fi") || pair.equals("fl")) {
            at = start;
            throw unsupported("'" + pair + "' without regard to case, which ligatures match too,");
        }
    }

    private @Nullable PatternNode atom() {
        int c = next();
        switch (c) {
            case '(':
                return group();
            case '[':
                return new One(brackets());
            case '.':
                return new One(dotAll ? CodePoints.NONE.not() : NEWLINE.not());
            case '^':
                return new Here(Place.LINE_START);
            case '$':
                return new Here(Place.LINE_END);
            case '\\':
                return escape();
            case '*':
            case '+':
            case '?':
                throw damaged("a quantifier with nothing in front");
            case '{':
                at--;
                if (bounds() != null) {
                    throw damaged("a quantifier with nothing in front");
                }
                at++;
                return literal(c);
            default:
                return literal(c);
        }
    }

    private PatternNode literal(int c) {
        return new One(folded(CodePoints.of(c)));
    }

    /** With what differs by case only. Plain letters have two characters outside their alphabet; others are refused. */
    private CodePoints folded(CodePoints set) {
        if (!ignoreCase) {
            return set;
        }
        CodePoints others = set.and(CodePoints.range(0x80, CodePoints.LIMIT - 1));
        if (!others.disjoint(Sets.CASED)) {
            throw unsupported("letters beyond a to z without regard to case");
        }
        int[] bounds = set.bounds();
        CodePoints result = set;
        for (int i = 0; i < bounds.length; i += 2) {
            for (int c = bounds[i]; c < Math.min(bounds[i + 1], 128); c++) {
                if (UPPER.contains(c) || LOWER.contains(c)) {
                    result = result.or(CodePoints.of(c ^ 0x20));
                    result = (c | 0x20) == 's' ? result.or(CodePoints.of(0x17F)) : result;
                    result = (c | 0x20) == 'k' ? result.or(CodePoints.of(0x212A)) : result;
                }
            }
        }
        return result;
    }

    private @Nullable PatternNode group() {
        if (peek() != '?') {
            if (peek() == '*') {
                throw unsupported("a callout (*..)");
            }
            return closed(choice());
        }
        at++;
        int kind = next();
        switch (kind) {
            case ':':
                return closed(choice());
            case '>':
                return new Atomic(closed(choice()));
            case '=':
            case '!':
                return new Look(closed(choice()), kind == '!', 0);
            case '#':
                while (next() != ')') {
                    if (at == pattern.length()) {
                        throw damaged("a comment without end");
                    }
                }
                return null;
            case '<':
                if (peek() == '=' || peek() == '!') {
                    boolean negative = next() == '!';
                    return behind(closed(choice()), negative);
                }
                while (peek() >= 0 && Unicode.isWord(peek())) {
                    at++;
                }
                if (next() != '>') {
                    throw damaged("a name of a group without end");
                }
                return closed(choice());
            default:
                at--;
                return flags();
        }
    }

    /** {@code (?i:..)}, or {@code (?i)} for the rest of the group. */
    private PatternNode flags() {
        boolean outerCase = ignoreCase;
        boolean outerDot = dotAll;
        boolean on = true;
        while (true) {
            int c = next();
            switch (c) {
                case '-':
                    on = false;
                    break;
                case 'i':
                    ignoreCase = on;
                    break;
                case 'm':
                    dotAll = on;
                    break;
                case ':':
                case ')':
                    PatternNode body = choice();
                    ignoreCase = outerCase;
                    dotAll = outerDot;
                    return c == ':' ? closed(body) : body;
                default:
                    at--;
                    throw unsupported("a group (?" + (char) c);
            }
        }
    }

    private PatternNode closed(PatternNode body) {
        if (at == pattern.length()) {
            throw damaged("a '(' without ')'");
        }
        at++;
        return body;
    }

    private PatternNode behind(PatternNode body, boolean negative) {
        List<PatternNode> ways = body instanceof Choice choice ? choice.ways() : Collections.singletonList(body);
        List<PatternNode> looks = new ArrayList<>();
        for (PatternNode way : ways) {
            int length = length(way);
            if (length <= 0) {
                throw unsupported("a look behind at what has no fixed length");
            }
            looks.add(new Look(way, negative, length));
        }
        if (looks.size() == 1) {
            return looks.get(0);
        }
        return negative ? new Sequence(looks) : new Choice(looks);
    }

    /** {@return how many characters it always matches, or -1} */
    private static int length(PatternNode node) {
        if (node instanceof One) {
            return 1;
        }
        if (node instanceof Repeat repeat && repeat.min() == repeat.max()) {
            int body = length(repeat.body());
            return body < 0 ? -1 : body * repeat.min();
        }
        if (node instanceof Sequence sequence) {
            int sum = 0;
            for (PatternNode part : sequence.parts()) {
                int length = length(part);
                if (length < 0) {
                    return -1;
                }
                sum += length;
            }
            return sum;
        }
        return -1;
    }

    private PatternNode escape() {
        int c = next();
        switch (c) {
            case 'A':
                return new Here(Place.START);
            case 'z':
                return new Here(Place.END);
            case 'Z':
                return new Here(Place.END_OR_LAST_NEWLINE);
            case 'b':
                return new Here(Place.WORD_EDGE);
            case 'B':
                return new Here(Place.NO_WORD_EDGE);
            case 'w':
                return new One(word());
            case 'W':
                return new One(word().not());
            case 'R':
                List<PatternNode> pair = new ArrayList<>();
                pair.add(new One(CodePoints.of('\r')));
                pair.add(new One(NEWLINE));
                List<PatternNode> ways = new ArrayList<>();
                ways.add(new Sequence(pair));
                ways.add(new One(
                        CodePoints.range('\n', '\r').or(CodePoints.of(0x85)).or(CodePoints.range(0x2028, 0x2029))));
                return new Atomic(new Choice(ways));
            default:
                CodePoints set = escapedSet(c);
                return set != null ? new One(set) : literal(escapedCharacter(c));
        }
    }

    /** A class that is written with a backslash, in brackets or not; null for a character. */
    private @Nullable CodePoints escapedSet(int c) {
        switch (c) {
            case 'd':
                return property("nd");
            case 'D':
                return property("nd").not();
            case 's':
                return property("space");
            case 'S':
                return property("space").not();
            case 'h':
                return HEX;
            case 'H':
                return HEX.not();
            case 'p':
            case 'P':
                return named(c == 'P');
            default:
                return null;
        }
    }

    private CodePoints named(boolean negative) {
        boolean turned = negative;
        String name;
        if (peek() == '{') {
            int end = pattern.indexOf('}', at);
            if (end < 0) {
                throw damaged("a property without '}'");
            }
            name = pattern.substring(at + 1, end);
            at = end + 1;
            if (name.startsWith("^")) {
                turned = !turned;
                name = name.substring(1);
            }
        } else {
            name = Character.toString((char) next());
        }
        CodePoints set = Unicode.property(name);
        if (set == null) {
            throw unsupported("the property '" + shown(name) + "'");
        }
        if (ignoreCase && !set.equals(property("space")) && !set.equals(property("nd"))) {
            throw unsupported("a property without regard to case");
        }
        return turned ? set.not() : set;
    }

    private int escapedCharacter(int c) {
        switch (c) {
            case 't':
                return '\t';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 'f':
                return '\f';
            case 'v':
                return 0x0B;
            case 'a':
                return 0x07;
            case 'e':
                return 0x1B;
            case 'x':
                if (peek() == '{') {
                    at++;
                    int value = hex(1, 8);
                    if (next() != '}') {
                        throw damaged("a number of a character without '}'");
                    }
                    return value;
                }
                int value = hex(1, 2);
                if (value > 0x7F) {
                    throw unsupported("bytes (\\x80 to \\xff)");
                }
                return value;
            case 'u':
                return hex(4, 4);
            default:
                if (c >= '0' && c <= '9') {
                    throw unsupported("\\" + (char) c + ", a reference or an octal number,");
                }
                if (LOWER.contains(c) || UPPER.contains(c)) {
                    throw unsupported("\\" + (char) c);
                }
                return c;
        }
    }

    private int hex(int least, int most) {
        int value = 0;
        int digits = 0;
        while (digits < most && HEX.contains(peek())) {
            value = value << 4 | Character.digit(next(), 16);
            digits++;
        }
        if (digits < least
                || value < 0
                || value >= CodePoints.LIMIT
                || value >= Character.MIN_SURROGATE && value <= Character.MAX_SURROGATE) {
            throw damaged("a number that is no character's");
        }
        return value;
    }

    private CodePoints brackets() {
        if (++depth > DEEPEST) {
            throw unsupported("more than " + DEEPEST + " brackets within each other");
        }
        boolean negative = peek() == '^';
        if (negative) {
            at++;
        }
        if (peek() == ']') {
            throw unsupported("']' right behind '['");
        }
        CodePoints met = null;
        CodePoints set = CodePoints.NONE;
        while (true) {
            int c = nextInBrackets();
            if (c == ']') {
                break;
            }
            if (c == '&' && peek() == '&') {
                at++;
                met = met == null ? set : met.and(set);
                set = CodePoints.NONE;
            } else {
                set = set.or(member(c));
            }
        }
        set = met == null ? set : met.and(set);
        depth--;
        return negative ? set.not() : set;
    }

    private int nextInBrackets() {
        if (at == pattern.length()) {
            throw damaged("a '[' without ']'");
        }
        return next();
    }

    /** One item in brackets: a class, or a character or range of them. */
    private CodePoints member(int c) {
        if (c == '[') {
            return pattern.startsWith(":", at) ? posix() : brackets();
        }
        int first = c;
        if (c == '\\') {
            int escaped = nextInBrackets();
            CodePoints set = escaped == 'w'
                    ? Sets.WORD_IN_BRACKETS
                    : escaped == 'W' ? Sets.WORD_IN_BRACKETS.not() : escapedSet(escaped);
            if (set != null) {
                if (peek() == '-' && at + 1 < pattern.length() && pattern.charAt(at + 1) != ']') {
                    throw unsupported("a range that begins with a class");
                }
                return set;
            }
            first = escaped == 'b' ? '\b' : escapedCharacter(escaped);
        }
        if (peek() != '-' || at + 1 >= pattern.length() || pattern.charAt(at + 1) == ']') {
            return folded(CodePoints.of(first));
        }
        at++;
        int last = nextInBrackets();
        if (last == '[' || last == '&') {
            throw unsupported("a range that ends in '" + (char) last + "'");
        }
        if (last == '\\') {
            int escaped = nextInBrackets();
            if (escaped == 'w' || escaped == 'W' || "dDsShHpP".indexOf(escaped) >= 0) {
                throw unsupported("a range that ends in a class");
            }
            last = escapedCharacter(escaped);
        }
        if (last < first) {
            throw damaged("a range from a larger to a smaller character");
        }
        return folded(CodePoints.range(first, last));
    }

    /** {@code [:alpha:]} and its kin, Unicode's. */
    private CodePoints posix() {
        int end = pattern.indexOf(":]", at + 1);
        if (end < 0) {
            throw unsupported("'[:' without ':]'");
        }
        String name = pattern.substring(at + 1, end);
        at = end + 2;
        boolean negative = name.startsWith("^");
        String plain = negative ? name.substring(1) : name;
        if (ignoreCase) {
            throw unsupported("[:" + shown(plain) + ":] without regard to case");
        }
        CodePoints set = switch (plain) {
            case "alpha", "alnum", "digit", "space", "lower", "upper" -> property(plain);
            case "punct" -> property("p").or(property("s"));
            case "blank" -> property("zs").or(CodePoints.of('\t'));
            case "cntrl" -> property("cc");
            case "graph" -> invisible().not();
            case "print" -> invisible().not().or(property("zs"));
            case "xdigit" -> HEX;
            case "word" -> Sets.WORD_IN_BRACKETS;
            case "ascii" -> CodePoints.range(0, 127);
            default -> throw unsupported("[:" + shown(plain) + ":]");
        };
        return negative ? set.not() : set;
    }

    private static CodePoints invisible() {
        return property("z").or(property("cc")).or(property("cn")).or(property("cs"));
    }

    private PatternNode repeated(PatternNode body) {
        int[] bounds = bounds();
        if (bounds == null) {
            return body;
        }
        if (body instanceof Here) {
            throw damaged("a quantifier behind an anchor");
        }
        if (body instanceof Look) {
            throw unsupported("a quantifier behind a look ahead or behind");
        }
        boolean braces = pattern.charAt(at - 1) == '}';
        boolean lazy = false;
        boolean possessive = false;
        if (peek() == '?') {
            if (braces && bounds[0] == bounds[1]) {
                throw unsupported("{n}?");
            }
            lazy = true;
            at++;
        } else if (peek() == '+') {
            if (braces) {
                throw unsupported("{n,m}+");
            }
            possessive = true;
            at++;
        }
        if (bounds() != null) {
            throw unsupported("a quantifier behind a quantifier");
        }
        Repeat repeat = new Repeat(body, bounds[0], bounds[1], lazy);
        return possessive ? new Atomic(repeat) : repeat;
    }

    /** {@return least and most of a quantifier, or null if none stands here} */
    private int @Nullable [] bounds() {
        switch (peek()) {
            case '*':
                at++;
                return new int[] {0, Repeat.UNBOUNDED};
            case '+':
                at++;
                return new int[] {1, Repeat.UNBOUNDED};
            case '?':
                at++;
                return new int[] {0, 1};
            case '{':
                return braces();
            default:
                return null;
        }
    }

    private int @Nullable [] braces() {
        int start = at++;
        int least = digits(LARGEST);
        int most = least;
        if (peek() == ',') {
            at++;
            most = digits(LARGEST);
            if (least < 0 && most < 0) {
                at = start;
                return null;
            }
            least = Math.max(least, 0);
            most = most < 0 ? Repeat.UNBOUNDED : most;
        }
        if (least < 0 || peek() != '}') {
            at = start; // a brace like any character
            return null;
        }
        at++;
        if (least > most) {
            throw unsupported("a quantifier whose first number is the larger one");
        }
        if (least > MOST_REPEATS || most != Repeat.UNBOUNDED && most > MOST_REPEATS) {
            throw unsupported("more than " + MOST_REPEATS + " repetitions");
        }
        return new int[] {least, most};
    }

    @Override
    protected CheckpointException damaged(String what) {
        return new CheckpointException(file + " splits text by the pattern " + quoted(pattern) + ", which is no regular"
                + " expression: it has " + what + " (at " + at + "). Download the file again.");
    }

    private UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(file + " splits text by the pattern " + quoted(pattern) + "; " + what
                + " is not supported (at " + at + "). Supported are classes, groups, alternatives, quantifiers,"
                + " look-around and (?i:..) for a to z.");
    }

    /** The pattern for a message: on one line, not too long. */
    static String quoted(String pattern) {
        return "'" + shown(pattern) + "'";
    }

    private static String shown(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < Math.min(text.length(), LONGEST_SHOWN); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c >= 0x7F && c < 0xA0 || c >= 0x2028 && c <= 0x202E || Character.isSurrogate(c)) {
                out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append(text.length() > LONGEST_SHOWN ? "..." : "").toString();
    }
}
