package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.FitReport;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Phases {@code load_cold}, with an empty cache directory, and {@code load_cached}, with the peak of memory beside what
 * {@code check()} says before. Every sample is a process of its own. Files of the checkpoint may be in the system's
 * memory in both.
 */
final class LoadSet {
    private static final double MILLIS = 1e3;
    private static final double BYTES_PER_MIB = 1 << 20;
    private static final List<String> FIGURES = List.of("load_s", "ready_s", "load_peak_rss_mb", "peak_rss_mb");

    private LoadSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        setup.builder(); // writes random models that are missing
        Path cache = Files.createTempDirectory(setup.models(), "cache-cold");
        try {
            List<JsonObject> cold = new ArrayList<>();
            List<JsonObject> cached = new ArrayList<>();
            for (int i = 0; i < setup.reps; i++) {
                delete(cache);
                cold.add(child(setup, cache));
                cached.add(child(setup, cache));
            }
            FitReport report = setup.builder().check();
            out.accept(line(setup, "load_cold", cold, report.memoryNeededFirstTime()));
            out.accept(line(setup, "load_cached", cached, report.memoryNeeded()));
        } finally {
            delete(cache);
        }
    }

    private static JsonObject child(Setup setup, Path cache) throws IOException {
        Host.awaitQuiet(setup.patience);
        List<JsonObject> lines = Child.benchmarks(setup.arguments(List.of("--one-load", "--cache", cache.toString())));
        return lines.get(lines.size() - 1);
    }

    private static JsonObject line(Setup setup, String phase, List<JsonObject> samples, long estimate) {
        Line line = setup.line(phase, "model");
        for (String figure : FIGURES) {
            if (samples.stream().noneMatch(sample -> sample.get(figure).isJsonNull())) {
                line.put(
                        figure,
                        samples.stream()
                                .mapToDouble(sample -> sample.get(figure).getAsDouble())
                                .toArray());
            }
        }
        return line.rounded("estimate_mb", estimate / BYTES_PER_MIB).json();
    }

    /** What a sample's process does: loads the model, notes the time, answers once. */
    static void once(Setup setup, Consumer<JsonObject> out) throws IOException {
        Stopwatch loading = new Stopwatch();
        try (VisionLanguageModel model = setup.model()) {
            double load = loading.seconds();
            double ready = (System.currentTimeMillis()
                            - ManagementFactory.getRuntimeMXBean().getStartTime())
                    / MILLIS;
            Double loadPeak = Host.peakMb();
            model.answer(Request.builder()
                    .image(Image.of(Picture.in(setup.models())))
                    .text("What is this?")
                    .options(GenerationOptions.greedy().toBuilder()
                            .maxNewTokens(8)
                            .stopTokens()
                            .build())
                    .build());
            out.accept(new Line("one_load")
                    .rounded("load_s", load)
                    .rounded("ready_s", ready)
                    .rounded("load_peak_rss_mb", loadPeak)
                    .rounded("peak_rss_mb", Host.peakMb())
                    .json());
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
