package io.langbridge.records;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Types that are made of others, and enums. */
final class Containers {
    /** Where an answer says which of several records follows. */
    static final String KIND = "kind";

    private Containers() {}

    /** A component of a record. */
    record Part(Form form, @Nullable String description) {
        String schema() {
            Map<String, String> keywords = form.schema();
            if (description != null) {
                keywords.put("description", Json.quoted(description));
            }
            return Json.object(keywords);
        }
    }

    /** What may be null. */
    record OrNull(Form form, Function<@Nullable Object, @Nullable Object> wrap) implements Form {
        @Override
        public Map<String, String> schema() {
            return Form.keywords("anyOf", "[" + Json.object(form.schema()) + ", {\"type\": \"null\"}]");
        }

        @Override
        public @Nullable Object read(@Nullable Object json, String pointer, Reading reading) {
            return wrap.apply(json == null ? null : form.read(json, pointer, reading));
        }
    }

    /** A record. */
    record Fields(
            Constructor<?> constructor,
            Map<String, Part> parts,
            @Nullable String kind,
            @Nullable String description) implements Form {
        @Override
        public Map<String, String> schema() {
            Map<String, String> properties = new LinkedHashMap<>();
            if (kind != null) {
                properties.put(KIND, Json.object(Form.keywords("const", Json.quoted(kind))));
            }
            parts.forEach((name, part) -> properties.put(name, part.schema()));
            Map<String, String> schema = Form.keywords("type", "\"object\"");
            if (description != null) {
                schema.put("description", Json.quoted(description));
            }
            schema.put("properties", Json.object(properties));
            schema.put(
                    "required",
                    properties.keySet().stream().map(Json::quoted).collect(Collectors.joining(", ", "[", "]")));
            schema.put("additionalProperties", "false");
            return schema;
        }

        @Override
        public Object read(@Nullable Object json, String pointer, Reading reading) {
            Map<?, ?> members = members(json, pointer, reading);
            @Nullable Object[] values = new Object[parts.size()];
            int at = 0;
            for (Map.Entry<String, Part> part : parts.entrySet()) {
                String name = part.getKey();
                values[at++] = part.getValue().form().read(members.get(name), inside(pointer, name), reading);
            }
            try {
                return constructor.newInstance(values);
            } catch (InvocationTargetException e) {
                Throwable cause = e.getCause();
                if (cause instanceof Error error) {
                    throw error;
                }
                throw reading.damaged(
                        pointer,
                        "is refused by " + constructor.getDeclaringClass().getSimpleName() + ": "
                                + (cause == null ? e : cause.getMessage()),
                        cause);
            } catch (InstantiationException | IllegalAccessException e) {
                throw new IllegalStateException("A record cannot be made: " + constructor, e);
            }
        }
    }

    private static Map<?, ?> members(@Nullable Object json, String pointer, Reading reading) {
        if (json instanceof Map<?, ?> members) {
            return members;
        }
        throw reading.wrong(pointer, json, "an object");
    }

    private static String inside(String pointer, String name) {
        return pointer + "/" + name.replace("~", "~0").replace("/", "~1");
    }

    /** One of several records, which say which they are. */
    record Alternatives(Map<String, Form> kinds) implements Form {
        @Override
        public Map<String, String> schema() {
            return Form.keywords(
                    "oneOf",
                    kinds.values().stream()
                            .map(form -> Json.object(form.schema()))
                            .collect(Collectors.joining(", ", "[", "]")));
        }

        @Override
        public @Nullable Object read(@Nullable Object json, String pointer, Reading reading) {
            Object kind = members(json, pointer, reading).get(KIND);
            Form form = kind instanceof String ? kinds.get(kind) : null;
            if (form == null) {
                throw reading.wrong(inside(pointer, KIND), kind, "one of " + kinds.keySet());
            }
            return form.read(json, pointer, reading);
        }
    }

    /** An enum. */
    static Form constants(Class<?> type, Map<String, Object> constants) {
        return new Form() {
            @Override
            public Map<String, String> schema() {
                return Form.keywords(
                        "enum",
                        constants.keySet().stream().map(Json::quoted).collect(Collectors.joining(", ", "[", "]")));
            }

            @Override
            public Object read(@Nullable Object json, String pointer, Reading reading) {
                Object constant = json instanceof String ? constants.get(json) : null;
                if (constant == null) {
                    throw reading.wrong(pointer, json, "a " + type.getSimpleName() + ", one of " + constants.keySet());
                }
                return constant;
            }
        };
    }

    /** Values by constants of an enum, of which any may be absent. */
    static Form map(Class<?> keys, Map<String, Object> constants, Form values) {
        return new Form() {
            @Override
            public Map<String, String> schema() {
                Map<String, String> properties = new LinkedHashMap<>();
                constants.keySet().forEach(name -> properties.put(name, Json.object(values.schema())));
                return Form.keywords(
                        "type", "\"object\"", "properties", Json.object(properties), "additionalProperties", "false");
            }

            @Override
            public Object read(@Nullable Object json, String pointer, Reading reading) {
                Map<Object, @Nullable Object> map = new LinkedHashMap<>();
                members(json, pointer, reading).forEach((name, value) -> {
                    Object constant = constants.get(name);
                    if (constant == null) {
                        throw reading.wrong(pointer, name, "a " + keys.getSimpleName());
                    }
                    map.put(constant, values.read(value, inside(pointer, (String) name), reading));
                });
                return Collections.unmodifiableMap(map);
            }
        };
    }

    static Form collection(Form items, boolean isSet, @Nullable Limit limit) {
        return new Sequence(
                items,
                limit,
                values -> isSet
                        ? Collections.unmodifiableSet(new LinkedHashSet<>(values))
                        : Collections.unmodifiableList(new ArrayList<>(values)));
    }

    static Form array(Form items, Class<?> component, @Nullable Limit limit) {
        return new Sequence(items, limit, values -> {
            Object array = Array.newInstance(component, values.size());
            int at = 0;
            for (Object value : values) {
                Array.set(array, at++, value);
            }
            return array;
        });
    }

    private static final class Sequence implements Form {
        private final Form items;
        private final Map<String, String> bounds = Form.keywords();
        private final Function<Collection<@Nullable Object>, Object> collect;

        Sequence(Form items, @Nullable Limit limit, Function<Collection<@Nullable Object>, Object> collect) {
            this.items = items;
            this.collect = collect;
            if (limit != null) {
                Scalars.Bounds.of(limit).count("minItems", "maxItems", bounds);
            }
        }

        @Override
        public Map<String, String> schema() {
            Map<String, String> schema = Form.keywords("type", "\"array\"", "items", Json.object(items.schema()));
            schema.putAll(bounds);
            return schema;
        }

        @Override
        public Object read(@Nullable Object json, String pointer, Reading reading) {
            if (!(json instanceof List<?> list)) {
                throw reading.wrong(pointer, json, "a list");
            }
            List<@Nullable Object> values = new ArrayList<>();
            for (Object item : list) {
                values.add(items.read(item, pointer + "/" + values.size(), reading));
            }
            return collect.apply(values);
        }
    }
}
