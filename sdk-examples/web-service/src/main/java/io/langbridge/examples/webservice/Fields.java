package io.langbridge.examples.webservice;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The fields of an object, each asked for by name; what nobody asked for is refused at the end. {@code null} is the
 * same as not there, as clients send it.
 */
final class Fields {
    private final JsonObject json;
    private final String path;
    private final Set<String> known = new HashSet<>();

    Fields(JsonElement json, String path) {
        if (!(json instanceof JsonObject object)) {
            throw ApiError.invalid(
                    path.isEmpty() ? null : path, (path.isEmpty() ? "The body" : path) + " must be an object");
        }
        this.json = object;
        this.path = path;
    }

    String at(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /** Null if it is not there. */
    JsonElement get(String name) {
        known.add(name);
        JsonElement value = json.get(name);
        return value == null || value.isJsonNull() ? null : value;
    }

    String text(String name) {
        JsonElement value = get(name);
        if (value == null) {
            return null;
        }
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
            throw wrong(name, "a string");
        }
        return value.getAsString();
    }

    String requiredText(String name) {
        String value = text(name);
        if (value == null) {
            throw ApiError.invalid(at(name), at(name) + " is missing");
        }
        return value;
    }

    Double number(String name) {
        JsonElement value = get(name);
        if (value == null) {
            return null;
        }
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
            throw wrong(name, "a number");
        }
        return value.getAsDouble();
    }

    Long whole(String name) {
        Double value = number(name);
        if (value != null && value != Math.rint(value)) {
            throw wrong(name, "a whole number");
        }
        return value == null ? null : value.longValue();
    }

    boolean flag(String name) {
        JsonElement value = get(name);
        if (value == null) {
            return false;
        }
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isBoolean()) {
            throw wrong(name, "true or false");
        }
        return value.getAsBoolean();
    }

    List<JsonElement> list(String name) {
        JsonElement value = get(name);
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof JsonArray array)) {
            throw wrong(name, "an array");
        }
        return array.asList();
    }

    /** A field that means nothing here: values that ask for nothing are taken, all others refused. */
    void neutral(String name, Predicate<JsonElement> asksForNothing) {
        JsonElement value = get(name);
        if (value != null && !asksForNothing.test(value)) {
            throw ApiError.invalid(at(name), at(name) + " is not supported by this service");
        }
    }

    /** Refuses what was not asked for. */
    void end() {
        for (String name : json.keySet()) {
            if (!known.contains(name) && !json.get(name).isJsonNull()) {
                throw ApiError.invalid(at(name), at(name) + " is not supported by this service");
            }
        }
    }

    private ApiError wrong(String name, String wanted) {
        return ApiError.invalid(at(name), at(name) + " must be " + wanted + ", not " + json.get(name));
    }
}
