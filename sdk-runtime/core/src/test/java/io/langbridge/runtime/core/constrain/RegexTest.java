package io.langbridge.runtime.core.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.PromptException;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexTest {
    private static final String PLACE = "The pattern";

    @Test
    void random_patterns_match_what_java_matches() {
        Random random = new Random(1);
        int matches = 0;
        for (int i = 0; i < 3000; i++) {
            String pattern = pattern(random, 3);
            CharDfa whole = Regex.whole(pattern, PLACE, new CharDfa.Work());
            CharDfa somewhere = Regex.somewhere(pattern, PLACE, new CharDfa.Work());
            Pattern java = Pattern.compile(pattern);
            for (int k = 0; k < 30; k++) {
                StringBuilder text = new StringBuilder();
                for (int n = random.nextInt(7); n > 0; n--) {
                    text.append("abcd".charAt(random.nextInt(4)));
                }
                boolean expected = java.matcher(text).matches();
                matches += expected ? 1 : 0;
                assertThat(whole.contains(text.toString()))
                        .as("%s whole %s", pattern, text)
                        .isEqualTo(expected);
                assertThat(somewhere.contains(text.toString()))
                        .as("%s in %s", pattern, text)
                        .isEqualTo(java.matcher(text).find());
            }
        }
        assertThat(matches).isGreaterThan(3000);
    }

    private static String pattern(Random random, int depth) {
        int kind = depth == 0 ? random.nextInt(3) : random.nextInt(9);
        return switch (kind) {
            case 0, 1 -> "" + "abc".charAt(random.nextInt(3));
            case 2 -> random.nextBoolean() ? "[ab]" : "[^a]";
            case 3 -> pattern(random, depth - 1) + pattern(random, depth - 1);
            case 4 -> "(" + pattern(random, depth - 1) + "|" + pattern(random, depth - 1) + ")";
            case 5 -> "(?:" + pattern(random, depth - 1) + ")" + "*+?".charAt(random.nextInt(3));
            case 6 -> "(" + pattern(random, depth - 1) + "){" + random.nextInt(2) + "," + (1 + random.nextInt(3)) + "}";
            case 7 -> "(?:^" + pattern(random, depth - 1) + "|" + pattern(random, depth - 1) + "$)";
            default -> pattern(random, depth - 1) + "(" + pattern(random, depth - 1) + ")*?";
        };
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "\\d+ 12 true",
                "\\d+ \u0663 false",
                "\\w \u00e4 false",
                "\\s \ufeff true",
                "\\S \u00e4 true",
                "\\p{L}+ \u00e4\u4e2d true",
                "\\p{Script=Greek} \u03b1 true",
                "[^\\d] a true",
                "[a\\-c] - true",
                "[a-] - true",
                "\\u{1f600} \ud83d\ude00 true",
                "\\ud83d\\ude00 \ud83d\ude00 true",
                ". \ud83d\ude00 true",
                "(?<year>\\d{4})-\\d\\d 2024-05 true",
                "a{2}? aa true",
                "\\x41\\u0042 AB true",
                "[]|a a true",
                "[^]b \u4e2db true",
            })
    void reads_ecmascript(String pattern, String text, boolean matches) {
        assertThat(Regex.whole(pattern, PLACE, new CharDfa.Work()).contains(text))
                .isEqualTo(matches);
    }

    @Test
    void anchors_are_the_ends_of_the_text_and_the_empty_text_has_both() {
        assertThat(Regex.somewhere("^$", PLACE, new CharDfa.Work()).contains(""))
                .isTrue();
        assertThat(Regex.somewhere("^$", PLACE, new CharDfa.Work()).contains("a"))
                .isFalse();
        assertThat(Regex.somewhere("a$|^b", PLACE, new CharDfa.Work()).contains("ca"))
                .isTrue();
        assertThat(Regex.somewhere("a$|^b", PLACE, new CharDfa.Work()).contains("bc"))
                .isTrue();
        assertThat(Regex.somewhere("a$|^b", PLACE, new CharDfa.Work()).contains("acb"))
                .isFalse();
        assertThat(Regex.whole("a^b", PLACE, new CharDfa.Work()).isEmpty()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(?=a)",
                "(?!a)",
                "(?<=a)b",
                "(?i)a",
                "(a)\\1",
                "\\k<a>",
                "\\bword",
                "a++",
                "(?>a)",
                "\\p{Nonsense}",
                "\\Qa\\E",
                "a{",
                "\\h",
            })
    void what_is_not_regular_or_means_something_else_is_refused_by_name_and_place(String pattern) {
        assertThatThrownBy(() -> Regex.whole(pattern, PLACE, new CharDfa.Work()))
                .isInstanceOf(PromptException.class)
                .hasMessageContaining(pattern)
                .hasMessageContaining("at ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", ")", "[a", "*a", "a**", "a{3,2}", "[b-a]", "\\", "\\x4", "\\ud83d", "[\\d-z]", "(?<a"})
    void what_is_no_regular_expression_is_refused(String pattern) {
        assertThatThrownBy(() -> Regex.whole(pattern, PLACE, new CharDfa.Work()))
                .isInstanceOf(PromptException.class)
                .hasMessageContaining("no regular expression");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(a|b)*a(a|b){20}",
                "(((a{1000}){1000}){1000}){1000}",
                "(\\p{L}*\\p{N}*x?){3000}",
                "(a?){5000}a{5000}",
                ".*(.*a.{99}){99}",
            })
    void a_pattern_that_needs_too_many_states_is_refused_soon(String pattern) {
        long start = System.nanoTime();
        assertThatThrownBy(() -> Regex.whole(pattern, PLACE, new CharDfa.Work()))
                .isInstanceOf(PromptException.class)
                .hasMessageContaining("10000 states");
        assertThat(System.nanoTime() - start).isLessThan(60_000_000_000L);
    }
}
