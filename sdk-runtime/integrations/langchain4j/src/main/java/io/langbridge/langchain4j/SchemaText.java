package io.langbridge.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.json.JsonAnyOfSchema;
import dev.langchain4j.model.chat.request.json.JsonArraySchema;
import dev.langchain4j.model.chat.request.json.JsonBooleanSchema;
import dev.langchain4j.model.chat.request.json.JsonEnumSchema;
import dev.langchain4j.model.chat.request.json.JsonIntegerSchema;
import dev.langchain4j.model.chat.request.json.JsonNullSchema;
import dev.langchain4j.model.chat.request.json.JsonNumberSchema;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonReferenceSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.langchain4j.model.chat.request.json.JsonStringSchema;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A JSON Schema as text. LangChain4j has a writer too, which is not for others and leaves out
 * {@code additionalProperties}. Descriptions are not written: the model does not see the schema.
 */
final class SchemaText {
    private SchemaText() {}

    static String of(JsonSchema schema) {
        return of(Objects.requireNonNull(schema.rootElement(), "the root element of the JSON Schema"));
    }

    private static String of(JsonSchemaElement element) {
        if (element instanceof JsonObjectSchema object) {
            return object(object);
        } else if (element instanceof JsonArraySchema array) {
            // Without items it has no 'items' here either, which is refused by that name.
            return array.items() == null ? type("array") : "{\"type\":\"array\",\"items\":" + of(array.items()) + "}";
        } else if (element instanceof JsonEnumSchema values) {
            return "{\"enum\":" + list(values.enumValues().stream(), SchemaText::quoted) + "}";
        } else if (element instanceof JsonAnyOfSchema ways) {
            return "{\"anyOf\":" + list(ways.anyOf().stream(), SchemaText::of) + "}";
        } else if (element instanceof JsonReferenceSchema reference) {
            String name = Objects.requireNonNull(reference.reference(), "the reference of a JSON Schema");
            return "{\"$ref\":" + quoted("#/$defs/" + name.replace("~", "~0").replace("/", "~1")) + "}";
        } else if (element instanceof JsonRawSchema raw) {
            return raw.schema();
        } else if (element instanceof JsonStringSchema) {
            return type("string");
        } else if (element instanceof JsonIntegerSchema) {
            return type("integer");
        } else if (element instanceof JsonNumberSchema) {
            return type("number");
        } else if (element instanceof JsonBooleanSchema) {
            return type("boolean");
        } else if (element instanceof JsonNullSchema) {
            return type("null");
        }
        throw new UnsupportedFeatureException("The JSON Schema element "
                + element.getClass().getName() + " is not supported by LangBridge; write it as a JsonRawSchema");
    }

    private static String type(String name) {
        return "{\"type\":\"" + name + "\"}";
    }

    private static String object(JsonObjectSchema object) {
        StringBuilder text = new StringBuilder("{\"type\":\"object\",\"properties\":").append(map(object.properties()));
        if (!object.required().isEmpty()) {
            text.append(",\"required\":").append(list(object.required().stream(), SchemaText::quoted));
        }
        if (object.additionalProperties() != null) {
            text.append(",\"additionalProperties\":").append(object.additionalProperties());
        }
        if (!object.definitions().isEmpty()) {
            text.append(",\"$defs\":").append(map(object.definitions()));
        }
        return text.append('}').toString();
    }

    private static String map(Map<String, JsonSchemaElement> elements) {
        return elements.entrySet().stream()
                .map(element -> quoted(element.getKey()) + ":" + of(element.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static <T> String list(Stream<T> elements, Function<T, String> text) {
        return elements.map(text).collect(Collectors.joining(",", "[", "]"));
    }

    private static String quoted(String text) {
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
}
