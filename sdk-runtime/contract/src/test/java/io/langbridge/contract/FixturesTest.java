package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FixturesTest {
    private static final String PROPERTY = "langbridge.fixtures";

    /** These checks need none. */
    private static final Engine NO_ENGINE = (Engine) Proxy.newProxyInstance(
            Engine.class.getClassLoader(), new Class<?>[] {Engine.class}, (proxy, method, arguments) -> {
                throw new UnsupportedOperationException(method.getName());
            });

    private final String before = System.getProperty(PROPERTY, "");

    @TempDir
    Path folder = Path.of("");

    @AfterEach
    void restoreProperty() {
        System.setProperty(PROPERTY, before);
    }

    @Test
    void theBundledFolderHasCasesOfEveryAreaThatMayBeHandedOn() {
        System.clearProperty(PROPERTY);
        Fixtures bundled = Fixtures.open(folder);

        assertThat(bundled.cases().stream().map(Fixtures.Case::area).distinct())
                .containsExactlyInAnyOrderElementsOf(Fixtures.AREAS.subList(0, Fixtures.AREAS.size() - 1));
        assertThat(bundled.strayFolders(bundled.cases())).isEmpty();
    }

    @Test
    void aNamedFolderThatIsMissingIsAFailure() {
        System.setProperty(PROPERTY, folder.resolve("nowhere").toString());

        assertThatThrownBy(() -> Fixtures.open(folder))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("nowhere");
    }

    @Test
    void casesAreFoundWhateverTheirNameAndFoldersWithoutOneAreNoticed() throws IOException {
        Files.createDirectories(folder.resolve("decoders/any/name"));
        Files.writeString(folder.resolve("decoders/any/name/case.json"), "{}");
        Files.createDirectories(folder.resolve("decoders/forgotten"));
        Files.createDirectories(folder.resolve("unheard-of"));
        System.setProperty(PROPERTY, folder.toString());
        Fixtures fixtures = Fixtures.open(folder);

        assertThat(fixtures.cases()).extracting(Fixtures.Case::name).containsExactly("decoders/any/name");
        assertThat(fixtures.strayFolders(fixtures.cases())).containsExactly("decoders/forgotten", "unheard-of");
    }

    @Test
    void aKeyThatNothingLookedAtIsReported() throws Exception {
        differences("{\"name\": \"x\", \"new_kind\": {\"deep\": 1}}", check -> {
            check.holds("", true);
            assertThat(check.leftOut()).containsExactly("any: nothing knows how to check case.json/new_kind");
        });
    }

    @Test
    void aValueOutsideTheToleranceOrNotANumberIsADifference() throws Exception {
        String json = "{\"tolerance\": {\"default\": 1e-5, \"scores.*\": \"same kept set, values 1e-3\"}}";

        List<String> differences = differences(json, check -> {
            float[] expected = {1, 2};
            check.close("logits", new float[] {1, 2.00001f}, expected, check.tolerance("logits"));
            check.close("scores.a", new float[] {1, 2.001f}, expected, check.tolerance("scores.a"));
            check.close("too far", new float[] {1, 2.0001f}, expected, check.tolerance("too far"));
            check.close("no number", new float[] {1, Float.NaN}, expected, check.tolerance("no number"));
        });

        assertThat(differences).hasSize(2);
        assertThat(differences.get(0)).startsWith("too far");
        assertThat(differences.get(1)).startsWith("no number");
    }

    /** What is expected is read with this project's reader, so that is checked by another one here. */
    @Test
    void storedTensorsAreReadAsTheFormatSays() throws IOException {
        System.clearProperty(PROPERTY);
        Path file = Fixtures.open(folder).root().resolve("decoders/qwen2/tensors.safetensors");
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) bytes.getLong();
        String text = new String(bytes.array(), Long.BYTES, length, StandardCharsets.UTF_8);
        JsonObject header = JsonParser.parseString(text).getAsJsonObject();
        header.remove("__metadata__");

        try (Weights weights = Checkpoints.open(file)) {
            assertThat(weights.names()).isEqualTo(header.keySet());
            for (String name : header.keySet()) {
                JsonObject entry = header.getAsJsonObject(name);
                JsonArray offsets = entry.getAsJsonArray("data_offsets");
                boolean ids = entry.get("dtype").getAsString().equals("I64");
                int from = Long.BYTES + length + offsets.get(0).getAsInt();
                float[] values = weights.get(name).toFloats();
                assertThat(values)
                        .hasSize((offsets.get(1).getAsInt() - offsets.get(0).getAsInt()) / (ids ? 8 : 4));
                for (int i = 0; i < values.length; i++) {
                    float expected = ids ? bytes.getLong(from + 8 * i) : bytes.getFloat(from + 4 * i);
                    assertThat(values[i]).isEqualTo(expected);
                }
            }
        }
    }

    private interface Body {
        void accept(Check check) throws Exception;
    }

    private List<String> differences(String json, Body body) throws Exception {
        Path file = Files.writeString(folder.resolve("case.json"), json);
        System.setProperty(PROPERTY, folder.toString());
        Fixtures fixtures = Fixtures.open(folder);
        EngineOptions options = new EngineOptions(1, false, folder);
        try (Check check = new Check(NO_ENGINE, options, fixtures, new Fixtures.Case("any", "any", file))) {
            body.accept(check);
            return check.differences();
        }
    }
}
