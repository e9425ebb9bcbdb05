package io.langbridge.runtime.core.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.langbridge.LangBridgeException;
import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class SamplerTest {
    @Test
    void greedy_takes_the_first_of_the_largest_scores_and_leaves_the_logits_alone() {
        FloatBuffer logits = FloatBuffer.wrap(new float[] {0, 3, 3, 1});
        assertThat(new Sampler(Sampler.Settings.GREEDY).next(logits)).isEqualTo(1);
        assertThat(logits.array()).containsExactly(0, 3, 3, 1);
    }

    @Test
    void repetition_penalty_counts_what_was_seen_and_what_was_chosen() {
        Sampler sampler = new Sampler(new Sampler.Settings(0, 0, 1, 0, 4, 0));
        sampler.see(0);
        FloatBuffer logits = FloatBuffer.wrap(new float[] {4, 3, 2});
        assertThat(sampler.next(logits)).isEqualTo(1);
        assertThat(sampler.next(logits)).isEqualTo(2);
        assertThat(sampler.next(logits)).isEqualTo(0);
    }

    @Test
    void the_same_seed_draws_the_same_tokens_in_proportion_to_their_probability() {
        Sampler.Settings settings = new Sampler.Settings(1, 0, 1, 0, 1, 42);
        Sampler one = new Sampler(settings);
        Sampler other = new Sampler(settings);
        FloatBuffer logits = FloatBuffer.wrap(new float[] {0, (float) Math.log(3)});
        int[] counts = new int[2];
        for (int i = 0; i < 4000; i++) {
            int id = one.next(logits);
            assertThat(other.next(logits)).isEqualTo(id);
            counts[id]++;
        }
        assertThat(counts[1]).isBetween(2850, 3150);
    }

    @Test
    void a_removed_token_is_never_drawn() {
        Sampler sampler = new Sampler(new Sampler.Settings(1, 1, 1, 0, 1, 7));
        FloatBuffer logits = FloatBuffer.wrap(new float[] {1, 1.001f, 1});
        for (int i = 0; i < 200; i++) {
            assertThat(sampler.next(logits)).isEqualTo(1);
        }
    }

    @Test
    void scores_that_are_not_numbers_are_an_error_and_not_a_token() {
        FloatBuffer logits = FloatBuffer.wrap(new float[] {Float.NaN, Float.NaN});
        assertThatThrownBy(() -> new Sampler(Sampler.Settings.GREEDY).next(logits))
                .isInstanceOf(LangBridgeException.class)
                .hasMessageContaining("NaN");
        Sampler drawing = new Sampler(new Sampler.Settings(1, 0, 1, 0, 1, 7));
        assertThatThrownBy(() -> drawing.next(logits)).isInstanceOf(LangBridgeException.class);
    }

    @Test
    void frequency_and_presence_penalties_count_what_was_chosen_and_not_the_prompt() {
        Sampler sampler = new Sampler(new Sampler.Settings(0, 0, 1, 0, 1, 1, 0.5, 0));
        sampler.see(0, 0, 0);
        FloatBuffer logits = FloatBuffer.wrap(new float[] {4, 3, 0});
        // 4 3, 2.5 3, 2.5 1.5, 1.5 1.5, 0.5 1.5
        int[] chosen = new int[5];
        for (int i = 0; i < chosen.length; i++) {
            assertThat(sampler.needsScores()).isTrue();
            chosen[i] = sampler.next(logits);
        }
        assertThat(chosen).containsExactly(0, 1, 0, 0, 1);
        Sampler liking = new Sampler(new Sampler.Settings(0, 0, 1, 0, 1, -2, 0, 0));
        assertThat(new int[] {liking.next(logits), liking.next(logits)}).containsExactly(0, 0);
    }

    @Test
    void likelihoods_are_the_models_own_before_penalties_and_temperature() {
        Sampler sampler = new Sampler(new Sampler.Settings(0, 0, 1, 0, 1, 3, 0, 0));
        sampler.noteLikelihoods(2);
        FloatBuffer logits =
                FloatBuffer.wrap(new float[] {(float) Math.log(1), (float) Math.log(5), (float) Math.log(4)});
        assertThat(new int[] {sampler.next(logits), sampler.next(logits)}).containsExactly(1, 2);
        assertThat(sampler.likelihoods()).hasSize(2);
        Sampler.Likelihood second = sampler.likelihoods().get(1);
        assertThat(second.logProbability()).isCloseTo(Math.log(0.4), offset(1e-6));
        assertThat(second.others()).containsExactly(1, 2);
        assertThat(second.theirs()[0]).isCloseTo(Math.log(0.5), offset(1e-6));
    }
}
