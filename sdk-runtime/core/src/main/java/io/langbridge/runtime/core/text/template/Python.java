package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Values.Attributed;
import io.langbridge.runtime.core.text.template.Values.Lazy;
import io.langbridge.runtime.core.text.template.Values.Markup;
import io.langbridge.runtime.core.text.template.Values.Namespace;
import io.langbridge.runtime.core.text.template.Values.None;
import io.langbridge.runtime.core.text.template.Values.Range;
import io.langbridge.runtime.core.text.template.Values.Tuple;
import io.langbridge.runtime.core.text.template.Values.Undefined;
import io.langbridge.runtime.core.text.template.Values.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Python's view of values, as far as chat templates show it. */
final class Python {
    /** What {@link #compare} gives for two numbers of which one is not a number. */
    static final int UNORDERED = 2;

    private static final int DEEPEST_INPUT = 50;

    private Python() {}

    /** A copy of a Java value as a template value. */
    static Object of(@Nullable Object value, Budget budget) {
        return of(value, 0, budget);
    }

    private static Object of(@Nullable Object value, int depth, Budget budget) {
        if (depth > DEEPEST_INPUT) {
            throw new Failure("a message is nested more than " + DEEPEST_INPUT + " levels deep");
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
            Dict copy = new Dict();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                copy.put(of(entry.getKey(), depth + 1, budget), of(entry.getValue(), depth + 1, budget), budget);
            }
            return copy;
        }
        if (value instanceof Iterable<?> items) {
            List<Object> copy = new ArrayList<>();
            for (Object item : items) {
                budget.slots(1);
                copy.add(of(item, depth + 1, budget));
            }
            return copy;
        }
        if (value instanceof String
                || value instanceof Boolean
                || value instanceof Long
                || value instanceof Double
                || value instanceof None) {
            return value;
        }
        throw new Failure("a message holds a " + value.getClass().getName()
                + "; allowed are String, Boolean, numbers, List and Map");
    }

    static boolean truth(Object value) {
        if (value instanceof Boolean flag) {
            return flag;
        }
        if (value instanceof Long || value instanceof Double) {
            return ((Number) value).doubleValue() != 0;
        }
        if (value instanceof None || value instanceof Undefined) {
            return false;
        }
        String text = textOrNull(value);
        if (text != null) {
            return !text.isEmpty();
        }
        Integer size = size(value);
        return size == null || size > 0;
    }

    /** The number of items of a container, null for everything else. */
    static @Nullable Integer size(Object value) {
        if (value instanceof List<?> list) {
            return list.size();
        }
        if (value instanceof Tuple tuple) {
            return tuple.items().size();
        }
        if (value instanceof Dict dict) {
            return dict.size();
        }
        if (value instanceof View view) {
            return view.dict().size();
        }
        return value instanceof Range range ? Integer.valueOf((int) range.length()) : null;
    }

    /** {@code len(value)}. */
    static long length(Object value, Budget budget) {
        if (value instanceof Undefined) {
            return 0;
        }
        String text = textOrNull(value);
        if (text != null) {
            budget.scan(text.length());
            return text.codePointCount(0, text.length());
        }
        if (value instanceof Loop loop) {
            return loop.length();
        }
        Integer size = size(value);
        if (size == null) {
            throw new Failure("object of type '" + typeName(value) + "' has no len()");
        }
        return size;
    }

    static String typeName(Object value) {
        if (value instanceof View view) {
            return switch (view.part()) {
                case KEYS -> "dict_keys";
                case VALUES -> "dict_values";
                case ITEMS -> "dict_items";
            };
        }
        if (value instanceof Lazy lazy) {
            return lazy.kind();
        }
        return value instanceof None
                ? "NoneType"
                : value instanceof Boolean
                        ? "bool"
                        : value instanceof Long ? "int" : value instanceof Double ? "float" : objectName(value);
    }

    private static String objectName(Object value) {
        return value instanceof String
                ? "str"
                : value instanceof List ? "list" : value instanceof Dict ? "dict" : classNameOf(value);
    }

    private static String classNameOf(Object value) {
        boolean ownName = value instanceof Markup
                || value instanceof Namespace
                || value instanceof Undefined
                || value instanceof Attributed;
        return ownName
                ? value.getClass().getSimpleName()
                : value instanceof Tuple ? "tuple" : value instanceof Range ? "range" : "function";
    }

    /** The characters of a str, marked as safe or not; null for everything else. */
    static @Nullable String textOrNull(Object value) {
        return value instanceof String text ? text : value instanceof Markup markup ? markup.text() : null;
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
            throw new Failure("'" + typeName(value) + "' object cannot be interpreted as an integer");
        }
        return value instanceof Boolean flag ? flag ? 1 : 0 : (Long) value;
    }

    static boolean equal(Object left, Object right, Budget budget) {
        budget.enter();
        boolean equal = equalValues(left, right, budget);
        budget.leave();
        return equal;
    }

    private static boolean equalValues(Object left, Object right, Budget budget) {
        if (isNumber(left) && isNumber(right)) {
            return compareNumbers(left, right) == 0;
        }
        if (left instanceof Undefined || right instanceof Undefined) {
            return left instanceof Undefined && right instanceof Undefined;
        }
        String text = textOrNull(left);
        if (text != null) {
            String other = textOrNull(right);
            budget.scan(other != null && other.length() == text.length() ? text.length() : 0);
            return text.equals(other);
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            return equalItems(a, b, budget);
        }
        if (left instanceof Tuple a && right instanceof Tuple b) {
            return equalItems(a.items(), b.items(), budget);
        }
        if (left instanceof Dict a && right instanceof Dict b) {
            return a.size() == b.size() && equalEntries(a, b, budget);
        }
        if (left instanceof Range a && right instanceof Range b) {
            return a.length() == b.length()
                    && (a.length() == 0 || a.start() == b.start())
                    && (a.length() < 2 || a.step() == b.step());
        }
        if (left instanceof View a && right instanceof View b && a.part() == b.part() && a.part() != View.Part.VALUES) {
            return a.dict().size() == b.dict().size()
                    && (a.part() == View.Part.ITEMS
                            ? equalEntries(a.dict(), b.dict(), budget)
                            : a.dict().keys().stream().allMatch(key -> b.dict().get(key, budget) != null));
        }
        return left == right;
    }

    private static boolean equalItems(List<?> a, List<?> b, Budget budget) {
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

    private static boolean equalEntries(Dict a, Dict b, Budget budget) {
        for (int i = 0; i < a.size(); i++) {
            Object other = b.get(a.keys().get(i), budget);
            if (other == null || !equal(a.values().get(i), other, budget)) {
                return false;
            }
        }
        return true;
    }

    /** Below, at or above zero; {@link #UNORDERED} for numbers that are not numbers. */
    static int compare(Object left, Object right, String operator, Budget budget) {
        budget.enter();
        try {
            if (isNumber(left) && isNumber(right)) {
                return compareNumbers(left, right);
            }
            String text = textOrNull(left);
            String other = textOrNull(right);
            if (text != null && other != null) {
                budget.scan(Math.min(text.length(), other.length()));
                return compareCodePoints(text, other);
            }
            if (left instanceof List<?> a && right instanceof List<?> b) {
                return compareItems(a, b, operator, budget);
            }
            if (left instanceof Tuple a && right instanceof Tuple b) {
                return compareItems(a.items(), b.items(), operator, budget);
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
        if (left instanceof View && right instanceof View) {
            throw new Failure.Unsupported("the order of " + typeName(left));
        }
        throw new Failure("'" + operator + "' not supported between instances of '" + typeName(left) + "' and '"
                + typeName(right) + "'");
    }

    private static int compareItems(List<?> a, List<?> b, String operator, Budget budget) {
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
            if (!equal(a.get(i), b.get(i), budget)) {
                return compare(a.get(i), b.get(i), operator, budget);
            }
        }
        return Integer.compare(a.size(), b.size());
    }

    private static int compareNumbers(Object left, Object right) {
        if (isInteger(left) && isInteger(right)) {
            return Long.compare(toLong(left), toLong(right));
        }
        if (isInteger(left)) {
            int reversed = compareNumbers(right, left);
            return reversed == UNORDERED ? UNORDERED : -reversed;
        }
        double a = (Double) left;
        if (isInteger(right)) {
            return compareExactly(a, toLong(right));
        }
        double b = (Double) right;
        return Double.isNaN(a) || Double.isNaN(b) ? UNORDERED : a < b ? -1 : a > b ? 1 : 0;
    }

    /** A double has not the places of a long: 2^53 + 1 is not 2^53, though its double is. */
    private static int compareExactly(double a, long b) {
        if (Double.isNaN(a)) {
            return UNORDERED;
        }
        if (Math.abs(a) >= 0x1p63) {
            return a > 0 ? 1 : b == Long.MIN_VALUE && a == -0x1p63 ? 0 : -1;
        }
        int whole = Long.compare((long) a, b);
        return whole != 0 ? whole : Double.compare(a - (long) a + 0.0, 0.0);
    }

    /** UTF-16 order differs from code point order where surrogates meet U+E000 to U+FFFF. */
    private static int compareCodePoints(String a, String b) {
        for (int i = 0; i < Math.min(a.length(), b.length()); i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                return Character.isSurrogate(x) == Character.isSurrogate(y)
                        ? x < y ? -1 : 1
                        : Character.isSurrogate(x) ? 1 : -1;
            }
        }
        return Integer.compare(a.length(), b.length());
    }

    /** What a loop runs over: items, keys or characters, each charged as it comes. */
    static Iterator<Object> iterate(Object value, Budget budget) {
        if (value instanceof Lazy lazy) {
            return lazy;
        }
        if (value instanceof Undefined) {
            return Collections.emptyIterator();
        }
        String text = textOrNull(value);
        if (text != null) {
            return characters(text, budget);
        }
        if (value instanceof View view && view.part() == View.Part.ITEMS) {
            Dict dict = view.dict();
            return indexed(dict.size(), budget, i -> {
                budget.objects(1);
                return new Tuple(Arrays.asList(dict.keys().get(i), dict.values().get(i)));
            });
        }
        if (value instanceof Range range) {
            return indexed((int) range.length(), budget, range::get);
        }
        List<Object> items = itemsOrNull(value);
        if (items == null) {
            throw new Failure("'" + typeName(value) + "' object is not iterable");
        }
        return indexed(items.size(), budget, items::get);
    }

    @SuppressWarnings("unchecked")
    private static @Nullable List<Object> itemsOrNull(Object value) {
        if (value instanceof List) {
            return (List<Object>) value;
        }
        if (value instanceof Tuple tuple) {
            return tuple.items();
        }
        if (value instanceof Dict dict) {
            return dict.keys();
        }
        return value instanceof View view
                ? view.part() == View.Part.KEYS
                        ? view.dict().keys()
                        : view.dict().values()
                : null;
    }

    interface ByIndex {
        Object get(int index);
    }

    static Iterator<Object> indexed(int size, Budget budget, ByIndex items) {
        return new Iterator<>() {
            private int at;

            @Override
            public boolean hasNext() {
                return at < size;
            }

            @Override
            public Object next() {
                if (at >= size) {
                    throw new NoSuchElementException();
                }
                budget.scan(4);
                return items.get(at++);
            }
        };
    }

    private static Iterator<Object> characters(String text, Budget budget) {
        return new Iterator<>() {
            private int at;

            @Override
            public boolean hasNext() {
                return at < text.length();
            }

            @Override
            public Object next() {
                if (at >= text.length()) {
                    throw new NoSuchElementException();
                }
                budget.objects(1);
                int from = at;
                at = text.offsetByCodePoints(at, 1);
                return text.substring(from, at);
            }
        };
    }

    /** {@code list(value)}: a list of its own. */
    static List<Object> list(Object value, Budget budget) {
        Integer size = size(value);
        budget.slots(size == null ? 0 : size);
        List<Object> items = new ArrayList<>(size == null ? 0 : size);
        for (Iterator<Object> i = iterate(value, budget); i.hasNext(); ) {
            budget.slots(size == null ? 1 : 0);
            items.add(i.next());
        }
        return items;
    }

    static boolean contains(Object container, Object item, Budget budget) {
        String text = textOrNull(container);
        if (text != null) {
            String part = textOrNull(item);
            if (part == null) {
                throw new Failure("'in <string>' requires string as left operand, not " + typeName(item));
            }
            return Search.first(text, part, 0, budget) >= 0;
        }
        if (container instanceof Dict dict) {
            return dict.get(item, budget) != null;
        }
        if (container instanceof View view && view.part() == View.Part.KEYS) {
            return view.dict().get(item, budget) != null;
        }
        for (Iterator<Object> i = iterate(container, budget); i.hasNext(); ) {
            if (equal(i.next(), item, budget)) {
                return true;
            }
        }
        return false;
    }

    /** {@code value[index]}; null if there is no such item or the value takes no index. */
    static @Nullable Object item(Object value, Object index, Budget budget) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        if (value instanceof Dict dict) {
            // An index that cannot be a key is a TypeError, which Jinja2 takes for a missing item.
            return index instanceof List || index instanceof Dict || index instanceof View
                    ? null
                    : dict.get(index, budget);
        }
        if (!isInteger(index)) {
            return null;
        }
        long position = toLong(index);
        String text = textOrNull(value);
        if (text != null) {
            String character = character(text, position, budget);
            return character == null ? null : value instanceof Markup ? new Markup(character) : character;
        }
        Integer size = value instanceof View ? null : size(value);
        if (size == null) {
            return null;
        }
        long at = position < 0 ? position + size : position;
        if (at < 0 || at >= size) {
            return null;
        }
        return value instanceof Range range
                ? (Object) range.get(at)
                : value instanceof Tuple tuple ? tuple.items().get((int) at) : ((List<?>) value).get((int) at);
    }

    private static @Nullable String character(String text, long position, Budget budget) {
        if (position >= text.length() || position < -text.length()) {
            return null;
        }
        budget.scan(Math.abs(position) + 1);
        try {
            int from = text.offsetByCodePoints(position < 0 ? text.length() : 0, (int) position);
            return from == text.length() ? null : text.substring(from, text.offsetByCodePoints(from, 1));
        } catch (IndexOutOfBoundsException e) {
            return null;
        }
    }

    /** {@code value[start:stop:step]}. */
    static Object slice(Object value, @Nullable Long start, @Nullable Long stop, @Nullable Long step, Budget budget) {
        if (value instanceof Undefined undefined) {
            throw undefined.failure();
        }
        String text = textOrNull(value);
        if (text == null && !(value instanceof List || value instanceof Tuple || value instanceof Range)) {
            throw new Failure("'" + typeName(value) + "' object has no slices");
        }
        long stride = step == null ? 1 : step;
        if (stride == 0) {
            throw new Failure("slice step cannot be zero");
        }
        long size = length(value, budget);
        long first = stride > 0 ? 0 : -1;
        long last = stride > 0 ? size : size - 1;
        long from = start == null ? stride > 0 ? first : last : clamp(start, size, first, last);
        long to = stop == null ? stride > 0 ? last : first : clamp(stop, size, first, last);
        long distance = stride > 0 ? to - from : from - to;
        long magnitude = stride == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(stride);
        long count = distance <= 0 ? 0 : (distance - 1) / magnitude + 1;
        if (text != null) {
            String part = sliceText(text, from, stride, count, size, budget);
            return value instanceof Markup ? new Markup(part) : part;
        }
        if (value instanceof Range range) {
            return new Range(range.get(from), range.get(to), range.step() * stride);
        }
        budget.slots(count);
        List<?> all = value instanceof Tuple tuple ? tuple.items() : (List<?>) value;
        List<Object> part = new ArrayList<>((int) count);
        for (long i = 0; i < count; i++) {
            part.add(all.get((int) (from + i * stride)));
        }
        return value instanceof Tuple ? new Tuple(part) : part;
    }

    private static String sliceText(String text, long from, long stride, long count, long size, Budget budget) {
        if (count == 0) {
            return "";
        }
        boolean narrow = size == text.length();
        if (stride == 1) {
            int begin = narrow ? (int) from : text.offsetByCodePoints(0, (int) from);
            int end = narrow ? (int) (from + count) : text.offsetByCodePoints(begin, (int) count);
            budget.text(end - begin);
            return text.substring(begin, end);
        }
        budget.text(text.length() * 2L);
        int[] characters = text.codePoints().toArray();
        int[] chosen = new int[(int) count];
        for (int i = 0; i < count; i++) {
            chosen[i] = characters[(int) (from + i * stride)];
        }
        return new String(chosen, 0, chosen.length);
    }

    private static long clamp(long index, long size, long first, long last) {
        return Math.max(first, Math.min(last, index < 0 ? Math.max(index + size, first) : index));
    }

    /**
     * A stable sort that puts up with any order, as Python's does: numbers that are not numbers stay where they are.
     */
    static List<Object> sorted(List<Object> items, List<Object> keys, boolean reverse, Budget budget) {
        budget.slots(items.size());
        Integer[] order = new Integer[items.size()];
        for (int i = 0; i < order.length; i++) {
            order[i] = reverse ? order.length - 1 - i : i;
        }
        budget.slots(items.size());
        mergeSort(order, new Integer[order.length], 0, order.length, keys, budget);
        budget.slots(items.size());
        List<Object> sorted = new ArrayList<>(items.size());
        for (int i = 0; i < order.length; i++) {
            sorted.add(items.get(order[reverse ? order.length - 1 - i : i]));
        }
        return sorted;
    }

    private static void mergeSort(
            Integer[] order, Integer[] spare, int from, int to, List<Object> keys, Budget budget) {
        if (to - from < 2) {
            return;
        }
        int middle = (from + to) >>> 1;
        mergeSort(order, spare, from, middle, keys, budget);
        mergeSort(order, spare, middle, to, keys, budget);
        System.arraycopy(order, from, spare, from, to - from);
        int left = from;
        int right = middle;
        for (int i = from; i < to; i++) {
            boolean takeRight = left == middle
                    || right < to && compare(keys.get(spare[right]), keys.get(spare[left]), "<", budget) == -1;
            order[i] = takeRight ? spare[right++] : spare[left++];
        }
    }

    static String str(Object value, Budget budget) {
        String text = textOrNull(value);
        if (text != null) {
            return text;
        }
        return value instanceof Undefined ? "" : Repr.of(value, budget);
    }

    /** {@code str.isspace} of one character. */
    static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    static boolean isPrintable(int c) {
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
}
