package io.langbridge.runtime.core.text;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A set of code points. Immutable to see, safe for several threads. */
public final class CodePoints {
    /** The largest code point plus one. */
    public static final int LIMIT = Character.MAX_CODE_POINT + 1;

    /** The empty set. */
    public static final CodePoints NONE = new CodePoints(new int[0]);

    /** Ascending: where the set begins, where it ends, where it begins again. */
    private final int[] bounds;

    private final long asciiLow;
    private final long asciiHigh;

    /** Made when it is first asked for. */
    private @Nullable CodePoints complement;

    private CodePoints(int[] bounds) {
        this.bounds = bounds;
        long low = 0;
        long high = 0;
        for (int i = 0; i + 1 < bounds.length && bounds[i] < 128; i += 2) {
            for (int c = bounds[i]; c < Math.min(bounds[i + 1], 128); c++) {
                if (c < 64) {
                    low |= 1L << c;
                } else {
                    high |= 1L << c;
                }
            }
        }
        asciiLow = low;
        asciiHigh = high;
    }

    /** From ascending bounds, an even number of them: first inside, first outside, and so on. */
    static CodePoints ofBounds(int... bounds) {
        return new CodePoints(bounds);
    }

    /**
     * What {@code \p{..}} means in a regular expression.
     *
     * @param name without regard to case, blanks, {@code _} and {@code -}
     * @return null if it is not one of those we have
     */
    public static @Nullable CodePoints property(String name) {
        return Unicode.property(name);
    }

    /** Both ends inside. */
    public static CodePoints range(int first, int last) {
        return new CodePoints(new int[] {first, last + 1});
    }

    public static CodePoints of(int codePoint) {
        return range(codePoint, codePoint);
    }

    public boolean contains(int codePoint) {
        if (codePoint < 128) {
            return ((codePoint < 64 ? asciiLow : asciiHigh) >>> codePoint & 1) != 0;
        }
        int found = Arrays.binarySearch(bounds, codePoint);
        return ((found >= 0 ? found : -found - 2) & 1) == 0 && found != -1;
    }

    public CodePoints or(CodePoints other) {
        return combine(other, 1);
    }

    public CodePoints and(CodePoints other) {
        return combine(other, 2);
    }

    public CodePoints not() {
        CodePoints made = complement;
        if (made == null) {
            made = invert();
            complement = made;
        }
        return made;
    }

    private CodePoints invert() {
        if (bounds.length == 0) {
            return range(0, LIMIT - 1);
        }
        int skip = bounds[0] == 0 ? 1 : 0;
        int end = bounds[bounds.length - 1] == LIMIT ? bounds.length - 1 : bounds.length;
        int[] result = new int[(1 - skip) + (end - skip) + (end < bounds.length ? 0 : 1)];
        int n = 0;
        if (skip == 0) {
            result[n++] = 0;
        }
        for (int i = skip; i < end; i++) {
            result[n++] = bounds[i];
        }
        if (end == bounds.length) {
            result[n] = LIMIT;
        }
        return new CodePoints(result);
    }

    /** What lies in at least so many of the two sets. */
    private CodePoints combine(CodePoints other, int needed) {
        int[] a = bounds;
        int[] b = other.bounds;
        int[] result = new int[a.length + b.length];
        int n = 0;
        int i = 0;
        int j = 0;
        while (i < a.length || j < b.length) {
            int at = Math.min(i < a.length ? a[i] : LIMIT, j < b.length ? b[j] : LIMIT);
            if (i < a.length && a[i] == at) {
                i++;
            }
            if (j < b.length && b[j] == at) {
                j++;
            }
            boolean inside = (i & 1) + (j & 1) >= needed;
            if (inside != ((n & 1) != 0)) {
                result[n++] = at;
            }
        }
        return new CodePoints(Arrays.copyOf(result, n));
    }

    /** {@return whether no code point is in both} */
    boolean disjoint(CodePoints other) {
        return and(other).bounds.length == 0;
    }

    public boolean isEmpty() {
        return bounds.length == 0;
    }

    /** First inside, first outside, and so on; ascending. */
    public int[] bounds() {
        return bounds.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CodePoints set && Arrays.equals(bounds, set.bounds);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bounds);
    }
}
