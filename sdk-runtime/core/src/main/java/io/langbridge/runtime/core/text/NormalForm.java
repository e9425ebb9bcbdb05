package io.langbridge.runtime.core.text;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * The normal forms of Unicode, with the reference's tables (see {@link Unicode}). Time grows with the text times the
 * logarithm of its longest run of marks, whatever the text. Thread-safe.
 *
 * <p>{@code normal-forms.bin} holds: combining classes as runs (gap, length, class), full canonical decompositions
 * (gap, length, signed distances), compatibility decompositions where they differ from those, and compositions (gap of
 * the composite, signed distances of its two parts). Hangul is computed.
 */
final class NormalForm {
    static final NormalForm NFC = new NormalForm(false, true);
    static final NormalForm NFD = new NormalForm(false, false);
    static final NormalForm NFKC = new NormalForm(true, true);
    static final NormalForm NFKD = new NormalForm(true, false);

    private static final int S = 0xAC00;
    private static final int L = 0x1100;
    private static final int V = 0x1161;
    private static final int T = 0x11A7;
    private static final int L_COUNT = 19;
    private static final int V_COUNT = 21;
    private static final int T_COUNT = 28;
    private static final int S_COUNT = L_COUNT * V_COUNT * T_COUNT;

    private final boolean compatible;
    private final boolean composed;

    /** What may not be taken as it stands; whatever else is one begins anew and stands apart from what precedes it. */
    private final BitSet unsettled = new BitSet();

    private final int firstUnsettled;

    private NormalForm(boolean compatible, boolean composed) {
        this.compatible = compatible;
        this.composed = composed;
        unsettled.or(Tables.MARKS);
        if (composed) {
            unsettled.or(Tables.SECONDS);
        } else {
            unsettled.set(S, S + S_COUNT);
        }
        for (Map.Entry<Integer, int[]> entry : Tables.CANONICAL.entrySet()) {
            if (!composed
                    || !Tables.COMPOSITES.get(entry.getKey())
                    || Tables.MARKS.get(entry.getValue()[0])
                    || Tables.SECONDS.get(entry.getValue()[0])) {
                unsettled.set(entry.getKey());
            }
        }
        if (compatible) {
            for (Integer codePoint : Tables.COMPATIBLE.keySet()) {
                unsettled.set(codePoint);
            }
        }
        firstUnsettled = unsettled.nextSetBit(0);
    }

    /** {@return the text in this form; the same object if it is already} */
    String of(String text) {
        int at = nextUnsettled(text, 0);
        if (at == text.length()) {
            return text;
        }
        StringBuilder out = new StringBuilder(text.length() + 16);
        int done = 0;
        while (at < text.length()) {
            int from = at > done ? text.offsetByCodePoints(at, -1) : at;
            int to = at;
            while (to < text.length() && unsettled.get(text.codePointAt(to))) {
                to += Character.charCount(text.codePointAt(to));
            }
            out.append(text, done, from);
            new Segment(to - from).put(text, from, to).appendTo(out);
            done = to;
            at = nextUnsettled(text, to);
        }
        return out.append(text, done, text.length()).toString();
    }

    private int nextUnsettled(String text, int from) {
        int i = from;
        while (i < text.length()) {
            int c = text.charAt(i);
            if (c >= firstUnsettled) {
                c = text.codePointAt(i);
                if (unsettled.get(c)) {
                    return i;
                }
                i += Character.charCount(c);
            } else {
                i++;
            }
        }
        return i;
    }

    /** A stretch that nothing outside changes, decomposed. */
    private final class Segment {
        private int[] codePoints;
        private int size;

        Segment(int length) {
            codePoints = new int[length + 8];
        }

        Segment put(String text, int from, int to) {
            for (int i = from; i < to; ) {
                int c = text.codePointAt(i);
                decompose(c);
                i += Character.charCount(c);
            }
            return this;
        }

        void appendTo(StringBuilder out) {
            order();
            if (composed) {
                compose();
            }
            for (int i = 0; i < size; i++) {
                out.appendCodePoint(codePoints[i]);
            }
        }

        private void decompose(int c) {
            int[] parts = compatible ? Tables.COMPATIBLE.get(c) : null;
            if (parts == null) {
                parts = Tables.CANONICAL.get(c);
            }
            if (parts != null) {
                for (int part : parts) {
                    add(part);
                }
            } else if (c >= S && c < S + S_COUNT) {
                int index = c - S;
                add(L + index / (V_COUNT * T_COUNT));
                add(V + index % (V_COUNT * T_COUNT) / T_COUNT);
                if (index % T_COUNT != 0) {
                    add(T + index % T_COUNT);
                }
            } else {
                add(c);
            }
        }

        private void add(int c) {
            if (size == codePoints.length) {
                codePoints = Arrays.copyOf(codePoints, 2 * size);
            }
            codePoints[size++] = c;
        }

        /** Sorts each run of marks by class; equal ones stay in their order. */
        private void order() {
            for (int i = 0; i < size; i++) {
                int end = i;
                boolean sorted = true;
                int last = 0;
                for (int k; end < size && (k = Tables.classOf(codePoints[end])) != 0; end++) {
                    sorted &= last <= k;
                    last = k;
                }
                if (!sorted) {
                    sort(i, end);
                }
                i = end;
            }
        }

        private void sort(int from, int to) {
            long[] keys = new long[to - from];
            int[] marks = Arrays.copyOfRange(codePoints, from, to);
            for (int i = 0; i < keys.length; i++) {
                keys[i] = (long) Tables.classOf(marks[i]) << 32 | i;
            }
            Arrays.sort(keys);
            for (int i = 0; i < keys.length; i++) {
                codePoints[from + i] = marks[(int) keys[i]];
            }
        }

        private void compose() {
            int kept = 0;
            int starter = -1;
            int last = 0;
            for (int i = 0; i < size; i++) {
                int c = codePoints[i];
                int k = Tables.classOf(c);
                if (starter >= 0 && (starter == kept - 1 || last < k)) {
                    int composite = Tables.composite(codePoints[starter], c);
                    if (composite >= 0) {
                        codePoints[starter] = composite;
                        continue;
                    }
                }
                if (k == 0) {
                    starter = kept;
                }
                last = k;
                codePoints[kept++] = c;
            }
            size = kept;
        }
    }

    private static final class Tables {
        static final BitSet MARKS = new BitSet();
        static final BitSet SECONDS = new BitSet();
        static final BitSet COMPOSITES = new BitSet();
        static final Map<Integer, int[]> CANONICAL;
        static final Map<Integer, int[]> COMPATIBLE;
        private static final Map<Long, Integer> PAIRS = new HashMap<>();
        private static final Map<Integer, Integer> CLASSES = new HashMap<>();

        static {
            TableReader in = TableReader.open("normal-forms.bin");
            int at = 0;
            for (int runs = in.number(); runs > 0; runs--) {
                int from = at + in.number();
                at = from + in.number();
                int combiningClass = in.next() & 0xFF;
                for (int c = from; c < at; c++) {
                    CLASSES.put(c, combiningClass);
                }
                MARKS.set(from, at);
            }
            CANONICAL = decompositions(in);
            COMPATIBLE = decompositions(in);
            int composite = 0;
            for (int pairs = in.number(); pairs > 0; pairs--) {
                composite += in.number();
                int first = composite + in.signed();
                int second = composite + in.signed();
                PAIRS.put(pair(first, second), composite);
                SECONDS.set(second);
                COMPOSITES.set(composite);
            }
            SECONDS.set(V, V + V_COUNT);
            SECONDS.set(T + 1, T + T_COUNT);
        }

        private static Map<Integer, int[]> decompositions(TableReader in) {
            int count = in.number();
            Map<Integer, int[]> result = new HashMap<>(2 * count);
            int codePoint = 0;
            for (int i = 0; i < count; i++) {
                codePoint += in.number();
                int[] parts = new int[in.number()];
                int previous = codePoint;
                for (int j = 0; j < parts.length; j++) {
                    previous += in.signed();
                    parts[j] = previous;
                }
                result.put(codePoint, parts);
            }
            return result;
        }

        private static long pair(int first, int second) {
            return (long) first << 32 | second;
        }

        static int classOf(int c) {
            return MARKS.get(c) ? CLASSES.getOrDefault(c, 0) : 0;
        }

        /** {@return what the two compose to, or -1} */
        static int composite(int first, int second) {
            if (!SECONDS.get(second)) {
                return -1;
            }
            if (first >= L && first < L + L_COUNT && second >= V && second < V + V_COUNT) {
                return S + ((first - L) * V_COUNT + second - V) * T_COUNT;
            }
            if (first >= S && first < S + S_COUNT && (first - S) % T_COUNT == 0 && second > T && second < T + T_COUNT) {
                return first + second - T;
            }
            return PAIRS.getOrDefault(pair(first, second), -1);
        }
    }
}
