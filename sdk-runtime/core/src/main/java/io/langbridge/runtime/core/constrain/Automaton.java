package io.langbridge.runtime.core.constrain;

import io.langbridge.PromptException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Grammar} that is run byte by byte, all ways at once. A state is made when it is first reached and kept with
 * what was found out about it, the tokens that may follow above all. Not thread-safe.
 *
 * <p>The ways that a text can be understood share what they have in common: where each of them was called from is a
 * graph and not a list, so that their number does not grow with the text.
 */
final class Automaton {
    /** Most ways a text can be understood at one place; more are an error. */
    static final int MOST_WAYS = 1_000;

    /** What is kept of states; beyond it everything is forgotten and made again. */
    private static final int MOST_STATES = 10_000;

    private static final int MOST_MASK_BYTES = 16 << 20;
    private static final int LONGEST_FORCED = 4_096;

    /** In place of a state to go on with: what was called first ends the text. */
    private static final int OUTSIDE = -1;

    private final Grammar grammar;
    private final TokenTrie trie;
    private final int entry;
    private final Map<Key, State> states = new HashMap<>();
    private final Map<Set<Long>, Integer> stackNumbers = new HashMap<>();
    private final List<long[]> stacks = new ArrayList<>();
    private int maskBytes;
    private int epoch;
    private State first;

    Automaton(SchemaReader.Result read, TokenTrie trie) {
        this.grammar = read.grammar();
        this.entry = read.entry();
        this.trie = trie;
        this.first = begin();
    }

    /** Where a text is: states of the grammar, each with the number of its stack. */
    static final class State {
        private final int[] tops;
        private final int[] stacks;
        private final boolean accepting;
        private final @Nullable State[] next = new State[256];
        private @Nullable TokenSet tokens;

        /** Where it is nothing but a place in a text whose length is bounded. */
        private final Grammar.@Nullable Limit limit;

        private final int limitStack;

        private State(int[] tops, int[] stacks, boolean accepting, Grammar.@Nullable Limit limit, int limitStack) {
            this.tops = tops;
            this.stacks = stacks;
            this.accepting = accepting;
            this.limit = limit;
            this.limitStack = limitStack;
        }

        /** Whether the text may end here. */
        boolean accepts() {
            return accepting;
        }

        /** Whether nothing may follow. */
        boolean isLast() {
            return tops.length == 0;
        }
    }

    /** Nothing leads there. */
    private static final State DEAD = new State(new int[0], new int[0], false, null, 0);

    private record Key(List<Integer> numbers, boolean accepting) {}

    private State begin() {
        stackNumbers.clear();
        stacks.clear();
        states.clear();
        maskBytes = 0;
        int outside = stack(Set.of(pair(OUTSIDE, 0)));
        return closed(List.of(pair(entry, outside)));
    }

    /** Before the first byte. */
    State first() {
        return first;
    }

    private static long pair(int state, int stack) {
        return (long) state << 32 | stack;
    }

    /** The number of a stack, which is where to go on, and with which stack: several, if it was called from several. */
    private int stack(Set<Long> callers) {
        Integer known = stackNumbers.get(callers);
        if (known == null) {
            known = stacks.size();
            stackNumbers.put(callers, known);
            stacks.add(callers.stream().mapToLong(Long::longValue).sorted().toArray());
        }
        return known;
    }

    /** The state behind a byte, or null if none is. */
    @Nullable
    State next(State state, int b) {
        State next = state.next[b];
        if (next == null) {
            List<Long> reached = new ArrayList<>();
            for (int i = 0; i < state.tops.length; i++) {
                int[] on = grammar.bytes(state.tops[i]);
                for (int k = 0; k < on.length; k += 3) {
                    if (on[k] <= b && b <= on[k + 1]) {
                        reached.add(pair(on[k + 2], state.stacks[i]));
                    }
                }
            }
            next = reached.isEmpty() ? DEAD : closed(reached);
            state.next[b] = next;
        }
        return next == DEAD ? null : next;
    }

    /** With what is reached without a byte. */
    private State closed(List<Long> from) {
        ArrayDeque<Long> waiting = new ArrayDeque<>(from);
        Set<Long> seen = new HashSet<>(from);
        Map<Integer, Set<Integer>> tops = new TreeMap<>(); // states with bytes, and their stacks
        Map<Integer, Set<Long>> called = new TreeMap<>(); // entries, and where they go on
        boolean accepting = false;
        while (!waiting.isEmpty()) {
            long item = waiting.remove();
            int state = (int) (item >> 32);
            int stack = (int) item;
            if (grammar.bytes(state).length > 0) {
                tops.computeIfAbsent(state, s -> new TreeSet<>()).add(stack);
            }
            for (int target : grammar.skips(state)) {
                if (seen.add(pair(target, stack))) {
                    waiting.add(pair(target, stack));
                }
            }
            int[] calls = grammar.calls(state);
            for (int i = 0; i < calls.length; i += 2) {
                called.computeIfAbsent(calls[i], e -> new HashSet<>()).add(pair(calls[i + 1], stack));
            }
            if (grammar.ends(state)) {
                for (long caller : stacks.get(stack)) {
                    accepting |= (int) (caller >> 32) == OUTSIDE;
                    if ((int) (caller >> 32) != OUTSIDE && seen.add(caller)) {
                        waiting.add(caller);
                    }
                }
            }
        }
        Map<Integer, Set<Long>> begun = new TreeMap<>();
        called.forEach((callee, callers) -> beginnings(callee)
                .forEach(state ->
                        begun.computeIfAbsent(state, s -> new HashSet<>()).addAll(callers)));
        begun.forEach((state, callers) ->
                tops.computeIfAbsent(state, s -> new TreeSet<>()).add(stack(callers)));
        if (tops.size() > MOST_WAYS) {
            throw new PromptException(
                    "The schema can be understood in " + tops.size() + " ways at one place of a value;" + " at most "
                            + MOST_WAYS + " are followed. Use fewer alternatives, or let them begin differently");
        }
        List<Integer> numbers = new ArrayList<>();
        tops.forEach((state, several) -> {
            numbers.add(state);
            numbers.add(several.size() == 1 ? several.iterator().next() : union(several));
        });
        Key key = new Key(numbers, accepting);
        State known = states.get(key);
        if (known == null) {
            int[] states = new int[numbers.size() / 2];
            int[] stacks = new int[states.length];
            for (int i = 0; i < states.length; i++) {
                states[i] = numbers.get(2 * i);
                stacks[i] = numbers.get(2 * i + 1);
            }
            long only = only(from);
            known = new State(states, stacks, accepting, grammar.limit((int) (only >> 32)), (int) only);
            this.states.put(key, known);
        }
        return known;
    }

    /**
     * The place that a text is at, if it can be understood in one way only, else none: behind a character, which is a
     * part of its own, it is where that goes on.
     */
    private long only(List<Long> from) {
        long item = from.size() == 1 ? from.get(0) : pair(OUTSIDE, 0);
        while ((int) (item >> 32) != OUTSIDE
                && grammar.ends((int) (item >> 32))
                && grammar.bytes((int) (item >> 32)).length == 0) {
            long[] callers = stacks.get((int) item);
            item = callers.length == 1 ? callers[0] : pair(OUTSIDE, 0);
        }
        return item;
    }

    private int union(Set<Integer> several) {
        Set<Long> callers = new HashSet<>();
        for (int number : several) {
            for (long caller : stacks.get(number)) {
                callers.add(caller);
            }
        }
        return stack(callers);
    }

    /** The states with bytes that the entry of what is called leads to. */
    private Set<Integer> beginnings(int callee) {
        ArrayDeque<Integer> waiting = new ArrayDeque<>();
        Set<Integer> seen = new HashSet<>();
        waiting.add(callee);
        seen.add(callee);
        while (!waiting.isEmpty()) {
            for (int target : grammar.skips(waiting.remove())) {
                if (seen.add(target)) {
                    waiting.add(target);
                }
            }
        }
        seen.removeIf(state -> grammar.bytes(state).length == 0);
        return seen;
    }

    /** The state behind some bytes, or null. */
    @Nullable
    State next(State state, byte[] bytes) {
        State at = state;
        for (byte b : bytes) {
            at = next(at, b & 0xFF);
            if (at == null) {
                return null;
            }
        }
        return at;
    }

    /** How often everything was forgotten; states from before are of no use. */
    int epoch() {
        return epoch;
    }

    /** Forgets everything if too much is kept. */
    void forgetIfFull() {
        if (states.size() > MOST_STATES || stacks.size() > MOST_STATES || maskBytes > MOST_MASK_BYTES) {
            forget();
        }
    }

    void forget() {
        epoch++;
        first = begin();
    }

    /** The bytes that must follow, whatever is chosen. */
    byte[] forced(State from) {
        byte[] forced = new byte[16];
        int length = 0;
        State at = from;
        while (at != null && !at.accepts() && length < LONGEST_FORCED) {
            int only = only(at);
            if (only < 0) {
                break;
            }
            if (length == forced.length) {
                forced = Arrays.copyOf(forced, 2 * length);
            }
            forced[length++] = (byte) only;
            at = next(at, only);
        }
        return Arrays.copyOf(forced, length);
    }

    private int only(State state) {
        int only = -1;
        for (int top : state.tops) {
            int[] on = grammar.bytes(top);
            for (int k = 0; k < on.length; k += 3) {
                if (on[k] != on[k + 1] || only >= 0 && only != on[k]) {
                    return -1;
                }
                only = on[k];
            }
        }
        return only;
    }

    /** The tokens of which every byte may follow. Stop tokens are none of them. */
    TokenSet tokens(State state) {
        TokenSet known = state.tokens;
        if (known == null) {
            TokenSet limited = limited(state);
            known = limited == null ? walked(state) : limited;
            state.tokens = known;
            maskBytes += known.bytes();
        }
        return known;
    }

    /**
     * In a text whose length is bounded: what may follow in one without a bound, but for tokens that are too long. Null
     * elsewhere, or where most tokens would have to be looked at.
     */
    private @Nullable TokenSet limited(State state) {
        if (state.limit == null) {
            return null;
        }
        int[] longer = trie.longerThan(state.limit.characters());
        if (2 * longer.length > trie.tokens.length / 4) {
            return null;
        }
        TokenSet all = tokens(closed(List.of(pair(state.limit.without(), state.limitStack))));
        int count = 0;
        for (int id : longer) {
            if (all.contains(id) && next(state, trie.text(id)) == null) {
                longer[count++] = id;
            }
        }
        return all.without(longer, count);
    }

    private TokenSet walked(State state) {
        int[] ids = new int[64];
        int count = 0;
        State[] way = new State[trie.deepest + 1];
        way[0] = state;
        for (int node = 0; node < trie.bytes.length; ) {
            int depth = trie.depths[node];
            State next = next(way[depth - 1], trie.bytes[node] & 0xFF);
            if (next == null) {
                node = trie.ends[node];
                continue;
            }
            way[depth] = next;
            for (int id = trie.tokens[node]; id >= 0; id = trie.same[id]) {
                if (count == ids.length) {
                    ids = Arrays.copyOf(ids, 2 * count);
                }
                ids[count++] = id;
            }
            node++;
        }
        return TokenSet.of(ids, count);
    }

    /** Whether a token may follow that begins with some bytes and goes on behind them. */
    boolean reachesBeyond(State state, byte[] bytes, int from) {
        int node = -1;
        State at = state;
        for (int i = from; i < bytes.length && at != null; i++) {
            node = trie.child(node, bytes[i]);
            if (node < 0) {
                return false;
            }
            at = next(at, bytes[i] & 0xFF);
        }
        if (at == null || node < 0) {
            return false;
        }
        State[] way = new State[trie.deepest + 1];
        way[trie.depths[node]] = at;
        int end = trie.ends[node];
        for (int i = node + 1; i < end; ) {
            State next = next(way[trie.depths[i] - 1], trie.bytes[i] & 0xFF);
            if (next == null) {
                i = trie.ends[i];
                continue;
            }
            if (trie.tokens[i] >= 0) {
                return true;
            }
            way[trie.depths[i]] = next;
            i++;
        }
        return false;
    }
}
