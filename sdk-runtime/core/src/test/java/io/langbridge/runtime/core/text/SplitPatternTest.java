package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.PromptException;
import io.langbridge.UnsupportedModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The hashes are those of what {@code Split} of the Python package tokenizers 0.23.2 finds in the same texts. */
class SplitPatternTest {
    private static final Path FILE = Path.of("model", "tokenizer.json");

    private static final String[] WORDS = {
        "'s",
        "'T",
        "'re",
        "'VE",
        "'ll",
        "'LL",
        "'m",
        "'d",
        "'\u017f",
        "\u2019s",
        " ",
        "  ",
        "   ",
        "\n",
        "\r\n",
        " \n",
        "\t",
        "\u00a0",
        "\u3000",
        "/",
        "//\n",
        "!",
        "...",
        "1",
        "42",
        "2024",
        "\u00bd",
        "\u0661",
        "a",
        "I",
        "the",
        "The",
        "THE",
        "McDonald",
        "camelCase",
        "\u01c5",
        "\u02b0",
        "\u05d0",
        "\u0301",
        "e\u0301",
        "\u0903",
        "\u4e2d\u6587",
        "\u3042",
        "\u30ab",
        "\uac00",
        "\ud83d\ude00",
        "\ud835\udc00",
        "\ud840\udc00",
        "\ud835\udfd8",
        "\u200d",
        "\ufe0f",
        "\u00e4",
        "\u00c4",
        "\u0436",
        "\u0416",
        "$",
        "\u20ac",
        "_",
        "<|",
        "|>",
        "-",
        "\u3001",
        "\u0085",
        "\u2028",
        "x=1;",
        "http://",
        "\ue000",
        "\u0000"
    };

    /** Patterns that have a scanner of their own, and a hash of their matches. */
    private static final String[][] PUBLISHED = {
        {
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "e74d6489330b2c58"
        },
        {
            "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "888449159638440d"
        },
        {
            "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
            "e74d6489330b2c58"
        },
        {
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "2a69bec994c4599a"
        },
        {
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "8d4a477b18e914f9"
        },
        {
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "86075702af42fb20"
        },
        {
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "96764fb472018cdc"
        },
        {
            "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "caedfa6b60885db0"
        },
        {
            "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
            "96764fb472018cdc"
        },
        {
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "bdb76fa45e9a4cd6"
        },
        {
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "17d9ce7161b040dd"
        },
        {
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "4b3a95b6e28dbc3b"
        },
        {
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}+| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "21cdf576db0c1436"
        },
        {
            "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}+| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "31e5a635d4659e27"
        },
        {
            "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
            "21cdf576db0c1436"
        },
        {
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}+| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "b8f98f8757ca435c"
        },
        {
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}+| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "a95a024f487edc77"
        },
        {
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}+| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "b8802d3b60bea2f8"
        },
        {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", "fd5fcf877a28f5bc"},
        {
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
            "de0187da39b85e3f"
        },
        {
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "de0187da39b85e3f"
        },
        {"\\s+$", "fffe1bca0684e385"}
    };

    /** Runs of characters of one class. */
    private static final String[][] RUNS = {
        {"\\p{N}", "1ae3c088ee2a0528"},
        {"\\p{N}{1,3}", "44213d2b068ba2d8"},
        {"\\p{N}+", "7c7f6e51e39fc2ea"},
        {"[\r\n]", "1bae1d5ede69f658"},
        {"\\s?\\p{L}+", "211ea38d0e7d2463"},
        {"\\s?\\p{P}+", "7428d786b20bb7e5"},
        {"[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", "4e084a42df033535"},
        {"[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", "7e9573578cfc2939"},
        {"\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", "e416c7ea0558d5b1"},
        {"\\s?\\s+", "85ae17ab714f9bf1"},
        {"[[:space:]]?\\w+", "13e75de6e5f31d27"}
    };

    /** Patterns for the matcher that goes back, and a hash of the pieces they cut texts into. */
    private static final String[][] OTHERS = {
        {
            "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
            "534365c143eeb9fa"
        },
        {"[0-9][0-9][0-9]", "59e8f7382707064f"},
        {" ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+", "8e53e91406290bd7"},
        {"(?i)the|[a-c&&[^b]]+|\\bx", "87d8ff6c0454aa45"},
        {"\\w+(?<=e)|\\W+?(?=\\w)|(?<!a)\\d", "ea7fd91b1c58f396"},
        {"(?=\\p{Lu})", "54fdcb103c2dc9c6"},
        {"\\R|^\\s*|\\S+$", "0b91e38a1f7b5ec7"},
        {"(?:a|the)*+\\s?|[^[:alpha:][:punct:]]{2,}", "c643a459c095218c"},
        {"(?>\\s+|T)\\S?|\\p{^L}\\P{L}+", "3651055a79db2526"},
        {"(\\w|\\s){2,3}?!|\\h+", "652ff69458d1c9be"},
        {"(a*|\\d?)*x|[\\w&&\\p{Lo}]", "c08d353951c63f1e"},
        {"(?m:.)(?-i:H)|.\\Z|\\A..", "bd72b4834e59d20a"},
        {"(?=(\\d{3})+(?!\\d))|\\p{Han}+|[[:^print:]]", "63df4b150f52bacb"},
        {
            "\\d{1,3}(?=(?:\\d{3})*\\b)|[^\\r\\n\\p{L}\\p{N}]?((?=[\\p{L}])([^a-z]))*((?=[\\p{L}])([^A-Z]))+",
            "d63e005283ea6982"
        }
    };

    private static final List<String> TEXTS = texts();

    private static List<String> texts() {
        Dice dice = new Dice();
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = 1 + dice.next(24); n > 0; n--) {
                text.append(WORDS[dice.next(WORDS.length)]);
            }
            texts.add(text.toString());
        }
        return texts;
    }

    static String[][] published() {
        return PUBLISHED;
    }

    static String[][] runs() {
        return RUNS;
    }

    static String[][] others() {
        return OTHERS;
    }

    /** Matches of all texts, one after the other. */
    private static String matches(SplitPattern pattern) {
        StringBuilder out = new StringBuilder();
        for (String text : TEXTS) {
            pattern.matches(text, (start, end) -> out.append(text, start, end).append('\u001f'));
            out.append('\u001e');
        }
        return UnicodeTest.hash(out);
    }

    /** Matches and what lies between them. */
    private static List<String> pieces(SplitPattern pattern, String text) {
        List<String> pieces = new ArrayList<>();
        int[] at = new int[1];
        pattern.matches(text, (start, end) -> {
            pieces.add(text.substring(at[0], start));
            pieces.add(text.substring(start, end));
            at[0] = end;
        });
        pieces.add(text.substring(at[0]));
        pieces.removeIf(String::isEmpty);
        return pieces;
    }

    private static SplitPattern matcher(String pattern) {
        return new PatternMatcher(new PatternParser(pattern, FILE).parse(), pattern, FILE);
    }

    @ParameterizedTest
    @MethodSource("published")
    void a_published_pattern_is_scanned_as_the_reference_matches_it(String pattern, String expected) {
        assertThat(SplitPattern.regex(pattern, FILE)).isNotInstanceOf(PatternMatcher.class);
        assertThat(matches(SplitPattern.regex(pattern, FILE))).isEqualTo(expected);
        assertThat(matches(matcher(pattern))).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("runs")
    void a_run_of_one_class_is_scanned_as_the_reference_matches_it(String pattern, String expected) {
        assertThat(SplitPattern.regex(pattern, FILE)).isInstanceOf(CharacterRun.class);
        assertThat(matches(SplitPattern.regex(pattern, FILE))).isEqualTo(expected);
        assertThat(matches(matcher(pattern))).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("others")
    void other_patterns_cut_as_the_reference_does(String pattern, String expected) {
        SplitPattern split = SplitPattern.regex(pattern, FILE);
        StringBuilder out = new StringBuilder();
        for (String text : TEXTS) {
            for (String piece : pieces(split, text)) {
                out.append(piece).append('\u001f');
            }
            out.append('\u001e');
        }
        assertThat(UnicodeTest.hash(out)).isEqualTo(expected);
    }

    private static final String[] HOSTILE = {
        "a",
        "A",
        " ",
        "\n",
        "\r\n",
        "1",
        "'",
        "'s",
        "\u4e2d",
        "\u0301",
        "A\u0301",
        "\ud83d\ude00",
        "\t\n ",
        "a'",
        "A\u4e2dA",
        "\u01c5",
        " A",
        "\u00a0a"
    };

    @ParameterizedTest
    @MethodSource("published")
    void hostile_text_is_read_a_few_times_at_most(String pattern, String hash) {
        SplitPattern split = SplitPattern.regex(pattern, FILE);
        for (String unit : HOSTILE) {
            for (String last : new String[] {"", "a", "\n", "A", "'"}) {
                Counting text = new Counting(repeat(unit, 20_000) + last);
                if (split instanceof PublishedPatterns.Scanner scanner) {
                    scanner.scan(text, (start, end) -> assertThat(end > start).isTrue());
                    assertThat(text.reads)
                            .as("reads of 20,000 times '%s' and '%s'", unit, last)
                            .isLessThan(16L * text.length());
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("runs")
    void hostile_text_is_read_a_few_times_at_most_for_runs(String pattern, String hash) {
        for (String unit : HOSTILE) {
            Counting text = new Counting(repeat(unit, 20_000) + "b");
            ((CharacterRun) SplitPattern.regex(pattern, FILE)).scan(text, (start, end) -> {});
            assertThat(text.reads).isLessThan(16L * text.length());
        }
    }

    private static String repeat(String unit, int times) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < times; i++) {
            text.append(unit);
        }
        return text.toString();
    }

    private static final class Counting implements CharSequence {
        private final String text;
        private long reads;

        Counting(String text) {
            this.text = text;
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public char charAt(int index) {
            reads++;
            return text.charAt(index);
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            throw new UnsupportedOperationException();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"(a+)+b", "(a|a)*b", "(?:a?){40}a{40}b", "(a|aa)+$|(.*)*x", "\\s+x|a+b"})
    void a_text_that_makes_a_pattern_explode_is_refused(String pattern) {
        SplitPattern split = SplitPattern.regex(pattern, FILE);

        assertThatThrownBy(() -> split.matches(repeat("a", 40_000) + "c", (start, end) -> {}))
                .isInstanceOf(PromptException.class)
                .hasMessageContaining(FILE.toString())
                .hasMessageContaining("'" + pattern + "'")
                .hasMessageContaining("40001 characters");
    }

    @Test
    void a_pattern_that_goes_back_copes_with_runs_of_hundreds_and_texts_of_a_million() {
        assertThat(pieces(matcher("\\s+$"), repeat(" ", 500) + "x")).hasSize(1);
        assertThat(pieces(matcher("(?:a|b)+|(?:c\\p{L}*)++"), repeat("ab", 500_000) + repeat("c", 500_000)))
                .hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "((",
                "a)",
                "*a",
                "a|*",
                "[a",
                "[z-a]",
                "\\",
                "\\p{L",
                "^*",
                "{2}",
                "\\x{110000}",
                "\\ud800",
                "(?#a",
                "(?<n",
                "(?:a"
            })
    void what_is_no_regular_expression_is_named(String pattern) {
        assertThatThrownBy(() -> SplitPattern.regex(pattern, FILE))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(FILE.toString())
                .hasMessageContaining("'" + pattern + "'");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(.*)*\\1x",
                "(?<x>a\\g<x>?b?)+",
                "\\k<n>",
                "\\X",
                "\\Ka",
                "\\G",
                "(?~ab)",
                "(?x: a )",
                "(*FAIL)",
                "a{2}?",
                "a{1,2}+",
                "a**",
                "a+?*",
                "(?i:\u00e9)",
                "(?i:stop)",
                "(?i:\\p{Lu})",
                "(?i:[[:lower:]])",
                "\\p{Klingon}",
                "[[:foo:]]",
                "(?<=a+)b",
                "[a-\\d]",
                "[\\d-a]",
                "[]a]",
                "(?=a)*",
                "a{3,1}",
                "a{1001}",
                "\\101",
                "\\xff",
                "(?(1)a|b)",
                "((a{1,1000}){1,1000}){1,1000}"
            })
    void syntax_that_is_not_read_is_refused_by_name(String pattern) {
        assertThatThrownBy(() -> SplitPattern.regex(pattern, FILE))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(FILE.toString())
                .hasMessageContaining("'" + pattern + "'");
    }

    @Test
    void groups_and_brackets_end_somewhere() {
        assertThatThrownBy(() -> SplitPattern.regex(repeat("(", 5000) + "a" + repeat(")", 5000), FILE))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("100 groups");
        assertThatThrownBy(() -> SplitPattern.regex(repeat("[", 5000) + "a" + repeat("]", 5000), FILE))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("100 brackets");
    }

    @Test
    void a_pattern_is_shown_on_one_line_and_cut() {
        assertThatThrownBy(() -> SplitPattern.regex("\u001b[2J\n((", FILE))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("'\\u001b[2J\\u000a(('");
        assertThatThrownBy(() -> SplitPattern.regex(repeat("a", 10_000) + "(", FILE))
                .isInstanceOf(CheckpointException.class)
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(500));
    }

    @Test
    void plain_text_is_found_from_left_to_right() {
        assertThat(pieces(SplitPattern.literal("aa"), "aaaba aa")).containsExactly("aa", "aba ", "aa");
        assertThat(pieces(SplitPattern.literal("."), "a.b")).containsExactly("a", ".", "b");
    }

    @Test
    void a_pattern_that_matches_nothing_cuts_there() {
        assertThat(pieces(SplitPattern.regex("(?=a)", FILE), "xaxa")).containsExactly("x", "ax", "a");
        assertThat(pieces(SplitPattern.regex("", FILE), "a\ud83d\ude00b")).containsExactly("a", "\ud83d\ude00", "b");
    }

    @Test
    void a_pattern_longer_than_any_that_is_published_is_refused() {
        assertThatThrownBy(() -> SplitPattern.regex(repeat("\\W", 10_001), FILE))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("20002 characters");
    }
}
