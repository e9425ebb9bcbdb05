package io.langbridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.offset;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonValueTest {
    private static Answer answer(String text, FinishReason reason) {
        Answer.Timings none =
                new Answer.Timings(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO);
        return new Answer("", text, new int[1], reason, new Answer.Usage(0, 0, 0, 0), none);
    }

    private static @Nullable Object json(String text) {
        return answer(text, FinishReason.STOP_TOKEN).json();
    }

    @Test
    void values_become_maps_lists_and_plain_types() {
        assertThat(json(" {\"a\": [1, -2.50, true, null], \"b\": {}, \"c\": \"x\"} "))
                .isEqualTo(
                        Map.of("a", Arrays.asList(1L, new BigDecimal("-2.50"), true, null), "b", Map.of(), "c", "x"));
        assertThat(json("{\"z\": 1, \"a\": 2}")).hasToString("{z=1, a=2}");
        assertThat(json("null")).isNull();
        assertThat(json("[]")).isEqualTo(List.of());
        assertThat(json("123456789012345678")).isEqualTo(123456789012345678L);
        assertThat(json("12345678901234567890")).isEqualTo(new BigDecimal("12345678901234567890"));
        assertThat(json("1e2")).isEqualTo(new BigDecimal("1e2"));
    }

    @Test
    void escapes_are_read() {
        assertThat(json("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00\u4e2d\""))
                .isEqualTo("\"\\/\b\f\n\r\t\u00e4\ud83d\ude00\u4e2d");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "{\"a\"",
                "{\"a\":",
                "{\"a\": 1",
                "{\"a\": 1,",
                "{\"a\": 1,}",
                "{a: 1}",
                "{\"a\": 1, \"a\": 2}",
                "[",
                "[1",
                "[1,",
                "[1,]",
                "[1 2]",
                "\"",
                "\"a",
                "\"\\",
                "\"\\x\"",
                "\"\\u12\"",
                "\"\n\"",
                "01",
                "+1",
                "1.",
                ".5",
                "-",
                "nul",
                "true false",
                "yes",
                "1e99999999999",
                "```json {} ```",
            })
    void what_is_not_json_is_an_error_that_holds_the_answer(String text) {
        Answer answer = answer(text, FinishReason.MAX_NEW_TOKENS);
        assertThatExceptionOfType(AnswerException.class)
                .isThrownBy(answer::json)
                .withMessageContaining("MAX_NEW_TOKENS")
                .satisfies(e -> assertThat(e.answer()).isSameAs(answer));
    }

    @Test
    void depth_is_bounded() {
        assertThat(json("[".repeat(500) + "]".repeat(500))).isInstanceOf(List.class);
        assertThatExceptionOfType(AnswerException.class).isThrownBy(() -> json("[".repeat(100_000)));
    }

    @Test
    void a_value_is_as_likely_as_the_tokens_that_write_it() {
        String text = "{\"a\": [10, \"x\"], \"b/~\": null}";
        List<Answer.TokenProbability> tokens = new ArrayList<>();
        for (int at = 0; at < text.length(); at += 2) { // two characters each
            tokens.add(new Answer.TokenProbability(at, "", at, Math.log(0.5), List.of()));
        }
        tokens.add(new Answer.TokenProbability(2, "", text.length(), Math.log(0.25), List.of())); // the stop token
        Answer answer = new Answer(
                "",
                text,
                new int[tokens.size()],
                FinishReason.STOP_TOKEN,
                new Answer.Usage(0, 0, 0, 0),
                new Answer.Timings(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO),
                tokens,
                "a model");
        assertThat(answer.probability("/a/0")).isCloseTo(0.25, offset(1e-9)); // two tokens
        assertThat(answer.probability("/a/1")).isCloseTo(0.25, offset(1e-9)); // " \"" is one of them
        assertThat(answer.probability("/b~1~0")).isCloseTo(0.25, offset(1e-9));
        assertThat(answer.probability("")).isCloseTo(Math.pow(0.5, Math.ceil(text.length() / 2.0)), offset(1e-12));
        for (String wrong : List.of("/c", "a", "/a/2", "/", "/a/0/")) {
            assertThatIllegalArgumentException().isThrownBy(() -> answer.probability(wrong));
        }
        assertThatIllegalStateException()
                .isThrownBy(() -> answer("1", FinishReason.STOP_TOKEN).probability(""))
                .withMessageContaining("logProbabilities");
    }

    /** What a listener is told of a text that comes in pieces. */
    private static List<String> told(String... pieces) {
        List<String> told = new ArrayList<>();
        JsonProgress progress = new JsonProgress(new AnswerListener() {
            @Override
            public void onValue(String pointer, @Nullable Object value) {
                told.add(pointer + "=" + value);
            }

            @Override
            public void onComplete(Answer answer) {}

            @Override
            public void onError(Throwable failure) {}
        });
        for (String piece : pieces) {
            progress.add(piece);
        }
        return told;
    }

    @Test
    void values_are_told_once_each_as_soon_as_they_are_complete() {
        String text = " {\"a\": 12.5, \"b/\": [true, \"x,]\\\"\", {}], \"c\": {\"d\": null, \"e\": -7}}";
        List<String> expected = List.of(
                "/a=12.5",
                "/b~1/0=true",
                "/b~1/1=x,]\"",
                "/b~1/2={}",
                "/b~1=[true, x,]\", {}]",
                "/c/d=null",
                "/c/e=-7",
                "/c={d=null, e=-7}",
                "={a=12.5, b/=[true, x,]\", {}], c={d=null, e=-7}}");
        assertThat(told(text)).isEqualTo(expected);
        assertThat(told(text.split(""))).isEqualTo(expected);
        for (int cut = 1; cut < text.length(); cut++) {
            assertThat(told(text.substring(0, cut), text.substring(cut))).isEqualTo(expected);
        }
        assertThat(told("{\"a\": 12,", " \"b\": \"x")).containsExactly("/a=12");
        assertThat(told("[1, 12", ".5, 3")).containsExactly("/0=1", "/1=12.5");
    }

    @Test
    void what_is_no_object_and_no_list_has_no_values_to_tell() {
        assertThat(told("He said \"hello\", and left.")).isEmpty();
        assertThat(told("\"text\"")).isEmpty();
        assertThat(told("[1", "; 2], [3]")).isEmpty();
        assertThat(told("{\"a\": 1, \"a\": 2}")).containsExactly("/a=1");
    }
}
