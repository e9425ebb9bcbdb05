package io.langbridge.runtime.core.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Python's dict: in order of insertion, 1 and 1.0 and True are one key, and so are a text and the same text marked as
 * safe. Nothing is ever removed, because templates may not change what they are given.
 */
final class Dict {
    /** A key that is no text, spelled so that equal keys are spelled alike. */
    private record Other(String spelling) implements Comparable<Other> {
        @Override
        public int compareTo(Other other) {
            return spelling.compareTo(other.spelling);
        }
    }

    // Two maps, so that all keys of a map can be compared: then no choice of keys makes a look-up slow.
    private final Map<String, Integer> texts = new HashMap<>();
    private final Map<Other, Integer> others = new HashMap<>();
    private final List<Object> keys = new ArrayList<>();
    private final List<Object> values = new ArrayList<>();

    int size() {
        return keys.size();
    }

    List<Object> keys() {
        return Collections.unmodifiableList(keys);
    }

    List<Object> values() {
        return Collections.unmodifiableList(values);
    }

    void put(Object key, Object value, Budget budget) {
        Integer at = place(key, budget);
        if (at != null) {
            values.set(at, value);
            return;
        }
        budget.objects(2);
        String text = Python.textOrNull(key);
        if (text != null) {
            texts.put(text, keys.size());
        } else {
            others.put(spelled(key, budget), keys.size());
        }
        keys.add(key);
        values.add(value);
    }

    void putAll(Dict more, Budget budget) {
        for (int i = 0; i < more.size(); i++) {
            put(more.keys.get(i), more.values.get(i), budget);
        }
    }

    @Nullable
    Object get(Object key, Budget budget) {
        Integer at = place(key, budget);
        return at == null ? null : values.get(at);
    }

    /** Without charge, for names that come from the template's source. */
    @Nullable
    Object get(String key) {
        Integer at = texts.get(key);
        return at == null ? null : values.get(at);
    }

    /** Where the key is; fails if it cannot be a key. */
    private @Nullable Integer place(Object key, Budget budget) {
        String text = Python.textOrNull(key);
        if (text != null) {
            budget.scan(text.length());
            return texts.get(text);
        }
        return others.get(spelled(key, budget));
    }

    private static Other spelled(Object key, Budget budget) {
        TextBuilder spelling = new TextBuilder(budget);
        spell(key, spelling, budget);
        return new Other(spelling.toString());
    }

    private static void spell(Object key, TextBuilder out, Budget budget) {
        budget.enter();
        String text = Python.textOrNull(key);
        if (text != null) {
            out.append("t").append(Integer.toString(text.length())).append(":").append(text);
        } else if (Python.isInteger(key)) {
            out.append("n").append(Long.toString(Python.toLong(key)));
        } else if (key instanceof Double number) {
            boolean whole = number == Math.rint(number) && Math.abs(number) < 9e18;
            out.append("n").append(whole ? Long.toString(number.longValue()) : number.toString());
        } else if (key instanceof Values.Tuple tuple) {
            out.append("(");
            for (Object item : tuple.items()) {
                spell(item, out, budget);
                out.append(",");
            }
            out.append(")");
        } else if (key instanceof Values.None || key instanceof Values.Undefined) {
            out.append(key instanceof Values.None ? "none" : "undefined");
        } else if (key instanceof List || key instanceof Dict || key instanceof Values.View) {
            throw new Failure("unhashable type: '" + Python.typeName(key) + "'");
        } else {
            throw new Failure.Unsupported("a " + Python.typeName(key) + " as the key of a dictionary");
        }
        budget.leave();
    }
}
