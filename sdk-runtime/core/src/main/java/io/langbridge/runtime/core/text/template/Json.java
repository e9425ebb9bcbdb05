package io.langbridge.runtime.core.text.template;

import io.langbridge.runtime.core.text.template.Values.None;
import io.langbridge.runtime.core.text.template.Values.Tuple;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code tojson} filter of chat templates: Python's {@code json.dumps}. */
final class Json {
    /** What guards a user's words from being read as special tokens; it has to come through unchanged. */
    private static final char MARK = '\uFDD0';

    private final Budget budget;
    private final TextBuilder out;
    private final boolean ascii;
    private final @Nullable String indent;
    private final String itemSeparator;
    private final String keySeparator;
    private final boolean sortKeys;

    private Json(
            Budget budget,
            boolean ascii,
            @Nullable String indent,
            String itemSeparator,
            String keySeparator,
            boolean sortKeys) {
        this.budget = budget;
        this.out = new TextBuilder(budget);
        this.ascii = ascii;
        this.indent = indent;
        this.itemSeparator = itemSeparator;
        this.keySeparator = keySeparator;
        this.sortKeys = sortKeys;
    }

    /** With the parameters that transformers gives the filter. */
    static Object write(Function.Arguments a) {
        String level = null;
        if (a.given(2)) {
            String text = Python.textOrNull(a.get(2));
            level = text != null
                    ? text
                    : new TextBuilder(a.budget)
                            .repeat(" ", Python.toLong(a.get(2)))
                            .toString();
        }
        String itemSeparator = level == null ? ", " : ",";
        String keySeparator = ": ";
        if (a.given(3)) {
            List<Object> pair = Python.list(a.get(3), a.budget);
            String item = pair.size() == 2 ? Python.textOrNull(pair.get(0)) : null;
            String key = pair.size() == 2 ? Python.textOrNull(pair.get(1)) : null;
            if (item == null || key == null) {
                throw new Failure("tojson needs two texts as separators");
            }
            itemSeparator = item;
            keySeparator = key;
        }
        Json json = new Json(a.budget, a.flag(1), level, itemSeparator, keySeparator, a.flag(4));
        json.value(a.get(0), 0);
        return json.out.toString();
    }

    /** {@code ascii(..)} of what {@code repr(..)} gave. */
    static String ascii(String text, Budget budget) {
        TextBuilder out = new TextBuilder(budget);
        text.codePoints().forEach(c -> {
            if (c < 0x80) {
                out.append((char) c);
            } else {
                Repr.escape(c, out);
            }
        });
        return out.toString();
    }

    private void value(Object value, int level) {
        budget.enter();
        String text = Python.textOrNull(value);
        if (text != null) {
            string(text);
        } else if (value instanceof List<?> list) {
            array(list, level);
        } else if (value instanceof Tuple tuple) {
            array(tuple.items(), level);
        } else if (value instanceof Dict dict) {
            object(dict, level);
        } else {
            out.append(scalar(value));
        }
        budget.leave();
    }

    private String scalar(Object value) {
        if (value instanceof None) {
            return "null";
        }
        if (value instanceof Double number) {
            return Double.isNaN(number)
                    ? "NaN"
                    : Double.isInfinite(number)
                            ? number > 0 ? "Infinity" : "-Infinity"
                            : Repr.floatText(number, budget);
        }
        if (value instanceof Boolean || value instanceof Long) {
            return value.toString();
        }
        throw new Failure("Object of type " + Python.typeName(value) + " is not JSON serializable");
    }

    private void array(List<?> items, int level) {
        out.append('[');
        for (int i = 0; i < items.size(); i++) {
            separate(i, level + 1);
            value(items.get(i), level + 1);
        }
        close(items.isEmpty(), level, ']');
    }

    private void object(Dict dict, int level) {
        List<Object> keys = dict.keys();
        if (sortKeys) {
            keys = Python.sorted(keys, keys, false, budget);
        }
        out.append('{');
        int index = 0;
        for (Object key : keys) {
            separate(index++, level + 1);
            String text = Python.textOrNull(key);
            if (text == null && !(key instanceof None) && !Python.isNumber(key)) {
                throw new Failure("keys must be str, int, float, bool or None, not " + Python.typeName(key));
            }
            string(text != null ? text : scalar(key));
            out.append(keySeparator);
            Object value = dict.get(key, budget);
            value(value == null ? None.NONE : value, level + 1);
        }
        close(keys.isEmpty(), level, '}');
    }

    private void separate(int index, int level) {
        if (index > 0) {
            out.append(itemSeparator);
        }
        newLine(level);
    }

    private void close(boolean empty, int level, char bracket) {
        if (!empty) {
            newLine(level);
        }
        out.append(bracket);
    }

    private void newLine(int level) {
        if (indent != null) {
            out.append('\n').repeat(indent, level);
        }
    }

    private void string(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int named = "\"\\\n\r\t\b\f".indexOf(c);
            if (named >= 0) {
                out.append('\\').append("\"\\nrtbf".charAt(named));
            } else if (c < 0x20 || ascii && c > 0x7E && c != MARK) {
                out.append("\\u").hex(c, 4);
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
