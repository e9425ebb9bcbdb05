package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{ | it ends before its end",
                "{'a':1} | stands where a key in double quotes is expected (line 1, column 2)",
                "{\"a\":1}x | something follows its end (line 1, column 8)",
                "{\"a\":1,} | a comma stands before '}'",
                "{\"a\":\\n01} | stands where a comma or '}' is expected (line 2, column 2)",
                "{\"a\":1, // c\\n} | a comment, which JSON does not have",
                "{\"a\":1,\"a\":2} | the key 'a' stands there twice",
                "{\"a\":nul} | 'n' stands where a value is expected",
                "{\"a\":1}\\0 | bytes of zero follow its end",
                "{\\0\\0\\0 | a byte of zero stands where",
                "{\"a\":\"\\n\"} | a control character stands unescaped in a text",
                "{\"a\":\"\\x\"} | means nothing",
                "{\"a\":\"\\u00g0\"} | fewer than four digits",
                "[1] | is JSON, but not an object"
            })
    void what_is_wrong_is_said_in_words_with_its_place(String text, String expected) {
        assertThatThrownBy(() -> json(text.replace("\\n", "\n").replace("\\0", "\0")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(expected)
                .hasMessageNotContaining("Gson")
                .hasMessageNotContaining("JsonReader");
    }

    @Test
    void other_encodings_are_named() {
        assertThatThrownBy(() -> Json.parse("{}".getBytes(StandardCharsets.UTF_16), "f"))
                .hasMessageContaining("UTF-16");
        assertThatThrownBy(() -> Json.parse("{}".getBytes(StandardCharsets.UTF_16LE), "f"))
                .hasMessageContaining("UTF-16");
        assertThatThrownBy(() -> json("\ufeff{}")).hasMessageContaining("byte order mark");
        assertThatThrownBy(() -> json("")).hasMessageContaining("is empty");
        assertThatThrownBy(() -> Json.parse(new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'}, "f"))
                .hasMessageContaining("not UTF-8");
    }

    @Test
    void escapes_and_numbers_are_read_as_python_reads_them() {
        Json json = json("{\"a\": \"\\ud83d\\ude00\\n\\/\u00e9\", \"b\": -0.5E+1, \"c\": [1, 2], \"d\": NaN}");
        assertThat(json.string("a")).isEqualTo("\ud83d\ude00\n/\u00e9");
        assertThat(json.doubleOr("b", 0)).isEqualTo(-5);
        assertThat(json.longs("c")).containsExactly(1L, 2L);
        assertThat(json.has("d")).isTrue();
        assertThatThrownBy(() -> json.doubleOr("d", 0)).hasMessageContaining("must be a finite number, not NaN");
        assertThatThrownBy(() -> json.intOr("d", 0)).hasMessageContaining("must be a whole number, not NaN");
    }

    @Test
    void a_member_of_too_many_values_is_refused() {
        StringBuilder text = new StringBuilder("{\"a\":[0");
        for (int i = 0; i < 1_000_000; i++) {
            text.append(",0");
        }
        assertThatThrownBy(() -> json(text + "]}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("more than 1000000 values");
    }
}
