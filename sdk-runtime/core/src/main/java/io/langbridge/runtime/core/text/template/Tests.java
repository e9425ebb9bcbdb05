package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Function.Arguments;
import io.langbridge.runtime.core.text.template.Function.Body;
import io.langbridge.runtime.core.text.template.Values.Lazy;
import io.langbridge.runtime.core.text.template.Values.Markup;
import io.langbridge.runtime.core.text.template.Values.None;
import io.langbridge.runtime.core.text.template.Values.Undefined;
import io.langbridge.runtime.core.text.template.Values.View;
import java.util.HashMap;
import java.util.Map;

/** The tests of Jinja2: what may stand after {@code is}. */
final class Tests {
    static final Map<String, Function> ALL = new HashMap<>();

    private Tests() {}

    private static void add(String names, String parameters, Body body) {
        for (String name : names.split(" ", -1)) {
            ALL.put(name, new Function(name, parameters, body));
        }
    }

    private interface Kind {
        boolean holds(Object value);
    }

    private static void kind(String name, Kind kind) {
        add(name, "value", a -> kind.holds(a.get(0)));
    }

    private static void operator(String operator, String names) {
        add(names, "a b /", a -> Operators.holds(operator, a.get(0), a.get(1), a.budget));
    }

    static {
        kind("defined", value -> !(value instanceof Undefined));
        kind("undefined", value -> value instanceof Undefined);
        kind("none", value -> value instanceof None);
        kind("boolean", value -> value instanceof Boolean);
        kind("true", value -> Boolean.TRUE.equals(value));
        kind("false", value -> Boolean.FALSE.equals(value));
        kind("integer", value -> value instanceof Long);
        kind("float", value -> value instanceof Double);
        kind("number", Python::isNumber);
        kind("string", value -> Python.textOrNull(value) != null);
        kind("mapping", value -> value instanceof Dict);
        kind("escaped", value -> value instanceof Markup);
        kind("callable", value -> value instanceof Values.Callable || value instanceof Undefined);
        kind(
                "sequence",
                value -> !(value instanceof View)
                        && (Python.size(value) != null
                                || Python.textOrNull(value) != null
                                || value instanceof Undefined));
        kind(
                "iterable",
                value -> Python.size(value) != null
                        || Python.textOrNull(value) != null
                        || value instanceof Undefined
                        || value instanceof Lazy
                        || value instanceof Loop);
        add("upper", "value", a -> Texts.isCase(a.str(0), true, a.budget));
        add("lower", "value", a -> Texts.isCase(a.str(0), false, a.budget));
        add("odd", "value", a -> leaves(a, 2L, 1L));
        add("even", "value", a -> leaves(a, 2L, 0L));
        add("divisibleby", "value num", a -> leaves(a, a.get(1), 0L));
        add("sameas", "value other", a -> same(a.get(0), a.get(1)));
        add("in", "value seq", a -> Python.contains(a.get(1), a.get(0), a.budget));
        add("filter", "value", a -> Filters.ALL.containsKey(hashable(a)));
        add("test", "value", a -> ALL.containsKey(hashable(a)));
        operator("==", "== eq equalto");
        operator("!=", "!= ne");
        operator(">", "> gt greaterthan");
        operator(">=", ">= ge");
        operator("<", "< lt lessthan");
        operator("<=", "<= le");
    }

    private static boolean leaves(Arguments a, Object divisor, Object rest) {
        return Python.equal(Operators.apply("%", a.get(0), divisor, a.run), rest, a.budget);
    }

    private static String hashable(Arguments a) {
        new Dict().get(a.get(0), a.budget);
        String name = Python.textOrNull(a.get(0));
        return name == null ? "" : name;
    }

    /** Python keeps one copy of small integers and of the words in a template. */
    private static boolean same(Object a, Object b) {
        return a == b || a.equals(b) && (a instanceof Boolean || a instanceof Long || a instanceof String);
    }
}
