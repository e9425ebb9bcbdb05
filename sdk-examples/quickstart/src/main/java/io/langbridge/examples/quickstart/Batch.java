package io.langbridge.examples.quickstart;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.langbridge.Answer;
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
import java.util.Locale;

/** Answers JSON lines with JSON lines, in order; a line that cannot be answered becomes an error line. */
final class Batch {
    private final Gson gson = new GsonBuilder().disableHtmlEscaping().create();
    private final VisionLanguageModel model;
    private final GenerationOptions options;

    Batch(VisionLanguageModel model, GenerationOptions options) {
        this.model = model;
        this.options = options;
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
            Answer answer = model.answer(Request.builder()
                    .image(Image.of(path))
                    .text(question)
                    .options(options)
                    .build());
            result.addProperty("answer", answer.text());
            result.addProperty("finish_reason", answer.finishReason().name().toLowerCase(Locale.ROOT));
        } catch (JsonParseException e) {
            result.addProperty("error", "The line is not a JSON object: " + e.getMessage());
        } catch (IllegalArgumentException | LangBridgeException e) {
            result.addProperty("error", e.getMessage());
        }
        return result;
    }

    private static String text(JsonObject task, String key) {
        if (task == null || !task.has(key) || !task.get(key).isJsonPrimitive()) {
            throw new IllegalArgumentException("The line has no text under \"" + key + "\"; expected"
                    + " {\"image\": \"..\", \"question\": \"..\"}");
        }
        return task.get(key).getAsString();
    }
}
