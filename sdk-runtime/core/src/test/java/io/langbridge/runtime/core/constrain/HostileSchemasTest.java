package io.langbridge.runtime.core.constrain;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.PromptException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A hundred schemas that are meant to take all memory or time. Each is refused before any answer begins, by the bound
 * that it breaks, or it becomes an automaton within the bounds: 1,000,000 characters, {@link Grammar#MOST_STATES}
 * states, {@link CharDfa#MOST_STATES} for a pattern, {@link CharDfa#MOST_WORK} transitions looked at for all patterns,
 * {@link Automaton#MOST_WAYS} at one place. Apostrophes stand for quotation marks.
 */
class HostileSchemasTest {
    private static final String STATES = "200000 states";
    private static final String PATTERN = "10000 states";
    private static final String WAYS = "1000 are followed";

    /**
     * A schema and what becomes of it.
     *
     * @param bound a part of the message that refuses it, or null if it can be held to
     */
    private record Case(
            String name, String schema, @Nullable String bound) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static String list(int count, String separator, IntFunction<String> item) {
        return IntStream.range(0, count).mapToObj(item).collect(Collectors.joining(separator));
    }

    private static String nested(String before, String inside, String behind, int depth) {
        return before.repeat(depth) + inside + behind.repeat(depth);
    }

    static List<Case> hostile() {
        List<Case> cases = new ArrayList<>();
        lengths(cases);
        patterns(cases);
        alternatives(cases);
        depth(cases);
        objects(cases);
        references(cases);
        return cases;
    }

    private static void add(List<Case> cases, String name, String schema, @Nullable String bound) {
        cases.add(new Case(name, schema.replace('\'', '"'), bound));
    }

    private static void lengths(List<Case> cases) {
        for (String keyword : List.of("minLength", "maxLength")) {
            add(cases, keyword + " 150000", "{'type':'string','" + keyword + "':150000}", null);
            add(cases, keyword + " 250000", "{'type':'string','" + keyword + "':250000}", STATES);
            add(cases, keyword + " 1e9", "{'type':'string','" + keyword + "':1e9}", STATES);
            add(cases, keyword + " 1e99", "{'type':'string','" + keyword + "':1e99}", STATES);
            add(cases, keyword + " 1e999", "{'type':'string','" + keyword + "':1e999}", "100 digits");
        }
        for (String keyword : List.of("minItems", "maxItems")) {
            String items = "{'type':'array','items':{'type':'boolean'},'" + keyword + "':";
            add(cases, keyword + " 30000", items + "30000}", null);
            add(cases, keyword + " 1e6", items + "1e6}", STATES);
            add(cases, keyword + " 1e50", items + "1e50}", STATES);
        }
        add(
                cases,
                "many long texts",
                "{'type':'array','prefixItems':["
                        + list(300, ",", i -> "{'type':'string','maxLength':" + (1000 + i) + "}") + "]}",
                STATES);
        add(
                cases,
                "the same long text often",
                "{'type':'array','prefixItems':[" + list(300, ",", i -> "{'type':'string','maxLength':1000}") + "]}",
                null);
        add(
                cases,
                "many items",
                "{'type':'array','prefixItems':[" + list(60_000, ",", i -> "{'type':'null'}") + "]}",
                STATES);
        for (String bound : List.of("1e99", "-1e99", "0." + "3".repeat(90), "1e999999999", "1".repeat(101))) {
            add(
                    cases,
                    "minimum " + (bound.length() > 20 ? bound.length() + " digits" : bound),
                    "{'type':'number','minimum':" + bound + "}",
                    bound.length() > 100 || bound.endsWith("999") ? "100 digits" : null);
        }
        add(
                cases,
                "many bounds",
                "{'type':'array','prefixItems':[" + list(20_000, ",", i -> "{'type':'number','minimum':" + i + ".123}")
                        + "]}",
                STATES);
        add(
                cases,
                "too many characters",
                "{'type':'null','title':'" + "x".repeat(1_000_000) + "'}",
                "1000000 are read");
        add(cases, "a constant of half a million characters", "{'const':'" + "x".repeat(500_000) + "'}", STATES);
        add(cases, "20000 constants", "{'enum':[" + list(20_000, ",", i -> "'value " + i + "'") + "]}", null);
        add(
                cases,
                "constants without anything in common",
                "{'enum':["
                        + list(20_000, ",", i -> "'" + Integer.toString(i * 7919 + 100_000, 36) + "-".repeat(20) + "'")
                        + "]}",
                STATES);
    }

    private static String pattern(String pattern) {
        return "{'type':'string','pattern':'" + pattern.replace("\\", "\\\\") + "'}";
    }

    private static void patterns(List<Case> cases) {
        for (int n : new int[] {5, 11}) {
            add(cases, "2^" + n + " states", pattern("^(a|b)*a(a|b){" + n + "}$"), null);
        }
        for (int n : new int[] {14, 25, 100, 1000}) {
            add(cases, "2^" + n + " states", pattern("^(a|b)*a(a|b){" + n + "}$"), PATTERN);
        }
        for (String pattern : List.of(
                "((a{1000}){1000}){1000}",
                "(((a{0,99}){0,99}){0,99}){0,99}",
                "(a?){5000}a{5000}",
                "(\\p{L}*\\p{N}*x?){3000}",
                ".*(.*a.{99}){99}",
                "(x+x+)+y.{9999}",
                "(a|aa|aaa|aaaa)*b.{20000}",
                "(.*)(.*)(.*)(.*)(.*)[^a]{9000}[^b]{9000}",
                "^(?:(?:a|b|c|d|e|f)*[a-c]){3}[d-f]{2}(?:.|\\n){4000}x(?:a|b)*a(?:a|b){12}$",
                "a{10000}b{10000}")) {
            add(cases, pattern, pattern(pattern), pattern.contains("20000}") ? "repetitions" : PATTERN);
        }
        for (String pattern :
                List.of("(a*)*b", "(a|a)*b", "(a|aa)+$", "([a-z]+)+[0-9]", "^(([a-z])+.)+[A-Z]([a-z])+$")) {
            add(cases, "backtracking " + pattern, pattern(pattern), null);
        }
        add(cases, "groups", pattern("(".repeat(5000) + ")".repeat(5000)), "groups within each other");
        add(cases, "groups that do not end", pattern("(".repeat(90)), "without ')'");
        add(cases, "a long pattern", pattern("a".repeat(30_000)), "20000 are read");
        add(cases, "a pattern of many ways", pattern("^(" + list(3000, "|", Integer::toString) + ")$"), null);
        add(cases, "letters of the world", pattern("^\\p{L}{200}$"), null);
        add(cases, "more letters of the world", pattern("^\\p{L}{2000}$"), "20000000 transitions");
        add(
                cases,
                "letters of the world, and long",
                "{'type':'string','pattern':'\\\\p{L}{9000}','minLength':9000}",
                PATTERN);
        add(
                cases,
                "patterns without end that length cuts to nothing much",
                "{'type':'array','prefixItems':["
                        + list(
                                9_000,
                                ",",
                                i -> "{'type':'string','maxLength':2,'pattern':'^(a|b)*a(a|b){9}c{" + i % 99 + "," + i
                                        + "}?|z$'}")
                        + "]}",
                "transitions");
        add(
                cases,
                "many different patterns",
                "{'type':'array','prefixItems':["
                        + list(5000, ",", i -> "{'type':'string','pattern':'(a|b)*a(a|b){7}" + i + "'}") + "]}",
                " states");
        add(
                cases,
                "one pattern often",
                "{'type':'array','prefixItems':["
                        + list(5000, ",", i -> "{'type':'string','pattern':'^(a|b)*a(a|b){7}$'}") + "]}",
                null);
        add(
                cases,
                "one format often",
                "{'type':'array','prefixItems':[" + list(5000, ",", i -> "{'type':'string','format':'email'}") + "]}",
                null);
        add(
                cases,
                "texts in an alternative each",
                "{'anyOf':[" + list(500, ",", i -> "{'type':'string','pattern':'^x{99}[^y]{300}" + i + "$'}") + "]}",
                STATES);
    }

    private static void alternatives(List<Case> cases) {
        for (int n : new int[] {400, 600, 1100}) {
            add(
                    cases,
                    n + " alternatives that begin alike",
                    "{'anyOf':[" + list(n, ",", i -> "{'type':'array','prefixItems':[{'const':" + i + "}]}") + "]}",
                    n > 500 ? WAYS : null);
        }
        add(
                cases,
                "20000 alternatives",
                "{'anyOf':[" + list(20_000, ",", i -> "{'type':'array','prefixItems':[{'const':" + i + "}]}") + "]}",
                STATES);
        for (int n : new int[] {900, 1100, 20_000}) {
            add(
                    cases,
                    "oneOf with " + n,
                    "{'oneOf':["
                            + list(
                                    n,
                                    ",",
                                    i -> "{'type':'object','properties':{'k':{'const':" + i + "}},'required':['k']}")
                            + "]}",
                    n > 1000 ? "at most 1000" : null);
        }
        // Each leads to the next in two ways: 2^24 ways in all, or 2^200.
        add(cases, "doubled", doubled("{'$ref':'#/$defs/d0'}", "anyOf", 200), null);
        String compared = "{'oneOf':[{'type':'null'},{'$ref':'#/$defs/d0'}]}";
        add(cases, "doubled, and compared", doubled(compared, "anyOf", 24), null);
        add(cases, "doubled too often, and compared", doubled(compared, "anyOf", 200), "more than 50 times");
        add(cases, "doubled, and not disjoint", doubled(compared, "oneOf", 24), "may both hold");
        add(
                cases,
                "doubled by items",
                "{'$ref':'#/$defs/d0','$defs':{"
                        + list(
                                40,
                                ",",
                                i -> "'d" + i + "':{'type':'array','prefixItems':[{'$ref':'#/$defs/d" + (i + 1)
                                        + "'},{'$ref':'#/$defs/d" + (i + 1) + "'}]}")
                        + ",'d40':{'type':'null'}}}",
                null);
        add(
                cases,
                "texts that begin alike in a thousand ways",
                "{'anyOf':[" + list(1500, ",", i -> "{'type':'string','minLength':" + i + "}") + "]}",
                " ");
        add(
                cases,
                "everything of everything",
                "{'type':'array','items':{'anyOf':["
                        + list(400, ",", i -> "{'$ref':'#'},{'type':'object','properties':{'a" + i + "':{'$ref':'#'}}}")
                        + ",{'type':'null'}]}}",
                null);
        add(cases, "types in a list", "{'type':[" + list(5000, ",", i -> "'null'") + "]}", null);
    }

    private static String doubled(String root, String key, int depth) {
        return root.substring(0, root.length() - 1) + ",'$defs':{"
                + list(
                        depth,
                        ",",
                        i -> "'d" + i + "':{'" + key + "':[{'$ref':'#/$defs/d" + (i + 1) + "'},{'$ref':'#/$defs/d"
                                + (i + 1) + "'}]}")
                + ",'d" + depth + "':{'type':'boolean'}}}";
    }

    private static void depth(List<Case> cases) {
        for (int n : new int[] {20, 60, 300, 5000}) {
            String bound = n > 60 ? "JSON" : null;
            add(cases, "arrays " + n, nested("{'type':'array','items':", "{'type':'null'}", "}", n), bound);
            add(
                    cases,
                    "objects " + n,
                    nested("{'type':'object','properties':{'a':", "{'type':'null'}", "}}", n / 2),
                    bound);
            add(
                    cases,
                    "alternatives " + n,
                    nested("{'anyOf':[{'type':'null'},", "{'type':'boolean'}", "]}", n / 2),
                    bound);
        }
        add(cases, "a constant within lists", "{'const':" + nested("[", "1", "]", 5000) + "}", "JSON");
        add(cases, "brackets that do not end", "[".repeat(100_000), "JSON");
        add(cases, "objects that do not end", "{'a':".repeat(100_000), "JSON");
        add(
                cases,
                "names that lie deep and wide",
                nested(
                        "{'type':'object','properties':{'" + "n".repeat(2_000) + "':",
                        "{'type':'object','properties':{" + list(900, ",", i -> "'" + i + "':{'type':'null'}") + "}}",
                        "}}",
                        20),
                null);
        add(
                cases,
                "names that lie deep and wider",
                nested(
                        "{'type':'object','properties':{'" + "n".repeat(10_000) + "':",
                        "{'type':'object','properties':{" + list(30_000, ",", i -> "'" + i + "':{'type':'null'}")
                                + "}}",
                        "}}",
                        20),
                STATES);
    }

    private static void objects(List<Case> cases) {
        for (int n : new int[] {100, 900, 1100}) {
            add(
                    cases,
                    n + " optional properties",
                    "{'type':'object','properties':{" + list(n, ",", i -> "'p" + i + "':{'type':'null'}") + "}}",
                    n > 1000 ? WAYS : null);
        }
        add(
                cases,
                "long names",
                "{'type':'object','properties':{"
                        + list(3000, ",", i -> "'" + "p".repeat(100) + i + "':{'type':'null'}") + "}}",
                STATES);
        add(
                cases,
                "required names that are not there",
                "{'type':'object','properties':{},'required':[" + list(50_000, ",", i -> "'" + i + "'") + "]}",
                "is required, but");
        add(
                cases,
                "one name twice",
                "{'type':'object','properties':{'a':{'type':'null'},'a':{'type':'null'}}}",
                "twice");
        add(
                cases,
                "names of escapes",
                "{'type':'object','properties':{'" + "\\\\u0000".repeat(30_000) + "':{'type':'null'}}}",
                STATES);
    }

    private static void references(List<Case> cases) {
        for (int n : new int[] {10, 1000, 20_000}) {
            add(
                    cases,
                    "a chain of " + n,
                    "{'$ref':'#/$defs/c0','$defs':{"
                            + list(n, ",", i -> "'c" + i + "':{'$ref':'#/$defs/c" + (i + 1) + "'}") + ",'c" + n
                            + "':{'type':'null'}}}",
                    null);
            add(
                    cases,
                    "a circle of " + n,
                    "{'$ref':'#/$defs/c0','$defs':{"
                            + list(n, ",", i -> "'c" + i + "':{'$ref':'#/$defs/c" + (i + 1) % n + "'}") + "}}",
                    "itself");
        }
        add(
                cases,
                "a chain within oneOf",
                "{'oneOf':[{'type':'null'},{'$ref':'#/$defs/c0'}],'$defs':{"
                        + list(1000, ",", i -> "'c" + i + "':{'$ref':'#/$defs/c" + (i + 1) + "'}")
                        + ",'c1000':{'type':'boolean'}}}",
                "more than 50 times");
        add(cases, "a circle within oneOf", "{'oneOf':[{'type':'null'},{'$ref':'#'}]}", "without end");
        add(
                cases,
                "no way out",
                "{'type':'object','properties':{'a':{'$ref':'#'}},'required':['a']}",
                "no value that ends");
        add(
                cases,
                "no way out of two",
                "{'type':'array','minItems':1,'items':{'type':'object','properties':{'a':{'$ref':'#'}},"
                        + "'required':['a']}}",
                "no value that ends");
        add(cases, "a pointer of a million steps", "{'$ref':'#" + "/a".repeat(400_000) + "'}", "leads nowhere");
        add(cases, "a pointer into itself", "{'$ref':'#/$ref'}", "must be an object");
        add(cases, "a pointer that is no address", "{'$ref':'#/%zz'}", "as in an address");
        add(cases, "a pointer to a list", "{'anyOf':[{'$ref':'#/anyOf'}]}", "must be an object");
    }

    @Test
    void there_are_a_hundred() {
        assertThat(hostile()).hasSizeGreaterThanOrEqualTo(100);
    }

    @ParameterizedTest
    @MethodSource("hostile")
    @Timeout(120)
    void a_hostile_schema_is_refused_by_its_bound_or_is_within_all(Case hostile) {
        SchemaReader.Result read;
        try {
            read = SchemaReader.read(hostile.schema());
            Automaton automaton =
                    new Automaton(read, TokenTrieTest.of("a", "{\"", "[", "true", "null", "\"", "1", "-"));
            assertThat(automaton.tokens(automaton.first()).size()).isPositive();
        } catch (PromptException e) {
            assertThat(hostile.bound()).as("refused: %.300s", e.getMessage()).isNotNull();
            assertThat(e).hasMessageContaining(hostile.bound());
            assertThat(e.getMessage()).hasSizeLessThan(10_000);
            return;
        }
        assertThat(hostile.bound()).as("not refused").isNull();
        assertThat(read.grammar().size()).isLessThanOrEqualTo(Grammar.MOST_STATES);
    }
}
