package io.langbridge.runtime.core.text;

import io.langbridge.PromptException;
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
import java.util.Arrays;
import java.util.List;

/**
 * Matches with backtracking, and counts. {@code java.util.regex} would not do: its classes follow the JDK, its stack
 * ends at some thousand characters, and Android's copies the text, so that nothing can count what it reads.
 *
 * <p>A text may take {@link #STEPS_PER_CHARACTER} steps for each of its characters and of a hundred more. Published
 * patterns take fewer than sixty; a pattern that reads a run again from each of its characters gets as far as runs of
 * several hundred; and a text that makes a pattern explode is refused in a few milliseconds per thousand characters. A
 * pattern of many alternatives may take more: every instruction adds to what is allowed.
 */
final class PatternMatcher implements SplitPattern {
    static final int STEPS_PER_CHARACTER = 1000;
    private static final int STEPS_PER_INSTRUCTION = 4;
    private static final int MOST_WORDS = 100_000;

    private static final int ONE = 0;
    private static final int SPLIT = 1;
    private static final int JUMP = 2;
    private static final int FOUND = 3;
    private static final int HERE = 4;
    private static final int ATOMIC = 5;
    private static final int LOOK = 6;
    private static final int REMEMBER = 7;
    private static final int LEAVE_IF_UNMOVED = 8;

    private final String pattern;
    private final Path file;
    private final List<CodePoints> sets = new ArrayList<>();
    private final List<Place> places = new ArrayList<>();
    private int[] code = new int[64];
    private int size;
    private int registers;

    PatternMatcher(PatternNode node, String pattern, Path file) {
        this.pattern = pattern;
        this.file = file;
        emit(node);
        add(FOUND);
    }

    private void emit(PatternNode node) {
        if (node instanceof One one) {
            int set = sets.indexOf(one.set());
            if (set < 0) {
                set = sets.size();
                sets.add(one.set());
            }
            add(ONE, set);
        } else if (node instanceof Sequence sequence) {
            for (PatternNode part : sequence.parts()) {
                emit(part);
            }
        } else if (node instanceof Choice choice) {
            emit(choice);
        } else if (node instanceof Repeat repeat) {
            emit(repeat);
        } else if (node instanceof Atomic atomic) {
            int at = add(ATOMIC, 0);
            emit(atomic.body());
            add(FOUND);
            code[at + 1] = size;
        } else if (node instanceof Look look) {
            int at = add(LOOK, 0, look.negative() ? 1 : 0, look.back());
            emit(look.body());
            add(FOUND);
            code[at + 1] = size;
        } else if (node instanceof Here here) {
            add(HERE, places.size());
            places.add(here.place());
        }
    }

    private void emit(Choice choice) {
        List<Integer> ends = new ArrayList<>();
        int last = choice.ways().size() - 1;
        for (int i = 0; i < last; i++) {
            int at = split();
            code[at + 1] = size;
            emit(choice.ways().get(i));
            ends.add(add(JUMP, 0));
            code[at + 2] = size;
        }
        emit(choice.ways().get(last));
        for (int jump : ends) {
            code[jump + 1] = size;
        }
    }

    private void emit(Repeat repeat) {
        for (int i = 0; i < repeat.min(); i++) {
            emit(repeat.body());
        }
        int into = repeat.lazy() ? 2 : 1;
        if (repeat.max() == Repeat.UNBOUNDED) {
            int at = split();
            code[at + into] = size;
            int register = registers++;
            boolean mayBeEmpty = !(repeat.body() instanceof One);
            if (mayBeEmpty) {
                add(REMEMBER, register);
            }
            emit(repeat.body());
            int leave = mayBeEmpty ? add(LEAVE_IF_UNMOVED, register, 0) : -1;
            add(JUMP, at);
            if (mayBeEmpty) {
                code[leave + 2] = size;
            }
            code[at + 3 - into] = size;
            return;
        }
        List<Integer> skips = new ArrayList<>();
        for (int i = repeat.min(); i < repeat.max(); i++) {
            int at = split();
            code[at + into] = size;
            skips.add(at);
            emit(repeat.body());
        }
        for (int at : skips) {
            code[at + 3 - into] = size;
        }
    }

    private int split() {
        return add(SPLIT, 0, 0);
    }

    private int add(int... words) {
        if (size + words.length > MOST_WORDS) {
            throw new UnsupportedModelException(file + " splits text by the pattern " + PatternParser.quoted(pattern)
                    + ", which is too large when its repetitions are written out. Use smaller numbers in braces.");
        }
        if (size + words.length > code.length) {
            code = Arrays.copyOf(code, 2 * code.length + words.length);
        }
        int start = size;
        for (int word : words) {
            code[size++] = word;
        }
        return start;
    }

    @Override
    public void matches(String text, Spans spans) {
        Run run = new Run(text);
        int at = 0;
        int lastEnd = -1;
        while (at <= text.length()) {
            int start = at;
            int end = run.match(0, start);
            while (end < 0 && start < text.length()) {
                start = run.after(start);
                end = run.match(0, start);
            }
            if (end < 0) {
                return;
            }
            if (end == start && end == lastEnd) {
                at = end == text.length() ? end + 1 : run.after(end);
            } else {
                spans.span(start, end);
                at = end;
                lastEnd = end;
            }
        }
    }

    private final class Run {
        private final String text;
        private final int[] remembered = new int[registers];
        private long left;
        /** Pairs of where to go on in the code and in the text, or of a register and what was in it. */
        private int[] stack = new int[64];

        private int top;

        Run(String text) {
            this.text = text;
            left = (STEPS_PER_CHARACTER + (long) STEPS_PER_INSTRUCTION * size) * (text.length() + 100L);
        }

        int after(int index) {
            return index + Character.charCount(text.codePointAt(index));
        }

        /** {@return where a match that begins here ends, or -1} */
        int match(int from, int start) {
            int base = top;
            int pc = from;
            int at = start;
            while (true) {
                if (--left < 0) {
                    throw tooMuch();
                }
                switch (code[pc]) {
                    case FOUND -> {
                        top = base;
                        return at;
                    }
                    case ONE -> {
                        int c = at < text.length() ? text.codePointAt(at) : -1;
                        if (c >= 0 && sets.get(code[pc + 1]).contains(c)) {
                            at += Character.charCount(c);
                            pc += 2;
                        } else {
                            at = -1;
                        }
                    }
                    case SPLIT -> {
                        push(code[pc + 2], at);
                        pc = code[pc + 1];
                    }
                    case JUMP -> pc = code[pc + 1];
                    case HERE -> {
                        at = is(places.get(code[pc + 1]), at) ? at : -1;
                        pc += 2;
                    }
                    case ATOMIC -> {
                        at = match(pc + 2, at);
                        pc = code[pc + 1];
                    }
                    case LOOK -> {
                        int begin = back(at, code[pc + 3]);
                        boolean found = begin >= 0 && match(pc + 4, begin) >= 0;
                        at = found == (code[pc + 2] == 0) ? at : -1;
                        pc = code[pc + 1];
                    }
                    case REMEMBER -> {
                        push(-1 - code[pc + 1], remembered[code[pc + 1]]);
                        remembered[code[pc + 1]] = at;
                        pc += 2;
                    }
                    case LEAVE_IF_UNMOVED -> pc = remembered[code[pc + 1]] == at ? code[pc + 2] : pc + 3;
                    default -> throw new IllegalStateException("instruction " + code[pc]);
                }
                while (at < 0) {
                    if (top == base) {
                        return -1;
                    }
                    top -= 2;
                    if (stack[top] < 0) {
                        remembered[-1 - stack[top]] = stack[top + 1];
                    } else {
                        pc = stack[top];
                        at = stack[top + 1];
                    }
                }
            }
        }

        private void push(int where, int value) {
            if (top == stack.length) {
                stack = Arrays.copyOf(stack, 2 * top);
            }
            stack[top++] = where;
            stack[top++] = value;
        }

        /** {@return so many characters before, or -1 if there are fewer} */
        private int back(int from, int characters) {
            int index = from;
            for (int i = 0; i < characters; i++) {
                if (index == 0) {
                    return -1;
                }
                left--;
                index -= Character.charCount(text.codePointBefore(index));
            }
            return index;
        }

        private boolean is(Place place, int at) {
            int end = text.length();
            return switch (place) {
                case START -> at == 0;
                case END -> at == end;
                case END_OR_LAST_NEWLINE -> at == end || at == end - 1 && text.charAt(at) == '\n';
                case LINE_START -> at == 0 || at < end && text.charAt(at - 1) == '\n';
                case LINE_END -> at == end || text.charAt(at) == '\n';
                case WORD_EDGE -> isEdge(at);
                case NO_WORD_EDGE -> !isEdge(at);
            };
        }

        private boolean isEdge(int at) {
            boolean before = at > 0 && Words.ALL.contains(text.codePointBefore(at));
            boolean behind = at < text.length() && Words.ALL.contains(text.codePointAt(at));
            return before != behind;
        }

        private PromptException tooMuch() {
            return new PromptException("The text of " + text.length() + " characters cannot be tokenized: the pattern "
                    + PatternParser.quoted(pattern) + " of " + file + " tries too many ways to match it. Shorten runs"
                    + " of the same character in the text, or use a tokenizer with another pattern.");
        }
    }

    /** Made only when a pattern looks at edges of words. */
    private static final class Words {
        static final CodePoints ALL = PatternParser.word();
    }
}
