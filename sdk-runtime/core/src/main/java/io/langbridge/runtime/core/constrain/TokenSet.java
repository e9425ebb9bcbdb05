package io.langbridge.runtime.core.constrain;

import java.util.Arrays;
import java.util.BitSet;

/** Tokens of a vocabulary. Immutable. */
public final class TokenSet {
    private final int[] few;
    private final BitSet many;
    private final int size;

    private TokenSet(int[] few, BitSet many, int size) {
        this.few = few;
        this.many = many;
        this.size = size;
    }

    /** From ids in any order, each once; the smaller of two forms. */
    static TokenSet of(int[] ids, int count) {
        int[] sorted = Arrays.copyOf(ids, count);
        Arrays.sort(sorted);
        if (count == 0 || 32L * count < sorted[count - 1]) {
            return new TokenSet(sorted, new BitSet(0), count);
        }
        BitSet many = new BitSet(sorted[count - 1] + 1);
        for (int id : sorted) {
            many.set(id);
        }
        return new TokenSet(new int[0], many, count);
    }

    /** Without some of them. */
    TokenSet without(int[] ids, int count) {
        if (few.length > 0) {
            BitSet removed = new BitSet();
            for (int i = 0; i < count; i++) {
                removed.set(ids[i]);
            }
            int[] kept = Arrays.stream(few).filter(id -> !removed.get(id)).toArray();
            return of(kept, kept.length);
        }
        BitSet kept = (BitSet) many.clone();
        for (int i = 0; i < count; i++) {
            kept.clear(ids[i]);
        }
        return new TokenSet(new int[0], kept, kept.cardinality());
    }

    /** How many there are. */
    public int size() {
        return size;
    }

    /** Whether one is among them. */
    public boolean contains(int id) {
        return few.length > 0 ? Arrays.binarySearch(few, id) >= 0 : many.get(id);
    }

    /** Removes all others from a vector of scores, in which a removed token has minus infinity. */
    public void keepOnly(float[] scores) {
        if (few.length == 0) {
            for (int id = many.nextClearBit(0); id < scores.length; id = many.nextClearBit(id + 1)) {
                scores[id] = Float.NEGATIVE_INFINITY;
            }
            return;
        }
        int at = 0;
        for (int id : few) {
            Arrays.fill(scores, Math.min(at, scores.length), Math.min(id, scores.length), Float.NEGATIVE_INFINITY);
            at = id + 1;
        }
        Arrays.fill(scores, Math.min(at, scores.length), scores.length, Float.NEGATIVE_INFINITY);
    }

    /** Bytes of memory, roughly. */
    int bytes() {
        return 64 + 4 * few.length + many.size() / 8;
    }
}
