package io.langbridge.runtime.core.constrain;

import io.langbridge.PromptException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Texts as a network of states over bytes of UTF-8. A state may call a part of the network as a procedure, so that what
 * repeats stands once and may contain itself. Built once, immutable afterwards.
 *
 * <p>What can be called begins with a byte: neither a call nor an end is reached from its entry without one.
 */
final class Grammar {
    /** Most states of one schema; a larger one is refused. */
    static final int MOST_STATES = 200_000;

    private static final int[] NONE = {};

    /** Lowest byte, highest byte, target; three numbers for each transition. */
    private int[][] bytes = new int[64][];
    /** States that are reached without a byte. */
    private int[][] skips = new int[64][];
    /** Entry of what is called, and where to go on; two numbers for each call. */
    private int[][] calls = new int[64][];

    private boolean[] ends = new boolean[64];

    /** States that are like another but for a limit: the other one, and how many characters may still follow. */
    private final Map<Integer, Limit> limits = new HashMap<>();

    private int size;
    private final String name;

    /**
     * A limit that a state has and another has not.
     *
     * @param without the other state
     * @param characters how many may follow before the limit is felt
     */
    record Limit(int without, int characters) {}

    /** @param name what it is made of, for messages */
    Grammar(String name) {
        this.name = name;
    }

    /** A new state without any way out. */
    int state() {
        if (size == MOST_STATES) {
            throw new PromptException(name + " needs more than " + MOST_STATES + " states; use fewer alternatives, or"
                    + " smaller numbers in maxItems and maxLength");
        }
        if (size == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * size);
            skips = Arrays.copyOf(skips, 2 * size);
            calls = Arrays.copyOf(calls, 2 * size);
            ends = Arrays.copyOf(ends, 2 * size);
        }
        bytes[size] = NONE;
        skips[size] = NONE;
        calls[size] = NONE;
        return size++;
    }

    int size() {
        return size;
    }

    int[] bytes(int state) {
        return bytes[state];
    }

    int[] skips(int state) {
        return skips[state];
    }

    int[] calls(int state) {
        return calls[state];
    }

    /** Whether what was called may end here. */
    boolean ends(int state) {
        return ends[state];
    }

    void end(int state) {
        ends[state] = true;
    }

    /** Says that a state leads where another does, for as many characters. */
    void limit(int state, int without, int characters) {
        limits.put(state, new Limit(without, characters));
    }

    @Nullable
    Limit limit(int state) {
        return limits.get(state);
    }

    void skip(int from, int to) {
        skips[from] = with(skips[from], to);
    }

    void call(int from, int entry, int then) {
        calls[from] = with(calls[from], entry, then);
    }

    private void on(int from, int low, int high, int to) {
        bytes[from] = with(bytes[from], low, high, to);
    }

    private static int[] with(int[] some, int... more) {
        int[] all = Arrays.copyOf(some, some.length + more.length);
        System.arraycopy(more, 0, all, some.length, more.length);
        return all;
    }

    /** Leads from a state over a text, which must not be empty, to another. */
    void text(int from, String text, int to) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        int at = from;
        for (int i = 0; i < utf8.length; i++) {
            int next = i == utf8.length - 1 ? to : state();
            on(at, utf8[i] & 0xFF, utf8[i] & 0xFF, next);
            at = next;
        }
    }

    /**
     * Leads over every text of a set.
     *
     * @param json whether it is written within a JSON string
     * @param close what stands behind it, or nothing
     * @return the state where it begins; what was called ends behind it
     */
    int texts(CharDfa texts, boolean json, String close) {
        int[] states = new int[texts.states()];
        Arrays.setAll(states, i -> state());
        Map<List<Integer>, Integer> shared = new HashMap<>();
        for (int i = 0; i < states.length; i++) {
            List<Path> paths = new ArrayList<>();
            texts.transitions(i, (first, last, target) -> {
                if (json) {
                    Path.json(first, last, states[target], paths);
                } else {
                    Path.utf8(first, last, states[target], paths);
                }
            });
            paths.sort(Path::compare);
            int[] transitions = transitions(paths, 0, shared); // before the array is looked at, which this may replace
            bytes[states[i]] = transitions;
            if (texts.accepts(i)) {
                if (close.isEmpty()) {
                    end(states[i]);
                } else {
                    int last = state();
                    text(states[i], close, last);
                    end(last);
                }
            }
        }
        return states[0];
    }

    /** The transitions that begin paths, which are in ascending order; later states are shared where they are equal. */
    private int[] transitions(List<Path> paths, int depth, Map<List<Integer>, Integer> shared) {
        List<Integer> out = new ArrayList<>();
        for (int i = 0; i < paths.size(); ) {
            Path path = paths.get(i);
            int end = i + 1;
            while (end < paths.size() && paths.get(end).begins(path, depth)) {
                end++;
            }
            int target = path.target;
            if (depth + 1 < path.low.length) {
                target = shared(transitions(paths.subList(i, end), depth + 1, shared), shared);
            }
            int n = out.size();
            if (n > 0 && out.get(n - 1) == target && out.get(n - 2) + 1 == path.low[depth]) {
                out.set(n - 2, path.high[depth]);
            } else {
                out.add(path.low[depth]);
                out.add(path.high[depth]);
                out.add(target);
            }
            i = end;
        }
        return out.stream().mapToInt(Integer::intValue).toArray();
    }

    private int shared(int[] transitions, Map<List<Integer>, Integer> shared) {
        List<Integer> key = new ArrayList<>();
        for (int number : transitions) {
            key.add(number);
        }
        Integer known = shared.get(key);
        if (known == null) {
            known = state();
            bytes[known] = transitions;
            shared.put(key, known);
        }
        return known;
    }

    /** Bytes that write some code points, each from {@code low} to {@code high}. */
    private static final class Path {
        private final int[] low;
        private final int[] high;
        private final int target;

        Path(int[] low, int[] high, int target) {
            this.low = low;
            this.high = high;
            this.target = target;
        }

        private static final int[] LAST_OF_LENGTH = {0x7F, 0x7FF, 0xFFFF, 0x10FFFF};

        static int compare(Path a, Path b) {
            int i = 0;
            while (i < Math.min(a.low.length, b.low.length) - 1 && a.low[i] == b.low[i]) {
                i++;
            }
            return Integer.compare(a.low[i], b.low[i]);
        }

        /** Whether it begins at a depth as another does; by what was before they are equal. */
        boolean begins(Path other, int depth) {
            return low[depth] == other.low[depth] && high[depth] == other.high[depth];
        }

        static void utf8(int first, int last, int target, List<Path> out) {
            int from = first;
            for (int length = 1; length <= 4 && from <= last; length++) {
                int to = Math.min(last, LAST_OF_LENGTH[length - 1]);
                if (from <= to) {
                    utf8(from, to, length, target, out);
                    from = to + 1;
                }
            }
        }

        /** All of one length; cut so that behind each byte that is a range all bytes may follow. */
        private static void utf8(int first, int last, int length, int target, List<Path> out) {
            for (int shift = 6 * (length - 1); shift > 0; shift -= 6) {
                int mask = (1 << shift) - 1;
                if (first >> shift != last >> shift) {
                    if ((first & mask) != 0) {
                        utf8(first, first | mask, length, target, out);
                        utf8((first | mask) + 1, last, length, target, out);
                        return;
                    }
                    if ((last & mask) != mask) {
                        utf8(first, (last & ~mask) - 1, length, target, out);
                        utf8(last & ~mask, last, length, target, out);
                        return;
                    }
                    break;
                }
            }
            out.add(new Path(encoded(first, length), encoded(last, length), target));
        }

        private static int[] encoded(int codePoint, int length) {
            int[] bytes = new int[length];
            for (int i = length - 1; i > 0; i--) {
                bytes[i] = 0x80 | codePoint >> 6 * (length - 1 - i) & 0x3F;
            }
            int lead = codePoint >> 6 * (length - 1);
            bytes[0] = length == 1 ? lead : 0xF00 >> length & 0xFF | lead;
            return bytes;
        }

        /** As {@link #utf8}, with the escapes of JSON for what needs them, and for nothing else. */
        static void json(int first, int last, int target, List<Path> out) {
            for (int c = first; c <= Math.min(last, 0x1F); c++) {
                escape(c, target, out);
            }
            int from = Math.max(first, 0x20);
            for (int special : new int[] {'"', '\\'}) {
                if (from <= special && special <= last) {
                    if (from < special) {
                        utf8(from, special - 1, target, out);
                    }
                    escape(special, target, out);
                    from = special + 1;
                }
            }
            if (from <= last) {
                utf8(from, last, target, out);
            }
        }

        private static void escape(int c, int target, List<Path> out) {
            int at = "\b\t\n\f\r\"\\".indexOf(c);
            String text =
                    at >= 0 ? "\\" + "btnfr\"\\".charAt(at) : (c < 0x10 ? "\\u000" : "\\u00") + Integer.toHexString(c);
            int[] bytes = text.chars().toArray();
            out.add(new Path(bytes, bytes, target));
        }
    }

    /**
     * Takes out what leads to no end: a schema that contains itself without a way out, or a part that nothing matches.
     *
     * @return whether anything is left from {@code entry}
     */
    boolean trim(int entry) {
        boolean[] good = good();
        for (int i = 0; i < size; i++) {
            int[] skip = NONE;
            for (int target : skips[i]) {
                skip = good[target] ? with(skip, target) : skip;
            }
            skips[i] = skip;
            int[] call = NONE;
            for (int k = 0; k < calls[i].length; k += 2) {
                boolean keep = good[calls[i][k]] && good[calls[i][k + 1]];
                call = keep ? with(call, calls[i][k], calls[i][k + 1]) : call;
            }
            calls[i] = call;
            int[] on = bytes[i];
            boolean all = true;
            for (int k = 2; k < on.length; k += 3) {
                all &= good[on[k]];
            }
            if (!all) {
                int[] kept = NONE;
                for (int k = 0; k < on.length; k += 3) {
                    kept = good[on[k + 2]] ? with(kept, on[k], on[k + 1], on[k + 2]) : kept;
                }
                bytes[i] = kept;
            }
        }
        return good[entry];
    }

    /** From which states an end is reached. */
    private boolean[] good() {
        List<List<Integer>> affected = new ArrayList<>(); // by state: those to look at again if it is good
        for (int i = 0; i < size; i++) {
            affected.add(new ArrayList<>(2));
        }
        for (int i = 0; i < size; i++) {
            for (int target : skips[i]) {
                affected.get(target).add(i);
            }
            for (int target : calls[i]) {
                affected.get(target).add(i);
            }
            for (int k = 2; k < bytes[i].length; k += 3) {
                affected.get(bytes[i][k]).add(i);
            }
        }
        boolean[] good = new boolean[size];
        ArrayDeque<Integer> waiting = new ArrayDeque<>();
        for (int i = 0; i < size; i++) {
            if (ends[i]) {
                good[i] = true;
                waiting.add(i);
            }
        }
        while (!waiting.isEmpty()) {
            for (int i : affected.get(waiting.remove())) {
                if (!good[i] && reaches(i, good)) {
                    good[i] = true;
                    waiting.add(i);
                }
            }
        }
        return good;
    }

    private boolean reaches(int state, boolean[] good) {
        for (int target : skips[state]) {
            if (good[target]) {
                return true;
            }
        }
        for (int k = 2; k < bytes[state].length; k += 3) {
            if (good[bytes[state][k]]) {
                return true;
            }
        }
        for (int k = 0; k < calls[state].length; k += 2) {
            if (good[calls[state][k]] && good[calls[state][k + 1]]) {
                return true;
            }
        }
        return false;
    }
}
