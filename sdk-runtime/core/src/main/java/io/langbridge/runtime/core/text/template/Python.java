package io.langbridge.runtime.core.text.template;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Python's view of values, as far as chat templates show it. A value is {@link None}, {@link Undefined}, Boolean, Long,
 * Double, String, {@link List} (list), {@link Tuple}, {@link Map} (dict), {@link Namespace} or {@link Callable};
 * nothing else ever reaches a template, so nothing of Java can be reached from it.
 */
final class Python {
    enum None {
        NONE
    }

    /** A name or attribute that does not exist; prints as nothing. */
    record Undefined(String what) {
        TemplateFailure failure() {
            return new TemplateFailure(what);
        }
    }

    record Tuple(List<Object> items) {}

    /** The one mutable value: what {@code namespace(...)} makes, so that a loop can set something outside it. */
    record Namespace(Map<String, Object> attributes) {}

    interface Callable {
        Object call(List<Object> positional, Map<String, Object> named);
    }

    private static final int DEEPEST_INPUT = 50;

    private Python() {}

    /** A copy of a Java value as a template value. */
    static Object of(@Nullable Object value) {
        return of(value, 0);
    }

    private static Object of(@Nullable Object value, int depth) {
        if (depth > DEEPEST_INPUT) {
            throw new TemplateFailure("a message is nested more than " + DEEPEST_INPUT + " levels deep");
        }
        if (value == null) {
            return None.NONE;
        }
        if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
            return ((Number) value).longValue();
        }
        if (value instanceof Float) {
            return Double.valueOf(value.toString());
        }
        if (value instanceof Map<?, ?> map) {
            Map<Object, Object> copy = new LinkedHashMap<>();
            map.forEach((key, item) -> copy.put(of(key, depth + 1), of(item, depth + 1)));
            return copy;
        }
        if (value instanceof Iterable<?> items) {
            List<Object> copy = new ArrayList<>();
            items.forEach(item -> copy.add(of(item, depth + 1)));
            return copy;
        }
        if (value instanceof String
                || value instanceof Boolean
                || value instanceof Long
                || value instanceof Double
                || value instanceof Callable
                || value instanceof None) {
            return value;
        }
        throw new TemplateFailure("a message holds a " + value.getClass().getName()
                + "; allowed are String, Boolean, numbers, List and Map");
    }

    static boolean truth(Object value) {
        if (value instanceof Boolean flag) {
            return flag;
        }
        if (value instanceof Long || value instanceof Double) {
            return ((Number) value).doubleValue() != 0;
        }
        if (value instanceof String text) {
            return !text.isEmpty();
        }
        if (value instanceof List<?> list) {
            return !list.isEmpty();
        }
        if (value instanceof Tuple tuple) {
            return !tuple.items().isEmpty();
        }
        if (value instanceof Map<?, ?> map) {
            return !map.isEmpty();
        }
        return !(value instanceof None || value instanceof Undefined);
    }

    static String typeName(Object value) {
        return value instanceof None
                ? "NoneType"
                : value instanceof Boolean
                        ? "bool"
                        : value instanceof Long
                                ? "int"
                                : value instanceof Double
                                        ? "float"
                                        : value instanceof String
                                                ? "str"
                                                : value instanceof List
                                                        ? "list"
                                                        : value instanceof Tuple
                                                                ? "tuple"
                                                                : value instanceof Map
                                                                        ? "dict"
                                                                        : value instanceof Namespace
                                                                                ? "Namespace"
                                                                                : value instanceof Undefined
                                                                                        ? "Undefined"
                                                                                        : "function";
    }

    static boolean isNumber(Object value) {
        return value instanceof Long || value instanceof Double || value instanceof Boolean;
    }

    static double toDouble(Object value) {
        return value instanceof Boolean flag ? flag ? 1 : 0 : ((Number) value).doubleValue();
    }

    /** An integer in Python's sense; truth values count as 0 and 1. */
    static boolean isInteger(Object value) {
        return value instanceof Long || value instanceof Boolean;
    }

    static long toLong(Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (!isInteger(value)) {
            throw new TemplateFailure("'" + typeName(value) + "' object cannot be interpreted as an integer");
        }
        return value instanceof Boolean flag ? flag ? 1 : 0 : (Long) value;
    }

    static boolean equal(Object left, Object right, TemplateBudget budget) {
        budget.enter();
        try {
            if (isNumber(left) && isNumber(right)) {
                return isInteger(left) && isInteger(right)
                        ? toLong(left) == toLong(right)
                        : toDouble(left) == toDouble(right);
            }
            if (left instanceof Undefined && right instanceof Undefined) {
                return true;
            }
            if (left instanceof List<?> a && right instanceof List<?> b) {
                return equalItems(a, b, budget);
            }
            if (left instanceof Tuple a && right instanceof Tuple b) {
                return equalItems(a.items(), b.items(), budget);
            }
            if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
                if (a.size() != b.size()) {
                    return false;
                }
                for (Map.Entry<?, ?> entry : a.entrySet()) {
                    Object other = b.get(entry.getKey());
                    if (other == null || !equal(entry.getValue(), other, budget)) {
                        return false;
                    }
                }
                return true;
            }
            return left instanceof String && left.equals(right) || left == right;
        } finally {
            budget.leave();
        }
    }

    private static boolean equalItems(List<?> a, List<?> b, TemplateBudget budget) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!equal(a.get(i), b.get(i), budget)) {
                return false;
            }
        }
        return true;
    }

    static int compare(Object left, Object right, TemplateBudget budget) {
        budget.enter();
        try {
            if (isNumber(left) && isNumber(right)) {
                return isInteger(left) && isInteger(right)
                        ? Long.compare(toLong(left), toLong(right))
                        : Double.compare(toDouble(left), toDouble(right));
            }
            if (left instanceof String a && right instanceof String b) {
                return compareCodePoints(a, b);
            }
            if (left instanceof List && right instanceof List || left instanceof Tuple && right instanceof Tuple) {
                List<?> a = items(left);
                List<?> b = items(right);
                for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
                    if (!equal(a.get(i), b.get(i), budget)) {
                        return compare(a.get(i), b.get(i), budget);
                    }
                }
                return Integer.compare(a.size(), b.size());
            }
        } finally {
            budget.leave();
        }
        if (left instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (right instanceof Undefined undefined) {
            throw undefined.failure();
        }
        throw new TemplateFailure("'" + typeName(left) + "' and '" + typeName(right) + "' cannot be ordered");
    }

    /** UTF-16 order differs from code point order where surrogates meet U+E000 to U+FFFF. */
    private static int compareCodePoints(String a, String b) {
        for (int i = 0; i < Math.min(a.length(), b.length()); i++) {
            if (a.charAt(i) != b.charAt(i)) {
                boolean bothOrNone = Character.isSurrogate(a.charAt(i)) == Character.isSurrogate(b.charAt(i));
                return bothOrNone
                        ? Character.compare(a.charAt(i), b.charAt(i))
                        : Character.isSurrogate(a.charAt(i)) ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    /** What a loop runs over: items, keys or characters. */
    static List<Object> items(Object value) {
        if (value instanceof List<?> list) {
            return Collections.unmodifiableList(list);
        }
        if (value instanceof Tuple tuple) {
            return tuple.items();
        }
        if (value instanceof Map<?, ?> map) {
            return new ArrayList<>(map.keySet());
        }
        if (value instanceof String text) {
            List<Object> characters = new ArrayList<>();
            text.codePoints().forEach(c -> characters.add(new String(Character.toChars(c))));
            return characters;
        }
        if (value instanceof Undefined) {
            return Collections.emptyList();
        }
        throw new TemplateFailure("'" + typeName(value) + "' object is not iterable");
    }

    static boolean contains(Object container, Object item, TemplateBudget budget) {
        if (container instanceof String text) {
            if (!(item instanceof String part)) {
                throw new TemplateFailure("'in <string>' requires string as left operand, not " + typeName(item));
            }
            budget.charge(text.length());
            return text.contains(part);
        }
        if (container instanceof Map<?, ?> map) {
            return map.containsKey(key(item));
        }
        for (Object candidate : items(container)) {
            if (equal(candidate, item, budget)) {
                return true;
            }
        }
        return false;
    }

    /** A dict key. Containers are refused, as Python does: hashing them would walk everything they hold. */
    static Object key(Object value) {
        if (isNumber(value) || value instanceof String || value instanceof None) {
            return value;
        }
        throw new TemplateFailure("unhashable type: '" + typeName(value) + "'");
    }

    static long length(Object value) {
        return value instanceof String text
                ? text.codePointCount(0, text.length())
                : value instanceof Map<?, ?> map ? map.size() : items(value).size();
    }

    static Object slice(Object value, @Nullable Long start, @Nullable Long stop, @Nullable Long step) {
        List<Object> all = items(value);
        long stride = step == null ? 1 : step;
        if (stride == 0) {
            throw new TemplateFailure("slice step cannot be zero");
        }
        int size = all.size();
        long first = stride > 0 ? 0 : -1;
        long last = stride > 0 ? size : size - 1;
        long from = start == null ? stride > 0 ? first : last : clamp(start, size, first, last);
        long to = stop == null ? stride > 0 ? last : first : clamp(stop, size, first, last);
        List<Object> part = new ArrayList<>();
        for (long i = from; stride > 0 ? i < to : i > to; i += stride) {
            part.add(all.get((int) i));
            if (stride > size || stride < -size) {
                break;
            }
        }
        if (value instanceof String) {
            StringBuilder text = new StringBuilder();
            part.forEach(text::append);
            return text.toString();
        }
        return value instanceof Tuple ? new Tuple(part) : part;
    }

    private static long clamp(long index, int size, long first, long last) {
        return Math.max(first, Math.min(last, index < 0 ? Math.max(index + size, first) : index));
    }

    static String str(Object value, TemplateBudget budget) {
        if (value instanceof String text) {
            return text;
        }
        if (value instanceof Undefined) {
            return "";
        }
        StringBuilder out = new StringBuilder();
        repr(value, out, budget);
        budget.charge(out.length());
        return out.toString();
    }

    private static void repr(Object value, StringBuilder out, TemplateBudget budget) {
        budget.enter();
        if (value instanceof None) {
            out.append("None");
        } else if (value instanceof Boolean flag) {
            out.append(flag ? "True" : "False");
        } else if (value instanceof Double number) {
            out.append(floatText(number));
        } else if (value instanceof String text) {
            reprString(text, out);
            budget.charge(text.length());
        } else if (value instanceof List<?> list) {
            reprItems("[", list, "]", out, budget);
        } else if (value instanceof Tuple tuple) {
            reprItems("(", tuple.items(), tuple.items().size() == 1 ? ",)" : ")", out, budget);
        } else if (value instanceof Map<?, ?> map) {
            reprDict(map, out, budget);
        } else if (value instanceof Namespace namespace) {
            out.append("<Namespace ");
            reprDict(namespace.attributes(), out, budget);
            out.append('>');
        } else if (value instanceof Long) {
            out.append(value);
        } else if (value instanceof Undefined) {
            out.append("Undefined");
        } else {
            out.append("<function>");
        }
        budget.leave();
    }

    private static void reprItems(String open, List<?> items, String close, StringBuilder out, TemplateBudget budget) {
        out.append(open);
        String separator = "";
        for (Object item : items) {
            out.append(separator);
            repr(item, out, budget);
            separator = ", ";
        }
        out.append(close);
    }

    private static void reprDict(Map<?, ?> map, StringBuilder out, TemplateBudget budget) {
        out.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.append(separator);
            repr(entry.getKey(), out, budget);
            out.append(": ");
            repr(entry.getValue(), out, budget);
            separator = ", ";
        }
        out.append('}');
    }

    private static void reprString(String text, StringBuilder out) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints().forEach(c -> {
            int named = "\n\r\t\\".indexOf(c);
            if (named >= 0) {
                out.append('\\').append("nrt\\".charAt(named));
            } else if (c == quote) {
                out.append('\\').append(quote);
            } else if (isPrintable(c)) {
                out.appendCodePoint(c);
            } else {
                out.append(String.format(c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c));
            }
        });
        out.append(quote);
    }

    private static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> true;
        };
    }

    /** The shortest digits that read back as the same number, with an exponent below 1e-4 and from 1e16 on. */
    static String floatText(double number) {
        if (Double.isNaN(number) || Double.isInfinite(number)) {
            return Double.isNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
        }
        if (number == 0) {
            return 1 / number < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = new BigDecimal(number);
        for (int digits = 1; digits <= 17; digits++) {
            BigDecimal rounded = new BigDecimal(number).round(new MathContext(digits));
            if (rounded.doubleValue() == number) {
                shortest = rounded.stripTrailingZeros();
                break;
            }
        }
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            return shortest.scale() > 0 ? shortest.toPlainString() : shortest.toPlainString() + ".0";
        }
        String digits = shortest.unscaledValue().abs().toString();
        return (number < 0 ? "-" : "")
                + digits.charAt(0)
                + (digits.length() > 1 ? "." + digits.substring(1) : "")
                + (exponent < 0 ? "e-" : "e+")
                + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }

    /** {@code str.isspace} of one character. */
    static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    static boolean isBlank(String text) {
        return text.chars().allMatch(Python::isSpace);
    }

    /** {@code str.strip} and its one-sided forms; null strips white space. */
    static String strip(String text, @Nullable String characters, boolean left, boolean right) {
        int start = 0;
        int end = text.length();
        while (left && start < end && strips(characters, text.charAt(start))) {
            start++;
        }
        while (right && end > start && strips(characters, text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    private static boolean strips(@Nullable String characters, char c) {
        return characters == null ? isSpace(c) : characters.indexOf(c) >= 0;
    }
}
