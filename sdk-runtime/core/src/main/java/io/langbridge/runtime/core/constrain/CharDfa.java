package io.langbridge.runtime.core.constrain;

import io.langbridge.PromptException;
import io.langbridge.runtime.core.text.CodePoints;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A deterministic automaton over code points: a set of texts. Begins in state 0. From every state some text of the set
 * can still be reached, unless the set is empty. Immutable.
 */
final class CharDfa {
    /** No state: whatever follows, the text is not in the set. */
    static final int DEAD = -1;

    /** Most states of one automaton; a pattern that needs more is refused. */
    static final int MOST_STATES = 10_000;

    /**
     * Most transitions looked at for all that one schema or pattern is made of, so that neither a few states nor many
     * patterns can take minutes.
     */
    static final int MOST_WORK = 20_000_000;

    /** What may still be done for a schema or pattern. */
    static final class Work {
        private int left = MOST_WORK;

        /**
         * Counts what is done.
         *
         * @param name what it is done for, for the message
         * @throws PromptException if it is too much
         */
        void spend(int transitions, String name) {
            left -= transitions;
            if (left < 0) {
                throw tooLarge(name);
            }
        }
    }

    /** Every text without characters that JSON writes as numbers only. */
    static final CodePoints TEXT = CodePoints.range(0, 0x1F)
            .not()
            .or(CodePoints.of('\t'))
            .or(CodePoints.of('\n'))
            .or(CodePoints.of('\r'))
            .and(CodePoints.range(Character.MIN_SURROGATE, Character.MAX_SURROGATE)
                    .not());

    /** By state: where ranges of code points begin that lead to the same state; the first begins at 0. */
    private final int[][] starts;

    private final int[][] targets;
    private final boolean[] accepts;

    private CharDfa(int[][] starts, int[][] targets, boolean[] accepts) {
        this.starts = starts;
        this.targets = targets;
        this.accepts = accepts;
    }

    /** How an automaton over states of some kind moves. */
    interface Moves<S> {
        /**
         * Tells all transitions of a state.
         *
         * @param out takes them in ascending order, apart from each other; what is left out leads nowhere
         */
        void of(S state, Transitions<S> out);

        boolean accepts(S state);
    }

    /** Takes transitions. */
    interface Transitions<S> {
        /** From {@code first} to {@code last}, both inside. */
        void add(int first, int last, S target);
    }

    /**
     * Makes an automaton of all states that can be reached.
     *
     * @param name what it is made of, for messages
     * @throws PromptException if there are more than {@link #MOST_STATES}, or it takes more than {@link #MOST_WORK}
     */
    static <S> CharDfa explore(S first, Moves<S> moves, String name, Work work) {
        Map<S, Integer> numbers = new HashMap<>();
        ArrayDeque<S> waiting = new ArrayDeque<>();
        List<int[]> starts = new ArrayList<>();
        List<int[]> targets = new ArrayList<>();
        List<Boolean> accepts = new ArrayList<>();
        numbers.put(first, 0);
        waiting.add(first);
        while (!waiting.isEmpty()) {
            S state = waiting.remove();
            Ranges ranges = new Ranges();
            moves.of(state, (from, to, target) -> {
                Integer number = numbers.get(target);
                if (number == null) {
                    number = numbers.size();
                    numbers.put(target, number);
                    waiting.add(target);
                }
                ranges.add(from, to, number);
            });
            work.spend(ranges.size, name);
            if (numbers.size() > MOST_STATES) {
                throw tooLarge(name);
            }
            starts.add(ranges.starts());
            targets.add(ranges.targets());
            accepts.add(moves.accepts(state));
        }
        boolean[] accepting = new boolean[accepts.size()];
        for (int i = 0; i < accepting.length; i++) {
            accepting[i] = accepts.get(i);
        }
        return trimmed(starts.toArray(new int[0][]), targets.toArray(new int[0][]), accepting);
    }

    static PromptException tooLarge(String name) {
        return new PromptException(name + " needs an automaton of more than " + MOST_STATES
                + " states, or together with what stands before it" + " more than " + MOST_WORK
                + " transitions; write it with fewer alternatives or smaller numbers of repetitions");
    }

    /** The transitions of one state. */
    private static final class Ranges {
        private int[] starts = {0, 0, 0, 0};
        private int[] targets = {DEAD, DEAD, DEAD, DEAD};
        private int size = 1;

        void add(int first, int last, int target) {
            put(first, target);
            put(last + 1, DEAD);
        }

        /** From here on to the next. */
        private void put(int start, int target) {
            if (start == starts[size - 1]) {
                size--;
            }
            if (size > 0 && targets[size - 1] == target || start == CodePoints.LIMIT) {
                return;
            }
            if (size == starts.length) {
                starts = Arrays.copyOf(starts, 2 * size);
                targets = Arrays.copyOf(targets, 2 * size);
            }
            starts[size] = start;
            targets[size++] = target;
        }

        int[] starts() {
            return Arrays.copyOf(starts, size);
        }

        int[] targets() {
            return Arrays.copyOf(targets, size);
        }
    }

    /** Without states from which no text is reached. */
    private static CharDfa trimmed(int[][] starts, int[][] targets, boolean[] accepts) {
        int n = accepts.length;
        List<List<Integer>> sources = new ArrayList<>();
        ArrayDeque<Integer> waiting = new ArrayDeque<>();
        boolean[] alive = accepts.clone();
        for (int i = 0; i < n; i++) {
            sources.add(new ArrayList<>());
            if (accepts[i]) {
                waiting.add(i);
            }
        }
        for (int i = 0; i < n; i++) {
            for (int target : targets[i]) {
                if (target != DEAD) {
                    sources.get(target).add(i);
                }
            }
        }
        while (!waiting.isEmpty()) {
            for (int source : sources.get(waiting.remove())) {
                if (!alive[source]) {
                    alive[source] = true;
                    waiting.add(source);
                }
            }
        }
        int[] numbers = new int[n];
        int kept = 0;
        for (int i = 0; i < n; i++) {
            numbers[i] = alive[i] || i == 0 ? kept++ : DEAD;
        }
        int[][] newStarts = new int[kept][];
        int[][] newTargets = new int[kept][];
        boolean[] newAccepts = new boolean[kept];
        for (int i = 0; i < n; i++) {
            if (numbers[i] == DEAD) {
                continue;
            }
            int[] moved = targets[i].clone();
            for (int k = 0; k < moved.length; k++) {
                moved[k] = moved[k] == DEAD || !alive[moved[k]] ? DEAD : numbers[moved[k]];
            }
            newStarts[numbers[i]] = starts[i];
            newTargets[numbers[i]] = moved;
            newAccepts[numbers[i]] = accepts[i];
        }
        return new CharDfa(newStarts, newTargets, newAccepts);
    }

    /** Exactly these texts. */
    static CharDfa of(Collection<String> texts) {
        List<TreeMap<Integer, Integer>> edges = new ArrayList<>();
        List<Boolean> accepting = new ArrayList<>();
        edges.add(new TreeMap<>());
        accepting.add(false);
        for (String text : texts) {
            int state = 0;
            for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
                Integer next = edges.get(state).get(text.codePointAt(i));
                if (next == null) {
                    next = edges.size();
                    edges.get(state).put(text.codePointAt(i), next);
                    edges.add(new TreeMap<>());
                    accepting.add(false);
                }
                state = next;
            }
            accepting.set(state, true);
        }
        int[][] starts = new int[edges.size()][];
        int[][] targets = new int[edges.size()][];
        boolean[] accepts = new boolean[edges.size()];
        for (int i = 0; i < edges.size(); i++) {
            Ranges ranges = new Ranges();
            edges.get(i).forEach((c, target) -> ranges.add(c, c, target));
            starts[i] = ranges.starts();
            targets[i] = ranges.targets();
            accepts[i] = accepting.get(i);
        }
        return new CharDfa(starts, targets, accepts);
    }

    int states() {
        return accepts.length;
    }

    boolean accepts(int state) {
        return accepts[state];
    }

    /** Whether no text is in the set. */
    boolean isEmpty() {
        if (accepts[0]) {
            return false;
        }
        for (int target : targets[0]) {
            if (target != DEAD) {
                return false;
            }
        }
        return true;
    }

    /** The transitions of a state. */
    void transitions(int state, Transitions<Integer> out) {
        for (int i = 0; i < starts[state].length; i++) {
            if (targets[state][i] != DEAD) {
                int end = i + 1 < starts[state].length ? starts[state][i + 1] : CodePoints.LIMIT;
                out.add(starts[state][i], end - 1, targets[state][i]);
            }
        }
    }

    /** Whether a text is in the set. */
    boolean contains(String text) {
        int state = 0;
        for (int i = 0; i < text.length() && state != DEAD; i += Character.charCount(text.codePointAt(i))) {
            int found = Arrays.binarySearch(starts[state], text.codePointAt(i));
            state = targets[state][found >= 0 ? found : -found - 2];
        }
        return state != DEAD && accepts[state];
    }

    /** The texts that are in both sets. */
    CharDfa and(CharDfa other, String name, Work work) {
        return explore(
                List.of(0, 0),
                new Moves<List<Integer>>() {
                    @Override
                    public void of(List<Integer> state, Transitions<List<Integer>> out) {
                        int[] a = starts[state.get(0)];
                        int[] b = other.starts[state.get(1)];
                        int i = 0;
                        int j = 0;
                        for (int at = 0; at < CodePoints.LIMIT; ) {
                            int endA = i + 1 < a.length ? a[i + 1] : CodePoints.LIMIT;
                            int endB = j + 1 < b.length ? b[j + 1] : CodePoints.LIMIT;
                            int end = Math.min(endA, endB);
                            int s = targets[state.get(0)][i];
                            int t = other.targets[state.get(1)][j];
                            if (s != DEAD && t != DEAD) {
                                out.add(at, end - 1, List.of(s, t));
                            }
                            i += end == endA ? 1 : 0;
                            j += end == endB ? 1 : 0;
                            at = end;
                        }
                    }

                    @Override
                    public boolean accepts(List<Integer> state) {
                        return accepts[state.get(0)] && other.accepts[state.get(1)];
                    }
                },
                name,
                work);
    }

    /** Texts of so many characters of a set. */
    static CharDfa ofLength(CodePoints set, int least, int most, String name, Work work) {
        int[] bounds = set.bounds();
        return explore(
                0,
                new Moves<Integer>() {
                    @Override
                    public void of(Integer length, Transitions<Integer> out) {
                        if (length < most) {
                            int next = most == Integer.MAX_VALUE ? Math.min(length + 1, least) : length + 1;
                            for (int i = 0; i < bounds.length; i += 2) {
                                out.add(bounds[i], bounds[i + 1] - 1, next);
                            }
                        }
                    }

                    @Override
                    public boolean accepts(Integer length) {
                        return length >= least;
                    }
                },
                name,
                work);
    }
}
