package io.langbridge.demoworld;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Writes pictures with questions and answers in LLaVA's JSON, as sdk-examples/training reads it. */
@Command(
        name = "draw",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Writes pictures as PNG, and questions with answers about them as LLaVA's JSON.")
final class Draw implements Callable<Integer> {
    static final String FILE = "data.json";

    @Spec
    private CommandSpec spec;

    @Option(names = "--out", required = true, description = "Folder; made if it does not exist.")
    private Path out;

    @Option(names = "--count", defaultValue = "100", description = "How many pictures.")
    private int count;

    @Option(names = "--questions", defaultValue = "4", description = "How many questions about each at most.")
    private int questions;

    @Option(names = "--seed", defaultValue = "1", description = "The same seed draws the same scenes.")
    private long seed;

    @Override
    public Integer call() throws IOException {
        if (count < 1 || questions < 1) {
            throw new ParameterException(spec.commandLine(), "--count and --questions must be at least 1");
        }
        Files.createDirectories(out);
        SplittableRandom random = new SplittableRandom(seed);
        JsonArray records = new JsonArray();
        for (int i = 0; i < count; i++) {
            Scene scene = Scene.random(random);
            String name = String.format("%06d.png", i);
            ImageIO.write(Painter.draw(scene), "png", out.resolve(name).toFile());
            JsonArray conversation = new JsonArray();
            for (Question question : Wording.questions(scene, random, questions)) {
                conversation.add(turn("human", (conversation.isEmpty() ? "<image>\n" : "") + question.text()));
                JsonObject answer = turn("gpt", question.answer());
                answer.addProperty("kind", question.kind().name().toLowerCase(Locale.ROOT)); // for evaluate --data
                conversation.add(answer);
            }
            JsonObject entry = new JsonObject();
            entry.addProperty("id", String.valueOf(i));
            entry.addProperty("image", name);
            entry.add("conversations", conversation);
            records.add(entry);
        }
        Files.writeString(
                out.resolve(FILE),
                new GsonBuilder()
                        .disableHtmlEscaping()
                        .setPrettyPrinting()
                        .create()
                        .toJson(records));
        return 0;
    }

    private static JsonObject turn(String from, String value) {
        JsonObject turn = new JsonObject();
        turn.addProperty("from", from);
        turn.addProperty("value", value);
        return turn;
    }
}
