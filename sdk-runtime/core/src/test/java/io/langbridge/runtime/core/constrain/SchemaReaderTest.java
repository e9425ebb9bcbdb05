package io.langbridge.runtime.core.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.PromptException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Apostrophes stand for quotation marks. */
class SchemaReaderTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'type':'object','properties':{}}|{}|{'a': 1};{ }",
                "{'type':'object','properties':{'a':{'type':'null'},'b':{'type':'null'},'c':{'type':'null'}},'required':['b']}"
                        + "|{'b': null};{'a': null, 'b': null};{'a': null, 'b': null, 'c': null};{'b': null, 'c': null}"
                        + "|{};{'a': null};{'b': null, 'a': null};{'b': null,'c': null};{'b': null, };{, 'b': null}",
                "{'type':'array','items':{'type':'boolean'}}|[];[true];[true, false, true]|[,];[true,];[null]",
                "{'type':'array','items':{'type':'boolean'},'minItems':2,'maxItems':3}"
                        + "|[true, true];[true, true, true]|[];[true];[true, true, true, true]",
                "{'type':'array','items':{'type':'boolean'},'minItems':1}|[true];[true, true, true]|[]",
                "{'type':'array','prefixItems':[{'const':1},{'const':2}]}|[];[1];[1, 2]|[2];[1, 2, 3]",
                "{'type':'array','prefixItems':[{'const':1}],'items':{'const':2},'minItems':3}|[1, 2, 2];[1, 2, 2, 2]|[1, 2];[2, 2, 2]",
                "{'type':'array','maxItems':0}|[]|[1]",
                "{'type':['integer','null']}|0;-5;null;123|'1';1.5;01;-0",
                "{'enum':['a',1,null,[1,{'b':true}],1.50]}|'a';1;null;[1, {'b': true}];1.50|'b';1.5;[1]",
                "{'type':'integer','enum':['a',1,2.5,3.0]}|1;3.0|'a';2.5",
                "{'const':'x','enum':['x','y']}|'x'|'y'",
                "{'enum':['ab','abc','b'],'maxLength':2,'pattern':'^a'}|'ab'|'abc';'b'",
                "{'enum':[1,5,9],'minimum':2,'exclusiveMaximum':9}|5|1;9",
                "{'type':'string','minLength':2,'maxLength':3}|'ab';'\u00e4\u4e2d\ud83d\ude00';'a\\n\\\\'|'a';'abcd'",
                "{'type':'string','minLength':1}|'a';'abcdefghijklmnop'|''",
                "{'type':'string'}|'';'say \\'hi\\'';'\ud83d\ude00'|'a;'\\x';'\\u00e4'",
                "{'type':'string','pattern':'b'}|'abc';'b'|'ac'",
                "{'type':'string','pattern':'^[\\'a]+$'}|'\\'a'|'b';''",
                "{'type':'string','format':'date'}|'2024-02-29';'2000-02-29'|'2023-02-29';'1900-02-29';'2024-13-01';'2024-04-31'",
                "{'type':'string','format':'date-time'}|'2024-02-28T23:59:59Z';'2024-02-28T23:59:59.5+02:00'|'2024-02-28 23:59:59Z'",
                "{'type':'string','format':'time'}|'12:00:00Z'|'24:00:00Z';'12:00:00'",
                "{'type':'string','format':'email'}|'jo.do@example.co.uk'|'jo@';'@example.com'",
                "{'type':'number','minimum':0,'maximum':1}|0;1;0.5;1.0|-1;1.1;2",
                "{'anyOf':[{'type':'object','properties':{'a':{'const':1}},'required':['a']},"
                        + "{'type':'object','properties':{'a':{'const':12},'b':{'const':2}}}]}"
                        + "|{'a': 1};{'a': 12};{'a': 12, 'b': 2};{'b': 2};{}|{'a': 1, 'b': 2}",
                "{'oneOf':[{'type':'string'},{'type':'array','items':{'$ref':'#'}}]}|'a';[];['a', ['b', []]]|1;['a', 1]",
                "{'$ref':'#/$defs/n','$defs':{'n':{'type':'object','properties':{'v':{'type':'integer'},'n':{'$ref':'#/$defs/n'}}}}}"
                        + "|{};{'n': {'n': {'v': 1}}};{'v': 1, 'n': {}}|{'n': 1};{'n': {'n': {}}",
                "{'$ref':'#/definitions/a~1%20b','definitions':{'a/ b':{'const':1}}}|1|2",
                "{'properties':{'a':{'const':1}}}|{};{'a': 1}|1",
                "{'type':'boolean','minLength':3,'title':'t','default':1,'examples':[2],'$comment':'c'}|true;false|1",
            })
    void a_schema_has_these_values_and_not_those(String schema, String values, String others) {
        Automaton automaton = automaton(schema);
        for (String value : values.split(";", -1)) {
            assertThat(accepts(automaton, value)).as("%s has %s", schema, value).isTrue();
            assertThat(ConstrainedAnswersTest.errors(quoted(schema), quoted(value)))
                    .as(value)
                    .isEmpty();
        }
        for (String value : others.split(";", -1)) {
            assertThat(accepts(automaton, value)).as("%s has %s", schema, value).isFalse();
        }
    }

    private static String quoted(String text) {
        return text.replace('\'', '"');
    }

    private static Automaton automaton(String schema) {
        return new Automaton(SchemaReader.read(quoted(schema)), TokenTrieTest.of("a"));
    }

    private static boolean accepts(Automaton automaton, String value) {
        Automaton.State end = automaton.next(automaton.first(), quoted(value).getBytes(StandardCharsets.UTF_8));
        return end != null && end.accepts();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'type':'object','properties':{'a':{'type':'string','allOf':[]}}}|#/properties/a|'allOf'",
                "{'not':{}}|#|'not'",
                "{'if':{}}|#|'if'",
                "{'type':'array','items':{'type':'null'},'uniqueItems':true}|#|'uniqueItems'",
                "{'type':'array','items':{'type':'null'},'contains':{}}|#|'contains'",
                "{'type':'number','multipleOf':2}|#|'multipleOf'",
                "{'type':'object','patternProperties':{}}|#|'patternProperties'",
                "{'type':'object','minProperties':1}|#|'minProperties'",
                "{'type':'object','dependentRequired':{}}|#|'dependentRequired'",
                "{'type':'string','contentEncoding':'base64'}|#|'contentEncoding'",
                "{'type':'string','nullable':true}|#|'nullable'",
                "{'type':'string','format':'uri'}|#|'uri'",
                "{'type':'object','additionalProperties':{'type':'null'}}|#|'additionalProperties'",
                "{'type':'object','required':['x']}|#|'x'",
                "{'type':'array'}|#|'items'",
                "{'type':'array','items':[{'type':'null'}]}|#|'prefixItems'",
                "{'type':'text'}|#|'text'",
                "{'$ref':'https://example.com/s.json'}|#|https://example.com/s.json",
                "{'$ref':'other.json#/a'}|#|other.json",
                "{'$ref':'#/$defs/x'}|#|'$defs'",
                "{'$ref':'#/$defs/x','minLength':1,'$defs':{'x':{'type':'string'}}}|#|'minLength' beside '$ref'",
                "{'anyOf':[{'type':'string'}],'type':'string'}|#|'type' beside 'anyOf'",
                "{'anyOf':[]}|#/anyOf|list",
                "{'oneOf':[{'type':'integer'},{'type':'number'}]}|#|'oneOf'",
                "{'oneOf':[{'type':'object','properties':{'a':{'const':1}}},{'type':'object','properties':{'a':{'const':2}}}]}|#|0 and 1",
                "{'properties':{'a':{'anyOf':[{'type':'null'},true]}}}|#/properties/a/anyOf/1|object",
                "{}|#|'type'",
                "{'type':'string','pattern':'(?=a)'}|#/pattern|(?=",
                "{'type':'string','minLength':3,'maxLength':2}|#|at least 3 and at most 2",
                "{'type':'string','minLength':-1}|#/minLength|-1",
                "{'type':'string','format':'date','maxLength':5}|#|no text",
                "{'type':'integer','minimum':2,'exclusiveMaximum':2}|#|no integer",
                "{'type':'integer','exclusiveMinimum':true}|#/exclusiveMinimum|true",
                "{'type':'integer','minimum':1e999999999}|#/minimum|100 digits",
                "{'type':'array','prefixItems':[{'type':'null'}],'minItems':2}|#|at least 2 and at most 1",
                "{'type':'string','enum':[1,2]}|#|none of its values",
                "{'enum':[]}|#/enum|list",
                "{'$ref':'#'}|#|itself",
                "{'anyOf':[{'type':'null'},{'$ref':'#'}]}|#|itself",
                "{'$ref':'#/$defs/a','$defs':{'a':{'$ref':'#/$defs/b'},'b':{'anyOf':[{'$ref':'#/$defs/a'}]}}}|#/$defs|itself",
                "{'type':'object','properties':{'n':{'$ref':'#'}},'required':['n']}|schema|no value that ends",
                "{'type':'object','properties':{'$defs':{'not':{}}}}|#/properties/$defs|'not'",
                "[1]|schema|not an object",
                "{'type':|schema|not JSON",
                "{'type':'null','type':'null'}|schema|twice",
            })
    void what_is_not_supported_is_refused_by_name_and_place(String schema, String place, String name) {
        assertThatThrownBy(() -> SchemaReader.read(quoted(schema)))
                .isInstanceOf(PromptException.class)
                .hasMessageContaining(place)
                .hasMessageContaining(name);
    }

    @Test
    void alternatives_that_begin_alike_do_not_multiply_with_the_depth() {
        String[] ways = IntStream.range(0, 20)
                .mapToObj(i -> "{'type':'object','properties':{'a':{'$ref':'#'},'n" + i
                        + "':{'type':'null'}},'required':['a']}")
                .toArray(String[]::new);
        Automaton automaton = automaton("{'anyOf':[{'type':'null'}," + String.join(",", ways) + "]}");
        int depth = 2000;
        Automaton.State state = automaton.first();
        for (int i = 0; i < depth; i++) {
            state = behind(automaton, state, "{'a': ");
        }
        state = behind(automaton, state, "null");
        for (int i = 0; i < depth; i++) {
            assertThat(state.accepts()).isFalse();
            state = behind(automaton, state, i == 5 ? ", 'n7': null}" : "}");
        }
        assertThat(state.accepts()).isTrue();
        assertThat(state.isLast()).isTrue();
    }

    private static Automaton.State behind(Automaton automaton, Automaton.State state, String text) {
        return Objects.requireNonNull(automaton.next(state, quoted(text).getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void more_ways_than_are_followed_are_an_error_and_no_answer() {
        String ways = IntStream.range(0, 1500)
                .mapToObj(i -> "{'type':'object','properties':{'a':{'const':" + i + "}},'required':['a']}")
                .collect(Collectors.joining(","));
        assertThatThrownBy(() -> automaton("{'anyOf':[{'type':'null'}," + ways + "]}"))
                .isInstanceOf(PromptException.class)
                .hasMessageContaining("1000");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 30, 1000})
    void an_enum_may_be_long(int size) {
        String[] values =
                IntStream.range(0, size).mapToObj(i -> "'value " + i + "'").toArray(String[]::new);
        Automaton automaton = automaton("{'enum':" + Arrays.toString(values) + "}");
        assertThat(values).allMatch(value -> accepts(automaton, value));
        assertThat(accepts(automaton, "'value " + size + "'")).isFalse();
    }
}
