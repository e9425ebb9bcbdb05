package io.langbridge.examples.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BatchTest {
    private static final String QUESTION = "What is on the right?";

    @TempDir
    Path scratch;

    private Path pictures;
    private Path out;

    @BeforeEach
    void folders() throws IOException {
        pictures = Files.createDirectories(scratch.resolve("pictures/below")).getParent();
        out = scratch.resolve("answers.jsonl");
    }

    /** Puts a picture there that differs from others in its bytes and not in what is seen. */
    private Path picture(String name) throws IOException {
        Path file = pictures.resolve(name);
        Files.copy(Path.of("src/test/resources/picture.png"), file);
        return Files.writeString(file, name, StandardOpenOption.APPEND);
    }

    private List<JsonObject> run(String... more) throws IOException {
        List<String> args = new ArrayList<>(List.of("--pictures", pictures.toString(), "--out", out.toString()));
        args.addAll(List.of(more));
        assertThat(Batch.command().execute(args.toArray(new String[0]))).isZero();
        return rows();
    }

    private List<JsonObject> rows() throws IOException {
        return Files.readAllLines(out).stream()
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
    }

    private static List<String> column(List<JsonObject> rows, String name) {
        return rows.stream()
                .map(row -> row.get(name))
                .map(value -> value.isJsonNull() ? null : value.getAsString())
                .toList();
    }

    /** Runs with a model that says what a test wants, without loading it where it is not needed. */
    private boolean run(FakeModel.Builder fake) throws IOException {
        try (Answers answers = new Answers(out)) {
            return job(fake, answers).run(pictures, Batch.pictures(pictures), silence());
        }
    }

    private static Job job(FakeModel.Builder fake, Answers answers) {
        return new Job(fake::build, new Task("Well?", null, null, 5), "fake@1", answers, 2);
    }

    private static Progress silence() {
        return new Progress(new PrintStream(new ByteArrayOutputStream()), false);
    }

    @Test
    void aRowForEachPictureAlsoForABadOne() throws IOException {
        picture("a.png");
        picture("below/b.PNG");
        Files.writeString(pictures.resolve("bad.jpg"), "This is no picture.");
        Files.writeString(pictures.resolve("notes.txt"), "Neither is this, nor does it say so.");

        List<JsonObject> rows = run("--question", QUESTION);

        assertThat(column(rows, "picture"))
                .containsExactlyInAnyOrder("a.png", Path.of("below", "b.PNG").toString(), "bad.jpg");
        String alone;
        try (DemoModel demo = DemoModel.open();
                VisionLanguageModel model = VisionLanguageModel.builder()
                        .encoder(demo.encoder())
                        .adapter(demo.adapter())
                        .llm(demo.llm())
                        .withoutCache()
                        .build()) {
            alone = model.answer(Request.builder()
                            .image(Image.of(pictures.resolve("a.png")))
                            .text(QUESTION)
                            .options(GenerationOptions.greedy())
                            .build())
                    .text();
        }
        for (JsonObject row : rows) {
            assertThat(row.keySet())
                    .containsExactly(
                            "picture",
                            "sha256",
                            "task",
                            "question",
                            "model",
                            "answer",
                            "probabilities",
                            "finish",
                            "prompt_tokens",
                            "visual_tokens",
                            "new_tokens",
                            "millis",
                            "error");
            if (row.get("picture").getAsString().equals("bad.jpg")) {
                assertThat(row.get("answer").isJsonNull()).isTrue();
                assertThat(row.get("error").getAsString()).contains("not a picture");
            } else {
                assertThat(row.get("answer").getAsString()).isEqualTo(alone).isEqualTo("a purple crescent");
                assertThat(row.get("visual_tokens").getAsInt()).isEqualTo(64);
                assertThat(row.get("new_tokens").getAsInt()).isPositive();
                assertThat(row.get("finish").getAsString()).isEqualTo("stop_token");
                assertThat(row.get("error").isJsonNull()).isTrue();
            }
        }
    }

    @Test
    void choicesAndValuesHaveProbabilities() throws IOException {
        picture("a.png");
        JsonObject chosen = run("--question", QUESTION, "--choices", "a red heart,a purple crescent")
                .get(0);
        assertThat(chosen.get("answer").getAsString()).isEqualTo("a purple crescent");
        JsonObject probabilities = chosen.getAsJsonObject("probabilities");
        assertThat(probabilities.get("a red heart").getAsDouble()
                        + probabilities.get("a purple crescent").getAsDouble())
                .isCloseTo(1, within(1e-6));

        Path schema = Files.writeString(
                scratch.resolve("schema.json"),
                "{\"type\": \"object\", \"properties\": {\"shape\": {\"enum\": [\"heart\", \"crescent\"]}},"
                        + " \"required\": [\"shape\"], \"additionalProperties\": false}");
        List<JsonObject> rows = run("--question", QUESTION, "--schema", schema.toString());
        assertThat(rows).as("another form is another task").hasSize(2);
        JsonObject value = rows.get(1);
        JsonElement shape = JsonParser.parseString(value.get("answer").getAsString())
                .getAsJsonObject()
                .get("shape");
        assertThat(shape.getAsString()).isIn("heart", "crescent");
        assertThat(value.getAsJsonObject("probabilities").get("shape").getAsDouble())
                .isBetween(0.0, 1.0);
    }

    @Test
    void whatIsDoneIsNotAskedAgain() throws IOException {
        picture("a.png");
        Files.writeString(pictures.resolve("bad.jpg"), "no picture");
        run(FakeModel.builder().otherwise("yes"));
        List<String> before = Files.readAllLines(out);
        assertThat(before).hasSize(2);

        FakeModel.Builder none = FakeModel.builder(); // has no answer to any question
        assertThat(run(none)).isTrue();
        assertThat(Files.readAllLines(out)).isEqualTo(before);

        Files.move(pictures.resolve("a.png"), pictures.resolve("renamed.png"));
        assertThat(run(none)).as("its content is known").isTrue();

        picture("new.png");
        Files.writeString(pictures.resolve("renamed.png"), "other bytes");
        run(FakeModel.builder().otherwise("no"));
        assertThat(Files.readAllLines(out)).hasSize(4).startsWith(before.toArray(new String[0]));
        assertThat(column(rows(), "picture")).contains("new.png", "renamed.png");
    }

    @Test
    void questionsFormsAndModelsAreTasksOfTheirOwn() {
        Task task = new Task("q", null, null, 5);
        assertThat(List.of(
                        task.key("m@1"),
                        task.key("m@2"),
                        new Task("Q", null, null, 5).key("m@1"),
                        new Task("q", List.of("a", "b"), null, 5).key("m@1"),
                        new Task("q", List.of("a, b"), null, 5).key("m@1"),
                        new Task("q", null, "{}", 5).key("m@1"),
                        new Task("q", null, null, 6).key("m@1")))
                .doesNotHaveDuplicates();
        assertThat(task.key("m@1")).isEqualTo(new Task("q", null, null, 5).key("m@1"));
    }

    @Test
    void theRevisionIsTheHubsCommitOrTheContent() throws IOException {
        Path snapshot = Files.createDirectories(scratch.resolve("models--Org--Name/snapshots/abc123"));
        assertThat(Revision.of(snapshot)).isEqualTo("Org/Name@abc123");

        Path folder = Files.createDirectories(scratch.resolve("mine"));
        Files.writeString(folder.resolve("model.safetensors"), "1");
        String first = Revision.of(folder);
        assertThat(first).matches("mine@[0-9a-f]{16}");
        Files.writeString(folder.resolve("model.safetensors"), "2");
        assertThat(Revision.of(folder)).isNotEqualTo(first);
    }

    @Test
    void halfALineIsCutOffAndItsPictureAskedAgain() throws IOException {
        picture("a.png");
        picture("b.png");
        run(FakeModel.builder().otherwise("yes"));
        String whole = Files.readString(out);
        Files.writeString(out, whole.substring(0, whole.length() - 10));

        run(FakeModel.builder().otherwise("again"));

        assertThat(column(rows(), "answer")).containsExactly("yes", "again");
        assertThat(column(rows(), "picture")).containsExactlyInAnyOrder("a.png", "b.png");
    }

    @Test
    void otherFilesAreNotWrittenInto() throws IOException {
        Files.writeString(out, "{\"name\": 1}\n");
        assertThatThrownBy(() -> new Answers(out)).hasMessageContaining("line 1");
        assertThat(out).hasContent("{\"name\": 1}\n");
    }

    @Test
    void aModelThatFailsEndsTheJob() throws IOException {
        for (int i = 0; i < 20; i++) {
            picture(i + ".png");
        }
        assertThatThrownBy(() -> run(FakeModel.builder()
                        .next("yes")
                        .otherwise(request -> FakeAnswer.failure(new IllegalStateException("The engine is gone")))))
                .hasMessage("The engine is gone");
        assertThat(rows()).hasSizeLessThanOrEqualTo(1);
    }

    @Test
    void aJobThatIsStoppedBeforeItBeginsAsksNothing() throws IOException {
        picture("a.png");
        try (Answers answers = new Answers(out)) {
            Job job = job(FakeModel.builder().otherwise("yes"), answers);
            job.stop();
            assertThat(job.run(pictures, Batch.pictures(pictures), silence())).isFalse();
        }
        assertThat(rows()).isEmpty();
    }

    @Test
    void aSchemaThatCannotBeFollowedEndsTheJob() throws IOException {
        picture("a.png");
        Path schema = Files.writeString(scratch.resolve("schema.json"), "{\"type\": \"nothing\"}");
        StringWriter said = new StringWriter();
        int code = Batch.command()
                .setErr(new PrintWriter(said, true))
                .execute(
                        "--pictures",
                        pictures.toString(),
                        "--question",
                        QUESTION,
                        "--out",
                        out.toString(),
                        "--schema",
                        schema.toString());
        assertThat(code).isOne();
        assertThat(said.toString()).startsWith("batch: ").contains("nothing");
        assertThat(out).isEmptyFile();
    }

    @Test
    void whatIsUnderWayWhenItIsStoppedIsLeftForTheNextRun() throws Exception {
        for (int i = 0; i < 5; i++) {
            picture(i + ".png");
        }
        try (Answers answers = new Answers(out)) {
            FakeModel.Builder stalls = FakeModel.builder()
                    .next("first")
                    .otherwise(request -> FakeAnswer.of("half an answer").stallingAfter(1));
            Job job = job(stalls, answers);
            List<Path> files = Batch.pictures(pictures);
            CompletableFuture<Boolean> whole = CompletableFuture.supplyAsync(() -> {
                try {
                    return job.run(pictures, files, silence());
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            while (Files.size(out) == 0 && !whole.isDone()) {
                Thread.onSpinWait();
            }
            job.stop();
            assertThat(whole.get(2, TimeUnit.MINUTES)).isFalse();
        }
        assertThat(column(rows(), "answer")).containsExactly("first");

        assertThat(run(FakeModel.builder().otherwise("rest"))).isTrue();
        assertThat(column(rows(), "answer")).containsExactly("first", "rest", "rest", "rest", "rest");
    }

    @Test
    void aProcessThatIsStoppedLeavesWholeLines() throws Exception {
        int many = 0;
        List<JsonObject> rows;
        do { // until there are so many that it is stopped before it has asked about all
            for (int more = Math.max(400, 3 * many); more > 0; more--) {
                picture(many++ + ".png");
            }
            Files.deleteIfExists(out);
            rows = rowsOfAStoppedProcess();
        } while (rows.size() == many && many < 10_000);
        assertThat(rows).hasSizeBetween(1, many - 1);
        assertThat(column(rows, "answer")).containsOnly("a purple crescent");
    }

    private List<JsonObject> rowsOfAStoppedProcess() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Batch.class.getName(),
                        "--pictures",
                        pictures.toString(),
                        "--question",
                        QUESTION,
                        "--out",
                        out.toString())
                .redirectErrorStream(true)
                .redirectOutput(scratch.resolve("log").toFile())
                .start();
        while (process.isAlive() && (!Files.exists(out) || Files.size(out) == 0)) {
            process.waitFor(10, TimeUnit.MILLISECONDS);
        }
        process.destroy(); // as Ctrl-C does
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();

        String log = Files.readString(scratch.resolve("log"));
        String content = Files.readString(out, StandardCharsets.UTF_8);
        assertThat(content).as(log).endsWith("\n");
        return rows();
    }

    @Test
    void progressHasRateAndTimeLeft() {
        Progress progress = silence();
        progress.begin(100);
        for (int i = 0; i < 20; i++) {
            progress.passedOver();
            progress.asked(i > 0);
        }
        assertThat(progress.line(10))
                .isEqualTo("[#########...............] 40 of 100, 2.0/s, 30 s left, 20 had an answer, 1 failed");
        assertThat(progress.line(1000)).contains("0.0/s, 50 min left");
    }
}
