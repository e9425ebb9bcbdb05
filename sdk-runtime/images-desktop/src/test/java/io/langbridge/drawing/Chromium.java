package io.langbridge.drawing;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A browser without a window, if there is one on this machine. */
record Chromium(Path program) {
    static Optional<Chromium> find() {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Arrays.stream(path.split(File.pathSeparator))
                .flatMap(folder -> Stream.of("chromium", "chromium-browser", "google-chrome")
                        .map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst()
                .map(Chromium::new);
    }

    /** The document after its scripts have run. */
    String dom(Path page, Path scratch) throws IOException, InterruptedException {
        Path output = scratch.resolve("dom.html");
        Path profile = Files.createTempDirectory("chromium");
        try {
            return dom(page, output, profile);
        } finally {
            deleteAsFarAsPossible(profile);
        }
    }

    /** Helper processes may write into the profile for a moment after the browser has ended. */
    private static void deleteAsFarAsPossible(Path folder) throws IOException {
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(folder)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        } catch (UncheckedIOException e) {
            return; // something went away on the way
        }
        for (Path path : paths) {
            try {
                Files.deleteIfExists(path);
            } catch (DirectoryNotEmptyException e) {
                path.toFile().deleteOnExit();
            }
        }
    }

    private String dom(Path page, Path output, Path profile) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        program.toString(),
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-quic",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-sync",
                        "--user-data-dir=" + profile,
                        "--window-size=1200,900",
                        "--virtual-time-budget=3000",
                        "--dump-dom",
                        page.toUri().toString())
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new AssertionError(program + " did not end");
        }
        return Files.readString(output, StandardCharsets.UTF_8);
    }
}
