package io.langbridge.runtime.core.constrain;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Schemas of everything that is supported. */
final class RandomSchemas {
    private static final String[] FORMATS = {"date", "time", "date-time", "uuid", "email"};
    private static final String[] PATTERNS = {
        "^[A-Z]{2}\\d{3}$",
        "a+b",
        "^(red|green|blue)( \\w+)?$",
        "\\d",
        "^[^\"\\\\]{1,5}$",
        "^\\S+$|^$",
        "[\u4e00-\u9fff]"
    };
    private static final String[] NAMES = {
        "name", "na", "a", "total price", "\u00e4\u00f6", "q\"uote", "id", "line\nend", "items", "n2"
    };

    private final Random random;
    private boolean recursive;

    RandomSchemas(Random random) {
        this.random = random;
    }

    String next() {
        recursive = random.nextInt(4) == 0;
        JsonObject root = schema(3);
        if (recursive) {
            JsonObject node = new JsonObject();
            node.addProperty("type", "object");
            JsonObject members = new JsonObject();
            members.add("value", schema(1));
            members.add("next", referring("anyOf"));
            JsonObject children = new JsonObject();
            children.addProperty("type", "array");
            children.add("items", reference());
            children.addProperty("maxItems", 2);
            members.add("children", children);
            node.add("properties", members);
            JsonArray required = new JsonArray();
            required.add("next");
            node.add("required", required);
            JsonObject defs = new JsonObject();
            defs.add("no/de", node);
            root.add("$defs", defs);
        }
        return root.toString();
    }

    private static JsonObject reference() {
        JsonObject reference = new JsonObject();
        reference.addProperty("$ref", "#/$defs/no~1de");
        return reference;
    }

    private static JsonObject referring(String keyword) {
        JsonObject schema = new JsonObject();
        JsonArray ways = new JsonArray();
        ways.add(reference());
        JsonObject nothing = new JsonObject();
        nothing.addProperty("type", "null");
        ways.add(nothing);
        schema.add(keyword, ways);
        return schema;
    }

    private JsonObject schema(int depth) {
        JsonObject schema = new JsonObject();
        int kind = random.nextInt(depth == 0 ? 6 : 12);
        switch (kind) {
            case 0 -> string(schema);
            case 1 -> number(schema);
            case 2 -> {
                JsonArray values = new JsonArray();
                for (int i = random.nextInt(4); i >= 0; i--) {
                    values.add(literal(1));
                }
                if (values.size() > 1 || random.nextBoolean()) {
                    schema.add("enum", values);
                } else {
                    schema.add("const", values.get(0));
                }
            }
            case 3 -> schema.addProperty("type", random.nextBoolean() ? "boolean" : "null");
            case 4 -> {
                JsonArray types = new JsonArray();
                types.add("null");
                types.add(random.nextBoolean() ? "string" : "integer");
                schema.add("type", types);
                schema.addProperty("maxLength", 3);
                schema.addProperty("minimum", random.nextInt(100) - 50);
            }
            case 5 -> {
                if (recursive) {
                    schema = random.nextBoolean() ? reference() : referring("oneOf");
                } else {
                    string(schema);
                }
            }
            case 6, 7, 8 -> object(schema, depth);
            case 9, 10 -> array(schema, depth);
            default -> alternatives(schema, depth);
        }
        if (random.nextInt(5) == 0) {
            schema.addProperty("description", "no constraint");
        }
        return schema;
    }

    private void string(JsonObject schema) {
        schema.addProperty("type", "string");
        switch (random.nextInt(4)) {
            case 0 -> schema.addProperty("format", FORMATS[random.nextInt(FORMATS.length)]);
            case 1 -> schema.addProperty("pattern", PATTERNS[random.nextInt(PATTERNS.length)]);
            case 2 -> {
                int least = random.nextInt(4);
                schema.addProperty("minLength", least);
                if (random.nextBoolean()) {
                    schema.addProperty("maxLength", least + random.nextInt(5));
                }
                if (random.nextInt(3) == 0) {
                    schema.addProperty("pattern", "^[a-c\u20ac\ud83d\ude00]*$");
                }
            }
            default -> {}
        }
    }

    private void number(JsonObject schema) {
        boolean integer = random.nextBoolean();
        schema.addProperty("type", integer ? "integer" : "number");
        double least = integer ? random.nextInt(200) - 100 : (random.nextInt(2000) - 1000) / 10.0;
        if (random.nextBoolean()) {
            schema.addProperty(random.nextBoolean() ? "minimum" : "exclusiveMinimum", least);
        }
        if (random.nextBoolean()) {
            schema.addProperty(random.nextBoolean() ? "maximum" : "exclusiveMaximum", least + 2 + random.nextInt(1000));
        }
    }

    private JsonElement literal(int depth) {
        switch (random.nextInt(depth == 0 ? 5 : 7)) {
            case 0:
                return JsonNull.INSTANCE;
            case 1:
                return new JsonPrimitive(random.nextBoolean());
            case 2:
                return new JsonPrimitive(random.nextInt(50));
            case 3:
                return new JsonPrimitive(random.nextInt(50) / 4.0);
            case 5:
                JsonArray array = new JsonArray();
                for (int i = random.nextInt(3); i > 0; i--) {
                    array.add(literal(depth - 1));
                }
                return array;
            case 6:
                JsonObject object = new JsonObject();
                object.add(NAMES[random.nextInt(NAMES.length)], literal(depth - 1));
                return object;
            default:
                return new JsonPrimitive(NAMES[random.nextInt(NAMES.length)] + random.nextInt(3));
        }
    }

    private void object(JsonObject schema, int depth) {
        schema.addProperty("type", "object");
        JsonObject members = new JsonObject();
        JsonArray required = new JsonArray();
        for (int i = random.nextInt(5); i > 0; i--) {
            String name = NAMES[random.nextInt(NAMES.length)];
            if (!members.has(name) && random.nextBoolean()) {
                required.add(name);
            }
            if (!members.has(name)) {
                members.add(name, schema(depth - 1));
            }
        }
        schema.add("properties", members);
        if (required.size() > 0) {
            schema.add("required", required);
        }
        if (random.nextBoolean()) {
            schema.addProperty("additionalProperties", random.nextBoolean());
        }
    }

    private void array(JsonObject schema, int depth) {
        schema.addProperty("type", "array");
        int fixed = 0;
        if (random.nextInt(3) == 0) {
            JsonArray prefix = new JsonArray();
            for (int i = random.nextInt(3); i >= 0; i--) {
                prefix.add(schema(depth - 1));
            }
            schema.add("prefixItems", prefix);
            fixed = prefix.size();
        }
        boolean closed = fixed > 0 && random.nextBoolean();
        if (!closed) {
            schema.add("items", schema(depth - 1));
        } else if (random.nextBoolean()) {
            schema.addProperty("items", false);
        }
        int least = random.nextInt(closed ? fixed + 1 : 4);
        if (random.nextBoolean()) {
            schema.addProperty("minItems", least);
        }
        if (random.nextBoolean()) {
            schema.addProperty("maxItems", least + random.nextInt(3));
        }
    }

    private void alternatives(JsonObject schema, int depth) {
        JsonArray ways = new JsonArray();
        if (random.nextBoolean()) {
            for (int i = 1 + random.nextInt(3); i >= 0; i--) {
                ways.add(schema(depth - 1));
            }
            schema.add("anyOf", ways);
            return;
        }
        List<String> kinds = new ArrayList<>(List.of("circle", "box", "line"));
        for (int i = 1 + random.nextInt(2); i >= 0; i--) {
            JsonObject way = new JsonObject();
            object(way, depth);
            JsonObject kind = new JsonObject();
            kind.addProperty("const", kinds.get(i));
            way.getAsJsonObject("properties").add("kind", kind);
            JsonArray required = way.has("required") ? way.getAsJsonArray("required") : new JsonArray();
            required.add("kind");
            way.add("required", required);
            ways.add(way);
        }
        schema.add("oneOf", ways);
    }
}
