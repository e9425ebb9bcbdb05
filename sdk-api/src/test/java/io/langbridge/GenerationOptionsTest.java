package io.langbridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class GenerationOptionsTest {
    @Test
    void what_is_not_set_is_left_to_the_checkpoint() {
        GenerationOptions options = GenerationOptions.defaults();
        assertThat(options.temperature()).isNull();
        assertThat(options.stopTokens()).isNull();
        assertThat(options.stopStrings()).isNull();
        assertThat(options.minNewTokens()).isNull();
    }

    @Test
    void no_stop_tokens_at_all_differs_from_the_checkpoints() {
        assertThat(GenerationOptions.builder().stopStrings().build().stopStrings())
                .isNotNull()
                .isEmpty();
        assertThat(GenerationOptions.builder().stopTokens().build().stopTokens())
                .isNotNull()
                .isEmpty();
    }

    @Test
    void a_copy_has_all_the_options() {
        GenerationOptions options = GenerationOptions.builder()
                .maxNewTokens(7)
                .minNewTokens(3)
                .temperature(0.5)
                .topK(3)
                .topP(0.9)
                .minP(0.1)
                .repetitionPenalty(1.1)
                .seed(5)
                .stopStrings("a", "b")
                .stopTokens(1, 2)
                .timeout(Duration.ofSeconds(9))
                .jsonSchema("{}")
                .frequencyPenalty(0.5)
                .presencePenalty(-0.5)
                .logProbabilities(3)
                .build();
        assertThat(options.toBuilder().build()).usingRecursiveComparison().isEqualTo(options);
    }

    @Test
    void an_answer_is_held_to_one_thing_the_last_that_was_said() {
        GenerationOptions schema =
                GenerationOptions.builder().pattern("a").jsonSchema("{}").build();
        assertThat(schema.jsonSchema()).isEqualTo("{}");
        assertThat(schema.pattern()).isNull();
        GenerationOptions pattern = schema.toBuilder().pattern("a").build();
        assertThat(pattern.jsonSchema()).isNull();
        assertThat(pattern.toBuilder().build().pattern()).isEqualTo("a");
    }

    @Test
    void values_out_of_range_are_refused_at_once_and_named() {
        GenerationOptions.Builder builder = GenerationOptions.builder();
        assertThatThrownBy(() -> builder.maxNewTokens(0)).hasMessageContaining("maxNewTokens");
        assertThatThrownBy(() -> builder.minNewTokens(-1)).hasMessageContaining("minNewTokens");
        assertThatThrownBy(() -> builder.temperature(Double.NaN)).hasMessageContaining("temperature");
        assertThatThrownBy(() -> builder.topK(-1)).hasMessageContaining("topK");
        assertThatThrownBy(() -> builder.topP(0)).hasMessageContaining("topP");
        assertThatThrownBy(() -> builder.minP(1.5)).hasMessageContaining("minP");
        assertThatThrownBy(() -> builder.repetitionPenalty(0)).hasMessageContaining("repetitionPenalty");
        assertThatThrownBy(() -> builder.frequencyPenalty(Double.NaN)).hasMessageContaining("frequencyPenalty");
        assertThatThrownBy(() -> builder.presencePenalty(Double.POSITIVE_INFINITY))
                .hasMessageContaining("presencePenalty");
        assertThatThrownBy(() -> builder.logProbabilities(101)).hasMessageContaining("logProbabilities");
        assertThatThrownBy(() -> builder.stopStrings("")).hasMessageContaining("stop string");
        assertThatThrownBy(() -> builder.stopTokens(-1)).hasMessageContaining("stop token");
    }
}
