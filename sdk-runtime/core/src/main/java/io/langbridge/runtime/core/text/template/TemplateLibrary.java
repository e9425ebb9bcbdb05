package io.langbridge.runtime.core.text.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The filters, tests, methods and functions that chat templates use. A null result means: there is no such thing. */
final class TemplateLibrary {
    /** Python's methods, so that one which is missing here is told apart from an attribute that does not exist. */
    private static final Set<String> STRING_METHODS = new HashSet<>(Arrays.asList(
            "capitalize",
            "casefold",
            "center",
            "count",
            "encode",
            "endswith",
            "expandtabs",
            "find",
            "format",
            "format_map",
            "index",
            "isalnum",
            "isalpha",
            "isascii",
            "isdecimal",
            "isdigit",
            "isidentifier",
            "islower",
            "isnumeric",
            "isprintable",
            "isspace",
            "istitle",
            "isupper",
            "join",
            "ljust",
            "lower",
            "lstrip",
            "maketrans",
            "partition",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rindex",
            "rjust",
            "rpartition",
            "rsplit",
            "rstrip",
            "split",
            "splitlines",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "translate",
            "upper",
            "zfill"));

    private static final Set<String> DICT_METHODS = new HashSet<>(Arrays.asList(
            "clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"));
    private static final Set<String> LIST_METHODS = new HashSet<>(Arrays.asList(
            "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"));

    private static final int LONGEST_RANGE = 100_000;

    /** What a filter, test or function was given. */
    record Arguments(List<Object> positional, Map<String, Object> named) {
        static final Arguments NONE = new Arguments(Collections.emptyList(), Collections.emptyMap());

        @Nullable
        Object find(int index, String name) {
            return index < positional.size() ? positional.get(index) : named.get(name);
        }

        Object get(int index, String name) {
            Object value = find(index, name);
            if (value == null) {
                throw new TemplateFailure("missing argument '" + name + "'");
            }
            return value;
        }

        /** A text, or null if it was left out or is none. */
        @Nullable
        String text(int index, String name) {
            Object value = find(index, name);
            if (value == null || value instanceof Python.None) {
                return null;
            }
            if (value instanceof String text) {
                return text;
            }
            throw new TemplateFailure("argument '" + name + "' must be a string, not " + Python.typeName(value));
        }

        String requiredText(int index, String name) {
            String text = text(index, name);
            if (text == null) {
                throw new TemplateFailure("missing argument '" + name + "'");
            }
            return text;
        }

        long number(int index, String name, long otherwise) {
            Object value = find(index, name);
            return value == null || value instanceof Python.None ? otherwise : Python.toLong(value);
        }

        boolean flag(int index, String name) {
            Object value = find(index, name);
            return value != null && Python.truth(value);
        }

        Arguments from(int index) {
            return new Arguments(positional.subList(Math.min(index, positional.size()), positional.size()), named);
        }
    }

    private final TemplateBudget budget;

    TemplateLibrary(TemplateBudget budget) {
        this.budget = budget;
    }

    static boolean isMethod(Object receiver, String name) {
        return (receiver instanceof String
                        ? STRING_METHODS
                        : receiver instanceof Map
                                ? DICT_METHODS
                                : receiver instanceof List ? LIST_METHODS : Collections.<String>emptySet())
                .contains(name);
    }

    @Nullable
    Object filter(String name, Object input, Arguments arguments) {
        switch (name) {
            case "trim":
                return Python.strip(str(input), arguments.text(0, "chars"), true, true);
            case "upper":
                return str(input).toUpperCase(Locale.ROOT);
            case "lower":
                return str(input).toLowerCase(Locale.ROOT);
            case "capitalize":
                return capitalize(str(input));
            case "title":
                return title(str(input));
            case "string":
                return str(input);
            case "safe":
                return input;
            case "escape", "e":
                return str(input)
                        .replace("&", "&amp;")
                        .replace("<", "&lt;")
                        .replace(">", "&gt;")
                        .replace("'", "&#39;")
                        .replace("\"", "&#34;");
            case "length", "count":
                return Python.length(input);
            case "list":
                return new ArrayList<>(items(input));
            case "first":
                return end(input, true);
            case "last":
                return end(input, false);
            case "join":
                return join(items(attributes(input, arguments.find(1, "attribute"))), arguments.text(0, "d"));
            case "replace":
                return replace(
                        str(input),
                        str(arguments.get(0, "old")),
                        str(arguments.get(1, "new")),
                        arguments.number(2, "count", -1));
            case "default", "d":
                boolean missing =
                        input instanceof Python.Undefined || arguments.flag(1, "boolean") && !Python.truth(input);
                Object otherwise = arguments.find(0, "default_value");
                return !missing ? input : otherwise == null ? "" : otherwise;
            case "tojson":
                return toJson(input, arguments);
            case "indent":
                return indent(str(input), arguments);
            case "int":
                return toInt(input, arguments.number(0, "default", 0));
            case "float":
                return toFloat(input);
            case "abs":
                return input instanceof Double number ? (Object) Math.abs(number) : Math.abs(Python.toLong(input));
            case "round":
                return round(input, arguments.number(0, "precision", 0));
            case "items":
                return pairs(input);
            case "dictsort":
                List<Object> sorted = pairs(input);
                sort(sorted);
                return sorted;
            case "sort":
                return sorted(input, arguments);
            case "reverse":
                return Python.slice(input, null, null, -1L);
            case "unique":
                return unique(input);
            case "min", "max":
                return extreme(input, name.equals("max"));
            case "sum":
                return sum(items(attributes(input, arguments.find(0, "attribute"))));
            case "map":
                return map(input, arguments);
            case "select", "reject", "selectattr", "rejectattr":
                return select(name, input, arguments);
            default:
                return null;
        }
    }

    private Object end(Object input, boolean first) {
        List<Object> items = items(input);
        return items.isEmpty()
                ? new Python.Undefined("No " + (first ? "first" : "last") + " item, sequence was empty.")
                : items.get(first ? 0 : items.size() - 1);
    }

    private Object attributes(Object input, @Nullable Object attribute) {
        if (attribute == null) {
            return input;
        }
        List<Object> values = new ArrayList<>();
        for (Object item : items(input)) {
            values.add(attributePath(item, str(attribute)));
        }
        return values;
    }

    /** {@code a.b.0} as filters take it. */
    private static Object attributePath(Object item, String path) {
        Object value = item;
        for (String name : path.split("\\.", -1)) {
            value = name.matches("\\d{1,9}") ? subscript(value, Long.valueOf(name)) : subscript(value, name);
        }
        return value;
    }

    static Object subscript(Object target, Object index) {
        if (target instanceof Python.Undefined undefined) {
            throw undefined.failure();
        }
        Object found = null;
        if (target instanceof Map<?, ?> map) {
            found = map.get(Python.key(index));
        } else if (target instanceof Python.Namespace namespace && index instanceof String) {
            found = namespace.attributes().get(index);
        } else if (index instanceof Long position
                && (target instanceof String || target instanceof List || target instanceof Python.Tuple)) {
            List<Object> items = Python.items(target);
            long at = position < 0 ? position + items.size() : position;
            found = at >= 0 && at < items.size() ? items.get((int) at) : null;
        }
        return found != null
                ? found
                : new Python.Undefined("'" + Python.typeName(target) + " object' has no attribute "
                        + (index instanceof String ? "'" + index + "'" : index.toString()));
    }

    private String toJson(Object input, Arguments arguments) {
        Object indent = arguments.find(0, "indent");
        Object ensureAscii = arguments.named().get("ensure_ascii");
        if (ensureAscii != null && Python.truth(ensureAscii)) {
            throw new TemplateFailure("tojson(ensure_ascii=true) is not supported");
        }
        String level = null;
        if (indent instanceof String text) {
            level = text;
        } else if (indent != null && !(indent instanceof Python.None)) {
            level = spaces(Python.toLong(indent));
        }
        String itemSeparator = level == null ? ", " : ",";
        String keySeparator = ": ";
        Object separators = arguments.named().get("separators");
        if (separators != null && !(separators instanceof Python.None)) {
            List<Object> pair = items(separators);
            if (pair.size() != 2) {
                throw new TemplateFailure("tojson needs two separators");
            }
            itemSeparator = str(pair.get(0));
            keySeparator = str(pair.get(1));
        }
        return TemplateJson.write(
                input, budget, level, itemSeparator, keySeparator, arguments.flag(Integer.MAX_VALUE, "sort_keys"));
    }

    private String spaces(long count) {
        budget.charge(Math.max(0, count));
        char[] spaces = new char[(int) Math.max(0, count)];
        Arrays.fill(spaces, ' ');
        return new String(spaces);
    }

    private String indent(String text, Arguments arguments) {
        Object width = arguments.find(0, "width");
        String indent = width instanceof String given ? given : spaces(arguments.number(0, "width", 4));
        boolean first = arguments.flag(1, "first");
        boolean blank = arguments.flag(2, "blank");
        StringBuilder out = new StringBuilder();
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            out.append(i > 0 ? "\n" : "");
            if (i == 0 ? first : blank || !lines[i].isEmpty()) {
                budget.charge(indent.length());
                out.append(indent);
            }
            out.append(lines[i]);
        }
        return charged(out.toString());
    }

    private static Object toInt(Object input, long otherwise) {
        if (Python.isInteger(input)) {
            return Python.toLong(input);
        }
        try {
            double number = input instanceof Double given
                    ? given
                    : input instanceof String text ? Double.parseDouble(text.trim()) : Double.NaN;
            return Double.isNaN(number) ? otherwise : (long) number;
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }

    private static Object toFloat(Object input) {
        try {
            return Python.isNumber(input)
                    ? Python.toDouble(input)
                    : input instanceof String text ? Double.parseDouble(text.trim()) : 0.0;
        } catch (NumberFormatException e) {
            return 0.0;
        }
    }

    private static Object round(Object input, long precision) {
        if (input instanceof Long) {
            return input;
        }
        if (!Python.isNumber(input) || precision < -300 || precision > 300) {
            throw new TemplateFailure("round needs a number, not " + Python.typeName(input));
        }
        return new BigDecimal(Python.toDouble(input))
                .setScale((int) precision, RoundingMode.HALF_EVEN)
                .doubleValue();
    }

    private List<Object> pairs(Object input) {
        List<Object> pairs = new ArrayList<>();
        if (input instanceof Python.Undefined) {
            return pairs;
        }
        if (!(input instanceof Map<?, ?> map)) {
            throw new TemplateFailure("Can only get item pairs from a mapping.");
        }
        map.forEach((key, value) -> pairs.add(new Python.Tuple(Arrays.asList(key, value))));
        budget.charge(pairs.size());
        return pairs;
    }

    private void sort(List<Object> items) {
        Collections.sort(items, (a, b) -> Python.compare(a, b, budget));
    }

    /** Upper and lower case are one unless the template asks otherwise. */
    private Object sorted(Object input, Arguments arguments) {
        boolean caseSensitive = arguments.flag(1, "case_sensitive");
        Object attribute = arguments.find(2, "attribute");
        List<Object> items = new ArrayList<>(items(input));
        Collections.sort(
                items,
                (a, b) -> Python.compare(
                        sortKey(a, attribute, caseSensitive), sortKey(b, attribute, caseSensitive), budget));
        if (arguments.flag(0, "reverse")) {
            Collections.reverse(items);
        }
        return items;
    }

    private Object sortKey(Object item, @Nullable Object attribute, boolean caseSensitive) {
        Object key = attribute == null ? item : attributePath(item, str(attribute));
        return key instanceof String text && !caseSensitive ? charged(text.toLowerCase(Locale.ROOT)) : key;
    }

    private Object unique(Object input) {
        Map<Object, Object> seen = new LinkedHashMap<>();
        for (Object item : items(input)) {
            Object key = item instanceof String text ? text.toLowerCase(Locale.ROOT) : Python.key(item);
            if (!seen.containsKey(key)) {
                seen.put(key, item);
            }
        }
        return new ArrayList<>(seen.values());
    }

    private Object extreme(Object input, boolean largest) {
        Object best = null;
        for (Object item : items(input)) {
            if (best == null
                    || (largest ? Python.compare(item, best, budget) > 0 : Python.compare(item, best, budget) < 0)) {
                best = item;
            }
        }
        return best == null ? new Python.Undefined("No aggregated item, sequence was empty.") : best;
    }

    private static Object sum(List<Object> items) {
        Object sum = 0L;
        for (Object item : items) {
            if (!Python.isNumber(item)) {
                throw new TemplateFailure("sum needs numbers, not " + Python.typeName(item));
            }
            sum = Python.isInteger(sum) && Python.isInteger(item)
                    ? (Object) Math.addExact(Python.toLong(sum), Python.toLong(item))
                    : Double.valueOf(Python.toDouble(sum) + Python.toDouble(item));
        }
        return sum;
    }

    private @Nullable Object map(Object input, Arguments arguments) {
        Object attribute = arguments.named().get("attribute");
        Object otherwise = arguments.named().get("default");
        List<Object> mapped = new ArrayList<>();
        for (Object item : items(input)) {
            Object value;
            if (attribute == null) {
                value = filter(str(arguments.get(0, "filter")), item, arguments.from(1));
            } else {
                value = attributePath(item, str(attribute));
                value = value instanceof Python.Undefined && otherwise != null ? otherwise : value;
            }
            if (value == null) {
                return null;
            }
            mapped.add(value);
        }
        return mapped;
    }

    private @Nullable Object select(String name, Object input, Arguments arguments) {
        boolean byAttribute = name.endsWith("attr");
        boolean wanted = name.startsWith("select");
        Arguments rest = byAttribute ? arguments.from(1) : arguments;
        List<Object> kept = new ArrayList<>();
        for (Object item : items(input)) {
            Object value = byAttribute ? attributePath(item, str(arguments.get(0, "attribute"))) : item;
            Boolean passes = rest.positional().isEmpty()
                    ? Boolean.valueOf(Python.truth(value))
                    : test(str(rest.get(0, "test")), value, rest.from(1));
            if (passes == null) {
                return null;
            }
            if (passes == wanted) {
                kept.add(item);
            }
        }
        return kept;
    }

    @Nullable
    Boolean test(String name, Object input, Arguments arguments) {
        switch (name) {
            case "defined":
                return !(input instanceof Python.Undefined);
            case "undefined":
                return input instanceof Python.Undefined;
            case "none":
                return input instanceof Python.None;
            case "string":
                return input instanceof String;
            case "number":
                return Python.isNumber(input);
            case "integer":
                return input instanceof Long;
            case "float":
                return input instanceof Double;
            case "boolean":
                return input instanceof Boolean;
            case "true":
                return Boolean.TRUE.equals(input);
            case "false":
                return Boolean.FALSE.equals(input);
            case "mapping":
                return input instanceof Map;
            case "sequence", "iterable":
                return input instanceof String
                        || input instanceof List
                        || input instanceof Map
                        || input instanceof Python.Tuple
                        || input instanceof Python.Undefined;
            case "callable":
                return input instanceof Python.Callable;
            case "odd":
                return Math.floorMod(Python.toLong(input), 2L) == 1;
            case "even":
                return Math.floorMod(Python.toLong(input), 2L) == 0;
            case "divisibleby":
                return remainder(Python.toLong(input), Python.toLong(arguments.get(0, "num"))) == 0;
            case "eq", "equalto":
                return Python.equal(input, arguments.get(0, "other"), budget);
            case "ne":
                return !Python.equal(input, arguments.get(0, "other"), budget);
            case "lt", "lessthan":
                return Python.compare(input, arguments.get(0, "other"), budget) < 0;
            case "le":
                return Python.compare(input, arguments.get(0, "other"), budget) <= 0;
            case "gt", "greaterthan":
                return Python.compare(input, arguments.get(0, "other"), budget) > 0;
            case "ge":
                return Python.compare(input, arguments.get(0, "other"), budget) >= 0;
            case "in":
                return Python.contains(arguments.get(0, "seq"), input, budget);
            case "sameas":
                Object other = arguments.get(0, "other");
                return input == other
                        || !(input instanceof Map || input instanceof List)
                                && Python.typeName(input).equals(Python.typeName(other))
                                && Python.equal(input, other, budget);
            case "upper":
                return isCased(str(input), true);
            case "lower":
                return isCased(str(input), false);
            default:
                return null;
        }
    }

    static long remainder(long value, long divisor) {
        if (divisor == 0) {
            throw new TemplateFailure("integer division or modulo by zero");
        }
        return Math.floorMod(value, divisor);
    }

    @Nullable
    Object method(Object receiver, String name, Arguments arguments) {
        Object result = receiver instanceof String text
                ? stringMethod(text, name, arguments)
                : receiver instanceof Map<?, ?> map
                        ? dictMethod(map, name, arguments)
                        : listMethod(Python.items(receiver), name, arguments);
        if (result instanceof String text) {
            budget.charge(text.length());
        }
        return result;
    }

    private @Nullable Object dictMethod(Map<?, ?> map, String name, Arguments arguments) {
        switch (name) {
            case "items":
                return pairs(map);
            case "keys":
                return new ArrayList<Object>(map.keySet());
            case "values":
                return new ArrayList<Object>(map.values());
            case "get":
                Object value = map.get(Python.key(arguments.get(0, "key")));
                Object otherwise = arguments.find(1, "default");
                return value != null ? value : otherwise != null ? otherwise : Python.None.NONE;
            case "copy":
                return new LinkedHashMap<Object, Object>(map);
            default:
                return null;
        }
    }

    private @Nullable Object listMethod(List<Object> list, String name, Arguments arguments) {
        switch (name) {
            case "index":
                for (int i = 0; i < list.size(); i++) {
                    if (Python.equal(list.get(i), arguments.get(0, "value"), budget)) {
                        return (long) i;
                    }
                }
                throw new TemplateFailure("value is not in list");
            case "count":
                long count = 0;
                for (Object item : list) {
                    count += Python.equal(item, arguments.get(0, "value"), budget) ? 1 : 0;
                }
                return count;
            case "copy":
                return new ArrayList<>(list);
            default:
                return null;
        }
    }

    private @Nullable Object stringMethod(String text, String name, Arguments arguments) {
        budget.charge(text.length());
        switch (name) {
            case "strip":
                return Python.strip(text, arguments.text(0, "chars"), true, true);
            case "lstrip":
                return Python.strip(text, arguments.text(0, "chars"), true, false);
            case "rstrip":
                return Python.strip(text, arguments.text(0, "chars"), false, true);
            case "upper":
                return text.toUpperCase(Locale.ROOT);
            case "lower", "casefold":
                return text.toLowerCase(Locale.ROOT);
            case "capitalize":
                return capitalize(text);
            case "title":
                return title(text);
            case "startswith", "endswith":
                Object wanted = arguments.get(0, "prefix");
                for (Object part :
                        wanted instanceof Python.Tuple tuple ? tuple.items() : Collections.singletonList(wanted)) {
                    if (!(part instanceof String affix)) {
                        throw new TemplateFailure(name + " first arg must be str or a tuple of str");
                    }
                    if (name.equals("startswith") ? text.startsWith(affix) : text.endsWith(affix)) {
                        return true;
                    }
                }
                return false;
            case "removeprefix":
                String prefix = arguments.requiredText(0, "prefix");
                return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
            case "removesuffix":
                String suffix = arguments.requiredText(0, "suffix");
                return text.endsWith(suffix) ? text.substring(0, text.length() - suffix.length()) : text;
            case "split":
                return split(text, arguments.text(0, "sep"), arguments.number(1, "maxsplit", -1));
            case "rsplit":
                return splitFromRight(text, arguments.text(0, "sep"), arguments.number(1, "maxsplit", -1));
            case "splitlines":
                return splitLines(text);
            case "replace":
                return replace(
                        text,
                        arguments.requiredText(0, "old"),
                        arguments.requiredText(1, "new"),
                        arguments.number(2, "count", -1));
            case "join":
                return join(items(arguments.get(0, "iterable")), text);
            case "find":
                return codePointIndex(text, text.indexOf(arguments.requiredText(0, "sub")));
            case "rfind":
                return codePointIndex(text, text.lastIndexOf(arguments.requiredText(0, "sub")));
            case "index":
                long index = codePointIndex(text, text.indexOf(arguments.requiredText(0, "sub")));
                if (index < 0) {
                    throw new TemplateFailure("substring not found");
                }
                return index;
            case "count":
                String part = arguments.requiredText(0, "sub");
                return part.isEmpty()
                        ? Python.length(text) + 1
                        : (long) split(text, part, -1).size() - 1;
            case "isupper":
                return isCased(text, true);
            case "islower":
                return isCased(text, false);
            case "isspace":
                return !text.isEmpty() && Python.isBlank(text);
            case "isdigit", "isdecimal", "isnumeric":
                return !text.isEmpty() && text.codePoints().allMatch(Character::isDigit);
            case "isalpha":
                return !text.isEmpty() && text.codePoints().allMatch(Character::isLetter);
            case "isalnum":
                return !text.isEmpty() && text.codePoints().allMatch(Character::isLetterOrDigit);
            default:
                return null;
        }
    }

    private static long codePointIndex(String text, int index) {
        return index < 0 ? -1 : text.codePointCount(0, index);
    }

    private static boolean isCased(String text, boolean upper) {
        boolean anyCased = !text.toUpperCase(Locale.ROOT).equals(text.toLowerCase(Locale.ROOT));
        return anyCased && text.equals(upper ? text.toUpperCase(Locale.ROOT) : text.toLowerCase(Locale.ROOT));
    }

    private static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return text.substring(0, first).toUpperCase(Locale.ROOT)
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    private static String title(String text) {
        StringBuilder out = new StringBuilder();
        boolean inWord = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            out.append(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }
        return out.toString();
    }

    private String replace(String text, String old, String replacement, long limit) {
        StringBuilder out = new StringBuilder();
        int from = 0;
        for (long done = 0; limit < 0 || done < limit; done++) {
            int at = old.isEmpty() ? (done == 0 ? 0 : from + 1) : text.indexOf(old, from);
            if (at < 0 || at > text.length()) {
                break;
            }
            budget.charge(at - from + replacement.length() + 1L);
            out.append(text, from, at).append(replacement);
            from = at + old.length();
        }
        return charged(out.append(text, from, text.length()).toString());
    }

    private List<Object> split(String text, @Nullable String separator, long limit) {
        List<Object> parts = new ArrayList<>();
        if (separator == null) {
            return splitAtSpaces(text, limit);
        }
        if (separator.isEmpty()) {
            throw new TemplateFailure("empty separator");
        }
        int from = 0;
        for (int at = text.indexOf(separator);
                at >= 0 && (limit < 0 || parts.size() < limit);
                at = text.indexOf(separator, from)) {
            parts.add(text.substring(from, at));
            from = at + separator.length();
        }
        parts.add(text.substring(from));
        budget.charge(text.length() + parts.size());
        return parts;
    }

    private List<Object> splitAtSpaces(String text, long limit) {
        List<Object> parts = new ArrayList<>();
        String rest = Python.strip(text, null, true, false);
        while (!rest.isEmpty()) {
            budget.charge(rest.length());
            int end = 0;
            while (end < rest.length() && !Python.isSpace(rest.charAt(end))) {
                end++;
            }
            boolean last = limit >= 0 && parts.size() >= limit;
            parts.add(last ? rest : rest.substring(0, end));
            rest = last ? "" : Python.strip(rest.substring(end), null, true, false);
        }
        return parts;
    }

    private List<Object> splitFromRight(String text, @Nullable String separator, long limit) {
        List<Object> parts = split(text, separator, -1);
        if (limit < 0 || parts.size() <= limit + 1) {
            return parts;
        }
        if (separator == null) {
            throw new TemplateFailure("rsplit at white space with a limit is not supported");
        }
        int joined = parts.size() - (int) limit;
        List<Object> result = new ArrayList<>();
        result.add(join(parts.subList(0, joined), separator));
        result.addAll(parts.subList(joined, parts.size()));
        return result;
    }

    private static List<Object> splitLines(String text) {
        List<Object> lines = new ArrayList<>(Arrays.asList((Object[]) text.split("\r\n|\r|\n", -1)));
        if (Python.length(lines.get(lines.size() - 1)) == 0) {
            lines.remove(lines.size() - 1);
        }
        return lines;
    }

    private String join(List<Object> items, @Nullable String separator) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < items.size(); i++) {
            String item = str(items.get(i));
            String between = i == 0 || separator == null ? "" : separator;
            budget.charge(item.length() + between.length());
            out.append(between).append(item);
        }
        return out.toString();
    }

    /** The names every template can use. */
    Map<String, Object> globals() {
        Map<String, Object> globals = new LinkedHashMap<>();
        globals.put("range", (Python.Callable) this::range);
        globals.put("dict", (Python.Callable) (positional, named) -> merged(positional, named));
        globals.put("namespace", (Python.Callable) (positional, named) -> {
            Map<String, Object> attributes = new LinkedHashMap<>();
            merged(positional, named).forEach((key, value) -> attributes.put(str(key), value));
            return new Python.Namespace(attributes);
        });
        globals.put("strftime_now", (Python.Callable) (positional, named) -> strftime(
                LocalDateTime.now(ZoneId.systemDefault()), new Arguments(positional, named).requiredText(0, "format")));
        return globals;
    }

    private static Map<Object, Object> merged(List<Object> positional, Map<String, Object> named) {
        Map<Object, Object> merged = new LinkedHashMap<>();
        for (Object map : positional) {
            if (!(map instanceof Map<?, ?> entries)) {
                throw new TemplateFailure("'" + Python.typeName(map) + "' object is not a mapping");
            }
            merged.putAll(entries);
        }
        merged.putAll(named);
        return merged;
    }

    private Object range(List<Object> positional, Map<String, Object> named) {
        if (positional.isEmpty() || positional.size() > 3) {
            throw new TemplateFailure("range expected 1 to 3 arguments, got " + positional.size());
        }
        long start = positional.size() == 1 ? 0 : Python.toLong(positional.get(0));
        long stop = Python.toLong(positional.get(positional.size() == 1 ? 0 : 1));
        long step = positional.size() < 3 ? 1 : Python.toLong(positional.get(2));
        if (step == 0) {
            throw new TemplateFailure("range() arg 3 must not be zero");
        }
        List<Object> range = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; i = Math.addExact(i, step)) {
            if (range.size() == LONGEST_RANGE) {
                throw new TemplateFailure("a range has more than " + LONGEST_RANGE + " numbers");
            }
            range.add(i);
        }
        budget.charge(range.size());
        return range;
    }

    static String strftime(LocalDateTime time, String format) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char code = format.charAt(++i);
            boolean unpadded = code == '-' && i + 1 < format.length();
            code = unpadded ? format.charAt(++i) : code;
            int known = "dmYyHIMSpaAbBj".indexOf(code);
            if (code == '%') {
                out.append('%');
            } else if (known < 0) {
                throw new TemplateFailure("strftime_now does not support %" + code);
            } else {
                String pattern = new String[] {
                            "dd", "MM", "yyyy", "yy", "HH", "hh", "mm", "ss", "a", "EEE", "EEEE", "MMM", "MMMM", "DDD"
                        }
                        [known];
                String text = time.format(DateTimeFormatter.ofPattern(pattern, Locale.US));
                out.append(unpadded ? text.replaceFirst("^0+(?=.)", "") : text);
            }
        }
        return out.toString();
    }

    private List<Object> items(Object value) {
        List<Object> items = Python.items(value);
        budget.charge(items.size());
        return items;
    }

    private String str(Object value) {
        return charged(Python.str(value, budget));
    }

    private String charged(String text) {
        budget.charge(text.length());
        return text;
    }
}
