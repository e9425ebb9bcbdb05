package io.langbridge.records;

import io.langbridge.Answer;
import io.langbridge.PromptException;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedArrayType;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Constructor;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A type with all that it is made of. Immutable once built. */
final class Forms {
    private static final String SUPPORTED = "Supported are records, sealed interfaces of records, enums, String,"
            + " boolean, numbers, UUID, java.time's LocalDate, LocalTime, LocalDateTime, OffsetTime, OffsetDateTime and"
            + " Instant, List, Collection, Set, arrays, Map by an enum, and Optional in a record";

    private final Class<?> root;
    /** Records and sealed types; each stands once in the schema, so that it may contain itself. */
    private final Map<Class<?>, Named> named = new LinkedHashMap<>();

    private final List<String> descriptions = new ArrayList<>();
    private final Form form;
    private final String schema;

    private Forms(Class<?> root) {
        this.root = root;
        this.form = form(new Use(root, null), "");
        if (form instanceof Containers.OrNull) {
            throw refused("", "what may be missing is a component of a record");
        }
        Map<String, String> keywords =
                new LinkedHashMap<>(form instanceof Named all ? all.body().schema() : form.schema());
        Map<String, String> definitions = new LinkedHashMap<>();
        for (Named other : named.values()) {
            if (other != form) {
                definitions.put(other.name(), Json.object(other.body().schema()));
            }
        }
        if (!definitions.isEmpty()) {
            keywords.put("$defs", Json.object(definitions));
        }
        this.schema = Json.object(keywords);
    }

    /**
     * Looks at a type.
     *
     * @throws PromptException if it, or what it contains, is not supported
     */
    static Forms of(Class<?> type) {
        return new Forms(type);
    }

    String schema() {
        return schema;
    }

    /** A line for each description. */
    List<String> descriptions() {
        return Collections.unmodifiableList(descriptions);
    }

    Object read(Answer answer) {
        Reading reading = new Reading(answer, root.getSimpleName());
        Object json = answer.json();
        Object value = form.read(json, "", reading);
        if (value == null) {
            throw reading.wrong("", json, "a value");
        }
        return value;
    }

    private PromptException refused(String path, String what) {
        return new PromptException(
                "The type " + root.getTypeName() + (path.isEmpty() ? "" : ", " + path) + ": " + what);
    }

    /** A type where it is used, with its annotations there; the root has none. */
    private record Use(Type type, @Nullable AnnotatedType annotated) {
        static Use of(AnnotatedType annotated) {
            return new Use(annotated.getType(), annotated);
        }

        @Nullable
        Limit limit() {
            return annotated == null ? null : annotated.getAnnotation(Limit.class);
        }

        boolean isNullable() {
            return annotated != null && Forms.isNullable(annotated);
        }

        @Nullable
        Class<?> raw() {
            if (type instanceof ParameterizedType generic) {
                return (Class<?>) generic.getRawType();
            }
            if (type instanceof GenericArrayType) {
                Class<?> component = component().raw();
                return component == null ? null : component.arrayType();
            }
            return type instanceof Class<?> plain ? plain : null;
        }

        boolean isArray() {
            return type instanceof GenericArrayType || type instanceof Class<?> plain && plain.isArray();
        }

        Use component() {
            return annotated instanceof AnnotatedArrayType array
                    ? of(array.getAnnotatedGenericComponentType())
                    : new Use(((Class<?>) type).getComponentType(), null);
        }

        /** What stands between the brackets, or null if there are none. */
        @Nullable
        Use argument(int index) {
            return annotated instanceof AnnotatedParameterizedType generic
                    ? of(generic.getAnnotatedActualTypeArguments()[index])
                    : null;
        }
    }

    private static boolean isNullable(AnnotatedElement element) {
        for (Annotation annotation : element.getAnnotations()) {
            if (annotation.annotationType().getSimpleName().equals("Nullable")) {
                return true;
            }
        }
        return false;
    }

    /** Where it may be missing, with null. */
    private Form form(Use use, String path) {
        return use.isNullable() ? orNull(use.raw(), present(use, path), path) : present(use, path);
    }

    /** Null as it is. */
    private Form orNull(@Nullable Class<?> type, Form form, String path) {
        if (type != null && type.isPrimitive()) {
            throw refused(path, type + " cannot be null; take its box, or an Optional");
        }
        return orNull(form, value -> value, path);
    }

    private Form orNull(Form form, Function<@Nullable Object, @Nullable Object> wrap, String path) {
        if (form instanceof Containers.OrNull) {
            throw refused(path, "what may be missing is so in one way: an Optional, or an annotation");
        }
        return new Containers.OrNull(form, wrap);
    }

    private Form present(Use use, String path) {
        try {
            return limited(use, path);
        } catch (IllegalArgumentException e) {
            throw refused(path, String.valueOf(e.getMessage()));
        }
    }

    private Form limited(Use use, String path) {
        Limit limit = use.limit();
        Class<?> type = use.raw();
        if (limit != null && type != String.class && !limit.pattern().isEmpty()) {
            throw refused(path, "the pattern of @Limit is for String only");
        }
        if (use.isArray()) {
            Use component = use.component();
            Form items = form(component, path + "[]");
            Class<?> raw = component.raw();
            return Containers.array(items, Objects.requireNonNull(raw), limit);
        }
        if (type == null) {
            throw refused(path, use.type().getTypeName() + " stands for several types; name one");
        }
        if (type == String.class) {
            return Scalars.text(limit);
        }
        Scalars.Numbers numbers = Scalars.numbers(type);
        if (numbers != null) {
            return numbers.form(limit, type.getSimpleName());
        }
        if (type == OptionalInt.class) {
            return optional(
                    int.class, limit, value -> value == null ? OptionalInt.empty() : OptionalInt.of((Integer) value));
        }
        if (type == OptionalLong.class) {
            return optional(
                    long.class, limit, value -> value == null ? OptionalLong.empty() : OptionalLong.of((Long) value));
        }
        if (type == OptionalDouble.class) {
            return optional(
                    double.class,
                    limit,
                    value -> value == null ? OptionalDouble.empty() : OptionalDouble.of((Double) value));
        }
        if (type == List.class || type == Collection.class || type == Set.class) {
            return Containers.collection(form(argument(use, type, 0, path), path + "[]"), type == Set.class, limit);
        }
        if (limit != null) {
            throw refused(
                    path,
                    "@Limit says nothing of " + type.getSimpleName() + "; it stands in front of a text, a"
                            + " number, or a list, also within an Optional");
        }
        Form scalar = Scalars.of(type);
        if (scalar != null) {
            return scalar;
        }
        if (type == Optional.class) {
            return orNull(present(argument(use, type, 0, path), path), Optional::ofNullable, path);
        }
        if (type.isEnum()) {
            return Containers.constants(type, constants(type, path));
        }
        if (type == Map.class) {
            Use key = argument(use, type, 0, path);
            Class<?> keys = key.raw();
            if (keys == null || !keys.isEnum()) {
                throw refused(
                        path,
                        "a Map by " + key.type().getTypeName() + " is not supported, only by an enum; take"
                                + " a List of a record with a key and a value");
            }
            return Containers.map(keys, constants(keys, path), form(argument(use, type, 1, path), path + "[]"));
        }
        if (type.isRecord() || type.isSealed()) {
            return named(type, path);
        }
        throw refused(path, type.getTypeName() + " is not supported. " + SUPPORTED);
    }

    private static Form optional(
            Class<?> type, @Nullable Limit limit, Function<@Nullable Object, @Nullable Object> wrap) {
        Scalars.Numbers numbers = Scalars.numbers(type);
        if (numbers == null) {
            throw new IllegalStateException("There are no numbers of " + type);
        }
        return new Containers.OrNull(numbers.form(limit, type.getSimpleName()), wrap);
    }

    private Use argument(Use use, Class<?> type, int index, String path) {
        Use argument = use.argument(index);
        if (argument == null) {
            throw refused(path, type.getSimpleName() + " does not say what it holds, as in List<String>");
        }
        return argument;
    }

    /** Constants of an enum by the name that the model writes. */
    private Map<String, Object> constants(Class<?> type, String path) {
        Map<String, Object> constants = new LinkedHashMap<>();
        for (Object constant : type.getEnumConstants()) {
            String name = ((Enum<?>) constant).name();
            AnnotatedElement field;
            try {
                field = type.getDeclaredField(name);
            } catch (NoSuchFieldException e) {
                throw new IllegalStateException(type + " has no field " + name, e);
            }
            putOnce(constants, name(field, name, path), constant, path);
        }
        if (constants.isEmpty()) {
            throw refused(path, type.getTypeName() + " has no constants");
        }
        return constants;
    }

    private String name(AnnotatedElement element, String inJava, String path) {
        Name name = element.getAnnotation(Name.class);
        if (name != null && name.value().isBlank()) {
            throw refused(path, "the @Name of " + inJava + " is empty");
        }
        return name == null ? inJava : name.value();
    }

    private <T> void putOnce(Map<String, T> all, String name, T value, String path) {
        if (all.put(name, value) != null) {
            throw refused(path, "the name '" + name + "' is there twice; change it with @Name");
        }
    }

    /** A record or sealed type, which may be reached from several places. */
    private static final class Named implements Form {
        private final String name;
        private final boolean isRoot;
        private @Nullable Form body;

        Named(String name, boolean isRoot) {
            this.name = name;
            this.isRoot = isRoot;
        }

        String name() {
            return name;
        }

        Form body() {
            if (body == null) {
                throw new IllegalStateException(name + " is not complete");
            }
            return body;
        }

        @Override
        public Map<String, String> schema() {
            return Form.keywords("$ref", Json.quoted(isRoot ? "#" : "#/$defs/" + name));
        }

        @Override
        public @Nullable Object read(@Nullable Object json, String pointer, Reading reading) {
            return body().read(json, pointer, reading);
        }
    }

    private Form named(Class<?> type, String path) {
        Named known = named.get(type);
        if (known != null) {
            return known;
        }
        String simple = type.getSimpleName();
        long same = named.keySet().stream()
                .filter(other -> other.getSimpleName().equals(simple))
                .count();
        Named made = new Named(same == 0 ? simple : simple + "." + (same + 1), type == root);
        named.put(type, made);
        made.body = type.isRecord() ? record(type, null, path) : alternatives(type, path);
        return made;
    }

    private Form alternatives(Class<?> type, String path) {
        describe(type, path);
        List<Class<?>> records = new ArrayList<>();
        permitted(type, records, path);
        Map<String, Form> alternatives = new LinkedHashMap<>();
        for (Class<?> one : records) {
            String kind = name(one, one.getSimpleName(), path);
            putOnce(alternatives, kind, record(one, kind, path), path);
        }
        return new Containers.Alternatives(alternatives);
    }

    private void permitted(Class<?> type, List<Class<?>> records, String path) {
        for (Class<?> one : type.getPermittedSubclasses()) {
            if (one.isRecord()) {
                if (!records.contains(one)) {
                    records.add(one);
                }
            } else if (one.isSealed()) {
                permitted(one, records, path);
            } else {
                throw refused(
                        path,
                        one.getTypeName() + " is neither a record nor sealed, as what " + type.getSimpleName()
                                + " permits must be");
            }
        }
    }

    /** A record; with the kind that it is if it is one of several. */
    private Form record(Class<?> type, @Nullable String kind, String path) {
        if (type.getTypeParameters().length > 0) {
            throw refused(path, "the record " + type.getTypeName() + " has type variables; write it without");
        }
        describe(type, kind == null ? path : (path.isEmpty() ? "" : path + ", ") + Containers.KIND + " " + kind);
        RecordComponent[] components = type.getRecordComponents();
        Map<String, Containers.Part> parts = new LinkedHashMap<>();
        for (RecordComponent component : components) {
            String name = name(component, component.getName(), path);
            String inside = path.isEmpty() ? name : path + "." + name;
            Description description = component.getAnnotation(Description.class);
            if (description != null) {
                descriptions.add("- " + inside + ": " + description.value());
            }
            Form form = form(Use.of(component.getAnnotatedType()), inside);
            if (isNullable(component) && !(form instanceof Containers.OrNull)) {
                form = orNull(component.getType(), form, inside); // an annotation from before those of types
            }
            if (name.equals(Containers.KIND) && kind != null) {
                throw refused(
                        inside,
                        "which record follows is said as '" + name + "'; change the component's name with" + " @Name");
            }
            putOnce(parts, name, new Containers.Part(form, description == null ? null : description.value()), inside);
        }
        Description description = type.getAnnotation(Description.class);
        return new Containers.Fields(
                constructor(type, components, path), parts, kind, description == null ? null : description.value());
    }

    private void describe(Class<?> type, String path) {
        Description description = type.getAnnotation(Description.class);
        if (description != null) {
            descriptions.add(path.isEmpty() ? description.value() : "- " + path + ": " + description.value());
        }
    }

    private Constructor<?> constructor(Class<?> type, RecordComponent[] components, String path) {
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(
                    Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
            constructor.setAccessible(true);
            return constructor;
        } catch (NoSuchMethodException e) {
            throw new IllegalStateException(type + " has no canonical constructor", e);
        } catch (InaccessibleObjectException e) {
            throw refused(
                    path,
                    "the package " + type.getPackageName() + " is not open; add 'opens "
                            + type.getPackageName() + " to io.langbridge.records;' to the module "
                            + type.getModule().getName());
        }
    }
}
