package io.langbridge.runtime.core.text.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import io.langbridge.LangBridgeException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Templates with what the reference makes of them; most were made up at random from the whole language. */
class JinjaParityTest {
    static Stream<Arguments> cases() throws Exception {
        try (Reader in = Files.newBufferedReader(
                Paths.get("src/test/resources/templates/jinja2-3.1.6.json"), StandardCharsets.UTF_8)) {
            JsonObject file = JsonParser.parseReader(in).getAsJsonObject();
            JsonArray variables = file.getAsJsonArray("variables");
            return StreamSupport.stream(file.getAsJsonArray("cases").spliterator(), false)
                    .map(JsonElement::getAsJsonObject)
                    .map(one -> Arguments.of(
                            one.get("template").getAsString(),
                            value(variables.get(one.get("variables").getAsInt())),
                            one.has("text") ? one.get("text").getAsString() : null));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void a_template_renders_or_fails_as_in_the_reference(
            String template, Map<String, Object> variables, @Nullable String expected) {
        if (expected != null) {
            assertThat(ChatTemplate.parse(template, "t").render(variables)).isEqualTo(expected);
        } else {
            assertThatThrownBy(() -> ChatTemplate.parse(template, "t").render(variables))
                    .isInstanceOf(LangBridgeException.class);
        }
    }

    private static @Nullable Object value(JsonElement element) {
        if (element.isJsonObject()) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            element.getAsJsonObject().entrySet().forEach(entry -> map.put(entry.getKey(), value(entry.getValue())));
            return map;
        }
        if (element.isJsonArray()) {
            List<@Nullable Object> list = new ArrayList<>();
            element.getAsJsonArray().forEach(item -> list.add(value(item)));
            return list;
        }
        if (element.isJsonNull()) {
            return null;
        }
        JsonPrimitive primitive = element.getAsJsonPrimitive();
        if (primitive.isBoolean()) {
            return primitive.getAsBoolean();
        }
        if (primitive.isString()) {
            return primitive.getAsString();
        }
        String number = primitive.getAsString();
        return number.matches("-?[0-9]+") ? (Object) Long.valueOf(number) : Double.valueOf(number);
    }
}
