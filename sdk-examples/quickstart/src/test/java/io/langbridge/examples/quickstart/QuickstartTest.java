package io.langbridge.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command with the bundled model. */
class QuickstartTest {
    private static final String COLOUR =
            "{\"type\":\"object\",\"required\":[\"colour\"],\"properties\":{\"colour\":{\"enum\":[\"red\",\"brown\"]}}}";
    private static final String PICTURE =
            Path.of("src/main/resources/picture.png").toAbsolutePath().toString();

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @TempDir
    private Path folder;

    private int run(String... arguments) {
        PrintStream outBefore = System.out;
        PrintStream errBefore = System.err;
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        try {
            return Quickstart.commandLine().execute(arguments);
        } finally {
            System.setOut(outBefore);
            System.setErr(errBefore);
        }
    }

    private void refused(int code, String message, String... arguments) {
        err.reset();
        assertEquals(code, run(arguments));
        assertTrue(err.toString(StandardCharsets.UTF_8).contains(message), err::toString);
    }

    @Test
    void answersAQuestionAboutThePicture() {
        assertEquals(0, run("--question", "What is on the right?"), err::toString);
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("purple crescent"), out::toString);
    }

    @Test
    void aTransparentDrawingIsLaidOnWhite() throws IOException {
        BufferedImage drawing = new BufferedImage(256, 256, BufferedImage.TYPE_INT_ARGB);
        Graphics2D graphics = drawing.createGraphics();
        graphics.setColor(Color.BLACK);
        graphics.fillOval(64, 64, 128, 128);
        graphics.dispose();
        Path file = folder.resolve("circle.png");
        ImageIO.write(drawing, "png", file.toFile());
        assertEquals(0, run("--image", file.toString(), "--question", "What is in the picture?"), err::toString);
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("black circle"), out::toString);
        out.reset();
        Path line = Files.writeString(
                folder.resolve("line.jsonl"),
                "{\"image\": \"circle.png\", \"question\": \"What colour is the circle?\"}");
        assertEquals(0, run("--batch", line.toString()), err::toString);
        assertEquals(
                "black",
                parsed(out.toString(StandardCharsets.UTF_8)).get("answer").getAsString());
    }

    @Test
    void aSchemaGivesAValueAndChoicesProbabilities() throws IOException {
        Path schema = Files.writeString(folder.resolve("colour.json"), COLOUR);
        assertEquals(0, run("--schema", schema.toString(), "--question", "What colour is the letter?"), err::toString);
        assertEquals(
                "brown",
                parsed(out.toString(StandardCharsets.UTF_8)).get("colour").getAsString());
        out.reset();
        assertEquals(0, run("--choices", "yes,no", "--question", "Is there a crescent?"), err::toString);
        List<String> lines = out.toString(StandardCharsets.UTF_8).lines().toList();
        assertEquals(2, lines.size());
        assertTrue(lines.get(0).matches("0\\.\\d{4} yes"), out::toString);
    }

    @Test
    void linesOfABatchTakeASchemaOrChoices() throws IOException {
        Path batch = Files.writeString(
                folder.resolve("batch.jsonl"),
                line("\"What colour is the letter?\", \"schema\": " + COLOUR)
                        + line("\"Is there a crescent?\", \"choices\": [\"yes\", \"no\"]")
                        + line("\"What is on the right?\"")
                        + line("\"?\", \"schema\": {\"format\": \"ipv4\"}"));
        assertEquals(0, run("--batch", batch.toString()), err::toString);
        List<JsonObject> answers = out.toString(StandardCharsets.UTF_8)
                .lines()
                .map(QuickstartTest::parsed)
                .toList();
        assertEquals(4, answers.size());
        assertEquals(
                "brown", answers.get(0).getAsJsonObject("json").get("colour").getAsString());
        JsonObject probabilities = answers.get(1).getAsJsonObject("probabilities");
        assertEquals(
                1,
                probabilities.get("yes").getAsDouble() + probabilities.get("no").getAsDouble(),
                1e-9);
        assertTrue(answers.get(2).get("answer").getAsString().contains("crescent"));
        assertTrue(answers.get(3).get("error").getAsString().contains("ipv4"));
    }

    private static String line(String rest) {
        return "{\"image\": \"" + PICTURE.replace("\\", "\\\\") + "\", \"question\": " + rest + "}\n";
    }

    private static JsonObject parsed(String json) {
        return JsonParser.parseString(json).getAsJsonObject();
    }

    @Test
    void mistakesAreALineThatSpeaksOfFlags() {
        refused(2, "A device is auto, cpu, cuda or cuda:N, not 'gpu'", "--device", "gpu");
        refused(2, "did you mean --question", "--quesiton", "?");
        refused(2, "--temperature must be", "--temperature", "-1");
        refused(2, "nor is that a name of the hub", "--model", "nowhere");
        refused(2, "--revision is for", "--model", folder.toString(), "--revision", "v1");
        refused(1, "--offline, HF_HUB_OFFLINE", "--model", "no-such-org/no-such-model", "--offline");
        refused(1, "there is no file gone.png", "--image", "gone.png");
        assertEquals(
                "With --precision INT8 it fits; use a shorter --context; choose another with HF_HUB_CACHE.",
                Messages.inFlags("With precision(Precision.INT8) it fits; use a shorter contextLength(..); choose"
                        + " another with cache(..) or HF_HUB_CACHE."));
    }

    @Test
    void theDoctorFindsTheEngine() {
        run("doctor");
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("onnx on cpu        ready"), out::toString);
    }
}
