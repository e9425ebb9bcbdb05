package io.langbridge.runtime.core.text.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.PromptException;
import io.langbridge.UnsupportedModelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTemplateTest {
    private static String render(String template) {
        return ChatTemplate.parse(template, "test.jinja").render(new HashMap<>());
    }

    private static Map<String, Object> message(String role, Object content) {
        Map<String, Object> message = new HashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }

    private static void write(Path file, String text) throws Exception {
        Files.write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void the_template_of_a_folder_is_rendered_with_its_generation_prompt() {
        ChatTemplate template = ChatTemplate.of(Paths.get("src/test/resources/qwen2-style"));
        List<Map<String, Object>> messages =
                Arrays.asList(message("system", "Be exact."), message("user", "How many?"));

        assertThat(template).isNotNull();
        assertThat(template.render(messages, true, Collections.emptyMap()))
                .isEqualTo("<|im_start|>system\nBe exact."
                        + "<|im_end|>\n<|im_start|>user\nHow many?<|im_end|>\n<|im_start|>assistant\n");
    }

    @Test
    void template_code_in_a_message_is_text() {
        Map<String, Object> variables = Collections.singletonMap("x", "{{ 1 + 1 }} {% raw");

        assertThat(ChatTemplate.parse("{{ x }}", "t").render(variables)).isEqualTo("{{ 1 + 1 }} {% raw");
    }

    /** Expected values were printed by Jinja2 3.1. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "{{ 'abc'[::-1] }} {{ [1,2,3][-3:-1] }};cba [1, 2]",
                "{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** -1 }} {{ 7 / 2 }};3 -4 2 0.5 3.5",
                "{{ [1e16, 1e15, 0.0001, 1e-5, -0.0, 1/3] }};[1e+16, 1000000000000000.0, 0.0001, 1e-05, -0.0, "
                        + "0.3333333333333333]",
                "{{ ['it\\'s', 'a\"b'] }};[\"it's\", 'a\"b']",
                "{{ (1,) }} {{ () }} {{ {'k': none} }};(1,) () {'k': None}",
                "{{ '  a  b '.split(None, 1) }} {{ 'a-b-c'.rsplit('-', 1) }};['a', 'b '] ['a-b', 'c']",
                "{{ 1 < 2 < 3 }} {{ 'b' not in 'abc' }} {{ true == 1 }};True False True",
                "{{ x is defined }}{{ x }}{{ x | default('d') }} {{ none | default('n', true) }};Falsed n",
                "{% for i in [1,2] %}{% if i == 1 %}{% set x = 1 %}{% endif %}[{{ x }}]{% endfor %};[1][]",
                "{% for a in [1,2,3] if a != 2 %}{{ loop.index }}{{ a }}{{ loop.previtem }} {% endfor %}.;11 231 .",
                "{% macro m(a, b=a) %}<{{ a }}{{ b }}>{% endmacro %}{{ m(1) }}{{ m(1, b=3) }};<11><13>",
                "{{ {'b': [], 'a': 'é'} | tojson(sort_keys=true) }};{\"a\": \"é\", \"b\": []}",
                "{% for k, v in {'b': 1, 'a': 2} | dictsort %}{{ k }}{{ v }}{% endfor %};a2b1",
                "{{ 'aé😀b'[2] }} {{ 'aé😀b' | length }};😀 4",
                "{% raw %}{{ x }}{% endraw %};{{ x }}",
                "{% set ns = namespace(a=1) %}{% for i in [1,2] %}{% set ns.a = ns.a + i %}{% endfor %}{{ ns.a }};4"
            })
    void expressions_print_as_in_python(String template, String expected) {
        assertThat(render(template)).isEqualTo(expected);
    }

    @Test
    void a_template_refuses_in_its_own_words() {
        assertThatThrownBy(() -> render("{{ raise_exception('roles must alternate') }}"))
                .isInstanceOf(PromptException.class)
                .hasMessage("roles must alternate");
    }

    @Test
    void a_failing_expression_is_located() {
        assertThatThrownBy(() -> render("a\nb {{ nothing.here }}"))
                .isInstanceOf(PromptException.class)
                .hasMessageContaining("test.jinja")
                .hasMessageContaining("line 2")
                .hasMessageContaining("'nothing' is undefined");
        assertThatThrownBy(() -> render("{{ 'a' + none }}"))
                .isInstanceOf(PromptException.class)
                .hasMessageContaining("'str' and 'NoneType'");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{% include 'x' %}|the tag 'include'",
                "{% for a in [] %}{{ 1 ` nope }}{% endfor %}|the filter 'nope'",
                "{{ 1 ` nope }}|the filter 'nope'",
                "{{ 1 is nope }}|the test 'nope'",
                "{{ ''.encode() }}|the method 'encode' of str",
                "{{ 'a b' ` wordwrap }}|the filter 'wordwrap'",
                "{{ lipsum() }}|the function 'lipsum'",
                "{{ 99999999999999999999 }}|the number 99999999999999999999"
            })
    void what_is_not_supported_is_named(String template, String expected) {
        assertThatThrownBy(() -> render(template.replace('`', '|')))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"{{ [1", "{% if x %}", "{% endif %}", "{{ 'a }}", "{# x", "{{ }}", "{{ 1 2 }}", "{{ $ }}"})
    void a_damaged_template_is_refused(String template) {
        assertThatThrownBy(() -> render(template))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("test.jinja, line 1, is damaged");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
                "{{ 'a' * 999999999 }}",
                "{{ range(999999999) }}",
                "{{ 9 ** 9999999 }}",
                "{% set n = namespace(x='aaaa') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
                "{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}"
            })
    void a_hostile_template_ends_with_an_error(String template) {
        assertThatThrownBy(() -> render(template)).isInstanceOf(PromptException.class);
    }

    @Test
    void deep_nesting_in_the_source_is_refused() {
        StringBuilder template = new StringBuilder("{{ ");
        for (int i = 0; i < 5000; i++) {
            template.append('[');
        }
        for (int i = 0; i < 5000; i++) {
            template.append(']');
        }

        assertThatThrownBy(() -> render(template.append(" }}").toString()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("levels of nesting");
    }

    @Test
    void nothing_of_java_can_be_reached() {
        assertThat(render("{{ ''.class }}{{ [].__class__ }}{{ range.call }}")).isEmpty();
        assertThatThrownBy(() -> render("{{ ''.getClass() }}")).isInstanceOf(PromptException.class);
        assertThatThrownBy(() -> ChatTemplate.parse("{{ x }}", "t")
                        .render(Collections.singletonMap("x", Thread.currentThread())))
                .isInstanceOf(PromptException.class)
                .hasMessageContaining("java.lang.Thread");
    }

    @Test
    void content_parts_are_told_from_plain_content() {
        assertThat(ChatTemplate.parse(
                                "{% for m in messages %}{% for p in m.content %}{% if p.type == 'text' %}"
                                        + "{{ p.text }}{% else %}<image>{% endif %}{% endfor %}{% endfor %}",
                                "t")
                        .takesContentParts())
                .isTrue();
        assertThat(ChatTemplate.parse("{% for m in messages %}{{ m.content }}{% endfor %}", "t")
                        .takesContentParts())
                .isFalse();
        assertThat(ChatTemplate.parse("{% for m in messages %}{{ 'x' + m.content }}{% endfor %}", "t")
                        .takesContentParts())
                .isFalse();
    }

    @Test
    void a_template_is_found_in_each_of_its_places(@TempDir Path folder) throws Exception {
        assertThat(ChatTemplate.of(folder)).isNull();

        write(
                folder.resolve("tokenizer_config.json"),
                "{\"bos_token\": {\"content\": \"<s>\"}, \"chat_template\": ["
                        + "{\"name\": \"tool_use\", \"template\": \"t\"},"
                        + "{\"name\": \"default\", \"template\": \"{{ bos_token }}config\"}]}");
        assertThat(renderFolder(folder)).isEqualTo("<s>config");

        write(folder.resolve("chat_template.jinja"), "{{ bos_token }}jinja{{ tools is none }}\n");
        assertThat(renderFolder(folder)).isEqualTo("<s>jinjaTrue");

        write(folder.resolve("chat_template.json"), "{\"chat_template\": \"{{ bos_token }}json\"}");
        assertThat(renderFolder(folder)).isEqualTo("<s>json");

        write(folder.resolve("processor_config.json"), "{\"chat_template\": {\"default\": \"processor\"}}");
        assertThat(renderFolder(folder)).isEqualTo("processor");
    }

    @Test
    void several_templates_need_one_that_is_called_default(@TempDir Path folder) throws Exception {
        write(folder.resolve("tokenizer_config.json"), "{\"chat_template\": {\"rag\": \"r\", \"tool_use\": \"t\"}}");
        assertThatThrownBy(() -> ChatTemplate.of(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tokenizer_config.json")
                .hasMessageContaining("[rag, tool_use]");

        Files.createDirectory(folder.resolve("additional_chat_templates"));
        write(folder.resolve("additional_chat_templates").resolve("tool_use.jinja"), "tools");
        assertThatThrownBy(() -> ChatTemplate.of(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("[tool_use]")
                .hasMessageContaining("chat_template.jinja");

        write(folder.resolve("chat_template.jinja"), "default");
        assertThat(renderFolder(folder)).isEqualTo("default");

        write(folder.resolve("chat_template.json"), "{\"chat_template\": \"x\"}");
        assertThatThrownBy(() -> ChatTemplate.of(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("delete chat_template.json");
    }

    @Test
    void what_comes_out_of_a_template_is_shown_on_one_line() {
        assertThatThrownBy(() -> render("{{ raise_exception('a\\x1b[2J\\nb') }}"))
                .isInstanceOf(PromptException.class)
                .hasMessage("a\\u001b[2J\\nb");
        assertThatThrownBy(() -> render("{% \u202E %}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("column 4")
                .hasMessageContaining("\\u202e");
    }

    @Test
    void marks_in_a_message_come_through_every_way_of_printing_it() {
        String guarded = "a\uFDD0<b>";

        assertThat(ChatTemplate.parse("{{ m }}{{ m.c | tojson }}{{ m.c | tojson(true) }}{{ m.c | trim }}", "t")
                        .render(Collections.singletonMap("m", Collections.singletonMap("c", guarded))))
                .isEqualTo("{'c': '" + guarded + "'}\"" + guarded + "\"\"" + guarded + "\"" + guarded);
    }

    private static String renderFolder(Path folder) {
        ChatTemplate template = ChatTemplate.of(folder);
        assertThat(template).isNotNull();
        return template.render(Collections.emptyList(), false, Collections.emptyMap());
    }

    @Test
    void a_broken_config_is_named(@TempDir Path folder) throws Exception {
        write(folder.resolve("tokenizer_config.json"), "{\"chat_template\": 3}");
        assertThatThrownBy(() -> ChatTemplate.of(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tokenizer_config.json");

        write(folder.resolve("tokenizer_config.json"), "{\"chat_template\": ");
        assertThatThrownBy(() -> ChatTemplate.of(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tokenizer_config.json");
    }

    @Test
    void dates_are_written_as_templates_ask() {
        LocalDateTime time = LocalDateTime.of(2024, 7, 6, 15, 4, 5);

        assertThat(Globals.strftime(time, "%d %b %Y, %A %-d %B %H:%M:%S %I %p %j %y %m %a 100%%", new Budget()))
                .isEqualTo("06 Jul 2024, Saturday 6 July 15:04:05 03 PM 188 24 07 Sat 100%");
        assertThat(render("{{ strftime_now('%Y') | length }}")).isEqualTo("4");
    }
}
