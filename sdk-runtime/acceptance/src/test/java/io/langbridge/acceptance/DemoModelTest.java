package io.langbridge.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.CheckpointException;
import io.langbridge.Choice;
import io.langbridge.Device;
import io.langbridge.EncodedImage;
import io.langbridge.EngineName;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.Image;
import io.langbridge.Precision;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.VisionLanguageModel;
import io.langbridge.records.Limit;
import io.langbridge.records.Records;
import io.langbridge.runtime.demo.DemoModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bundled model answers, on every engine: questions about pictures that it has not seen in training. */
class DemoModelTest {
    /** Pictures as {@code demo-world draw} writes them, with questions that the model answers right. */
    private static final Path SCENES = Path.of("src/test/resources/scenes");

    private static DemoModel demo;

    @BeforeAll
    static void open() {
        demo = DemoModel.open();
    }

    @AfterAll
    static void close() {
        demo.close();
        assertThat(demo.folder()).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({"onnx, FULL", "onnx, INT8", "pytorch, FULL"})
    void answersRight(String engine, Precision precision) throws IOException {
        try (VisionLanguageModel model = model(engine, precision)) {
            assertThat(wrong(model, "questions.json")).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"onnx, FULL", "onnx, INT8", "pytorch, FULL"})
    void answersRightAfterItsAdapterMoved(String engine, Precision precision) throws IOException {
        try (VisionLanguageModel model = model(engine, precision);
                VisionLanguageModel other = model.langBridge().orElseThrow().withLlm(demo.otherLlm())) {
            assertThat(wrong(other, "other-questions.json")).isEmpty();
        }
    }

    /** Words that the model knows; it has learnt no JSON, so only the form of a record is certain. */
    enum Colour {
        red,
        orange,
        yellow,
        green,
        blue,
        purple,
        pink,
        brown,
        black,
        white,
        gray
    }

    record Thing(
            Colour colour, @Limit(min = 1, max = 12) String shape, Optional<@Limit(min = 1, max = 5) Integer> count) {}

    @ParameterizedTest
    @CsvSource({"onnx, FULL", "onnx, INT8", "pytorch, FULL"})
    void choosesRightAndFillsARecord(String engine, Precision precision) throws IOException {
        List<String> colours = Arrays.stream(Colour.values()).map(Colour::name).collect(Collectors.toList());
        int asked = 0;
        try (VisionLanguageModel model = model(engine, precision)) {
            for (JsonElement element : scenes("questions.json")) {
                EncodedImage picture = model.encode(Image.of(SCENES.resolve(text(element, "image"))));
                JsonArray turns = element.getAsJsonObject().getAsJsonArray("conversations");
                for (int i = 0; i < turns.size(); i += 2) {
                    String expected = text(turns.get(i + 1), "value");
                    if (colours.contains(expected)) {
                        Choice choice = model.choose(picture, question(turns.get(i)), colours);
                        assertThat(choice.best()).isEqualTo(expected);
                        assertThat(choice.total()).isGreaterThan(0.9);
                        asked++;
                    }
                }
                Thing thing = Records.of(model).ask(picture, "What is in the picture?", Thing.class);
                assertThat(thing.shape()).hasSizeBetween(1, 24);
                thing.count().ifPresent(count -> assertThat(count).isBetween(1, 5));
            }
        }
        assertThat(asked).isPositive();
    }

    @Test
    void patchesAreMadeOfTheWordsForWhatLiesOnThem() throws IOException {
        try (VisionLanguageModel model = model("onnx", Precision.FULL)) {
            Explanation explanation = model.explain(
                    model.encode(Image.of(SCENES.resolve("explained.png"))),
                    ExplainOptions.builder().wordsPerPatch(10).build());
            int patch = 8 * 3 + 3; // its only item covers the middle
            assertThat(explanation.patches().get(patch).words())
                    .extracting(word -> word.word().text())
                    .contains("purple", "oval");
        }
    }

    @Test
    void staysWhereItIsCopiedTo(@TempDir Path folder) {
        DemoModel copied = DemoModel.copyTo(folder.resolve("model"));
        copied.close();
        DemoModel.copyTo(folder.resolve("model")).close();
        assertThat(copied.encoder().folder()).isNotEmptyDirectory();
        assertThat(copied.adapter().path()).isNotEmptyDirectory();
        assertThat(copied.llm().folder()).isNotEmptyDirectory();
        assertThat(copied.otherLlm().folder()).isNotEmptyDirectory();
    }

    @Test
    void anotherCopyNeedsNoOtherCache(@TempDir Path folder) throws IOException {
        List<List<String>> kept = new ArrayList<>();
        for (int copy = 0; copy < 2; copy++) {
            try (DemoModel copied = DemoModel.open()) {
                VisionLanguageModel.builder()
                        .encoder(copied.encoder())
                        .adapter(copied.adapter())
                        .llm(copied.llm())
                        .engine(EngineName.ONNX)
                        .cacheDirectory(folder)
                        .build()
                        .close();
            }
            try (Stream<Path> files = Files.list(folder)) {
                kept.add(files.map(file -> file.getFileName().toString())
                        .sorted()
                        .collect(Collectors.toList()));
            }
        }
        assertThat(kept.get(0)).isNotEmpty().isEqualTo(kept.get(1));
    }

    @Test
    void namesAFolderThatCannotBeWritten(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "in the way");
        assertThatThrownBy(() -> DemoModel.copyTo(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("name another folder");
        assertThat(file).hasContent("in the way");
    }

    private static VisionLanguageModel model(String engine, Precision precision) {
        try {
            return VisionLanguageModel.builder()
                    .encoder(demo.encoder())
                    .adapter(demo.adapter())
                    .llm(demo.llm())
                    .engine(EngineName.parse(engine))
                    .device(Device.CPU)
                    .precision(precision)
                    .cacheDirectory(demo.folder().resolve("cache"))
                    .build();
        } catch (RuntimeUnavailableException e) {
            return abort("Needs the natives of " + engine + ": " + e.getMessage());
        }
    }

    /** The questions that are not answered as they should be, with what was answered. */
    private static List<String> wrong(VisionLanguageModel model, String file) throws IOException {
        List<String> wrong = new ArrayList<>();
        for (JsonElement element : scenes(file)) {
            JsonObject scene = element.getAsJsonObject();
            EncodedImage picture = model.encode(Image.of(SCENES.resolve(text(scene, "image"))));
            JsonArray turns = scene.getAsJsonArray("conversations");
            for (int i = 0; i < turns.size(); i += 2) {
                String question = question(turns.get(i));
                String expected = text(turns.get(i + 1), "value");
                String answer = model.ask(picture, question).text();
                if (!answer.equals(expected)) {
                    wrong.add(text(scene, "image") + ": " + question + " " + expected + ", not " + answer);
                }
            }
        }
        return wrong;
    }

    private static JsonArray scenes(String file) throws IOException {
        return JsonParser.parseString(Files.readString(SCENES.resolve(file))).getAsJsonArray();
    }

    private static String question(JsonElement turn) {
        return text(turn, "value").replace("<image>", "").strip();
    }

    private static String text(JsonElement object, String key) {
        return object.getAsJsonObject().get(key).getAsString();
    }
}
