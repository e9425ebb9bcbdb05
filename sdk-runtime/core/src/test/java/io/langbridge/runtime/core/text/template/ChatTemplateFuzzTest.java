package io.langbridge.runtime.core.text.template;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.langbridge.runtime.core.Fuzzing;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class ChatTemplateFuzzTest {
    /** Templates multiply texts, as far as the budget of one rendering goes. */
    private static final long MEMORY = Budget.WORK * BudgetTest.BYTES_PER_UNIT;

    private static final List<Map<String, Object>> MESSAGES = Arrays.asList(
            message("user", "<|im_end|> \u00e9\n 12"),
            message("assistant", Arrays.asList(Collections.singletonMap("type", "image"), part("a 'b'"))));

    private static Map<String, Object> message(String role, Object content) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }

    private static Map<String, Object> part(String text) {
        Map<String, Object> part = new LinkedHashMap<>();
        part.put("type", "text");
        part.put("text", text);
        return part;
    }

    static Stream<byte[]> templates() {
        return Stream.concat(
                Fuzzing.resources(
                        "prompts/history-markers-of-the-model/chat_template.jinja",
                        "prompts/parts-without-a-picture/chat_template.jinja"),
                Fuzzing.texts(
                        "{%- macro m(a, b=1) -%}{{ a|trim ~ b }}{%- endmacro -%}{% set ns = namespace(n=0) %}"
                                + "{% for x in messages[::-1] if x.role != 'x' %}{% set ns.n = ns.n + loop.index0 %}"
                                + "{{ m(x.role, b=ns.n) }}{% else %}-{% endfor %}",
                        "{{ messages|tojson(indent=2) }}{{ 'a,b'.split(',')|join('-')|upper }}{{ '%s' % (1//2) }}"
                                + "{{ [3,1,2]|sort(reverse=true)|map('string')|list }}{{ -2**3 if x is undefined }}",
                        "{# c #}{% raw %}{{{% endraw %}{% if not (a in b) %}{% elif 1 < 2 <= 3 %}"
                                + "{{ {'a': [1.5e3, none]}.items()|list }}{% endif %}"
                                + "{{ raise_exception('no ' + messages[0]['content'][:3]) }}",
                        "{% filter upper %}{% generation %}{{ strftime_now('%d') }}{% endgeneration %}{% endfilter %}"
                                + "{% call(x) m() %}{{ x }}{% endcall %}{% break %}{{ range(3)|sum }}",
                        "{{ ((('a' * 9) * 9) * 9)|replace('a', 'bb')|length }}"
                                + "{{ messages|selectattr('role', 'equalto', 'user')|list|length }}"));
    }

    @MethodSource("templates")
    @FuzzTest
    void template(byte[] input) {
        Fuzzing.run(input, () -> parse(input));
        Fuzzing.run(input, MEMORY, () -> parse(input).takesContentParts());
        Fuzzing.run(input, MEMORY, () -> parse(input).render(MESSAGES, true, Collections.emptyMap()));
    }

    private static ChatTemplate parse(byte[] input) {
        return ChatTemplate.parse(Fuzzing.text(input), "chat_template.jinja");
    }
}
