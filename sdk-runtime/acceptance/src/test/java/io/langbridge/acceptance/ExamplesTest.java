package io.langbridge.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Examples are copied, so they use what users can use, and nothing that may change with every release. */
class ExamplesTest {
    private static final Pattern INTERNAL =
            Pattern.compile("io\\.langbridge\\.runtime\\.(core|onnx|pytorch|images)\\b[\\w.]*");

    @Test
    void examplesUseTheApiAlone() throws IOException {
        List<Path> sources;
        try (Stream<Path> files = Files.walk(Path.of("../../sdk-examples"))) {
            sources = files.filter(file -> file.toString().matches(".*[/\\\\]src[/\\\\].*\\.java"))
                    .toList();
        }
        assertThat(sources).hasSizeGreaterThan(10);
        List<String> used = new ArrayList<>();
        for (Path source : sources) {
            Matcher found = INTERNAL.matcher(Files.readString(source));
            while (found.find()) {
                used.add(source.getFileName() + ": " + found.group());
            }
        }
        assertThat(used).isEmpty();
    }

    @Test
    void whatTwoExamplesShareIsTheSame() throws IOException {
        Path batch = Path.of("../../sdk-examples/batch/src/main/java/io/langbridge/examples/batch");
        Path spark = Path.of("../../sdk-examples/spark-batch/src/main/java/io/langbridge/examples/spark");
        for (String name : List.of("Answered.java", "Revision.java", "Task.java")) {
            assertThat(Files.readString(spark.resolve(name)).replace("package io.langbridge.examples.spark;", ""))
                    .isEqualTo(Files.readString(batch.resolve(name))
                            .replace("package io.langbridge.examples.batch;", ""));
        }
    }
}
