package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Function.Arguments;
import io.langbridge.runtime.core.text.template.Function.Body;
import io.langbridge.runtime.core.text.template.Values.Markup;
import io.langbridge.runtime.core.text.template.Values.None;
import io.langbridge.runtime.core.text.template.Values.Range;
import io.langbridge.runtime.core.text.template.Values.Tuple;
import io.langbridge.runtime.core.text.template.Values.Undefined;
import io.langbridge.runtime.core.text.template.Values.View;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The methods of Python's types, as far as its sandbox lets templates call them. */
final class Methods {
    private static final Map<String, Function> TEXT = new HashMap<>();
    private static final Map<String, Function> DICT = new HashMap<>();
    private static final Map<String, Function> SEQUENCE = new HashMap<>();
    private static final Map<String, Function> NUMBER = new HashMap<>();

    /** What a text marked as safe does like any other, and whose results are not marked. */
    private static final Set<String> PLAIN_RESULT = new HashSet<>(Arrays.asList("encode", "maketrans"));

    private static final Set<String> CHANGES_LIST =
            new HashSet<>(Arrays.asList("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"));
    private static final Set<String> CHANGES_DICT =
            new HashSet<>(Arrays.asList("clear", "pop", "popitem", "setdefault", "update"));

    private Methods() {}

    /** An attribute of a value that is no item of it; null if there is none. */
    static @Nullable Object find(Object target, String name, Run run) {
        if (target instanceof Values.Namespace namespace) {
            return namespace.attributes.get(name);
        }
        if (target instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (name.startsWith("__")) {
            boolean item = target instanceof Dict dict && dict.get(name) != null;
            return item ? null : unsafe(target, name);
        }
        if (target instanceof Values.Attributed own) {
            return own.attribute(name, run);
        }
        if (target instanceof Tuple tuple && tuple.names().contains(name)) {
            return tuple.items().get(tuple.names().indexOf(name));
        }
        boolean changes = target instanceof List
                ? CHANGES_LIST.contains(name)
                : target instanceof Dict && CHANGES_DICT.contains(name);
        if (changes) {
            return unsafe(target, name);
        }
        if (target instanceof Range range
                && Arrays.asList("start", "stop", "step").contains(name)) {
            return name.equals("start") ? range.start() : name.equals("stop") ? range.stop() : range.step();
        }
        Function method = name.equals("copy") && !(target instanceof List || target instanceof Dict)
                ? null
                : methods(target).get(name);
        return method == null ? null : method.bound(target);
    }

    private static Undefined unsafe(Object target, String name) {
        return new Undefined("access to attribute '" + Shown.of(name) + "' of '" + Python.typeName(target)
                + "' object is unsafe; templates change nothing but a namespace");
    }

    private static Map<String, Function> methods(Object target) {
        return Python.textOrNull(target) != null
                ? TEXT
                : target instanceof Dict
                        ? DICT
                        : target instanceof List || target instanceof Tuple || target instanceof Range
                                ? SEQUENCE
                                : Python.isNumber(target) ? NUMBER : Collections.emptyMap();
    }

    private static void text(String name, String parameters, Body body) {
        TEXT.put(name, new Function(name, "self " + parameters, arguments -> {
            Object result = body.apply(arguments);
            return arguments.get(0) instanceof Markup && !PLAIN_RESULT.contains(name)
                    ? marked(result, arguments.budget)
                    : result;
        }));
    }

    private static Object marked(Object result, Budget budget) {
        if (result instanceof String text) {
            budget.objects(1);
            return new Markup(text);
        }
        if (result instanceof List || result instanceof Tuple) {
            List<Object> items = Python.list(result, budget);
            items.replaceAll(item -> marked(item, budget));
            return result instanceof List ? items : new Tuple(items);
        }
        return result;
    }

    private static void unsupported(Map<String, Function> methods, String type, String... names) {
        for (String name : names) {
            methods.put(name, new Function(name, "self / * **", arguments -> {
                throw new Failure.Unsupported("the method '" + name + "' of " + type);
            }));
        }
    }

    /** An argument of a method of a text; escaped where the text itself is marked as safe. */
    private static String like(Arguments a, int index) {
        String text = a.text(index);
        return a.get(0) instanceof Markup ? Operators.escaped(a.get(index), a.budget) : text;
    }

    static {
        text("strip", "chars= /", a -> Texts.strip(a.text(0), a.textOrNone(1), true, true, a.budget));
        text("lstrip", "chars= /", a -> Texts.strip(a.text(0), a.textOrNone(1), true, false, a.budget));
        text("rstrip", "chars= /", a -> Texts.strip(a.text(0), a.textOrNone(1), false, true, a.budget));
        text("upper", "/", a -> Texts.upper(a.text(0), a.budget));
        text("lower", "/", a -> Texts.lower(a.text(0), a.budget));
        text(
                "casefold",
                "/",
                a -> Texts.lower(Texts.upper(a.text(0), a.budget), a.budget).replace('\u03C2', '\u03C3'));
        text("capitalize", "/", a -> Texts.capitalize(a.text(0), a.budget));
        text("title", "/", a -> Texts.title(a.text(0), a.budget));
        text("swapcase", "/", a -> Texts.swapCase(a.text(0), a.budget));
        text("startswith", "prefix start= end= /", a -> affix(a, true));
        text("endswith", "suffix start= end= /", a -> affix(a, false));
        text("removeprefix", "prefix /", a -> {
            String text = a.text(0);
            String prefix = a.text(1);
            return text.startsWith(prefix) ? Texts.part(text, prefix.length(), text.length(), a.budget) : text;
        });
        text("removesuffix", "suffix /", a -> {
            String text = a.text(0);
            String suffix = a.text(1);
            return text.endsWith(suffix) ? Texts.part(text, 0, text.length() - suffix.length(), a.budget) : text;
        });
        text("split", "/ sep= maxsplit=", a -> Texts.split(a.text(0), a.textOrNone(1), a.number(2, -1), a.budget));
        text(
                "rsplit",
                "/ sep= maxsplit=",
                a -> Texts.splitFromRight(a.text(0), a.textOrNone(1), a.number(2, -1), a.budget));
        text("splitlines", "/ keepends=", a -> Texts.splitLines(a.text(0), a.flag(1), a.budget));
        text("partition", "sep /", a -> partition(a, Search.first(a.text(0), separator(a), 0, a.budget), true));
        text(
                "rpartition",
                "sep /",
                a -> partition(a, Search.last(a.text(0), separator(a), a.text(0).length(), a.budget), false));
        text(
                "replace",
                "old new count= /",
                a -> Texts.replace(a.text(0), a.text(1), like(a, 2), a.number(3, -1), a.budget));
        text("join", "iterable /", Methods::join);
        text("find", "sub start= end= /", a -> find(a, true));
        text("rfind", "sub start= end= /", a -> find(a, false));
        text("index", "sub start= end= /", a -> found(find(a, true)));
        text("rindex", "sub start= end= /", a -> found(find(a, false)));
        text("count", "sub start= end= /", a -> {
            String window = window(a);
            return window == null ? 0L : Texts.count(window, a.text(1), a.budget);
        });
        text("center", "width fillchar= /", a -> padded(a, 0));
        text("ljust", "width fillchar= /", a -> padded(a, -1));
        text("rjust", "width fillchar= /", a -> padded(a, 1));
        text("zfill", "width /", a -> Texts.zeroFilled(a.text(0), Python.toLong(a.get(1)), a.budget));
        text("expandtabs", "/ tabsize=", a -> Texts.expandTabs(a.text(0), a.number(1, 8), a.budget));
        text("format", "/ * **", a -> Format.format(a.get(0), a.more, a.named, a.run));
        text("format_map", "mapping /", a -> Format.formatMap(a.get(0), a.get(1), a.run));
        all("isupper", a -> Texts.isCase(a.text(0), true, a.budget));
        all("islower", a -> Texts.isCase(a.text(0), false, a.budget));
        all("istitle", a -> Texts.isTitle(a.text(0), a.budget));
        each("isspace", false, Python::isSpace);
        each("isalpha", false, Character::isLetter);
        each("isdecimal", false, Character::isDigit);
        each("isdigit", false, Methods::isDigit);
        each("isnumeric", false, Methods::isNumeric);
        each("isalnum", false, c -> Character.isLetter(c) || isNumeric(c));
        each("isascii", true, c -> c < 0x80);
        each("isprintable", true, Python::isPrintable);
        all("isidentifier", a -> isIdentifier(a.text(0), a.budget));
        unsupported(TEXT, "str", "encode", "maketrans", "translate");

        DICT.put("items", new Function("items", "self /", a -> new View(View.Part.ITEMS, (Dict) a.get(0))));
        DICT.put("keys", new Function("keys", "self /", a -> new View(View.Part.KEYS, (Dict) a.get(0))));
        DICT.put("values", new Function("values", "self /", a -> new View(View.Part.VALUES, (Dict) a.get(0))));
        DICT.put("copy", new Function("copy", "self /", a -> {
            Dict copy = new Dict();
            copy.putAll((Dict) a.get(0), a.budget);
            return copy;
        }));
        DICT.put("get", new Function("get", "self key default= /", a -> {
            Object value = ((Dict) a.get(0)).get(a.get(1), a.budget);
            return value != null ? value : a.get(2, None.NONE);
        }));
        unsupported(DICT, "dict", "fromkeys");

        SEQUENCE.put("index", new Function("index", "self value start= stop= /", Methods::indexOf));
        SEQUENCE.put("count", new Function("count", "self value /", a -> {
            long count = 0;
            for (Iterator<Object> i = Python.iterate(a.get(0), a.budget); i.hasNext(); ) {
                count += Python.equal(i.next(), a.get(1), a.budget) ? 1 : 0;
            }
            return count;
        }));
        SEQUENCE.put("copy", new Function("copy", "self /", a -> Python.list(a.get(0), a.budget)));

        NUMBER.put("is_integer", new Function("is_integer", "self /", a -> {
            double number = Python.toDouble(a.get(0));
            return number == Math.rint(number) && !Double.isInfinite(number);
        }));
        NUMBER.put("conjugate", new Function("conjugate", "self /", a -> a.get(0)));
        NUMBER.put("bit_length", new Function("bit_length", "self /", a -> {
            long number = Python.toLong(a.get(0));
            return 64L - Long.numberOfLeadingZeros(number < 0 ? -number : number);
        }));
        unsupported(NUMBER, "numbers", "as_integer_ratio", "bit_count", "from_bytes", "to_bytes", "hex", "fromhex");
    }

    private interface CharacterTest {
        boolean test(int c);
    }

    private static void all(String name, Body body) {
        text(name, "/", body);
    }

    private static void each(String name, boolean ofEmpty, CharacterTest test) {
        text(name, "/", a -> {
            String text = a.text(0);
            a.budget.scan(text.length());
            return text.isEmpty() ? ofEmpty : text.codePoints().allMatch(test::test);
        });
    }

    private static boolean isDigit(int c) {
        return Character.isDigit(c)
                || c == 0xB2
                || c == 0xB3
                || c == 0xB9
                || c == 0x2070
                || c >= 0x2074 && c <= 0x2079
                || c >= 0x2080 && c <= 0x2089
                || c >= 0x2460 && c <= 0x2468;
    }

    private static boolean isNumeric(int c) {
        int type = Character.getType(c);
        return type == Character.DECIMAL_DIGIT_NUMBER
                || type == Character.LETTER_NUMBER
                || type == Character.OTHER_NUMBER
                || c < 0x10000
                        && "\u3007\u4E00\u4E8C\u4E09\u56DB\u4E94\u516D\u4E03\u516B\u4E5D\u5341\u767E\u5343\u4E07\u4EBF"
                                        .indexOf(c)
                                >= 0;
    }

    private static boolean isIdentifier(String text, Budget budget) {
        budget.scan(text.length());
        if (text.isEmpty()) {
            return false;
        }
        int first = text.codePointAt(0);
        return (first == '_' || Character.isUnicodeIdentifierStart(first))
                && text.codePoints()
                        .allMatch(c -> Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c));
    }

    private static String separator(Arguments a) {
        if (a.text(1).isEmpty()) {
            throw new Failure("empty separator");
        }
        return a.text(1);
    }

    private static Object partition(Arguments a, int at, boolean first) {
        String text = a.text(0);
        String separator = a.text(1);
        a.budget.slots(3);
        a.budget.text(text.length());
        if (at < 0) {
            return new Tuple(first ? Arrays.asList(text, "", "") : Arrays.asList("", "", text));
        }
        return new Tuple(Arrays.asList(text.substring(0, at), separator, text.substring(at + separator.length())));
    }

    private static Object join(Arguments a) {
        String separator = a.text(0);
        TextBuilder out = new TextBuilder(a.budget);
        boolean any = false;
        for (Iterator<Object> i = Python.iterate(a.get(1), a.budget); i.hasNext(); ) {
            Object item = i.next();
            String text = a.get(0) instanceof Markup ? Operators.escaped(item, a.budget) : Python.textOrNull(item);
            if (text == null) {
                throw new Failure("sequence item: expected str instance, " + Python.typeName(item) + " found");
            }
            out.append(any ? separator : "").append(text);
            any = true;
        }
        return out.toString();
    }

    private static Object padded(Arguments a, int side) {
        String fill = a.has(2) ? like(a, 2) : " ";
        return Texts.pad(a.text(0), Python.toLong(a.get(1)), fill, side, a.budget);
    }

    /** The part of a text between the arguments start and end; null if start is behind its end. */
    private static @Nullable String window(Arguments a) {
        String text = a.text(0);
        if (!a.given(2) && !a.given(3)) {
            return text;
        }
        long size = Python.length(text, a.budget);
        long start = a.given(2) ? Python.toLong(a.get(2)) : 0;
        if (start > size) {
            return null;
        }
        Long end = a.given(3) ? Long.valueOf(Python.toLong(a.get(3))) : null;
        Object part = Python.slice(text, start, end, null, a.budget);
        return edge(end == null ? size : end, size) < edge(start, size) ? null : (String) part;
    }

    private static long edge(long index, long size) {
        return index < 0 ? Math.max(0, index + size) : Math.min(index, size);
    }

    private static long find(Arguments a, boolean first) {
        String part = a.text(1);
        String window = window(a);
        if (window == null) {
            return -1;
        }
        int at = first ? Search.first(window, part, 0, a.budget) : Search.last(window, part, window.length(), a.budget);
        if (at < 0) {
            return -1;
        }
        a.budget.scan(at);
        long before = a.given(2) ? edge(Python.toLong(a.get(2)), Python.length(a.get(0), a.budget)) : 0;
        return before + window.codePointCount(0, at);
    }

    private static long found(long at) {
        if (at < 0) {
            throw new Failure("substring not found");
        }
        return at;
    }

    private static boolean affix(Arguments a, boolean first) {
        Object wanted = a.get(1);
        String window = window(a);
        for (Object part : wanted instanceof Tuple tuple ? tuple.items() : Collections.singletonList(wanted)) {
            String affix = Python.textOrNull(part);
            if (affix == null) {
                if (part instanceof Undefined undefined && !(wanted instanceof Tuple)) {
                    throw undefined.failure();
                }
                throw new Failure(a.function + " first arg must be str or a tuple of str");
            }
            a.budget.scan(affix.length());
            if (window != null && (first ? window.startsWith(affix) : window.endsWith(affix))) {
                return true;
            }
        }
        return false;
    }

    private static Object indexOf(Arguments a) {
        long size = Python.length(a.get(0), a.budget);
        long from = edge(a.number(2, 0), size);
        long to = edge(a.number(3, size), size);
        long at = 0;
        for (Iterator<Object> i = Python.iterate(a.get(0), a.budget); i.hasNext(); at++) {
            Object item = i.next();
            if (at >= from && at < to && Python.equal(item, a.get(1), a.budget)) {
                return at;
            }
        }
        throw new Failure("the value is not in the " + Python.typeName(a.get(0)));
    }
}
