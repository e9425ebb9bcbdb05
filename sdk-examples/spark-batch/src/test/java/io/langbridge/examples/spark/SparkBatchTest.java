package io.langbridge.examples.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Precision;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkBatchTest {
    private static final List<String> QUESTIONS =
            List.of("What is on the right?", "What is at the top left?", "What is below the crescent?");
    private static final Setup BUNDLED = new Setup(null, Precision.FULL, 1);

    @TempDir
    Path scratch;

    private Path pictures;
    private String out;

    @BeforeEach
    void folders() throws IOException {
        pictures = Files.createDirectories(scratch.resolve("pictures/be low")).getParent();
        out = scratch.resolve("table").toString();
    }

    /** Puts a picture there that differs from others in its bytes and not in what is seen. */
    private void picture(String name) throws IOException {
        Path file = pictures.resolve(name);
        Files.copy(Path.of("src/test/resources/picture.png"), file);
        Files.writeString(file, name, StandardOpenOption.APPEND);
    }

    /** Two pictures to a partition. */
    private static SparkSession session(String master) {
        return SparkSession.builder()
                .master(master)
                .appName("test")
                .config("spark.ui.enabled", false)
                .config("spark.sql.files.openCostInBytes", 1 << 20)
                .config("spark.sql.files.maxPartitionBytes", (2 << 20) + 100_000)
                .config("spark.sql.shuffle.partitions", 2)
                .config("spark.cores.max", 2)
                .config("spark.scheduler.minRegisteredResourcesRatio", 1.0) // both executors, before one does it all
                .config("spark.scheduler.maxRegisteredResourcesWaitingTime", "5min")
                .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .getOrCreate();
    }

    private static Task asking(String question) {
        return new Task(question, null, null, 32);
    }

    private SparkBatch.Report run(SparkSession spark, Task task) throws IOException {
        return SparkBatch.run(spark, pictures.toUri().toString(), task, BUNDLED, out);
    }

    private List<Row> rows(SparkSession spark) {
        return spark.read().parquet(out).orderBy("picture").collectAsList();
    }

    @Test
    void oneModelForAllPartitionsSaysWhatItSaysAlone() throws IOException {
        for (int i = 10; i < 20; i++) {
            picture(i + ".png");
        }
        picture("be low/{c}.PNG");
        Files.writeString(pictures.resolve("bad.jpg"), "This is no picture.");
        Files.writeString(pictures.resolve("notes.txt"), "Neither is this, nor does it say so.");
        try (SparkSession spark = session("local[4]")) {
            long before = loads;
            for (String question : QUESTIONS) {
                SparkBatch.Report report = run(spark, asking(question));
                assertThat(report.rows()).isEqualTo(12);
                assertThat(report.failed()).isEqualTo(1);
                loads += report.loads();
            }
            assertThat(loads - before).as("one JVM, one model").isLessThanOrEqualTo(1);
            assertThat(Files.list(Path.of(out)).filter(file -> file.toString().endsWith(".parquet")))
                    .as("partitions")
                    .hasSizeGreaterThanOrEqualTo(4 * QUESTIONS.size());

            List<Row> rows = rows(spark);
            assertThat(rows).hasSize(12 * QUESTIONS.size());
            Map<String, String> alone = alone();
            assertThat(alone.values()).contains("a purple crescent").doesNotHaveDuplicates();
            for (Row row : rows) {
                if (row.<String>getAs("picture").endsWith("bad.jpg")) {
                    assertThat(row.<String>getAs("error")).contains("not a picture");
                    assertThat(row.<String>getAs("answer")).isNull();
                } else {
                    assertThat(row.<String>getAs("answer")).isEqualTo(alone.get(row.<String>getAs("question")));
                    assertThat(row.<Integer>getAs("visual_tokens")).isEqualTo(64);
                    assertThat(row.<Integer>getAs("new_tokens")).isPositive();
                    assertThat(row.<Long>getAs("millis")).isPositive();
                    assertThat(row.<String>getAs("error")).isNull();
                }
            }
        }
    }

    /** Over all tests, since they share a process. */
    private static long loads;

    private Map<String, String> alone() {
        VisionLanguageModel model = BUNDLED.model(() -> loads++);
        Map<String, String> answers = new HashMap<>();
        for (String question : QUESTIONS) {
            answers.put(
                    question,
                    model.answer(Request.builder()
                                    .image(Image.of(pictures.resolve("10.png")))
                                    .text(question)
                                    .options(GenerationOptions.greedy())
                                    .build())
                            .text());
        }
        return answers;
    }

    @Test
    void whatIsDoneIsNotAskedAgain() throws IOException {
        picture("a.png");
        picture("b.png");
        Files.writeString(pictures.resolve("bad.jpg"), "no picture");
        try (SparkSession spark = session("local[2]")) {
            Task task = asking(QUESTIONS.get(0));
            assertThat(run(spark, task).rows()).isEqualTo(3);
            assertThat(run(spark, task).rows()).isZero();
            Files.move(pictures.resolve("a.png"), pictures.resolve("renamed.png"));
            picture("new.png");
            assertThat(run(spark, task).rows()).isEqualTo(1);
            assertThat(run(spark, asking(QUESTIONS.get(1))).rows()).isEqualTo(4);
            assertThat(rows(spark)).hasSize(8);
        }
    }

    @Test
    void aJobThatFailsKeepsWhatWasAnswered() throws IOException {
        int many = 80; // so that it has not ended when the end of its first task is heard of
        for (int i = 0; i < many; i++) {
            picture(i + ".png");
        }
        Task task = asking(QUESTIONS.get(0));
        try (SparkSession spark = session("local[1]")) {
            SparkContext context = spark.sparkContext();
            context.addSparkListener(new SparkListener() {
                @Override
                public void onTaskEnd(SparkListenerTaskEnd end) {
                    context.cancelAllJobs();
                    context.removeSparkListener(this);
                }
            });
            assertThatThrownBy(() -> run(spark, task)).hasStackTraceContaining("cancel");
            int kept = rows(spark).size();
            assertThat(kept).isBetween(1, many - 1);

            assertThat(run(spark, task).rows()).isEqualTo(many - kept);
            assertThat(rows(spark))
                    .hasSize(many)
                    .extracting(row -> row.<String>getAs("picture"))
                    .doesNotHaveDuplicates();
        }
    }

    @Test
    void aSchemaThatCannotBeFollowedIsNoRow() throws IOException {
        picture("a.png");
        Task bad = new Task(QUESTIONS.get(0), null, "{\"type\": \"nothing\"}", 32);
        try (SparkSession spark = session("local[1]")) {
            assertThatThrownBy(() -> run(spark, bad)).hasStackTraceContaining("nothing");
        }
    }

    @Test
    void choicesAndValuesHaveProbabilities() throws IOException {
        picture("a.png");
        try (SparkSession spark = session("local[1]")) {
            run(spark, new Task(QUESTIONS.get(0), List.of("a red heart", "a purple crescent"), null, 32));
            Row row = rows(spark).get(0);
            assertThat(row.<String>getAs("answer")).isEqualTo("a purple crescent");
            Map<String, Double> probabilities = row.getJavaMap(row.fieldIndex("probabilities"));
            assertThat(probabilities.values().stream().mapToDouble(p -> p).sum())
                    .isCloseTo(1, within(1e-6));
        }
    }

    @Test
    void asManyModelsAreLoadedAsThereAreProcesses() throws IOException {
        for (int i = 10; i < 22; i++) {
            picture(i + ".png");
        }
        try (SparkSession spark = session("local-cluster[2,1,1024]")) {
            SparkBatch.Report report = run(spark, asking(QUESTIONS.get(0)));
            assertThat(report.rows()).isEqualTo(12);
            assertThat(report.loads()).isEqualTo(2);
            assertThat(rows(spark))
                    .allSatisfy(row -> assertThat(row.<String>getAs("answer")).isEqualTo("a purple crescent"));
        }
    }
}
