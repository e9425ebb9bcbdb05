package io.langbridge.runtime.core.constrain;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.langbridge.CheckpointException;
import io.langbridge.PromptException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.text.CodePoints;
import java.io.UnsupportedEncodingException;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads a JSON Schema into a {@link Grammar}. A keyword that is not provided for is refused by its name and place; none
 * is passed over. Values are written as Python's {@code json} writes them, members in the order of the schema, one
 * blank behind a comma and a colon, so that there is nothing to choose between values.
 */
final class SchemaReader {
    private static final String NAME = "The schema";
    private static final int LONGEST = 1_000_000;
    private static final int LONGEST_PLACE = 1_000;
    /** References that are followed to see whether alternatives differ. */
    private static final int DEEPEST = 50;
    /** Alternatives of a {@code oneOf}, which are compared each with each. */
    private static final int MOST_ALTERNATIVES = 1_000;

    private static final Set<String> ANNOTATIONS = Set.of(
            "title",
            "description",
            "default",
            "examples",
            "deprecated",
            "$schema",
            "$id",
            "$comment",
            "$defs",
            "definitions");
    private static final Map<String, String> TYPE_OF_KEYWORD = Map.ofEntries(
            Map.entry("properties", "object"),
            Map.entry("required", "object"),
            Map.entry("additionalProperties", "object"),
            Map.entry("items", "array"),
            Map.entry("prefixItems", "array"),
            Map.entry("minItems", "array"),
            Map.entry("maxItems", "array"),
            Map.entry("pattern", "string"),
            Map.entry("format", "string"),
            Map.entry("minLength", "string"),
            Map.entry("maxLength", "string"),
            Map.entry("minimum", "number"),
            Map.entry("maximum", "number"),
            Map.entry("exclusiveMinimum", "number"),
            Map.entry("exclusiveMaximum", "number"));
    private static final Set<String> OTHERS = Set.of("type", "enum", "const", "anyOf", "oneOf", "$ref");
    private static final String SUPPORTED = "type, enum, const, properties, required, additionalProperties (true or"
            + " false), items, prefixItems, minItems, maxItems, minLength, maxLength, pattern, format, minimum, maximum,"
            + " exclusiveMinimum, exclusiveMaximum, anyOf, oneOf, local $ref and $defs";
    private static final Set<String> TYPES =
            Set.of("object", "array", "string", "integer", "number", "boolean", "null");

    private final JsonObject root;
    private final CharDfa.Work work = new CharDfa.Work();
    private final Grammar grammar = new Grammar(NAME);

    /** By the schema's own object, so that a part has one entry however it is reached. */
    private final IdentityHashMap<JsonElement, Integer> entries = new IdentityHashMap<>();

    /** What is known of parts that were compared, and those that are being looked at. */
    private final IdentityHashMap<JsonElement, Known> known = new IdentityHashMap<>();

    private final Set<JsonObject> asked = Collections.newSetFromMap(new IdentityHashMap<>());

    private final Map<Integer, String> places = new HashMap<>();
    private final ArrayDeque<Part> waiting = new ArrayDeque<>();
    private final Map<String, Integer> shared = new HashMap<>();

    private record Part(JsonObject schema, String place, int entry) {}

    /** What was read. */
    record Result(Grammar grammar, int entry) {}

    private SchemaReader(JsonObject root) {
        this.root = root;
    }

    /**
     * Reads a schema.
     *
     * @param text JSON
     * @throws PromptException if it is not JSON, has a keyword that is not supported, needs too many states, or nothing
     *     satisfies it
     */
    static Result read(String text) {
        if (text.length() > LONGEST) {
            throw new PromptException(
                    NAME + " has " + text.length() + " characters; at most " + LONGEST + " are read. Shorten it");
        }
        JsonObject tree;
        try {
            tree = Json.parse(text.getBytes(StandardCharsets.UTF_8), NAME).tree();
        } catch (CheckpointException e) {
            throw new PromptException(String.valueOf(e.getMessage()), e);
        }
        return new SchemaReader(tree).read();
    }

    private Result read() {
        int entry = entry(root, "#");
        while (!waiting.isEmpty()) {
            Part part = waiting.remove();
            read(part.schema(), part.place(), part.entry());
        }
        refuseCircles();
        if (!grammar.trim(entry)) {
            throw new PromptException(NAME + " has no value that ends: a part of it contains itself and is required."
                    + " Make it optional, or allow null in its place");
        }
        return new Result(grammar, entry);
    }

    /** Where a part begins; it is read later, so that parts may contain each other. */
    private int entry(JsonElement schema, String place) {
        Integer known = entries.get(schema);
        if (known != null) {
            return known;
        }
        if (!(schema instanceof JsonObject object)) {
            throw refused(place, "a schema must be an object, not " + schema + "; say which type is wanted");
        }
        int entry = grammar.state();
        entries.put(schema, entry);
        // Long names and much nesting would take more memory than the schema itself.
        String kept = place.length() <= LONGEST_PLACE ? place : ".." + place.substring(place.length() - LONGEST_PLACE);
        places.put(entry, kept);
        waiting.add(new Part(object, kept, entry));
        return entry;
    }

    /** A part that is nothing but itself, over references, has no meaning. */
    private void refuseCircles() {
        int[] state = new int[grammar.size()]; // 0 not seen, 1 on the way, 2 done
        for (int start = 0; start < state.length; start++) {
            ArrayDeque<int[]> way = new ArrayDeque<>();
            if (state[start] == 0) {
                state[start] = 1;
                way.push(new int[] {start, 0});
            }
            while (!way.isEmpty()) {
                int[] top = way.peek();
                int[] skips = grammar.skips(top[0]);
                if (top[1] == skips.length) {
                    state[top[0]] = 2;
                    way.pop();
                    continue;
                }
                int next = skips[top[1]++];
                if (state[next] == 1) {
                    throw refused(places.getOrDefault(next, "#"), "it refers to itself with nothing in between");
                }
                if (state[next] == 0) {
                    state[next] = 1;
                    way.push(new int[] {next, 0});
                }
            }
        }
    }

    private static PromptException refused(String place, String what) {
        return new PromptException(NAME + ", " + place + ": " + what);
    }

    private void read(JsonObject schema, String place, int entry) {
        for (String key : schema.keySet()) {
            if (!ANNOTATIONS.contains(key) && !OTHERS.contains(key) && !TYPE_OF_KEYWORD.containsKey(key)) {
                throw refused(place, "the keyword '" + key + "' is not supported. Supported are " + SUPPORTED);
            }
        }
        if (schema.has("$ref")) {
            alone(schema, "$ref", place);
            String[] target = {""};
            JsonElement referred = resolve(schema.get("$ref"), place, target);
            grammar.skip(entry, entry(referred, target[0]));
        } else if (schema.has("anyOf") || schema.has("oneOf")) {
            String key = schema.has("anyOf") ? "anyOf" : "oneOf";
            alone(schema, key, place);
            List<JsonElement> ways = items(schema.get(key), place + "/" + key);
            if (key.equals("oneOf")) {
                requireDisjoint(ways, place);
            }
            for (int i = 0; i < ways.size(); i++) {
                grammar.skip(entry, entry(ways.get(i), place + "/" + key + "/" + i));
            }
        } else if (schema.has("enum") || schema.has("const")) {
            values(schema, place, entry);
        } else {
            for (String type : types(schema, place)) {
                grammar.skip(entry, ofType(type, schema, place));
            }
        }
    }

    /** Beside a reference or alternatives everything would have to hold at once, which is {@code allOf}. */
    private static void alone(JsonObject schema, String keyword, String place) {
        for (String key : schema.keySet()) {
            if (!key.equals(keyword) && !ANNOTATIONS.contains(key)) {
                throw refused(
                        place,
                        "'" + key + "' beside '" + keyword + "' is not supported; put it into "
                                + (keyword.equals("$ref") ? "what is referred to" : "each of the alternatives"));
            }
        }
    }

    private static List<JsonElement> items(@Nullable JsonElement list, String place) {
        if (!(list instanceof JsonArray array) || array.isEmpty()) {
            throw refused(place, "it must be a list that is not empty");
        }
        List<JsonElement> items = new ArrayList<>();
        array.forEach(items::add);
        return items;
    }

    private JsonElement resolve(JsonElement reference, String place, String[] target) {
        String pointer = text(reference, place + "/$ref");
        if (!pointer.equals("#") && !pointer.startsWith("#/")) {
            throw refused(
                    place,
                    "the reference '" + pointer + "' is not supported; only '#' and '#/..' within the schema are");
        }
        JsonElement at = root;
        String[] names = pointer.split("/", -1);
        for (int i = 1; i < names.length; i++) {
            String name = decoded(names[i], place).replace("~1", "/").replace("~0", "~");
            JsonElement next = null;
            if (at instanceof JsonObject object) {
                next = object.get(name);
            } else if (at instanceof JsonArray array
                    && name.matches("\\d{1,6}")
                    && Integer.parseInt(name) < array.size()) {
                next = array.get(Integer.parseInt(name));
            }
            if (next == null) {
                throw refused(place, "the reference '" + pointer + "' leads nowhere; there is no '" + name + "'");
            }
            at = next;
        }
        target[0] = pointer;
        return at;
    }

    private static String decoded(String name, String place) {
        try {
            return URLDecoder.decode(name.replace("+", "%2B"), StandardCharsets.UTF_8.name());
        } catch (UnsupportedEncodingException | IllegalArgumentException e) {
            throw refused(place, "'" + name + "' is not written as in an address: " + e.getMessage());
        }
    }

    private static String text(@Nullable JsonElement element, String place) {
        if (element instanceof JsonPrimitive value && value.isString()) {
            return value.getAsString();
        }
        throw refused(place, "it must be text, not " + element);
    }

    /** The types that a schema names, or the one that its keywords speak of. */
    private static Set<String> types(JsonObject schema, String place) {
        Set<String> types = new LinkedHashSet<>();
        JsonElement type = schema.get("type");
        if (type instanceof JsonArray) {
            items(type, place + "/type").forEach(item -> types.add(text(item, place + "/type")));
        } else if (type != null) {
            types.add(text(type, place + "/type"));
        } else {
            for (String key : schema.keySet()) {
                String meant = TYPE_OF_KEYWORD.get(key);
                if (meant != null) {
                    types.add(meant);
                }
            }
            if (types.size() != 1) {
                throw refused(place, "it must have a 'type', an 'enum', a 'const', 'anyOf', 'oneOf' or a '$ref'");
            }
        }
        for (String name : types) {
            if (!TYPES.contains(name)) {
                throw refused(place, "there is no type '" + name + "'; there are " + new TreeSet<>(TYPES));
            }
        }
        if (types.contains("number")) {
            types.remove("integer");
        }
        return types;
    }

    private int ofType(String type, JsonObject schema, String place) {
        return switch (type) {
            case "object" -> object(schema, place);
            case "array" -> array(schema, place);
            case "string" -> string(schema, place);
            case "integer", "number" -> number(type.equals("integer"), schema, place);
            case "boolean" -> shared("boolean", () -> texts(CharDfa.of(List.of("true", "false"))));
            default -> shared("null", () -> texts(CharDfa.of(List.of("null"))));
        };
    }

    private int shared(String key, Supplier<Integer> make) {
        Integer known = shared.get(key);
        if (known == null) {
            known = make.get();
            shared.put(key, known);
        }
        return known;
    }

    private int texts(CharDfa texts) {
        return grammar.texts(texts, false, "");
    }

    private int object(JsonObject schema, String place) {
        JsonElement additional = schema.get("additionalProperties");
        if (additional != null && !(additional instanceof JsonPrimitive value && value.isBoolean())) {
            throw refused(
                    place,
                    "a schema for 'additionalProperties' is not supported: name the properties, or use an"
                            + " array of objects with a key and a value");
        }
        JsonElement properties = schema.get("properties");
        if (properties != null && !(properties instanceof JsonObject)) {
            throw refused(place + "/properties", "it must be an object");
        }
        JsonObject members = properties == null ? new JsonObject() : (JsonObject) properties;
        Set<String> required = new HashSet<>();
        if (schema.get("required") instanceof JsonArray names) {
            names.forEach(name -> required.add(text(name, place + "/required")));
        } else if (schema.has("required")) {
            throw refused(place + "/required", "it must be a list of names");
        }
        for (String name : required) {
            if (!members.has(name)) {
                throw refused(place, "'" + name + "' is required, but 'properties' does not say what it is");
            }
        }
        int entry = grammar.state();
        int end = grammar.state();
        grammar.end(end);
        int first = grammar.state(); // nothing is written yet
        int later = -1; // something is
        grammar.text(entry, "{", first);
        for (String name : members.keySet()) {
            int value = entry(members.get(name), place + "/properties/" + pointer(name));
            int next = grammar.state();
            String key = Literal.quoted(name) + ": ";
            member(first, key, value, next);
            if (later >= 0) {
                member(later, ", " + key, value, next);
            }
            if (required.contains(name)) {
                first = grammar.state(); // not without this one
            } else if (later >= 0) {
                grammar.skip(later, next);
            }
            later = next;
        }
        grammar.text(first, "}", end);
        if (later >= 0) {
            grammar.text(later, "}", end);
        }
        return entry;
    }

    private void member(int from, String key, int value, int next) {
        int then = grammar.state();
        grammar.text(from, key, then);
        grammar.call(then, value, next);
    }

    private static String pointer(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    private int array(JsonObject schema, String place) {
        List<Integer> items = new ArrayList<>();
        if (schema.has("prefixItems")) {
            List<JsonElement> prefix = items(schema.get("prefixItems"), place + "/prefixItems");
            for (int i = 0; i < prefix.size(); i++) {
                items.add(entry(prefix.get(i), place + "/prefixItems/" + i));
            }
        }
        int fixed = items.size();
        int least = count(schema, "minItems", 0, place);
        int most = count(schema, "maxItems", Integer.MAX_VALUE, place);
        JsonElement rest = schema.get("items");
        if (rest instanceof JsonArray) {
            throw refused(place, "a list in 'items' is not supported; it is called 'prefixItems' now");
        }
        if (rest == null && fixed == 0 && most > 0) {
            throw refused(place, "an array must say in 'items' or 'prefixItems' what it holds");
        }
        boolean closed =
                rest == null || rest instanceof JsonPrimitive value && value.isBoolean() && !value.getAsBoolean();
        if (closed) {
            most = Math.min(most, fixed);
        }
        if (least > most) {
            throw refused(place, "an array of at least " + least + " and at most " + most + " items does not exist");
        }
        int repeated = closed || most <= fixed ? -1 : entry(rest, place + "/items");
        int entry = grammar.state();
        int end = grammar.state();
        grammar.end(end);
        int at = grammar.state();
        grammar.text(entry, "[", at);
        for (int n = 0; ; n++) {
            if (n >= least) {
                grammar.text(at, "]", end);
            }
            if (n == most) {
                return entry;
            }
            int then = at;
            if (n > 0) {
                then = grammar.state();
                grammar.text(at, ", ", then);
            }
            int item = n < fixed ? items.get(n) : repeated;
            if (n > 0 && n >= least && n >= fixed && most == Integer.MAX_VALUE) {
                grammar.call(then, item, at); // from here on it is always the same
                return entry;
            }
            int next = grammar.state();
            grammar.call(then, item, next);
            at = next;
        }
    }

    private static int count(JsonObject schema, String key, int absent, String place) {
        JsonElement element = schema.get(key);
        if (element == null) {
            return absent;
        }
        BigDecimal number = decimal(element, place + "/" + key);
        if (number.signum() < 0 || number.stripTrailingZeros().scale() > 0) {
            throw refused(place + "/" + key, "it must be a whole number of at least 0, not " + element);
        }
        return number.min(BigDecimal.valueOf(Integer.MAX_VALUE - 1)).intValue();
    }

    /** A number, of a size that can be written out. */
    private static BigDecimal decimal(JsonElement element, String place) {
        if (element instanceof JsonPrimitive value && value.isNumber()) {
            try {
                BigDecimal number = new BigDecimal(value.getAsString());
                if (number.precision() <= 100 && Math.abs((long) number.scale()) <= 100) {
                    return number;
                }
            } catch (NumberFormatException e) {
                throw refused(place, "it must be a number, not " + element);
            }
            throw refused(place, "a number of more than 100 digits is not supported");
        }
        throw refused(place, "it must be a number, not " + element);
    }

    private int string(JsonObject schema, String place) {
        int least = count(schema, "minLength", 0, place);
        int most = count(schema, "maxLength", Integer.MAX_VALUE, place);
        if (least > most) {
            throw refused(place, "a text of at least " + least + " and at most " + most + " characters does not exist");
        }
        if (schema.has("pattern") || schema.has("format")) {
            String key = "text " + schema.get("pattern") + schema.get("format") + " " + least + " " + most;
            return shared(key, () -> quoted(Objects.requireNonNull(restricted(schema, place))));
        }
        if (least == 0 && most == Integer.MAX_VALUE) {
            return shared("string", () -> quoted(CharDfa.ofLength(CharDfa.TEXT, 0, most, NAME, work)));
        }
        return shared("string " + least + " " + most, () -> counted(least, most));
    }

    private int quoted(CharDfa texts) {
        int entry = grammar.state();
        int begin = grammar.texts(texts, true, "\"");
        int open = grammar.state();
        grammar.text(entry, "\"", open);
        grammar.skip(open, begin);
        return entry;
    }

    /** Any text of a length; one character is a part of its own, so that a long text takes a state for each. */
    private int counted(int least, int most) {
        int one = shared("character", () -> grammar.texts(CharDfa.ofLength(CharDfa.TEXT, 1, 1, NAME, work), true, ""));
        int entry = grammar.state();
        int end = grammar.state();
        grammar.end(end);
        int endless = grammar.state();
        grammar.text(endless, "\"", end);
        grammar.call(endless, one, endless);
        int at = grammar.state();
        grammar.text(entry, "\"", at);
        for (int n = 0; ; n++) {
            if (n >= least && most == Integer.MAX_VALUE) {
                grammar.skip(at, endless);
                return entry;
            }
            if (n >= least) {
                grammar.text(at, "\"", end);
                grammar.limit(at, endless, most - n);
            }
            if (n == most) {
                return entry;
            }
            int next = grammar.state();
            grammar.call(at, one, next);
            at = next;
        }
    }

    /** The texts that pattern, format and length allow; null where there is neither pattern nor format. */
    private @Nullable CharDfa restricted(JsonObject schema, String place) {
        String name = NAME + ", " + place;
        CharDfa texts = null;
        if (schema.has("pattern")) {
            texts = Regex.somewhere(text(schema.get("pattern"), place + "/pattern"), name + "/pattern", work);
        }
        if (schema.has("format")) {
            String format = text(schema.get("format"), place + "/format");
            String pattern = Formats.pattern(format);
            if (pattern == null) {
                throw refused(
                        place,
                        "the format '" + format + "' is not supported; there are " + Formats.names()
                                + ", and 'pattern'");
            }
            CharDfa written = Regex.whole(pattern, name + "/format", work);
            texts = texts == null ? written : texts.and(written, name, work);
        }
        if (texts == null) {
            return null;
        }
        if (schema.has("minLength") || schema.has("maxLength")) {
            CharDfa length = CharDfa.ofLength(
                    CodePoints.NONE.not(),
                    count(schema, "minLength", 0, place),
                    count(schema, "maxLength", Integer.MAX_VALUE, place),
                    name,
                    work);
            texts = texts.and(length, name, work);
        }
        if (texts.isEmpty()) {
            throw refused(place, "no text has this pattern, format and length");
        }
        return texts;
    }

    private int number(boolean integer, JsonObject schema, String place) {
        Decimals.Bound least =
                larger(bound(schema, "minimum", true, place), bound(schema, "exclusiveMinimum", false, place), 1);
        Decimals.Bound most =
                larger(bound(schema, "maximum", true, place), bound(schema, "exclusiveMaximum", false, place), -1);
        return shared((integer ? "integer " : "number ") + least + most, () -> {
            CharDfa numbers = Decimals.between(integer, least, most, NAME + ", " + place);
            if (numbers.isEmpty()) {
                throw refused(place, "no " + (integer ? "integer" : "number") + " lies within these bounds");
            }
            return texts(numbers);
        });
    }

    private static Decimals.@Nullable Bound bound(JsonObject schema, String key, boolean inside, String place) {
        JsonElement element = schema.get(key);
        return element == null ? null : new Decimals.Bound(decimal(element, place + "/" + key), inside);
    }

    /** The bound that leaves less. */
    private static Decimals.@Nullable Bound larger(
            Decimals.@Nullable Bound a, Decimals.@Nullable Bound b, int direction) {
        if (a == null || b == null) {
            return a == null ? b : a;
        }
        int compared = a.value().compareTo(b.value()) * direction;
        return compared > 0 || compared == 0 && !a.inside() ? a : b;
    }

    private void values(JsonObject schema, String place, int entry) {
        List<JsonElement> values = new ArrayList<>();
        if (schema.has("enum")) {
            values.addAll(items(schema.get("enum"), place + "/enum"));
        }
        if (schema.has("const")) {
            JsonElement only = schema.get("const");
            if (schema.has("enum")) {
                values.removeIf(value -> !Literal.same(value, only));
            } else {
                values.add(only);
            }
        }
        if (schema.has("type")) {
            Set<String> types = types(schema, place);
            values.removeIf(value -> !Literal.isOf(value, types));
        }
        for (String key : schema.keySet()) {
            String type = TYPE_OF_KEYWORD.get(key);
            if (type != null && (type.equals("object") || type.equals("array"))) {
                throw refused(
                        place,
                        "'" + key + "' beside '" + (schema.has("enum") ? "enum" : "const")
                                + "' is not supported; leave it out");
            }
        }
        CharDfa texts = restricted(schema, place);
        int least = count(schema, "minLength", 0, place);
        int most = count(schema, "maxLength", Integer.MAX_VALUE, place);
        Decimals.Bound low =
                larger(bound(schema, "minimum", true, place), bound(schema, "exclusiveMinimum", false, place), 1);
        Decimals.Bound high =
                larger(bound(schema, "maximum", true, place), bound(schema, "exclusiveMaximum", false, place), -1);
        Set<String> written = new LinkedHashSet<>();
        for (JsonElement value : values) {
            boolean fits = true;
            if (value instanceof JsonPrimitive primitive && primitive.isString()) {
                String text = primitive.getAsString();
                int length = text.codePointCount(0, text.length());
                fits = length >= least && length <= most && (texts == null || texts.contains(text));
            } else if (value instanceof JsonPrimitive primitive
                    && primitive.isNumber()
                    && (low != null || high != null)) {
                BigDecimal number = decimal(value, place);
                fits = within(number, low, 1) && within(number, high, -1);
            }
            if (fits) {
                written.add(Literal.text(value));
            }
        }
        if (written.isEmpty()) {
            throw refused(place, "none of its values has the type and the bounds that stand beside them");
        }
        grammar.skip(entry, texts(CharDfa.of(written)));
    }

    private static boolean within(BigDecimal number, Decimals.@Nullable Bound bound, int direction) {
        if (bound == null) {
            return true;
        }
        int compared = number.compareTo(bound.value()) * direction;
        return compared > 0 || compared == 0 && bound.inside();
    }

    /**
     * What is known of the values of a schema, to tell whether two have one in common.
     *
     * @param values all there are, or null
     * @param constants of objects: required members with the values they may have
     */
    private record Known(Set<String> types, @Nullable Set<String> values, Map<String, Set<String>> constants) {
        boolean disjoint(Known other) {
            if (types.stream().noneMatch(other.types::contains)) {
                return true;
            }
            if (values != null && other.values != null) {
                return values.stream().noneMatch(other.values::contains);
            }
            return types.equals(Set.of("object"))
                    && other.types.equals(types)
                    && constants.entrySet().stream().anyMatch(entry -> {
                        Set<String> there = other.constants.get(entry.getKey());
                        return there != null && entry.getValue().stream().noneMatch(there::contains);
                    });
        }
    }

    private void requireDisjoint(List<JsonElement> ways, String place) {
        if (ways.size() > MOST_ALTERNATIVES) {
            throw refused(
                    place,
                    "'oneOf' has " + ways.size() + " alternatives; at most " + MOST_ALTERNATIVES + " are supported");
        }
        List<Known> known = new ArrayList<>();
        for (JsonElement way : ways) {
            known.add(known(way, place + "/oneOf"));
        }
        for (int i = 0; i < known.size(); i++) {
            for (int k = 0; k < i; k++) {
                if (!known.get(i).disjoint(known.get(k))) {
                    throw refused(
                            place,
                            "the alternatives " + k + " and " + i + " of 'oneOf' may both hold; give them"
                                    + " different types, or a required property with another 'const' in each, or use 'anyOf'");
                }
            }
        }
    }

    /** Of each part once: references may lead to it in more ways than can be counted. */
    private Known known(JsonElement element, String place) {
        Known known = this.known.get(element);
        if (known == null) {
            if (!(element instanceof JsonObject schema) || !asked.add(schema) || asked.size() > DEEPEST) {
                throw refused(
                        place,
                        "its alternatives must be schemas that do not refer to each other without end, or more than "
                                + DEEPEST + " times");
            }
            known = find(schema, place);
            asked.remove(schema);
            this.known.put(element, known);
        }
        return known;
    }

    private Known find(JsonObject schema, String place) {
        if (schema.has("$ref")) {
            return known(resolve(schema.get("$ref"), place, new String[1]), place);
        }
        if (schema.has("anyOf") || schema.has("oneOf")) {
            Set<String> types = new HashSet<>();
            for (JsonElement way : items(schema.get(schema.has("anyOf") ? "anyOf" : "oneOf"), place)) {
                types.addAll(known(way, place).types());
            }
            return new Known(types, null, Map.of());
        }
        if (schema.has("enum") || schema.has("const")) {
            Set<String> types = new HashSet<>();
            Set<String> values = new HashSet<>();
            List<JsonElement> all =
                    schema.has("const") ? List.of(schema.get("const")) : items(schema.get("enum"), place + "/enum");
            for (JsonElement value : all) {
                types.add(Literal.type(value));
                values.add(Literal.canonical(value));
            }
            return new Known(types, values, Map.of());
        }
        Set<String> types = new HashSet<>(types(schema, place));
        if (types.remove("integer")) {
            types.add("number");
        }
        Map<String, Set<String>> constants = new HashMap<>();
        if (schema.get("properties") instanceof JsonObject members
                && schema.get("required") instanceof JsonArray names) {
            for (JsonElement name : names) {
                String key = text(name, place + "/required");
                if (members.get(key) instanceof JsonObject member && (member.has("const") || member.has("enum"))) {
                    Set<String> values = known(member, place).values();
                    if (values != null) {
                        constants.put(key, values);
                    }
                }
            }
        }
        return new Known(types, null, constants);
    }

    /** Values as they are written. */
    private static final class Literal {
        private Literal() {}

        static String quoted(String text) {
            StringBuilder out = new StringBuilder("\"");
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                int at = "\b\t\n\f\r\"\\".indexOf(c);
                if (at >= 0) {
                    out.append('\\').append("btnfr\"\\".charAt(at));
                } else if (c < 0x20) {
                    out.append(c < 0x10 ? "\\u000" : "\\u00").append(Integer.toHexString(c));
                } else {
                    out.append(c);
                }
            }
            return out.append('"').toString();
        }

        static String text(JsonElement value) {
            return write(value, false);
        }

        /** The same for values that are equal, such as 1 and 1.0. */
        static String canonical(JsonElement value) {
            return write(value, true);
        }

        private static String write(JsonElement value, boolean canonical) {
            List<String> parts = new ArrayList<>();
            if (value instanceof JsonArray array) {
                array.forEach(item -> parts.add(write(item, canonical)));
                return "[" + String.join(", ", parts) + "]";
            }
            if (value instanceof JsonObject object) {
                object.entrySet()
                        .forEach(
                                entry -> parts.add(quoted(entry.getKey()) + ": " + write(entry.getValue(), canonical)));
                if (canonical) {
                    parts.sort(null);
                }
                return "{" + String.join(", ", parts) + "}";
            }
            if (value instanceof JsonPrimitive primitive && primitive.isString()) {
                return quoted(primitive.getAsString());
            }
            if (value instanceof JsonPrimitive primitive && primitive.isNumber()) {
                BigDecimal number = decimal(primitive, "a number of an enum or const");
                return canonical ? number.stripTrailingZeros().toPlainString() : primitive.getAsString();
            }
            return value.toString();
        }

        static boolean same(JsonElement a, JsonElement b) {
            return canonical(a).equals(canonical(b));
        }

        static String type(JsonElement value) {
            if (value instanceof JsonNull) {
                return "null";
            }
            if (value instanceof JsonPrimitive primitive) {
                return primitive.isString() ? "string" : primitive.isBoolean() ? "boolean" : "number";
            }
            return value instanceof JsonArray ? "array" : "object";
        }

        static boolean isOf(JsonElement value, Set<String> types) {
            String type = type(value);
            return types.contains(type)
                    || type.equals("number")
                            && types.contains("integer")
                            && decimal(value, "a number of an enum or const")
                                            .stripTrailingZeros()
                                            .scale()
                                    <= 0;
        }
    }
}
