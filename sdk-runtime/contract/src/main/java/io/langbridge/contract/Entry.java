package io.langbridge.contract;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A JSON object that remembers which of its keys were read, so that a key nobody knows how to check is noticed. */
final class Entry {
    private final JsonObject json;
    private final String where;
    private final Set<String> read = new TreeSet<>();
    private final List<Entry> children = new ArrayList<>();

    private Entry(JsonObject json, String where) {
        this.json = json;
        this.where = where;
    }

    static Entry read(Path file) {
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            return new Entry(JsonParser.parseReader(reader).getAsJsonObject(), String.valueOf(file.getFileName()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Set<String> keys() {
        return json.keySet();
    }

    String where() {
        return where;
    }

    boolean has(String key) {
        return json.has(key);
    }

    /** The value as it is. */
    JsonElement get(String key) {
        JsonElement value = json.get(key);
        if (value == null) {
            throw new AssertionError(where + " has no '" + key + "', only " + json.keySet());
        }
        read.add(key);
        return value;
    }

    /** Whether there is such a key whose value is true. */
    boolean isTrue(String key) {
        return has(key) && get(key).getAsBoolean();
    }

    boolean isText(String key) {
        return has(key)
                && json.get(key).isJsonPrimitive()
                && json.getAsJsonPrimitive(key).isString();
    }

    String text(String key) {
        return get(key).getAsString();
    }

    int integer(String key) {
        return get(key).getAsInt();
    }

    double number(String key) {
        return get(key).getAsDouble();
    }

    Entry object(String key) {
        return child(get(key), where + "/" + key);
    }

    List<Entry> objects(String key) {
        List<Entry> entries = new ArrayList<>();
        for (JsonElement element : array(key)) {
            entries.add(child(element, where + "/" + key + "[" + entries.size() + "]"));
        }
        return entries;
    }

    List<String> texts(String key) {
        List<String> texts = new ArrayList<>();
        array(key).forEach(element -> texts.add(element.getAsString()));
        return texts;
    }

    int[] integers(String key) {
        return integers(array(key));
    }

    /** Numbers; null stands for minus infinity. */
    float[] floats(String key) {
        JsonArray array = array(key);
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).isJsonNull()
                    ? Float.NEGATIVE_INFINITY
                    : array.get(i).getAsFloat();
        }
        return values;
    }

    /** Lists of integers. */
    List<int[]> integerLists(String key) {
        List<int[]> lists = new ArrayList<>();
        array(key).forEach(element -> lists.add(integers(element.getAsJsonArray())));
        return lists;
    }

    /** A JSON object as templates see it. */
    static Map<String, Object> map(JsonElement element) {
        Map<String, Object> map = new LinkedHashMap<>();
        element.getAsJsonObject().entrySet().forEach(entry -> map.put(entry.getKey(), plain(entry.getValue())));
        return map;
    }

    /** A list of JSON objects as templates see it. */
    static List<Map<String, Object>> maps(JsonElement element) {
        List<Map<String, Object>> maps = new ArrayList<>();
        element.getAsJsonArray().forEach(each -> maps.add(map(each)));
        return maps;
    }

    @SuppressWarnings("NullAway") // null is what a template gets for null
    private static Object plain(JsonElement element) {
        if (element.isJsonNull()) {
            return null;
        }
        if (element.isJsonObject()) {
            return map(element);
        }
        if (element.isJsonArray()) {
            List<Object> list = new ArrayList<>();
            element.getAsJsonArray().forEach(each -> list.add(plain(each)));
            return list;
        }
        JsonPrimitive primitive = element.getAsJsonPrimitive();
        if (primitive.isBoolean()) {
            return primitive.getAsBoolean();
        }
        if (primitive.isNumber()) {
            String number = primitive.getAsString();
            return number.matches("-?\\d+") ? (Object) Long.valueOf(number) : Double.valueOf(number);
        }
        return primitive.getAsString();
    }

    private JsonArray array(String key) {
        return get(key).getAsJsonArray();
    }

    private static int[] integers(JsonArray array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).getAsInt();
        }
        return values;
    }

    private Entry child(JsonElement element, String at) {
        Entry child = new Entry(element.getAsJsonObject(), at);
        children.add(child);
        return child;
    }

    /** These keys describe and state nothing to check. */
    void describe(String... keys) {
        for (String key : keys) {
            read.add(key);
        }
    }

    /** Everything below describes and states nothing to check. */
    void describeAll() {
        read.addAll(json.keySet());
        children.forEach(Entry::describeAll);
    }

    /** Adds the keys that nobody read, here and below. */
    void addUnread(List<String> unread) {
        for (String key : json.keySet()) {
            if (!read.contains(key)) {
                unread.add(where + "/" + key);
            }
        }
        children.forEach(child -> child.addUnread(unread));
    }
}
