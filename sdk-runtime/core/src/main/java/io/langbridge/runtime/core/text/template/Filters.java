package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Function.Arguments;
import io.langbridge.runtime.core.text.template.Function.Body;
import io.langbridge.runtime.core.text.template.Values.Ahead;
import io.langbridge.runtime.core.text.template.Values.Lazy;
import io.langbridge.runtime.core.text.template.Values.Markup;
import io.langbridge.runtime.core.text.template.Values.None;
import io.langbridge.runtime.core.text.template.Values.Tuple;
import io.langbridge.runtime.core.text.template.Values.Undefined;
import io.langbridge.runtime.core.text.template.Values.View;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The filters of Jinja2, with {@code tojson} as transformers defines it. */
final class Filters {
    static final Map<String, Function> ALL = new HashMap<>();

    /** How much longer than asked for a text may be before {@code truncate} cuts it. */
    private static final long LEEWAY = 5;

    private static final String HEX = "0123456789ABCDEF";

    private Filters() {}

    private static void add(String names, String parameters, Body body) {
        for (String name : names.split(" ", -1)) {
            ALL.put(name, new Function(name, parameters, body));
        }
    }

    private interface OnText {
        String apply(String text, Arguments arguments);
    }

    /** A filter of anything as text, that leaves a text marked as safe so. */
    private static void text(String name, String parameters, OnText body) {
        add(name, parameters, a -> Nodes.markup(a.get(0) instanceof Markup, body.apply(a.str(0), a)));
    }

    static {
        text("trim", "value chars=", (text, a) -> Texts.strip(text, a.textOrNone(1), true, true, a.budget));
        text("upper", "s", (text, a) -> Texts.upper(text, a.budget));
        text("lower", "s", (text, a) -> Texts.lower(text, a.budget));
        text("capitalize", "s", (text, a) -> Texts.capitalize(text, a.budget));
        text("center", "value width=", (text, a) -> Texts.pad(text, a.number(1, 80), " ", 0, a.budget));
        text("string", "object", (text, a) -> text);
        add("title", "s", a -> title(a.str(0), a.budget));
        add("safe", "value", a -> new Markup(a.str(0)));
        add("escape e", "s /", a -> new Markup(Operators.escaped(a.get(0), a.budget)));
        add("forceescape", "value", a -> new Markup(Operators.escaped(a.str(0), a.budget)));
        add("length count", "obj /", a -> Python.length(a.get(0), a.budget));
        add("list", "value", a -> Python.list(a.get(0), a.budget));
        add("first", "seq", a -> {
            Iterator<Object> items = Python.iterate(a.get(0), a.budget);
            return items.hasNext() ? items.next() : new Undefined("No first item, sequence was empty.");
        });
        add("last", "seq", a -> {
            Iterator<Object> items = reversed(a.get(0), a.budget);
            if (items == null) {
                throw new Failure("'" + Python.typeName(a.get(0)) + "' object is not reversible");
            }
            return items.hasNext() ? items.next() : new Undefined("No last item, sequence was empty.");
        });
        add("reverse", "value", Filters::reverse);
        add("join", "value d= attribute=", Filters::join);
        add(
                "replace",
                "s old new count=",
                a -> Texts.replace(a.str(0), a.str(1), a.str(2), a.given(3) ? a.number(3, -1) : -1, a.budget));
        add("default d", "value default_value= boolean=", a -> {
            Object value = a.get(0);
            boolean missing = value instanceof Undefined || a.flag(2) && !Python.truth(value);
            return missing ? a.get(1, "") : value;
        });
        add("tojson", "x ensure_ascii= indent= separators= sort_keys=", Json::write);
        add("indent", "s width= first= blank=", Filters::indent);
        add("format", "value / * **", Filters::format);
        add("truncate", "s length= killwords= end= leeway=", Filters::truncate);
        add("wordcount", "s", a -> wordCount(a.str(0), a.budget));
        add("striptags", "value", Filters::stripTags);
        add("urlencode", "value", Filters::urlEncode);
        add("xmlattr", "d autospace=", Filters::xmlAttributes);
        add("filesizeformat", "value binary=", Filters::fileSize);
        add("int", "value default= base=", Filters::toInt);
        add("float", "value default=", Filters::toFloat);
        add("abs", "x /", Filters::abs);
        add("round", "value precision= method=", Filters::round);
        add("items", "value", Filters::items);
        add("dictsort", "value case_sensitive= by= reverse=", Filters::dictSort);
        add("sort", "value reverse= case_sensitive= attribute=", a -> {
            List<Object> items = Python.list(a.get(0), a.budget);
            return Python.sorted(items, keys(items, a, 3, a.flag(2)), a.flag(1), a.budget);
        });
        add("groupby", "value attribute default= case_sensitive=", Filters::groupBy);
        add("unique", "value case_sensitive= attribute=", Filters::unique);
        add("min", "value case_sensitive= attribute=", a -> extreme(a, -1));
        add("max", "value case_sensitive= attribute=", a -> extreme(a, 1));
        add("sum", "iterable attribute= start=", Filters::sum);
        add("batch", "value linecount fill_with=", Filters::batch);
        add("slice", "value slices fill_with=", Filters::slice);
        add("attr", "obj name", a -> {
            Object found = Methods.find(a.get(0), a.text(1), a.run);
            return found != null ? found : new Undefined("no attribute '" + Shown.of(a.text(1)) + "'");
        });
        add("map", "value / * **", Filters::map);
        add("select", "value / * **", a -> select(a, false, true));
        add("reject", "value / * **", a -> select(a, false, false));
        add("selectattr", "value / * **", a -> select(a, true, true));
        add("rejectattr", "value / * **", a -> select(a, true, false));
        for (String name : Arrays.asList("pprint", "random", "urlize", "wordwrap")) {
            add(name, "value / * **", a -> {
                throw new Failure.Unsupported("the filter '" + name + "'");
            });
        }
    }

    // Attributes of items

    private interface Getter {
        Object get(Object item);
    }

    /** {@code a.b.0} as filters take it; with ignored case texts are compared in lower case. */
    private static Getter getter(@Nullable Object attribute, @Nullable Object otherwise, boolean ignoreCase, Run run) {
        List<Object> parts = parts(attribute, run.budget);
        return item -> {
            Object value = item;
            for (Object part : parts) {
                run.budget.steps(1);
                value = run.item(value, part);
                value = otherwise != null && value instanceof Undefined ? otherwise : value;
            }
            return ignoreCase ? lowered(value, run.budget) : value;
        };
    }

    private static List<Object> parts(@Nullable Object attribute, Budget budget) {
        if (attribute == null || attribute instanceof None) {
            return Collections.emptyList();
        }
        String path = Python.textOrNull(attribute);
        if (path == null) {
            return Collections.singletonList(attribute);
        }
        List<Object> parts = Texts.split(path, ".", -1, budget);
        parts.replaceAll(part -> {
            String name = (String) part;
            boolean number = !name.isEmpty() && name.chars().allMatch(c -> c >= '0' && c <= '9');
            return number && name.length() < 19 ? (Object) Long.valueOf(name) : name;
        });
        return parts;
    }

    private static Object lowered(Object value, Budget budget) {
        String text = Python.textOrNull(value);
        return text == null ? value : Texts.lower(text, budget);
    }

    /** What {@code sort} compares: a list of the attributes that are named, with commas between. */
    private static List<Object> keys(List<Object> items, Arguments a, int attribute, boolean caseSensitive) {
        List<Getter> getters = new ArrayList<>();
        Object names = a.get(attribute, None.NONE);
        String text = Python.textOrNull(names);
        List<Object> each = text == null ? Collections.singletonList(names) : Texts.split(text, ",", -1, a.budget);
        each.forEach(name -> getters.add(getter(name, null, !caseSensitive, a.run)));
        List<Object> keys = new ArrayList<>();
        for (Object item : items) {
            a.budget.slots(1 + getters.size());
            List<Object> key = new ArrayList<>(getters.size());
            getters.forEach(getter -> key.add(getter.get(item)));
            keys.add(key);
        }
        return keys;
    }

    // Texts

    private static String title(String text, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        int from = 0;
        for (int i = 0; i <= text.length(); i++) {
            boolean separator =
                    i < text.length() && (Python.isSpace(text.charAt(i)) || "-({[<".indexOf(text.charAt(i)) >= 0);
            if (separator || i == text.length()) {
                if (i > from) {
                    int second = text.offsetByCodePoints(from, 1);
                    out.append(Texts.upper(text.substring(from, second), budget));
                    out.append(Texts.lower(text.substring(second, i), budget));
                }
                out.append(text, i, Math.min(i + 1, text.length()));
                from = i + 1;
            }
        }
        return out.toString();
    }

    private static Object join(Arguments a) {
        String separator = a.has(1) ? a.str(1) : "";
        Getter getter = getter(a.given(2) ? a.get(2) : null, null, false, a.run);
        TextBuilder out = new TextBuilder(a.budget);
        boolean any = false;
        for (Iterator<Object> i = Python.iterate(a.get(0), a.budget); i.hasNext(); ) {
            out.append(any ? separator : "").append(Python.str(getter.get(i.next()), a.budget));
            any = true;
        }
        return out.toString();
    }

    private static Object indent(Arguments a) {
        Object width = a.get(1, 4L);
        String given = Python.textOrNull(width);
        String indent = given != null
                ? given
                : new TextBuilder(a.budget).repeat(" ", Python.toLong(width)).toString();
        boolean blank = a.flag(3);
        TextBuilder out = new TextBuilder(a.budget);
        List<Object> lines = Texts.splitLines(a.text(0) + "\n", false, a.budget);
        for (int i = 0; i < lines.size(); i++) {
            String line = (String) lines.get(i);
            out.append(i > 0 ? "\n" : "");
            out.append((i == 0 ? a.flag(2) : blank || !line.isEmpty()) ? indent : "")
                    .append(line);
        }
        return Nodes.markup(a.get(0) instanceof Markup, out.toString());
    }

    private static Object format(Arguments a) {
        if (!a.more.isEmpty() && !a.named.isEmpty()) {
            throw new Failure("can't handle positional and keyword arguments at the same time");
        }
        Object format = a.get(0) instanceof Markup ? a.get(0) : a.str(0);
        if (a.named.isEmpty()) {
            return Percent.format(format, new Tuple(a.more), a.run);
        }
        Dict named = new Dict();
        a.named.forEach((name, value) -> named.put(name, value, a.budget));
        return Percent.format(format, named, a.run);
    }

    private static Object truncate(Arguments a) {
        long length = a.number(1, 255);
        String end = a.text(3, "...");
        long leeway = a.given(4) ? a.number(4, LEEWAY) : LEEWAY;
        long kept = length - Python.length(end, a.budget);
        if (kept < 0 || leeway < 0) {
            throw new Failure("truncate needs a length of at least that of the end, and no leeway below 0");
        }
        if (Python.length(a.get(0), a.budget) <= length + leeway) {
            return a.get(0);
        }
        String text = a.text(0);
        String part = (String) Python.slice(text, null, kept, null, a.budget);
        if (!a.flag(2)) {
            int space = part.lastIndexOf(' ');
            part = space < 0 ? part : part.substring(0, space);
        }
        boolean safe = a.get(0) instanceof Markup;
        return Nodes.markup(
                safe,
                new TextBuilder(a.budget)
                        .append(part)
                        .append(safe ? Operators.escaped(a.get(3, end), a.budget) : end)
                        .toString());
    }

    private static long wordCount(String text, Budget budget) {
        budget.scan(text.length());
        long count = 0;
        boolean before = false;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int c = text.codePointAt(i);
            boolean in = c == '_' || Character.isLetterOrDigit(c);
            count += in && !before ? 1 : 0;
            before = in;
        }
        return count;
    }

    private static Object stripTags(Arguments a) {
        String text = without(without(a.str(0), "<!--", "-->", a.budget), "<", ">", a.budget);
        TextBuilder out = new TextBuilder(a.budget);
        for (Object word : Texts.split(text, null, -1, a.budget)) {
            out.append(out.length() > 0 ? " " : "").append((String) word);
        }
        String joined = out.toString();
        if (joined.replaceAll("&(amp|lt|gt|quot|#34|#39);", "").indexOf('&') >= 0) {
            throw new Failure.Unsupported("striptags of a text with HTML entities");
        }
        return new Markup(joined.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&#34;", "\"")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&"));
    }

    private static String without(String text, String open, String close, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        int from = 0;
        while (true) {
            int start = Search.first(text, open, from, budget);
            int end = start < 0 ? -1 : Search.first(text, close, start, budget);
            if (end < 0) {
                return out.append(text, from, text.length()).toString();
            }
            out.append(text, from, start);
            from = end + close.length();
        }
    }

    private static Object urlEncode(Arguments a) {
        Object value = a.get(0);
        boolean single = Python.textOrNull(value) != null
                || Python.isNumber(value)
                || value instanceof None
                || value instanceof Values.Attributed;
        if (single) {
            return quoted(value, "/", a.budget);
        }
        Object pairs = value instanceof Dict dict ? new View(View.Part.ITEMS, dict) : value;
        TextBuilder out = new TextBuilder(a.budget);
        for (Iterator<Object> i = Python.iterate(pairs, a.budget); i.hasNext(); ) {
            List<Object> pair = Python.list(i.next(), a.budget);
            if (pair.size() != 2) {
                throw new Failure("urlencode needs pairs");
            }
            out.append(out.length() > 0 ? "&" : "").append(quoted(pair.get(0), "", a.budget));
            out.append("=").append(quoted(pair.get(1), "", a.budget));
        }
        return out.toString();
    }

    private static String quoted(Object value, String safe, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        String text = Python.str(value, budget);
        budget.text(text.length() * 3L);
        String kept = "_.-~" + safe;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xFF);
            boolean plain = c < 0x80 && (Character.isLetterOrDigit(c) || kept.indexOf(c) >= 0);
            if (plain) {
                out.append(c);
            } else if (c == ' ' && safe.isEmpty()) {
                out.append('+');
            } else {
                out.append('%').append(HEX.charAt(c >> 4)).append(HEX.charAt(c & 0xF));
            }
        }
        return out.toString();
    }

    private static Object xmlAttributes(Arguments a) {
        if (!(a.get(0) instanceof Dict dict)) {
            throw new Failure("xmlattr needs a mapping, not " + Python.typeName(a.get(0)));
        }
        TextBuilder out = new TextBuilder(a.budget);
        for (int i = 0; i < dict.size(); i++) {
            Object value = dict.values().get(i);
            if (value instanceof None || value instanceof Undefined) {
                continue;
            }
            String key = Python.textOrNull(dict.keys().get(i));
            if (key == null || key.chars().anyMatch(c -> " \t\n\r\f\u000B/>=".indexOf(c) >= 0)) {
                throw new Failure("Invalid character in attribute name");
            }
            out.append(out.length() > 0 || !a.has(1) || a.flag(1) ? " " : "");
            out.append(Operators.escaped(dict.keys().get(i), a.budget)).append("=\"");
            out.append(Operators.escaped(value, a.budget)).append("\"");
        }
        return out.toString();
    }

    private static Object fileSize(Arguments a) {
        double bytes = (Double) toFloat(a.get(0), null, a.budget);
        int base = a.flag(1) ? 1024 : 1000;
        if (bytes == 1) {
            return "1 Byte";
        }
        if (bytes < base) {
            return Numbers.truncated(bytes) + " Bytes";
        }
        double unit = base;
        int step = -1;
        do {
            unit *= base;
            step++;
        } while (bytes >= unit && step < 7);
        Spec spec = Spec.parse(".1f");
        TextBuilder out = new TextBuilder(a.budget);
        spec.floating(base * bytes / unit, out, a.budget);
        String prefix = base == 1024 ? "KMGTPEZY".charAt(step) + "i" : String.valueOf("kMGTPEZY".charAt(step));
        return out.append(" ").append(prefix).append("B").toString();
    }

    // Numbers

    private static Object toInt(Arguments a) {
        Object value = a.get(0);
        Object otherwise = a.get(1, 0L);
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (Python.isInteger(value)) {
            return Python.toLong(value);
        }
        if (value instanceof Double number) {
            return Double.isNaN(number) ? otherwise : (Object) Numbers.truncated(number);
        }
        String text = Python.textOrNull(value);
        if (text == null) {
            return otherwise;
        }
        Long number = Numbers.integer(text, a.number(2, 10), a.budget);
        if (number != null) {
            return number;
        }
        Double real = Numbers.floating(text, a.budget);
        return real == null || Double.isNaN(real) || Double.isInfinite(real)
                ? otherwise
                : (Object) Numbers.truncated(real);
    }

    private static Object toFloat(Arguments a) {
        return toFloat(a.get(0), a.get(1, 0.0), a.budget);
    }

    /** Null as the last word means that there has to be a number. */
    private static Object toFloat(Object value, @Nullable Object otherwise, Budget budget) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        String text = Python.textOrNull(value);
        Object number = Python.isNumber(value)
                ? Double.valueOf(Python.toDouble(value))
                : text != null ? Numbers.floating(text, budget) : null;
        if (number == null && otherwise == null) {
            throw new Failure("could not convert to a number");
        }
        return number != null ? number : java.util.Objects.requireNonNull(otherwise);
    }

    private static Object abs(Arguments a) {
        Object value = a.get(0);
        if (value instanceof Double number) {
            return Math.abs(number);
        }
        if (!Python.isInteger(value)) {
            throw new Failure("bad operand type for abs(): '" + Python.typeName(value) + "'");
        }
        long number = Python.toLong(value);
        return number < 0 ? Math.negateExact(number) : number;
    }

    private static Object round(Arguments a) {
        Object value = a.get(0);
        String method = a.text(2, "common");
        if (!Arrays.asList("common", "ceil", "floor").contains(method)) {
            throw new Failure("method must be common, ceil or floor");
        }
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (!Python.isNumber(value)) {
            throw new Failure("round needs a number, not " + Python.typeName(value));
        }
        boolean toInteger = a.has(1) && !a.given(1);
        long precision = toInteger ? 0 : a.number(1, 0);
        if (method.equals("common")) {
            if (Python.isInteger(value)) {
                return Numbers.rounded(Python.toLong(value), precision);
            }
            double rounded = Numbers.rounded((Double) value, precision, a.budget);
            return toInteger ? (Object) Numbers.truncated(rounded) : Double.valueOf(rounded);
        }
        if (toInteger) {
            throw new Failure("round needs a precision for the method " + method);
        }
        Object power = Operators.apply("**", 10L, precision, a.run);
        double scaled = Python.toDouble(Operators.apply("*", value, power, a.run));
        long whole = Numbers.truncated(method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled));
        return Operators.apply("/", whole, power, a.run);
    }

    private static Object sum(Arguments a) {
        Getter getter = getter(a.given(1) ? a.get(1) : null, null, false, a.run);
        Object sum = a.get(2, 0L);
        if (Python.textOrNull(sum) != null) {
            throw new Failure("sum() can't sum strings [use ''.join(seq) instead]");
        }
        for (Iterator<Object> i = Python.iterate(a.get(0), a.budget); i.hasNext(); ) {
            sum = Operators.apply("+", sum, getter.get(i.next()), a.run);
        }
        return sum;
    }

    // Sequences

    /** Null if the value cannot be walked backwards. */
    private static @Nullable Iterator<Object> reversed(Object value, Budget budget) {
        if (value instanceof Undefined) {
            return Collections.emptyIterator();
        }
        String text = Python.textOrNull(value);
        if (text != null) {
            String last = (String) Python.slice(text, null, null, -1L, budget);
            return Python.iterate(last, budget);
        }
        if (value instanceof Lazy || Python.size(value) == null) {
            return null;
        }
        List<Object> items = value instanceof Dict dict ? dict.keys() : Python.list(value, budget);
        return Python.indexed(items.size(), budget, i -> items.get(items.size() - 1 - i));
    }

    private static Object reverse(Arguments a) {
        Object value = a.get(0);
        if (Python.textOrNull(value) != null) {
            return Python.slice(value, null, null, -1L, a.budget);
        }
        Iterator<Object> items = reversed(value, a.budget);
        if (items != null) {
            return new Lazy(value instanceof List ? "list_reverseiterator" : "reversed", items, a.budget);
        }
        List<Object> list = Python.list(value, a.budget);
        Collections.reverse(list);
        return list;
    }

    private static Object items(Arguments a) {
        Object value = a.get(0);
        return lazy(a, () -> {
            if (value instanceof Undefined) {
                return Collections.emptyIterator();
            }
            if (!(value instanceof Dict dict)) {
                throw new Failure("Can only get item pairs from a mapping.");
            }
            return Python.iterate(new View(View.Part.ITEMS, dict), a.budget);
        });
    }

    private interface Source {
        Iterator<Object> open();
    }

    /** Like Python's generators, which do nothing before the first item is asked for. */
    private static Lazy lazy(Arguments a, Source source) {
        return new Lazy(
                "generator",
                new Ahead() {
                    private @Nullable Iterator<Object> items;

                    @Override
                    @Nullable
                    Object advance() {
                        Iterator<Object> open = items == null ? source.open() : items;
                        items = open;
                        return open.hasNext() ? open.next() : null;
                    }
                },
                a.budget);
    }

    private static Object dictSort(Arguments a) {
        String by = a.text(2, "key");
        if (!by.equals("key") && !by.equals("value")) {
            throw new Failure("You can only sort by either \"key\" or \"value\"");
        }
        if (!(a.get(0) instanceof Dict dict)) {
            throw new Failure("dictsort needs a mapping, not " + Python.typeName(a.get(0)));
        }
        List<Object> keys = new ArrayList<>();
        for (Object key : by.equals("key") ? dict.keys() : dict.values()) {
            a.budget.slots(1);
            keys.add(a.flag(1) ? key : lowered(key, a.budget));
        }
        return Python.sorted(Python.list(new View(View.Part.ITEMS, dict), a.budget), keys, a.flag(3), a.budget);
    }

    private static Object groupBy(Arguments a) {
        Object otherwise = a.given(2) ? a.get(2) : null;
        boolean ignoreCase = !a.flag(3);
        Getter getter = getter(a.get(1), otherwise, ignoreCase, a.run);
        Getter shown = getter(a.get(1), otherwise, false, a.run);
        List<Object> items = Python.list(a.get(0), a.budget);
        List<Object> keys = new ArrayList<>();
        a.budget.slots(items.size());
        items.forEach(item -> keys.add(getter.get(item)));
        List<Object> groups = new ArrayList<>();
        List<Object> group = new ArrayList<>();
        Object before = null;
        for (Object item : Python.sorted(items, keys, false, a.budget)) {
            Object key = getter.get(item);
            if (before == null || !Python.equal(before, key, a.budget)) {
                a.budget.objects(2);
                group = new ArrayList<>();
                groups.add(new Tuple(
                        Arrays.asList(ignoreCase ? shown.get(item) : key, group), Arrays.asList("grouper", "list")));
                before = key;
            }
            a.budget.slots(1);
            group.add(item);
        }
        return groups;
    }

    private static Object unique(Arguments a) {
        Getter getter = getter(a.given(2) ? a.get(2) : null, null, !a.flag(1), a.run);
        Dict seen = new Dict();
        return lazy(
                a,
                () -> filtered(Python.iterate(a.get(0), a.budget), item -> {
                    Object key = getter.get(item);
                    if (seen.get(key, a.budget) != null) {
                        return false;
                    }
                    seen.put(key, true, a.budget);
                    return true;
                }));
    }

    private interface Choice {
        boolean takes(Object item);
    }

    private static Iterator<Object> filtered(Iterator<Object> items, Choice choice) {
        return new Ahead() {
            @Override
            @Nullable
            Object advance() {
                while (items.hasNext()) {
                    Object item = items.next();
                    if (choice.takes(item)) {
                        return item;
                    }
                }
                return null;
            }
        };
    }

    private static Object extreme(Arguments a, int wanted) {
        Getter getter = getter(a.given(2) ? a.get(2) : null, null, !a.flag(1), a.run);
        Iterator<Object> items = Python.iterate(a.get(0), a.budget);
        if (!items.hasNext()) {
            return new Undefined("No aggregated item, sequence was empty.");
        }
        Object best = items.next();
        Object key = getter.get(best);
        while (items.hasNext()) {
            Object item = items.next();
            Object other = getter.get(item);
            int order = Python.compare(other, key, wanted < 0 ? "<" : ">", a.budget);
            if (order != Python.UNORDERED && order * wanted > 0) {
                best = item;
                key = other;
            }
        }
        return best;
    }

    private static Object batch(Arguments a) {
        return lazy(a, () -> {
            Iterator<Object> items = Python.iterate(a.get(0), a.budget);
            return new Ahead() {
                private List<Object> row = new ArrayList<>();
                private boolean ended;

                @Override
                @Nullable
                Object advance() {
                    while (items.hasNext()) {
                        Object item = items.next();
                        List<Object> full = row;
                        boolean complete = Python.equal((long) row.size(), a.get(1), a.budget);
                        row = complete ? new ArrayList<>() : row;
                        a.budget.slots(complete ? 4 : 1);
                        row.add(item);
                        if (complete) {
                            return full;
                        }
                    }
                    if (ended || row.isEmpty()) {
                        return null;
                    }
                    ended = true;
                    long missing = a.given(2) ? Python.toLong(a.get(1)) - row.size() : 0;
                    a.budget.slots(Math.max(0, missing));
                    for (long i = 0; i < missing; i++) {
                        row.add(a.get(2));
                    }
                    return row;
                }
            };
        });
    }

    private static Object slice(Arguments a) {
        return lazy(a, () -> {
            List<Object> all = Python.list(a.get(0), a.budget);
            long slices = Python.toLong(a.get(1));
            long extra = Operators.remainder(all.size(), slices);
            long each = Math.floorDiv(all.size(), slices);
            return new Ahead() {
                private long done;
                private int from;

                @Override
                @Nullable
                Object advance() {
                    if (done >= slices) {
                        return null;
                    }
                    int to = (int) (from + each + (done < extra ? 1 : 0));
                    a.budget.slots(to - from + 4L);
                    List<Object> part = new ArrayList<>(all.subList(from, to));
                    if (a.given(2) && done >= extra) {
                        part.add(a.get(2));
                    }
                    from = to;
                    done++;
                    return part;
                }
            };
        });
    }

    private static Object map(Arguments a) {
        Object value = a.get(0);
        return lazy(a, () -> {
            if (!Python.truth(value)) {
                return Collections.emptyIterator();
            }
            Getter getter = mapping(a);
            Iterator<Object> items = Python.iterate(value, a.budget);
            return new Ahead() {
                @Override
                @Nullable
                Object advance() {
                    return items.hasNext() ? getter.get(items.next()) : null;
                }
            };
        });
    }

    private static Getter mapping(Arguments a) {
        if (a.more.isEmpty() && a.named.containsKey("attribute")) {
            Map<String, Object> left = new LinkedHashMap<>(a.named);
            Object attribute = left.remove("attribute");
            Object otherwise = left.remove("default");
            if (!left.isEmpty()) {
                throw new Failure("Unexpected keyword argument '"
                        + Shown.of(left.keySet().iterator().next()) + "' of map");
            }
            return getter(attribute, otherwise instanceof None ? null : otherwise, false, a.run);
        }
        if (a.more.isEmpty()) {
            throw new Failure("map requires a filter argument");
        }
        String name = named(a.more.get(0), "filter");
        List<Object> rest = a.more.subList(1, a.more.size());
        return item -> a.run.filter(name, Function.prepend(item, rest), a.named);
    }

    private static String named(Object name, String kind) {
        String text = Python.textOrNull(name);
        if (text == null) {
            throw new Failure("No " + kind + " of that name: " + Python.typeName(name));
        }
        return text;
    }

    private static Object select(Arguments a, boolean byAttribute, boolean wanted) {
        Object value = a.get(0);
        return lazy(a, () -> {
            if (!Python.truth(value)) {
                return Collections.emptyIterator();
            }
            int first = byAttribute ? 1 : 0;
            if (a.more.size() < first) {
                throw new Failure("Missing parameter for attribute name");
            }
            Getter getter = getter(byAttribute ? a.more.get(0) : null, null, false, a.run);
            String test = a.more.size() > first ? named(a.more.get(first), "test") : null;
            List<Object> rest = test == null ? a.more : a.more.subList(first + 1, a.more.size());
            return filtered(Python.iterate(value, a.budget), item -> {
                Object tested = getter.get(item);
                boolean holds =
                        test == null ? Python.truth(tested) : a.run.test(test, Function.prepend(tested, rest), a.named);
                return holds == wanted;
            });
        });
    }
}
