package io.langbridge.examples.quickstart;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.langbridge.Answer;
import io.langbridge.Choice;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.LangBridgeException;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Answers JSON lines with JSON lines, in order; a line that cannot be answered becomes an error line. */
final class Batch {
    private final Gson gson = new GsonBuilder().disableHtmlEscaping().create();
    private final VisionLanguageModel model;
    private final boolean onWhite;
    private final GenerationOptions options;
    private final List<String> choices;

    /**
     * Creates it.
     *
     * @param options of lines without a schema of their own
     * @param choices of lines without choices of their own, or null
     * @param onWhite whether transparent pictures are laid on white
     */
    Batch(VisionLanguageModel model, GenerationOptions options, List<String> choices, boolean onWhite) {
        this.model = model;
        this.onWhite = onWhite;
        this.options = options;
        this.choices = choices;
    }

    /**
     * Answers every line that is not blank.
     *
     * @param file UTF-8 JSON lines, or {@code -} for standard input
     */
    void run(Path file, PrintStream out) throws IOException {
        boolean standardInput = file.toString().equals("-");
        try (BufferedReader lines = standardInput
                ? new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                : Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (line.isBlank()) {
                    continue;
                }
                Path beside = standardInput ? null : file.toAbsolutePath().getParent();
                out.println(gson.toJson(answer(line, number, beside)));
            }
        }
    }

    private JsonObject answer(String line, int number, Path beside) {
        JsonObject result = new JsonObject();
        result.addProperty("line", number);
        try {
            JsonObject task = gson.fromJson(line, JsonObject.class);
            String image = text(task, "image");
            String question = text(task, "question");
            result.addProperty("image", image);
            result.addProperty("question", question);
            Path path = Path.of(image);
            if (beside != null && !Files.exists(path) && Files.exists(beside.resolve(image))) {
                path = beside.resolve(image);
            }
            Image picture = onWhite ? Image.of(path).onGround(0xffffff) : Image.of(path);
            Request.Builder request = Request.builder().image(picture).text(question);
            List<String> labels = task.has("choices") ? labels(task.get("choices")) : choices;
            if (labels != null && !task.has("schema")) {
                Choice choice = model.choose(request.options(options).build(), labels);
                result.add("probabilities", gson.toJsonTree(choice.probabilities()));
                result.addProperty("total", choice.total());
            } else {
                answer(request.options(options(task)).build(), result);
            }
        } catch (JsonParseException e) {
            result.addProperty("error", "The line is not a JSON object: " + e.getMessage());
        } catch (IllegalArgumentException | LangBridgeException e) {
            result.addProperty("error", Messages.inFlags(String.valueOf(e.getMessage())));
        }
        return result;
    }

    private void answer(Request request, JsonObject result) {
        Answer answer = model.answer(request);
        result.addProperty("answer", answer.text());
        result.addProperty("finish_reason", answer.finishReason().name().toLowerCase(Locale.ROOT));
        if (request.options().jsonSchema() != null) {
            answer.json(); // throws, and the line says so, where the answer was cut off
            result.add("json", JsonParser.parseString(answer.text()));
        }
    }

    private GenerationOptions options(JsonObject task) {
        return task.has("schema")
                ? options.toBuilder().jsonSchema(task.get("schema").toString()).build()
                : options;
    }

    private static List<String> labels(JsonElement choices) {
        if (!(choices instanceof JsonArray array) || !array.asList().stream().allMatch(JsonElement::isJsonPrimitive)) {
            throw new IllegalArgumentException("\"choices\" is no list of texts; expected [\"yes\", \"no\"]");
        }
        return array.asList().stream().map(JsonElement::getAsString).toList();
    }

    private static String text(JsonObject task, String key) {
        if (task == null || !task.has(key) || !task.get(key).isJsonPrimitive()) {
            throw new IllegalArgumentException("The line has no text under \"" + key + "\"; expected"
                    + " {\"image\": \"..\", \"question\": \"..\"}");
        }
        return task.get(key).getAsString();
    }
}
