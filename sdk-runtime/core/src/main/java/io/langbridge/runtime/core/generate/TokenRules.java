package io.langbridge.runtime.core.generate;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Collections;
import java.util.List;

/**
 * Which tokens may not come next, whatever their scores: the processors of the reference that set scores to minus
 * infinity. Immutable.
 *
 * @param minNewTokens before so many tokens none of {@code stopTokens} comes
 * @param minLength nor before prompt and answer together have so many
 * @param stopTokens ids that end an answer
 * @param suppressed ids that never come
 * @param beginSuppressed ids that never come first
 * @param badWords sequences of ids that never come; those of one stop token do not count
 * @param noRepeatNgram sequences of so many ids come at most once; 0 for no such rule
 */
public record TokenRules(
        int minNewTokens,
        int minLength,
        Collection<Integer> stopTokens,
        Collection<Integer> suppressed,
        Collection<Integer> beginSuppressed,
        List<List<Integer>> badWords,
        int noRepeatNgram) {
    /** Every token may come. */
    public static final TokenRules NONE = new TokenRules(
            0, 0, Collections.emptySet(), Collections.emptySet(), Collections.emptySet(), Collections.emptyList(), 0);

    /** Checks nothing and copies nothing: the parts are unmodifiable. */
    public TokenRules {
        List<List<Integer>> counted = new ArrayList<>(badWords);
        counted.removeIf(word -> word.isEmpty() || word.size() == 1 && stopTokens.contains(word.get(0)));
        badWords = Collections.unmodifiableList(counted);
    }

    /** Whether nothing is forbidden, now and later. */
    boolean isEmpty() {
        return (minNewTokens == 0 && minLength == 0 || stopTokens.isEmpty())
                && suppressed.isEmpty()
                && beginSuppressed.isEmpty()
                && badWords.isEmpty()
                && noRepeatNgram == 0;
    }

    /**
     * The tokens that may not come next.
     *
     * @param ids what the model has seen as ids, and what was chosen since
     * @param length how many of {@code ids} count
     * @param chosen how many of them were chosen
     * @param promptLength positions of the prompt, also of what entered in another form
     */
    BitSet forbidden(int[] ids, int length, int chosen, int promptLength) {
        BitSet forbidden = new BitSet();
        suppressed.forEach(forbidden::set);
        if (chosen == 0) {
            beginSuppressed.forEach(forbidden::set);
        }
        if (chosen < Math.max(minNewTokens, minLength - promptLength)) {
            stopTokens.forEach(forbidden::set);
        }
        for (List<Integer> word : badWords) {
            int last = word.size() - 1;
            boolean follows = last <= length;
            for (int i = 0; follows && i < last; i++) {
                follows = ids[length - last + i] == word.get(i);
            }
            if (follows) {
                forbidden.set(word.get(last));
            }
        }
        int tail = noRepeatNgram - 1;
        for (int end = tail; noRepeatNgram > 0 && end < length; end++) {
            boolean same = true;
            for (int i = 1; same && i <= tail; i++) {
                same = ids[end - i] == ids[length - i];
            }
            if (same) {
                forbidden.set(ids[end]);
            }
        }
        return forbidden;
    }
}
