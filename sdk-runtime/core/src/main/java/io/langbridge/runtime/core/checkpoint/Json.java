package io.langbridge.runtime.core.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.langbridge.CheckpointException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object of a checkpoint, read strictly: no comments, no duplicate keys, no value of another type than asked
 * for. {@code NaN} and {@code Infinity} stand in files that Python wrote; they are refused where a number is asked for.
 * Every error names the file and the key, or the line. Immutable in use, safe for several threads.
 */
public final class Json {
    /** What safetensors allows for its header; no configuration or vocabulary comes near. */
    public static final int MAX_BYTES = 100_000_000;

    private final String source;
    private final String path;
    private final JsonObject object;

    private Json(String source, String path, JsonObject object) {
        this.source = source;
        this.path = path;
        this.object = object;
    }

    /**
     * Reads a file that holds one object.
     *
     * @throws CheckpointException if it is missing, larger than 100 MB, not JSON or not an object
     */
    public static Json read(Path file) {
        return parse(bytes(file), file.toString());
    }

    private static byte[] bytes(Path file) {
        try (OpenFile open = OpenFile.open(file)) {
            if (open.size() > MAX_BYTES) {
                throw new CheckpointException(
                        file + " has " + open.size() + " bytes; a JSON file of a model has at most " + MAX_BYTES + ".");
            }
            open.refusePlaceholder();
            return open.read(0, (int) open.size());
        }
    }

    /**
     * Parses one object.
     *
     * @param utf8 the text
     * @param source the file or place it comes from, for messages
     */
    public static Json parse(byte[] utf8, String source) {
        if (!(new JsonText(utf8, source).tree() instanceof JsonObject object)) {
            throw new CheckpointException(source + " is JSON, but not an object.");
        }
        return new Json(source, "", object);
    }

    /** Told about the members of an object one by one. */
    public interface Members {
        /** Takes {@code key}, whose value is in {@code member} under the same key. */
        void read(String key, Json member);
    }

    /**
     * Parses one object without holding all of it, so that a long list of members takes the memory of one.
     *
     * @param utf8 the text
     * @param source the file or place it comes from, for messages
     */
    public static void members(byte[] utf8, String source, Members members) {
        new JsonText(utf8, source).members((key, value) -> members.read(key, of(source, key, value)));
    }

    /**
     * Parses a list of objects without holding all of it.
     *
     * @throws CheckpointException also if an item is not an object
     */
    public static void objects(byte[] utf8, String source, Consumer<Json> objects) {
        int[] index = new int[1];
        new JsonText(utf8, source).items(item -> {
            String path = "[" + index[0]++ + "].";
            if (!(item instanceof JsonObject object)) {
                throw new CheckpointException(source + " must be a list of objects, but item " + (index[0] - 1) + " is "
                        + shortened(item) + ".");
            }
            objects.accept(new Json(source, path, object));
        });
    }

    /** Whether a text holds an object, rather than a list or a single value; it may still be damaged. */
    public static boolean isObject(byte[] utf8, String source) {
        return new JsonText(utf8, source).isObject();
    }

    private static Json of(String source, String key, JsonElement value) {
        JsonObject one = new JsonObject();
        one.add(key, value);
        return new Json(source, "", one);
    }

    /** The file, for messages. */
    public String source() {
        return source;
    }

    /** {@code file, key 'a.b'}, for messages. */
    public String at(String key) {
        return source + ", key '" + path + key + "'";
    }

    /** All of it, as a tree that the caller must not change. */
    public JsonObject tree() {
        return object;
    }

    /** Whether the key is there and not {@code null}. */
    public boolean has(String key) {
        JsonElement element = object.get(key);
        return element != null && !element.isJsonNull();
    }

    /** Whether the key is there with the value {@code null}, which is not always the same as being absent. */
    public boolean isNull(String key) {
        JsonElement element = object.get(key);
        return element != null && element.isJsonNull();
    }

    /** All keys, in the order of the file. */
    public Set<String> keys() {
        return object.keySet();
    }

    /** The value as it is, or null if absent or {@code null}. */
    public @Nullable JsonElement element(String key) {
        return has(key) ? object.get(key) : null;
    }

    /** The object under {@code key}, or null if absent or {@code null}. */
    public @Nullable Json object(String key) {
        JsonElement element = element(key);
        if (element == null) {
            return null;
        }
        if (!(element instanceof JsonObject inner)) {
            throw wrong(key, "an object", element);
        }
        return new Json(source, path + key + ".", inner);
    }

    /** Whether the value is a number. */
    public boolean isNumber(String key) {
        return element(key) instanceof JsonPrimitive value && value.isNumber();
    }

    /** Whether the value is text. */
    public boolean isString(String key) {
        return element(key) instanceof JsonPrimitive value && value.isString();
    }

    /** Whether the value is an object. */
    public boolean isObject(String key) {
        return element(key) instanceof JsonObject;
    }

    public int intOr(String key, int absent) {
        return has(key) ? requiredInt(key) : absent;
    }

    public int requiredInt(String key) {
        JsonElement element = required(key);
        long value = toLong(key, element);
        if (value != (int) value) {
            throw wrong(key, "a 32-bit whole number", element);
        }
        return (int) value;
    }

    /** A number of things: 1 or more. */
    public int positiveOr(String key, int absent) {
        int value = intOr(key, absent);
        if (value < 1) {
            throw new CheckpointException(at(key) + " must be at least 1, not " + value + ".");
        }
        return value;
    }

    /** A number of things: 1 or more. */
    public int requiredPositive(String key) {
        required(key);
        return positiveOr(key, 0);
    }

    public double doubleOr(String key, double absent) {
        JsonElement element = element(key);
        return element == null ? absent : toDouble(key, element);
    }

    /** A small number of at least 0, as float32 holds it. */
    public float epsilonOr(String key, double absent) {
        double value = doubleOr(key, absent);
        if (value < 0 || value > Float.MAX_VALUE) {
            throw new CheckpointException(
                    at(key) + " must be a number of at least 0 that a float holds, not " + value + ".");
        }
        return (float) value;
    }

    public double requiredDouble(String key) {
        return toDouble(key, required(key));
    }

    public boolean booleanOr(String key, boolean absent) {
        JsonElement element = element(key);
        if (element == null) {
            return absent;
        }
        if (!(element instanceof JsonPrimitive value) || !value.isBoolean()) {
            throw wrong(key, "true or false", element);
        }
        return value.getAsBoolean();
    }

    public @Nullable String string(String key) {
        JsonElement element = element(key);
        return element == null ? null : toText(key, element);
    }

    public String stringOr(String key, String absent) {
        String value = string(key);
        return value == null ? absent : value;
    }

    public String requiredString(String key) {
        return toText(key, required(key));
    }

    /** A list of whole numbers; a single number is a list of one. */
    public List<Long> longs(String key) {
        List<Long> values = new ArrayList<>();
        for (JsonElement item : items(key)) {
            values.add(toLong(key, item));
        }
        return values;
    }

    /** A list of lists of whole numbers. */
    public List<List<Long>> longLists(String key) {
        List<List<Long>> lists = new ArrayList<>();
        for (JsonElement item : items(key)) {
            if (!(item instanceof JsonArray array)) {
                throw wrong(key, "a list of lists", item);
            }
            List<Long> list = new ArrayList<>();
            for (JsonElement number : array) {
                list.add(toLong(key, number));
            }
            lists.add(list);
        }
        return lists;
    }

    /** A list of numbers; a single number is a list of one. */
    public List<Double> doubles(String key) {
        List<Double> values = new ArrayList<>();
        for (JsonElement item : items(key)) {
            values.add(toDouble(key, item));
        }
        return values;
    }

    /** A list of texts; a single text is a list of one. */
    public List<String> strings(String key) {
        List<String> values = new ArrayList<>();
        for (JsonElement item : items(key)) {
            values.add(toText(key, item));
        }
        return values;
    }

    private List<JsonElement> items(String key) {
        JsonElement element = required(key);
        List<JsonElement> items = new ArrayList<>();
        if (element instanceof JsonArray array) {
            array.forEach(items::add);
        } else {
            items.add(element);
        }
        return items;
    }

    private JsonElement required(String key) {
        JsonElement element = element(key);
        if (element == null) {
            throw new CheckpointException(at(key) + " is missing.");
        }
        return element;
    }

    private long toLong(String key, JsonElement element) {
        if (element instanceof JsonPrimitive value && value.isNumber()) {
            try {
                return Long.parseLong(value.getAsString());
            } catch (NumberFormatException e) {
                throw wrong(key, "a whole number", element);
            }
        }
        throw wrong(key, "a whole number", element);
    }

    private double toDouble(String key, JsonElement element) {
        if (element instanceof JsonPrimitive value && value.isNumber()) {
            double number = value.getAsDouble();
            if (!Double.isInfinite(number) && !Double.isNaN(number)) {
                return number;
            }
            throw wrong(key, "a finite number", element);
        }
        throw wrong(key, "a number", element);
    }

    private String toText(String key, JsonElement element) {
        if (element instanceof JsonPrimitive value && value.isString()) {
            return value.getAsString();
        }
        throw wrong(key, "text", element);
    }

    private CheckpointException wrong(String key, String expected, JsonElement actual) {
        return new CheckpointException(at(key) + " must be " + expected + ", not " + shortened(actual) + ".");
    }

    private static String shortened(JsonElement value) {
        // Not toString(): a huge list would be written out for the sake of its first characters.
        if (value instanceof JsonArray array) {
            return "a list of " + array.size();
        }
        if (value instanceof JsonObject object) {
            return "an object of " + object.size();
        }
        String text = value instanceof JsonPrimitive primitive && primitive.isString()
                ? '"' + primitive.getAsString() + '"'
                : value.toString();
        return text.length() > 80 ? text.substring(0, 80) + ".." : text;
    }
}
