package io.langbridge.runtime.core.generate;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;

/** The score processors of the reference, each on one vector in place. A removed token has the score minus infinity. */
public final class Scores {
    private Scores() {}

    /**
     * Makes seen tokens less likely: positive scores are divided by the penalty, negative ones multiplied.
     *
     * @param seen ids, each at most once
     * @param penalty positive; 1 changes nothing
     */
    public static void repetitionPenalty(float[] scores, Iterable<Integer> seen, double penalty) {
        float factor = (float) penalty;
        for (int id : seen) {
            scores[id] = scores[id] < 0 ? scores[id] * factor : scores[id] / factor;
        }
    }

    /**
     * Makes chosen tokens less likely, the more the more often they were chosen.
     *
     * @param counts how often, by id
     * @param frequency taken from the score for each time; 0 for nothing
     * @param presence taken from the score once; 0 for nothing
     */
    public static void countPenalties(float[] scores, Map<Integer, Integer> counts, double frequency, double presence) {
        counts.forEach((id, count) -> scores[id] = (float) (scores[id] - frequency * count - presence));
    }

    /** Natural logarithms of the softmax; removed tokens have minus infinity. */
    public static double[] logProbabilities(float[] scores) {
        double max = Double.NEGATIVE_INFINITY;
        for (float score : scores) {
            max = Math.max(max, score);
        }
        double sum = 0;
        for (float score : scores) {
            sum += Math.exp(score - max);
        }
        double[] result = new double[scores.length];
        for (int i = 0; i < scores.length; i++) {
            result[i] = scores[i] - max - Math.log(sum);
        }
        return result;
    }

    /** Ids of the {@code k} largest scores, the largest first, without removed tokens; of equals the first. */
    public static int[] largest(float[] scores, int k) {
        int[] ids = new int[Math.min(k, scores.length)];
        int n = 0;
        for (int id = 0; id < scores.length; id++) {
            if (scores[id] == Float.NEGATIVE_INFINITY
                    || n == ids.length && (n == 0 || scores[id] <= scores[ids[n - 1]])) {
                continue;
            }
            int at = n < ids.length ? n++ : n - 1;
            for (; at > 0 && scores[ids[at - 1]] < scores[id]; at--) {
                ids[at] = ids[at - 1];
            }
            ids[at] = id;
        }
        return Arrays.copyOf(ids, n);
    }

    /** Removes tokens; ids beyond the scores are no tokens of the model. */
    public static void forbid(float[] scores, BitSet ids) {
        for (int id = ids.nextSetBit(0); id >= 0 && id < scores.length; id = ids.nextSetBit(id + 1)) {
            scores[id] = Float.NEGATIVE_INFINITY;
        }
    }

    /** Divides all scores by a positive temperature. */
    public static void temperature(float[] scores, double temperature) {
        float divisor = (float) temperature;
        for (int i = 0; i < scores.length; i++) {
            scores[i] /= divisor;
        }
    }

    /** Keeps every score that is at least the {@code k}-th largest; ties stay. */
    public static void topK(float[] scores, int k) {
        if (k >= scores.length) {
            return;
        }
        // A heap of the k largest: its root is the k-th largest. One pass, no sorting of the whole vocabulary.
        float[] heap = Arrays.copyOf(scores, k);
        for (int i = k / 2 - 1; i >= 0; i--) {
            siftDown(heap, i);
        }
        for (int i = k; i < scores.length; i++) {
            if (scores[i] > heap[0]) {
                heap[0] = scores[i];
                siftDown(heap, 0);
            }
        }
        keepAtLeast(scores, heap[0]);
    }

    /**
     * Removes the least likely tokens whose probabilities, summed from the smallest, stay at or below {@code 1 - p}.
     * The likeliest token always stays.
     */
    public static void topP(float[] scores, double p) {
        float[] probabilities = probabilities(scores);
        long[] order = ascending(scores);
        float tail = (float) (1 - p);
        double sum = 0;
        for (int i = 0; i < order.length - 1; i++) {
            int id = (int) order[i];
            // The reference sums in double and compares the rounded sum.
            sum += probabilities[id];
            if ((float) sum > tail) {
                return;
            }
            scores[id] = Float.NEGATIVE_INFINITY;
        }
    }

    /** Removes tokens whose probability is below {@code p} times the largest one. */
    public static void minP(float[] scores, double p) {
        float[] probabilities = probabilities(scores);
        float largest = 0;
        for (float probability : probabilities) {
            largest = Math.max(largest, probability);
        }
        float threshold = (float) p * largest;
        for (int i = 0; i < scores.length; i++) {
            if (probabilities[i] < threshold) {
                scores[i] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    /** Softmax of the scores; removed tokens get 0. */
    public static float[] probabilities(float[] scores) {
        float max = Float.NEGATIVE_INFINITY;
        for (float score : scores) {
            max = Math.max(max, score);
        }
        float[] result = new float[scores.length];
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            if (scores[i] != Float.NEGATIVE_INFINITY) {
                result[i] = (float) Math.exp(scores[i] - max);
                sum += result[i];
            }
        }
        for (int i = 0; i < scores.length; i++) {
            result[i] = (float) (result[i] / sum);
        }
        return result;
    }

    /**
     * The tokens that are still there, by score; equal scores in the order of their ids, as a stable sort has it. The
     * id is the low half of each entry, the score's bits, made to sort as the score does, the high half.
     */
    private static long[] ascending(float[] scores) {
        long[] order = new long[scores.length];
        int n = 0;
        for (int id = 0; id < scores.length; id++) {
            if (scores[id] != Float.NEGATIVE_INFINITY) {
                int bits = Float.floatToIntBits(scores[id] + 0f);
                order[n++] = (long) (bits ^ ((bits >> 31) & Integer.MAX_VALUE)) << 32 | id;
            }
        }
        long[] kept = Arrays.copyOf(order, n);
        Arrays.sort(kept);
        return kept;
    }

    private static void keepAtLeast(float[] scores, float threshold) {
        for (int i = 0; i < scores.length; i++) {
            if (scores[i] < threshold) {
                scores[i] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    private static void siftDown(float[] heap, int root) {
        int i = root;
        while (true) {
            int child = 2 * i + 1;
            if (child >= heap.length) {
                return;
            }
            if (child + 1 < heap.length && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[i] <= heap[child]) {
                return;
            }
            float swap = heap[i];
            heap[i] = heap[child];
            heap[child] = swap;
            i = child;
        }
    }
}
