package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OrtRuntimeTest {
    @TempDir
    private Path home;

    /** Versions of ONNX Runtime that report usage did both: crash on a long command line, and leave files at home. */
    @Test
    void aLongCommandLineIsNoTroubleAndNothingIsLeftInTheHomeFolder() throws IOException, InterruptedException {
        ProcessBuilder java = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dclasspath.of.an.application=" + "/lib/some-library-1.0.jar:".repeat(1000),
                "-cp",
                System.getProperty("java.class.path"),
                Opening.class.getName());
        java.environment().put("HOME", home.toString());
        java.environment().remove("XDG_CACHE_HOME");
        java.environment().remove("ORT_DISABLE_TELEMETRY");
        java.redirectErrorStream(true).redirectOutput(home.resolve("output").toFile());

        Process process = java.start();

        assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue())
                .as(Files.readString(home.resolve("output")))
                .isZero();
        try (Stream<Path> files = Files.walk(home)) {
            assertThat(files).noneMatch(file -> file.toString().contains("Microsoft"));
        }
    }

    /** Opens the environment and ends. */
    static final class Opening {
        private Opening() {}

        public static void main(String[] args) {
            OrtRuntime.environment();
        }
    }
}
