package io.langbridge.runtime.core.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Collections;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ScoresTest {
    private static final float GONE = Float.NEGATIVE_INFINITY;

    @Test
    void repetition_penalty_divides_positive_and_multiplies_negative_scores_of_seen_tokens() {
        float[] scores = {2, -2, 2};
        Scores.repetitionPenalty(scores, Arrays.asList(0, 1), 2);
        assertThat(scores).containsExactly(1, -4, 2);
    }

    @Test
    void top_k_keeps_ties_with_the_last_one() {
        float[] scores = {2, 1, 2, 0, 2};
        Scores.topK(scores, 2);
        assertThat(scores).containsExactly(2, GONE, 2, GONE, 2);
    }

    @Test
    void top_k_larger_than_the_vocabulary_keeps_all() {
        float[] scores = {2, 1};
        Scores.topK(scores, 50);
        assertThat(scores).containsExactly(2, 1);
    }

    @Test
    void top_k_agrees_with_sorting_on_random_scores() {
        Random random = new Random(1);
        for (int k = 1; k < 40; k++) {
            float[] scores = new float[100];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = random.nextInt(30) - 15;
            }
            float[] sorted = scores.clone();
            Arrays.sort(sorted);
            float smallest = sorted[sorted.length - k];
            float[] expected = scores.clone();
            for (int i = 0; i < expected.length; i++) {
                expected[i] = expected[i] < smallest ? GONE : expected[i];
            }
            Scores.topK(scores, k);
            assertThat(scores).as("k = %d", k).containsExactly(expected);
        }
    }

    @Test
    void top_p_removes_the_tail_and_keeps_the_likeliest_whatever_p_is() {
        float[] scores = {(float) Math.log(0.5), (float) Math.log(0.3), (float) Math.log(0.2)};
        float[] tiny = scores.clone();
        Scores.topP(scores, 0.75);
        Scores.topP(tiny, 1e-6);
        assertThat(scores[2]).isEqualTo(GONE);
        assertThat(scores[1]).isNotEqualTo(GONE);
        assertThat(tiny).containsExactly((float) Math.log(0.5), GONE, GONE);
    }

    @Test
    void top_p_orders_negative_scores_too() {
        float[] scores = {-9, -1, -5};
        Scores.topP(scores, 0.9);
        assertThat(scores).containsExactly(GONE, -1, GONE);
    }

    @Test
    void min_p_is_relative_to_the_likeliest() {
        float[] scores = {0, (float) Math.log(0.5), (float) Math.log(0.05)};
        Scores.minP(scores, 0.1);
        assertThat(scores[1]).isNotEqualTo(GONE);
        assertThat(scores[2]).isEqualTo(GONE);
    }

    @Test
    void probabilities_sum_to_one_and_removed_tokens_have_none() {
        float[] probabilities = Scores.probabilities(new float[] {1000, 999, GONE});
        assertThat(probabilities[0] + probabilities[1]).isCloseTo(1, within(1e-6f));
        assertThat(probabilities[2]).isZero();
    }

    @Test
    void nothing_seen_changes_nothing() {
        float[] scores = {1, 2};
        Scores.repetitionPenalty(scores, Collections.emptyList(), 5);
        assertThat(scores).containsExactly(1, 2);
    }
}
