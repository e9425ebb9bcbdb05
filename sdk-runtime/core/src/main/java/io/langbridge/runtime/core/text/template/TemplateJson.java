package io.langbridge.runtime.core.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The {@code tojson} filter of chat templates: Python's {@code json.dumps} with {@code ensure_ascii=False}. */
final class TemplateJson {
    private final StringBuilder out = new StringBuilder();
    private final TemplateBudget budget;
    private final @Nullable String indent;
    private final String itemSeparator;
    private final String keySeparator;
    private final boolean sortKeys;

    private TemplateJson(
            TemplateBudget budget,
            @Nullable String indent,
            String itemSeparator,
            String keySeparator,
            boolean sortKeys) {
        this.budget = budget;
        this.indent = indent;
        this.itemSeparator = itemSeparator;
        this.keySeparator = keySeparator;
        this.sortKeys = sortKeys;
    }

    /**
     * Writes a value.
     *
     * @param indent one level of indentation, or null for one line
     */
    static String write(
            Object value,
            TemplateBudget budget,
            @Nullable String indent,
            String itemSeparator,
            String keySeparator,
            boolean sortKeys) {
        TemplateJson json = new TemplateJson(budget, indent, itemSeparator, keySeparator, sortKeys);
        json.value(value, 0);
        return json.out.toString();
    }

    private void value(Object value, int level) {
        budget.enter();
        if (value instanceof String text) {
            string(text);
        } else if (value instanceof List || value instanceof Python.Tuple) {
            array(Python.items(value), level);
        } else if (value instanceof Map<?, ?> map) {
            object(map, level);
        } else {
            out.append(scalar(value));
        }
        budget.leave();
    }

    private static String scalar(Object value) {
        if (value instanceof Python.None) {
            return "null";
        }
        if (value instanceof Double number) {
            return Double.isNaN(number)
                    ? "NaN"
                    : Double.isInfinite(number) ? number > 0 ? "Infinity" : "-Infinity" : Python.floatText(number);
        }
        if (value instanceof Boolean || value instanceof Long) {
            return value.toString();
        }
        throw new TemplateFailure("Object of type " + Python.typeName(value) + " is not JSON serializable");
    }

    private void array(List<Object> items, int level) {
        out.append('[');
        for (int i = 0; i < items.size(); i++) {
            separate(i, level + 1);
            value(items.get(i), level + 1);
        }
        close(items.isEmpty(), level, ']');
    }

    private void object(Map<?, ?> map, int level) {
        Map<String, Object> entries = new LinkedHashMap<>();
        map.forEach((key, item) -> entries.put(key instanceof String text ? text : scalar(key), item));
        List<String> keys = new ArrayList<>(entries.keySet());
        if (sortKeys) {
            Collections.sort(keys);
        }
        out.append('{');
        for (int i = 0; i < keys.size(); i++) {
            separate(i, level + 1);
            string(keys.get(i));
            out.append(keySeparator);
            value(entries.getOrDefault(keys.get(i), Python.None.NONE), level + 1);
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
            budget.charge((long) indent.length() * level + 1);
            out.append('\n');
            for (int i = 0; i < level; i++) {
                out.append(indent);
            }
        }
    }

    private void string(String text) {
        budget.charge(text.length());
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int named = "\"\\\n\r\t\b\f".indexOf(c);
            if (named >= 0) {
                out.append('\\').append("\"\\nrtbf".charAt(named));
            } else if (c < 0x20) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
