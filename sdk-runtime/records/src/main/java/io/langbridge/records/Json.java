package io.langbridge.records;

import java.util.Map;

/** Writes JSON. */
final class Json {
    private Json() {}

    static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }

    /** An object whose values are JSON already. */
    static String object(Map<String, String> members) {
        StringBuilder out = new StringBuilder("{");
        members.forEach((name, value) -> out.append(out.length() > 1 ? ", " : "")
                .append(quoted(name))
                .append(": ")
                .append(value));
        return out.append('}').toString();
    }
}
