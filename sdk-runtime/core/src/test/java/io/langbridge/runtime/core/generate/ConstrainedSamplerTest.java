package io.langbridge.runtime.core.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.langbridge.runtime.core.constrain.Constraint;
import io.langbridge.runtime.core.constrain.Constraints;
import io.langbridge.runtime.core.text.Tokenizer;
import java.nio.FloatBuffer;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ConstrainedSamplerTest {
    private static final String SCHEMA = "{\"type\": \"object\", \"properties\": {"
            + "\"name\": {\"type\": \"string\", \"maxLength\": 12}, \"count\": {\"type\": \"integer\", \"maximum\": 99}},"
            + " \"required\": [\"name\"]}";

    private final Tokenizer tokenizer = Tokenizer.of(Paths.get("src/test/resources/qwen2-style"));
    private final Constraints constraints = new Constraints(tokenizer);

    private static TokenRules rules(int minNewTokens, Set<Integer> stop, Set<Integer> suppressed) {
        return new TokenRules(minNewTokens, 0, stop, suppressed, Collections.emptySet(), Collections.emptyList(), 0);
    }

    private FloatBuffer logits(Random random) {
        float[] logits = new float[tokenizer.vocabularySize() + 3]; // a model may have more rows
        for (int id = 0; id < logits.length; id++) {
            logits[id] = random.nextFloat() * 4 - 2;
        }
        return FloatBuffer.wrap(logits);
    }

    @Test
    void greedy_takes_the_best_of_the_tokens_that_may_come_or_a_stop_token_where_the_answer_may_end() {
        int stop = 2;
        for (int seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            Constraint expected = constraints.jsonSchema(SCHEMA);
            Sampler sampler = new Sampler(
                    Sampler.Settings.GREEDY, rules(0, Set.of(stop), Set.of()), constraints.jsonSchema(SCHEMA));
            for (int n = 0; n < 60 && !sampler.isComplete(); n++) {
                int[] forced = sampler.forced();
                assertThat(forced).isEqualTo(expected.forced());
                for (int id : forced) {
                    expected.accept(id);
                }
                if (sampler.isComplete()) {
                    break;
                }
                FloatBuffer logits = logits(random);
                int best = -1;
                for (int id = 0; id < logits.limit(); id++) {
                    boolean may = expected.allowed().contains(id) || id == stop && expected.mayEnd();
                    best = may && (best < 0 || logits.get(id) > logits.get(best)) ? id : best;
                }
                assertThat(sampler.needsScores()).isTrue();
                assertThat(sampler.next(logits)).isEqualTo(best);
                if (best == stop) {
                    break;
                }
                expected.accept(best);
            }
        }
    }

    @Test
    void a_draw_is_in_proportion_to_the_scores_of_what_may_come() {
        List<Integer> ids = new ArrayList<>();
        for (String text : List.of("7", "8")) {
            ids.add(tokenizer.encodeAsText(text)[0]);
        }
        int[] counts = new int[2];
        Random seeds = new Random(9);
        for (int i = 0; i < 2000; i++) {
            Sampler sampler = new Sampler(
                    new Sampler.Settings(1, 0, 1, 0, 1, seeds.nextLong()),
                    TokenRules.NONE,
                    constraints.pattern("[78]"));
            FloatBuffer logits = FloatBuffer.wrap(new float[tokenizer.vocabularySize()]);
            logits.put(ids.get(1), (float) Math.log(3));
            counts[ids.indexOf(sampler.next(logits))]++;
            assertThat(sampler.isComplete()).isTrue();
        }
        assertThat(counts[1]).isBetween(1400, 1600);
    }

    @Test
    void rules_of_the_checkpoint_hold_as_long_as_they_leave_something() {
        int seven = tokenizer.encodeAsText("7")[0];
        int eight = tokenizer.encodeAsText("8")[0];
        FloatBuffer logits = logits(new Random(1));
        logits.put(seven, 9);
        Sampler sampler =
                new Sampler(Sampler.Settings.GREEDY, rules(0, Set.of(2), Set.of(seven)), constraints.pattern("[78]+"));
        assertThat(sampler.next(logits)).isEqualTo(eight);
        Sampler only =
                new Sampler(Sampler.Settings.GREEDY, rules(0, Set.of(2), Set.of(seven)), constraints.pattern("7(a|b)"));
        assertThat(only.forced()).containsExactly(seven);
        Sampler early = new Sampler(Sampler.Settings.GREEDY, rules(3, Set.of(2), Set.of()), constraints.pattern("7*"));
        logits.put(2, 99);
        for (int n = 0; n < 3; n++) {
            assertThat(early.next(logits)).isNotEqualTo(2);
        }
        assertThat(early.next(logits)).isEqualTo(2);
    }

    @Test
    void likelihoods_are_among_what_may_come_and_what_must_come_is_certain() {
        int seven = tokenizer.encodeAsText("7")[0];
        int eight = tokenizer.encodeAsText("8")[0];
        FloatBuffer logits = logits(new Random(1));
        logits.put(seven, 1);
        logits.put(eight, (float) (1 + Math.log(3)));
        Sampler sampler = new Sampler(Sampler.Settings.GREEDY, TokenRules.NONE, constraints.pattern("x[78]"));
        sampler.noteLikelihoods(5);
        assertThat(sampler.forced()).hasSize(1);
        assertThat(sampler.next(logits)).isEqualTo(eight);
        assertThat(sampler.likelihoods().get(0).logProbability()).isZero();
        assertThat(sampler.likelihoods().get(1).logProbability()).isCloseTo(Math.log(0.75), offset(1e-6));
        assertThat(sampler.likelihoods().get(1).others()).containsExactly(eight, seven);
    }

    @Test
    void a_model_thinks_freely_and_is_held_from_where_it_answers() {
        int think = 5;
        int seven = tokenizer.encodeAsText("7")[0];
        FloatBuffer logits = logits(new Random(1));
        logits.put(think, 9);
        Sampler thinking = new Sampler(Sampler.Settings.GREEDY, TokenRules.NONE, constraints.pattern("7"));
        thinking.mayThink(false, think);
        assertThat(thinking.forced()).isEmpty();
        assertThat(thinking.next(logits)).isEqualTo(think);
        logits.put(9, 10);
        assertThat(thinking.isFree()).isTrue();
        assertThat(thinking.next(logits)).isEqualTo(9);
        assertThat(thinking.forced()).isEmpty();
        assertThat(thinking.isComplete()).isFalse();
        thinking.answers();
        assertThat(thinking.forced()).containsExactly(seven);
        assertThat(thinking.isComplete()).isTrue();

        Sampler answering = new Sampler(Sampler.Settings.GREEDY, TokenRules.NONE, constraints.pattern("7|8"));
        answering.mayThink(false, think);
        logits.put(think, -9);
        assertThat(answering.next(logits)).isIn(seven, tokenizer.encodeAsText("8")[0]);
        assertThat(answering.isComplete()).isTrue();

        Sampler opened = new Sampler(Sampler.Settings.GREEDY, TokenRules.NONE, constraints.pattern("7"));
        opened.mayThink(true, null);
        assertThat(opened.next(logits)).isEqualTo(9);
    }
}
