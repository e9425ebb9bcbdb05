package io.langbridge.runtime.core.text.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.langbridge.LangBridgeException;
import io.langbridge.PromptException;
import java.lang.management.ManagementFactory;
import java.util.Collections;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What templates cost, in the units that are charged before anything is done or made. */
class BudgetTest {
    /** What is made on the way included, most of which is gone at once. */
    static final long BYTES_PER_UNIT = 4;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static String times(String text, int count) {
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < count; i++) {
            all.append(text);
        }
        return all.toString();
    }

    private static long cost(String template) {
        return cost(template, Collections.emptyMap());
    }

    private static long cost(String template, Map<String, Object> variables) {
        Budget budget = new Budget();
        Run.render(Parser.parse(template, "t"), variables, "t", budget);
        return budget.spent();
    }

    /** Twice the size may cost twice as much and a little, not four times. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% set t = 'a' * N %}{{ ('a' * N ~ 'b') in (t ~ t) }}",
                "{% set t = 'a' * N %}{{ (t ~ t).find(t ~ 'b') }}{{ (t ~ t).rfind('b' ~ t) }}",
                "{% set t = 'a' * N %}{{ (t ~ t) | replace(t ~ 'b', '') | length }}{{ (t ~ t).count(t ~ 'b') }}",
                "{% set t = 'a' * N %}{{ (t ~ t).split(t ~ 'b') | length }}{{ ('a ' * N).split() | length }}",
                "{{ ('a ' * N) | title | length }}{{ ('<' * N) | striptags | length }}{{ (' ' * N) | trim }}",
                "{{ ('ab' * N).strip('ba' * N) }}{{ ('\n' * N) | indent | length }}",
                "{% for c in 'a' * N %}{% endfor %}{{ ('a' * N) | list | length }}",
                "{{ (['b', 'a'] * N) | unique | list }}{{ (['b', 'a'] * N) | select('in', ['c']) | list }}",
                "{{ (['a'] * N) | join('b') | length }}{{ (['a'] * N) | tojson | length }}{{ ['a'] * N }}"
            })
    void work_grows_with_the_size(String template) {
        long once = cost(template.replace("N", "2000"));
        long twice = cost(template.replace("N", "4000"));

        assertThat(twice).isGreaterThan(once).isLessThan(once * 9 / 4);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "{{ t == u }};100000",
                "{{ [t] == [u] }};100000",
                "{{ t < u }};100000",
                "{{ 'b' in t }};100000",
                "{{ t | length }};100000",
                "{{ t is lower }};100000",
                "{{ {t: 1} | length }};100000",
                "{{ [t, u] | sort(case_sensitive=true) | length }};100000",
                "{% set x = t ~ u %};800000",
                "{% set x = t + u %};800000",
                "{% set x = t | upper %};400000",
                "{% set x = t[1:] %};400000",
                "{% set x = t | tojson %};400000",
                "{% set x = [0] * 100000 %};1600000"
            })
    void long_values_are_charged_by_their_length(String template, long least) {
        Map<String, Object> variables = new java.util.HashMap<>();
        variables.put("t", times("a", 100_000));
        variables.put("u", times("a", 100_000));

        assertThat(cost(template, variables)).isGreaterThanOrEqualTo(least).isLessThan(least * 8);
    }

    /** Small values too: each is made thousands of times. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "1e-300 | string",
                "(1 / 3) | string",
                "(1e-300 / 3) | tojson",
                "5e-324 | string",
                "(1e-300 / 3) | round(2)",
                "'%f' % 1.5e300",
                "'%g' % 1e-300",
                "'%.1000e' % 1e-300",
                "'{:.1000f}'.format(1e300)",
                "t | urlencode",
                "t | list | string",
                "t | tojson",
                "'%a' % t",
                "t.swapcase()",
                "t.isupper()",
                "t | striptags",
                "'7b' | int(base=16)",
                "[t] | map('upper') | select('in', [t]) | list"
            })
    void what_is_made_is_charged(String expression) {
        String template = "{% for i in range(5000) %}{% set x = " + expression + " %}{% endfor %}";
        Map<String, Object> variables = Collections.singletonMap("t", "\u0001\u00e9\u0002\ufdd1 \u0003");
        cost(template, variables);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        long cost = cost(template, variables);
        long made = THREADS.getCurrentThreadAllocatedBytes() - before;

        assertThat(made).isLessThan(BYTES_PER_UNIT * cost);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for c in 'a' * 24000000 %}{% endfor %}",
                "{% set t = 'a' * 4000000 %}{% for i in range(90000) %}{{ 'b' in t }}{% endfor %}",
                "{% set l = range(99999) %}{% for i in l %}{% if -1 in l %}{% endif %}{% endfor %}",
                "{% for i in range(99999) if range(99999) | sum > 0 %}x{% endfor %}",
                "{{ ['a' * 800000] * 1000 | join('x' * 10000) }}",
                "{{ 'x' | center(10 ** 9) }}{{ 1 }}",
                "{{ '%0999999999d' % 1 }}",
                "{{ '{:>999999999}'.format(1) }}",
                "{{ '%*d' % (10 ** 12, 1) }}",
                "{{ [1] | batch(10 ** 12, 'x') | list }}",
                "{{ [1] | slice(10 ** 12) | list }}",
                "{% for x in [1] | slice(10 ** 12) %}{% endfor %}",
                "{{ ('\\n' * 1000000) | indent('x' * 100000) }}",
                "{{ '\\t'.expandtabs(10 ** 12) }}",
                "{{ ('a' * 100000) | replace('a', 'b' * 100000) }}",
                "{{ 2 ** (10 ** 18) }}",
                "{{ 1e999 | round | int }}",
                "{{ ('9' * 1000000) | int }}",
                "{{ -(-9223372036854775807 - 1) }}",
                "{{ (-9223372036854775807 - 1) // -1 }}",
                "{{ range(-9223372036854775807, 9223372036854775807) }}",
                "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
                "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
                        + "{{ n.x | tojson(indent=2) }}",
                "{% set n = namespace(x=(1,), y=(1,)) %}{% for i in range(60) %}{% set n.x = (n.x, n.x) %}"
                        + "{% set n.y = (n.y, n.y) %}{% endfor %}{{ n.x == n.y }}",
                "{% set n = namespace(x=(1,)) %}{% for i in range(60) %}{% set n.x = (n.x, n.x) %}{% endfor %}"
                        + "{{ {n.x: 1} }}",
                "{% set n = namespace() %}{% set n.x = n %}{{ n }}",
                "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
                "{{ (range(99999) | list * 20) | groupby('x') }}"
            })
    void what_would_never_end_ends_with_an_error(String template) {
        assertThatThrownBy(() -> cost(template)).isInstanceOf(PromptException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% macro f() %}{% if true %}{{ (f() ~ '') | upper }}{% endif %}{% endmacro %}{{ f() }}",
                "{% macro m() %}{{ caller() }}{% endmacro %}{% macro r() %}{% call m() %}{{ r() }}{% endcall %}"
                        + "{% endmacro %}{{ r() }}",
                "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
                "{% set n = namespace(x=[1]) %}{% for i in range(9000) %}{% set n.x = n.x | map('string') %}"
                        + "{% endfor %}{{ n.x | list }}",
                "{% set n = namespace(x=()) %}{% for i in range(9000) %}{% set n.x = (n.x,) %}{% endfor %}"
                        + "{{ {n.x: 1} }}",
                "{% set n = namespace(x=()) %}{% for i in range(9000) %}{% set n.x = (n.x,) %}{% endfor %}"
                        + "{{ n.x == (n.x[0],) }}{{ n.x }}"
            })
    void recursion_ends_before_a_small_stack_does(String template) throws Exception {
        assertThat(onSmallStack(template)).contains("more than " + Budget.DEEPEST + " levels deep");
    }

    @Test
    void a_filter_that_names_filters_does_nothing_until_its_items_are_asked_for() {
        String chain = "'a' | map(" + times("'map',", 30_000) + "'upper')";

        assertThat(cost("{% set lazy = " + chain + " %}")).isLessThan(5_000_000);
        assertThat(cost("{{ " + chain + " | map('list') | list }}")).isLessThan(10_000_000);
    }

    private static String onSmallStack(String template) throws Exception {
        String[] message = {""};
        Thread thread = new Thread(
                null,
                () -> {
                    try {
                        cost(template);
                    } catch (LangBridgeException e) {
                        message[0] = String.valueOf(e.getMessage());
                    }
                },
                "small stack",
                512 * 1024);
        thread.start();
        thread.join();
        return message[0];
    }

    /** Read one time, each is done in a moment; looked for to the end from every tag, in minutes. */
    @ParameterizedTest
    @CsvSource({
        "{% raw %},20000",
        "{%raw%},149000",
        "{#,200000",
        "{#}#},200000",
        "{% if x %},90000",
        "'{% set a = 1 %}',60000",
        "{{,400000",
        "'{{ 1 ',200000"
    })
    void a_long_source_is_read_once(String tag, int count) {
        String source = times(tag, count);
        try {
            assertThat(ChatTemplate.parse(source, "t")).isNotNull();
        } catch (LangBridgeException e) {
            assertThat(e.getMessage()).contains("t, line 1");
        }
    }
}
