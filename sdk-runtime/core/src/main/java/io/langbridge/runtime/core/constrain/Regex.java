package io.langbridge.runtime.core.constrain;

import io.langbridge.PromptException;
import io.langbridge.runtime.core.text.CodePoints;
import io.langbridge.runtime.core.text.PatternReader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Regular expressions as JSON Schema has them, which are ECMAScript's with the flag {@code u}, as far as they are
 * regular: {@code \d}, {@code \w} and {@code \s} are that language's, {@code .} is all but line ends. Becomes an
 * automaton without backtracking; what is not regular, or looks around, is refused by name.
 */
final class Regex extends PatternReader {
    private static final int DEEPEST = 100;
    private static final int MOST_REPEATS = 10_000;
    private static final int LARGEST = 10_000_000;
    private static final int MOST_STEPS = 50_000;
    private static final int LONGEST = 20_000;

    private static final CodePoints SURROGATES = CodePoints.range(Character.MIN_SURROGATE, Character.MAX_SURROGATE);
    private static final CodePoints DIGIT = CodePoints.range('0', '9');
    private static final CodePoints WORD =
            DIGIT.or(CodePoints.range('A', 'Z')).or(CodePoints.range('a', 'z')).or(CodePoints.of('_'));
    private static final CodePoints SPACE = CodePoints.range('\t', '\r')
            .or(CodePoints.of(' '))
            .or(CodePoints.of(0xA0))
            .or(CodePoints.of(0x1680))
            .or(CodePoints.range(0x2000, 0x200A))
            .or(CodePoints.range(0x2028, 0x2029))
            .or(CodePoints.of(0x202F))
            .or(CodePoints.of(0x205F))
            .or(CodePoints.of(0x3000))
            .or(CodePoints.of(0xFEFF));
    private static final CodePoints LINE_ENDS =
            CodePoints.of('\n').or(CodePoints.of('\r')).or(CodePoints.range(0x2028, 0x2029));
    private static final CodePoints ANY = CodePoints.NONE.not();

    private static final int ONE = 0;
    private static final int SPLIT = 1;
    private static final int START = 2;
    private static final int END = 3;
    private static final int FOUND = 4;

    private final String name;
    private final CharDfa.Work work;
    private int depth;

    /** Steps of an automaton that is not deterministic: what a step is, and where it goes on, one way or two. */
    private final List<int[]> steps = new ArrayList<>();

    private final List<CodePoints> sets = new ArrayList<>();

    private Regex(String pattern, String name, CharDfa.Work work) {
        super(pattern);
        this.name = name;
        this.work = work;
    }

    /**
     * The texts that a pattern matches as a whole.
     *
     * @param place what the pattern is, for messages
     * @param work what may be done for it
     * @throws PromptException if it is no regular expression, not regular, or too large; names what and where
     */
    static CharDfa whole(String pattern, String place, CharDfa.Work work) {
        return new Regex(pattern, name(pattern, place), work).compile(false);
    }

    /** The texts in which a pattern matches somewhere, as JSON Schema's {@code pattern} has it. */
    static CharDfa somewhere(String pattern, String place, CharDfa.Work work) {
        return new Regex(pattern, name(pattern, place), work).compile(true);
    }

    private static String name(String pattern, String place) {
        return place + " '" + (pattern.length() > 200 ? pattern.substring(0, 200) + ".." : pattern) + "'";
    }

    private CharDfa compile(boolean somewhere) {
        if (pattern.length() > LONGEST) {
            throw new PromptException(
                    name + " has " + pattern.length() + " characters; at most " + LONGEST + " are read. Shorten it");
        }
        Tree tree = choice();
        if (at < pattern.length()) {
            throw damaged("a ')' too many");
        }
        int last = step(FOUND, -1, -1);
        if (somewhere) {
            int loop = step(SPLIT, -1, last);
            set(loop, 1, one(ANY, loop));
            last = loop;
        }
        int first = emit(tree, last);
        if (somewhere) {
            int loop = step(SPLIT, first, -1);
            set(loop, 2, one(ANY, loop));
            first = loop;
        }
        return deterministic(first);
    }

    /** A regular expression as a tree. */
    private sealed interface Tree {
        record One(CodePoints set) implements Tree {}

        record Sequence(List<Tree> parts) implements Tree {}

        record Choice(List<Tree> ways) implements Tree {}

        record Repeat(Tree body, int least, int most) implements Tree {}

        record Anchor(boolean end) implements Tree {}
    }

    private Tree choice() {
        if (++depth > DEEPEST) {
            throw unsupported("more than " + DEEPEST + " groups within each other");
        }
        List<Tree> ways = new ArrayList<>();
        ways.add(sequence());
        while (peek() == '|') {
            at++;
            ways.add(sequence());
        }
        depth--;
        return ways.size() == 1 ? ways.get(0) : new Tree.Choice(ways);
    }

    private Tree sequence() {
        List<Tree> parts = new ArrayList<>();
        while (at < pattern.length() && peek() != '|' && peek() != ')') {
            parts.add(repeated(atom()));
        }
        return parts.size() == 1 ? parts.get(0) : new Tree.Sequence(parts);
    }

    private Tree atom() {
        int c = next();
        return switch (c) {
            case '(' -> group();
            case '[' -> new Tree.One(brackets());
            case '.' -> new Tree.One(LINE_ENDS.not());
            case '^' -> new Tree.Anchor(false);
            case '$' -> new Tree.Anchor(true);
            case '*', '+', '?' -> throw damaged("a quantifier with nothing in front");
            case '\\' -> {
                int escaped = next();
                if (escaped == 'b' || escaped == 'B') {
                    throw unsupported("\\" + (char) escaped + ", an edge of a word,");
                }
                yield new Tree.One(escaped(escaped));
            }
            default -> new Tree.One(CodePoints.of(c));
        };
    }

    private Tree group() {
        if (peek() == '?') {
            at++;
            int kind = next();
            if (kind == '<' && peek() != '=' && peek() != '!') {
                while (next() != '>') {
                    if (at == pattern.length()) {
                        throw damaged("a name of a group without end");
                    }
                }
            } else if (kind != ':') {
                throw unsupported("a group (?" + Character.toString((char) kind));
            }
        }
        Tree body = choice();
        if (at == pattern.length()) {
            throw damaged("a '(' without ')'");
        }
        at++;
        return body;
    }

    private Tree repeated(Tree body) {
        int[] bounds = bounds();
        if (bounds == null) {
            return body;
        }
        if (body instanceof Tree.Anchor) {
            throw damaged("a quantifier behind an anchor");
        }
        if (peek() == '?') {
            at++; // which match is found first makes no difference to whether there is one
        } else if (peek() == '+') {
            throw unsupported("a possessive quantifier");
        }
        if (bounds() != null) {
            throw damaged("a quantifier behind a quantifier");
        }
        return new Tree.Repeat(body, bounds[0], bounds[1]);
    }

    private int @Nullable [] bounds() {
        switch (peek()) {
            case '*':
                at++;
                return new int[] {0, Integer.MAX_VALUE};
            case '+':
                at++;
                return new int[] {1, Integer.MAX_VALUE};
            case '?':
                at++;
                return new int[] {0, 1};
            case '{':
                break;
            default:
                return null;
        }
        int start = at++;
        int least = digits(LARGEST);
        int most = least;
        if (least >= 0 && peek() == ',') {
            at++;
            most = digits(LARGEST);
            most = most < 0 ? Integer.MAX_VALUE : most;
        }
        if (least < 0 || peek() != '}') {
            at = start;
            throw unsupported("a '{' that is no quantifier and has no backslash");
        }
        at++;
        if (least > most) {
            throw damaged("a quantifier whose first number is the larger one");
        }
        if (least > MOST_REPEATS || most != Integer.MAX_VALUE && most > MOST_REPEATS) {
            throw unsupported("more than " + MOST_REPEATS + " repetitions");
        }
        return new int[] {least, most};
    }

    private CodePoints brackets() {
        boolean negative = peek() == '^';
        at += negative ? 1 : 0;
        CodePoints set = CodePoints.NONE;
        while (true) {
            if (at == pattern.length()) {
                throw damaged("a '[' without ']'");
            }
            int c = next();
            if (c == ']') {
                return negative ? set.not() : set;
            }
            CodePoints first = c == '\\' ? escapedInBrackets() : CodePoints.of(c);
            if (peek() == '-' && at + 1 < pattern.length() && pattern.charAt(at + 1) != ']') {
                at++;
                int d = next();
                CodePoints last = d == '\\' ? escapedInBrackets() : CodePoints.of(d);
                int from = single(first);
                int to = single(last);
                if (from > to) {
                    throw damaged("a range from a larger to a smaller character");
                }
                first = CodePoints.range(from, to);
            }
            set = set.or(first);
        }
    }

    private CodePoints escapedInBrackets() {
        int c = next();
        return c == 'b' ? CodePoints.of('\b') : c == '-' ? CodePoints.of('-') : escaped(c);
    }

    private int single(CodePoints set) {
        int[] bounds = set.bounds();
        if (bounds.length != 2 || bounds[1] != bounds[0] + 1) {
            throw damaged("a range that begins or ends with a class");
        }
        return bounds[0];
    }

    private CodePoints escaped(int c) {
        switch (c) {
            case 'd':
                return DIGIT;
            case 'D':
                return DIGIT.not();
            case 'w':
                return WORD;
            case 'W':
                return WORD.not();
            case 's':
                return SPACE;
            case 'S':
                return SPACE.not();
            case 'p':
            case 'P':
                return property(c == 'P');
            case 't':
                return CodePoints.of('\t');
            case 'n':
                return CodePoints.of('\n');
            case 'r':
                return CodePoints.of('\r');
            case 'f':
                return CodePoints.of('\f');
            case 'v':
                return CodePoints.of(0x0B);
            case 'x':
                return CodePoints.of(hex(2, 2));
            case 'u':
                return CodePoints.of(unicode());
            default:
                if (c == '0' && !(peek() >= '0' && peek() <= '9')) {
                    return CodePoints.of(0);
                }
                if (c >= '0' && c <= '9' || c == 'k') {
                    throw unsupported("\\" + (char) c + ", a reference to a group,");
                }
                if (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
                    throw unsupported("\\" + (char) c);
                }
                return CodePoints.of(c);
        }
    }

    private int unicode() {
        if (peek() == '{') {
            at++;
            int value = hex(1, 6);
            if (next() != '}') {
                throw damaged("a number of a character without '}'");
            }
            return value;
        }
        int unit = hex(4, 4);
        if (Character.isHighSurrogate((char) unit) && pattern.startsWith("\\u", at)) {
            at += 2;
            int low = hex(4, 4);
            if (Character.isLowSurrogate((char) low)) {
                return Character.toCodePoint((char) unit, (char) low);
            }
        }
        if (Character.isSurrogate((char) unit)) {
            throw damaged("half of a character");
        }
        return unit;
    }

    private int hex(int least, int most) {
        int value = 0;
        int digits = 0;
        while (digits < most && at < pattern.length() && peek() < 128 && Character.digit(peek(), 16) >= 0) {
            value = value << 4 | Character.digit(next(), 16);
            digits++;
        }
        if (digits < least || value >= CodePoints.LIMIT) {
            throw damaged("a number that is no character's");
        }
        return value;
    }

    private CodePoints property(boolean negative) {
        int end = pattern.indexOf('}', at);
        if (peek() != '{' || end < 0) {
            throw damaged("a property without '{..}'");
        }
        String property = pattern.substring(at + 1, end);
        at = end + 1;
        CodePoints set = CodePoints.property(property.substring(property.indexOf('=') + 1));
        if (set == null) {
            throw unsupported("the property '" + property + "'");
        }
        return negative ? set.not() : set;
    }

    @Override
    protected PromptException damaged(String what) {
        return new PromptException(name + " is no regular expression: it has " + what + " (at " + at + "). Correct it");
    }

    private PromptException unsupported(String what) {
        return new PromptException(name + " is not supported: " + what + " (at " + at + ") is not. Supported are"
                + " classes, groups, alternatives, quantifiers, and ^ and $ for the ends of the text");
    }

    private int step(int kind, int first, int second) {
        if (steps.size() >= MOST_STEPS) {
            throw CharDfa.tooLarge(name);
        }
        steps.add(new int[] {kind, first, second});
        return steps.size() - 1;
    }

    private void set(int step, int index, int target) {
        steps.get(step)[index] = target;
    }

    private int one(CodePoints set, int next) {
        CodePoints characters = set.and(SURROGATES.not());
        int index = sets.indexOf(characters);
        if (index < 0) {
            index = sets.size();
            sets.add(characters);
        }
        return step(ONE, next, index);
    }

    /** Steps that match a tree and go on to {@code next}. */
    private int emit(Tree tree, int next) {
        if (tree instanceof Tree.One one) {
            return one(one.set(), next);
        }
        if (tree instanceof Tree.Anchor anchor) {
            return step(anchor.end() ? END : START, next, -1);
        }
        if (tree instanceof Tree.Sequence sequence) {
            int to = next;
            for (int i = sequence.parts().size() - 1; i >= 0; i--) {
                to = emit(sequence.parts().get(i), to);
            }
            return to;
        }
        if (tree instanceof Tree.Choice choice) {
            int way = emit(choice.ways().get(choice.ways().size() - 1), next);
            for (int i = choice.ways().size() - 2; i >= 0; i--) {
                way = step(SPLIT, emit(choice.ways().get(i), next), way);
            }
            return way;
        }
        Tree.Repeat repeat = (Tree.Repeat) tree;
        int to = next;
        if (repeat.most() == Integer.MAX_VALUE) {
            to = step(SPLIT, -1, next);
            set(to, 1, emit(repeat.body(), to));
        } else {
            for (int i = repeat.least(); i < repeat.most(); i++) {
                to = step(SPLIT, emit(repeat.body(), to), next);
            }
        }
        for (int i = 0; i < repeat.least(); i++) {
            to = emit(repeat.body(), to);
        }
        return to;
    }

    /** All that could be matched at one place of a text. */
    private record Front(List<Integer> steps, boolean start) {}

    private CharDfa deterministic(int first) {
        return CharDfa.explore(
                front(new int[] {first}, true),
                new CharDfa.Moves<Front>() {
                    @Override
                    public void of(Front front, CharDfa.Transitions<Front> out) {
                        TreeSet<Integer> bounds = new TreeSet<>();
                        for (int step : front.steps()) {
                            if (steps.get(step)[0] == ONE) {
                                for (int bound : sets.get(steps.get(step)[2]).bounds()) {
                                    bounds.add(bound);
                                }
                            }
                        }
                        int from = -1;
                        for (int bound : bounds) {
                            if (from >= 0) {
                                int[] targets = targets(front, from);
                                if (targets.length > 0) {
                                    out.add(from, bound - 1, front(targets, false));
                                }
                            }
                            from = bound;
                        }
                    }

                    @Override
                    public boolean accepts(Front front) {
                        return found(front);
                    }
                },
                name,
                work);
    }

    private int[] targets(Front front, int codePoint) {
        int[] targets = new int[front.steps().size()];
        int n = 0;
        for (int number : front.steps()) {
            int[] step = steps.get(number);
            if (step[0] == ONE && sets.get(step[2]).contains(codePoint)) {
                targets[n++] = step[1];
            }
        }
        work.spend(front.steps().size(), name);
        return Arrays.copyOf(targets, n);
    }

    /** Where the automaton is if it is at {@code from}, before the next character. */
    private Front front(int[] from, boolean start) {
        BitSet seen = closure(from, start, false);
        List<Integer> kept = new ArrayList<>();
        for (int i = seen.nextSetBit(0); i >= 0; i = seen.nextSetBit(i + 1)) {
            int kind = steps.get(i)[0];
            if (kind == ONE || kind == END || kind == FOUND) {
                kept.add(i);
            }
        }
        return new Front(kept, start);
    }

    private boolean found(Front front) {
        int[] from = front.steps().stream().mapToInt(Integer::intValue).toArray();
        BitSet seen = closure(from, front.start(), true);
        for (int i = seen.nextSetBit(0); i >= 0; i = seen.nextSetBit(i + 1)) {
            if (steps.get(i)[0] == FOUND) {
                return true;
            }
        }
        return false;
    }

    private BitSet closure(int[] from, boolean start, boolean end) {
        BitSet seen = new BitSet(steps.size());
        int[] stack = new int[steps.size() + from.length];
        int top = 0;
        for (int step : from) {
            if (!seen.get(step)) {
                seen.set(step);
                stack[top++] = step;
            }
        }
        int looked = steps.size() / 64 + 1;
        while (top > 0) {
            int[] step = steps.get(stack[--top]);
            looked++;
            boolean goesOn = step[0] == SPLIT || step[0] == START && start || step[0] == END && end;
            for (int i = 1; goesOn && i <= (step[0] == SPLIT ? 2 : 1); i++) {
                if (!seen.get(step[i])) {
                    seen.set(step[i]);
                    stack[top++] = step[i];
                }
            }
        }
        work.spend(looked, name);
        return seen;
    }
}
