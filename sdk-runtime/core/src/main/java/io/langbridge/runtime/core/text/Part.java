package io.langbridge.runtime.core.text;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A value in a JSON file, with the way to it: whatever is missing or of another type is named. */
final class Part {
    private final Path file;
    private final String key;
    private final @Nullable Object value;

    Part(Path file, String key, @Nullable Object value) {
        this.file = file;
        this.key = key;
        this.value = value;
    }

    Path file() {
        return file;
    }

    boolean isNull() {
        return value == null;
    }

    boolean isText() {
        return value instanceof String;
    }

    boolean isObject() {
        return value instanceof Map;
    }

    boolean isList() {
        return value instanceof List;
    }

    /** The keys of an object, in the order of the file. */
    Set<String> keys() {
        return map().keySet();
    }

    private Map<?, ?> rawMap() {
        if (value instanceof Map<?, ?> map) {
            return map;
        }
        throw wrong("an object");
    }

    @SuppressWarnings("unchecked") // readTree makes no other maps
    private Map<String, @Nullable Object> map() {
        return (Map<String, @Nullable Object>) rawMap();
    }

    /** A member of an object; a null if it is not there. */
    Part part(String name) {
        return new Part(file, key.isEmpty() ? name : key + "." + name, rawMap().get(name));
    }

    /** The elements of a list. */
    List<Part> parts() {
        if (!(value instanceof List<?> list)) {
            throw wrong("a list");
        }
        List<Part> parts = new ArrayList<>(list.size());
        for (int i = 0; i < list.size(); i++) {
            parts.add(new Part(file, key + "[" + i + "]", list.get(i)));
        }
        return Collections.unmodifiableList(parts);
    }

    String text() {
        if (value instanceof String text) {
            return text;
        }
        throw wrong("a text");
    }

    String textOr(String absent) {
        return value == null ? absent : text();
    }

    boolean flag() {
        if (value instanceof Boolean flag) {
            return flag;
        }
        throw wrong("true or false");
    }

    boolean flagOr(boolean absent) {
        return value == null ? absent : flag();
    }

    double number() {
        if (value instanceof Double number) {
            return number;
        }
        throw wrong("a number");
    }

    /** A whole number from 0 to {@code most}. */
    int integer(int most) {
        double number = number();
        if (number == Math.rint(number) && number >= 0 && number <= most) {
            return (int) number;
        }
        throw wrong("a whole number from 0 to " + most);
    }

    /** The only character of a text, as a code point. */
    int character() {
        String text = text();
        if (text.isEmpty() || text.codePointCount(0, text.length()) > 1) {
            throw wrong("one character");
        }
        return text.codePointAt(0);
    }

    private CheckpointException wrong(String wanted) {
        return damaged(value == null ? "is missing, wanted is " + wanted : "is not " + wanted);
    }

    /** @param what about this value, beginning with a verb */
    CheckpointException damaged(String what) {
        return new CheckpointException(file + ": '" + key + "' " + what
                + ". Download the file again, or write it anew with a current version of" + " tokenizers.");
    }

    /** @param what of this value, as the file writes it */
    UnsupportedModelException unsupported(String what, String supported) {
        return new UnsupportedModelException(
                file + ": '" + key + "' is " + what + ", which is not supported. Supported are " + supported + ".");
    }
}
