package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    private static Json json(String text) {
        return Json.parse(text.getBytes(StandardCharsets.UTF_8), "config.json");
    }

    @Test
    void absent_and_null_are_told_apart_where_it_matters() {
        Json json = json("{\"a\": null}");
        assertThat(json.has("a")).isFalse();
        assertThat(json.isNull("a")).isTrue();
        assertThat(json.isNull("b")).isFalse();
        assertThat(json.intOr("a", 3)).isEqualTo(3);
    }

    @Test
    void errors_name_file_and_path() {
        Json json = json("{\"text_config\": {\"hidden_size\": \"x\", \"n\": 0, \"big\": 3000000000}}");
        Json text = Objects.requireNonNull(json.object("text_config"));
        assertThatThrownBy(() -> text.requiredInt("hidden_size"))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("config.json, key 'text_config.hidden_size' must be a whole number, not \"x\".");
        assertThatThrownBy(() -> text.requiredPositive("n")).hasMessageContaining("must be at least 1, not 0");
        assertThatThrownBy(() -> text.requiredPositive("m")).hasMessage("config.json, key 'text_config.m' is missing.");
        assertThatThrownBy(() -> text.requiredInt("big")).hasMessageContaining("32-bit");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{\"a\":1}x",
                "{'a':1}",
                "{\"a\":1,}",
                "// no\n{}",
                "3",
                "{\"a\":1,\"a\":2}",
                "{\"a\":{\"b\":1,\"b\":1}}"
            })
    void anything_but_one_plain_object_is_refused(String text) {
        assertThatThrownBy(() -> json(text))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("config.json");
    }

    @Test
    void nesting_without_end_is_refused() {
        StringBuilder text = new StringBuilder("{\"a\":");
        for (int i = 0; i < 100_000; i++) {
            text.append('[');
        }
        assertThatThrownBy(() -> json(text.toString())).isInstanceOf(CheckpointException.class);
    }

    @Test
    void absurd_numbers_are_refused_without_computing_them() {
        assertThatThrownBy(() -> json("{\"a\":1e999999999}").requiredDouble("a"))
                .isInstanceOf(CheckpointException.class);
    }
}
