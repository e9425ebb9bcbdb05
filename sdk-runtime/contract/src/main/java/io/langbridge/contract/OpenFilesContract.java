package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.langbridge.CheckpointException;
import io.langbridge.Device;
import io.langbridge.EncodedImage;
import io.langbridge.ExplainOptions;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Precision;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.model.Loader;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What becomes of an open model when another process shortens, overwrites or replaces its files: the old answer or an
 * error, never another answer and never the end of this process. An engine's module extends it and supplies the engine.
 */
public abstract class OpenFilesContract {
    private static final Path MAPS = Paths.get("/proc/self/maps");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    @SuppressWarnings("NullAway.Init")
    private Path fixtures;

    @SuppressWarnings("NullAway.Init")
    private Path checkpoint;

    /** Public for JUnit. */
    protected OpenFilesContract() {}

    /** The engine to check. */
    protected abstract Engine engine();

    @BeforeEach
    void copy() {
        try {
            Path bundled = Fixtures.bundled(Files.createDirectories(scratch.resolve("bundled")));
            fixtures = Files.createTempDirectory(scratch, "fixtures");
            for (String part : Arrays.asList("end-to-end/langbridge-pad/checkpoint", "images/landscape.png")) {
                Fixtures.copy(bundled.resolve(part), fixtures.resolve(part));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        checkpoint = fixtures.resolve("end-to-end/langbridge-pad/checkpoint");
    }

    private Path cache() {
        return scratch.resolve("cache");
    }

    private VisionLanguageModel load(Precision precision) {
        return VisionLanguageModel.builder()
                .folder(checkpoint)
                .precision(precision)
                .threads(2)
                .cacheDirectory(cache())
                .device(Device.CPU)
                .build(new Loader(engine()));
    }

    private String ask(VisionLanguageModel model) {
        return model.answer(Request.builder()
                        .image(Image.of(fixtures.resolve("images/landscape.png")))
                        .text("What is there?")
                        .options(GenerationOptions.builder()
                                .temperature(0)
                                .repetitionPenalty(1)
                                .stopTokens()
                                .maxNewTokens(12)
                                .build())
                        .build())
                .text();
    }

    /** Does something to the model's files. */
    private interface Harm {
        void to(Path file) throws IOException, InterruptedException;
    }

    private static void overwrite(Path file) throws IOException, InterruptedException {
        shell("head -c $(stat -c %s \"$0\") /dev/urandom | dd of=\"$0\" conv=notrunc status=none", file);
    }

    /** In another process. Whoever is root may write to files that are read-only. */
    private static void shell(String command, Path file) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sh", "-c", "chmod u+w \"$0\"; " + command, file.toString())
                .inheritIO()
                .start();
        assertThat(process.waitFor()).isZero();
    }

    /** The files of weights, those of the model and those in the cache. */
    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(scratch)) {
            return all.filter(file -> file.startsWith(checkpoint) || file.startsWith(cache()))
                    .filter(file -> file.toString().matches(".*\\.(safetensors|bin|pt)"))
                    .collect(Collectors.toList());
        }
    }

    private List<Precision> precisions() {
        return engine().quantises() ? Arrays.asList(Precision.values()) : Collections.singletonList(Precision.FULL);
    }

    /** An open model answers as before, or says which file was changed. */
    private void doesNotMind(Harm harm) throws IOException, InterruptedException {
        assumeTrue(Files.isReadable(MAPS), "the commands are those of Linux");
        for (Precision precision : precisions()) {
            copy();
            try (VisionLanguageModel model = load(precision)) {
                String before = ask(model);
                List<Path> files = files();
                assertThat(files).isNotEmpty();
                for (Path file : files) {
                    harm.to(file);
                }
                String after;
                try {
                    after = ask(model);
                } catch (CheckpointException e) {
                    assertThat(e).hasMessageContaining(checkpoint.toString());
                    continue;
                }
                assertThat(after).as("%s", precision).isEqualTo(before);
            }
        }
    }

    @Test
    void a_file_that_becomes_shorter_is_an_error_or_the_old_answer() throws Exception {
        doesNotMind(file -> shell("truncate -s 100 \"$0\"", file));
    }

    @Test
    void a_file_that_is_emptied_is_an_error_or_the_old_answer() throws Exception {
        doesNotMind(file -> shell(": > \"$0\"", file));
    }

    @Test
    void a_file_that_is_overwritten_is_an_error_or_the_old_answer() throws Exception {
        doesNotMind(OpenFilesContract::overwrite);
    }

    @Test
    void a_file_that_is_overwritten_and_whose_time_is_set_back_is_an_error_or_the_old_answer() throws Exception {
        doesNotMind(file -> {
            FileTime time = Files.getLastModifiedTime(file);
            overwrite(file);
            Files.setLastModifiedTime(file, time);
        });
    }

    @Test
    void a_file_that_another_takes_the_place_of_does_not_concern_an_open_model() throws Exception {
        assumeTrue(Files.isReadable(MAPS), "the commands are those of Linux");
        for (Precision precision : precisions()) {
            copy();
            try (VisionLanguageModel model = load(precision)) {
                String before = ask(model);
                for (Path file : files()) {
                    shell("head -c 1000 /dev/urandom > \"$0.new\" && mv -f \"$0.new\" \"$0\"", file);
                }
                assertThat(ask(model)).isEqualTo(before);
            }
        }
    }

    @Test
    void nothing_of_a_file_stays_mapped() throws IOException {
        assumeTrue(Files.isReadable(MAPS), "only Linux tells");
        for (Precision precision : precisions()) {
            try (VisionLanguageModel model = load(precision)) {
                ask(model);
                List<Path> files = files();
                try (Stream<String> lines = Files.lines(MAPS, StandardCharsets.ISO_8859_1)) {
                    assertThat(lines.filter(line -> files.stream().anyMatch(file -> line.endsWith(file.toString()))))
                            .as("%s", precision)
                            .isEmpty();
                }
            }
        }
    }

    @Test
    void a_byte_that_flips_in_the_cache_is_noticed_and_healed() throws IOException {
        Random random = new Random(3);
        for (Precision precision : precisions()) {
            String before;
            try (VisionLanguageModel model = load(precision)) {
                before = ask(model);
            }
            for (int i = 0; i < 3; i++) {
                Map<Path, byte[]> sound = new HashMap<>();
                for (Path file : files()) {
                    if (file.startsWith(cache())) {
                        byte[] bytes = Files.readAllBytes(file);
                        sound.put(file, bytes.clone());
                        int at = random.nextInt(bytes.length);
                        bytes[at] = (byte) (bytes[at] ^ 64);
                        file.toFile().setWritable(true);
                        Files.write(file, bytes);
                    }
                }
                try (VisionLanguageModel model = load(precision)) {
                    assertThat(ask(model)).isEqualTo(before);
                }
                for (Map.Entry<Path, byte[]> file : sound.entrySet()) {
                    assertThat(file.getKey()).hasBinaryContent(file.getValue());
                }
            }
            delete(cache());
        }
    }

    /** An entry goes as soon as it is seen, and once more if it is made anew. */
    @Test
    void a_cache_that_is_cleared_while_a_model_loads_is_made_anew() throws Exception {
        String right;
        for (Precision precision : precisions()) {
            try (VisionLanguageModel model = load(precision)) {
                right = ask(model);
            }
            delete(cache());
            AtomicBoolean loaded = new AtomicBoolean();
            Map<Path, Integer> deleted = new HashMap<>();
            Thread clearing = new Thread(() -> {
                boolean last = false;
                while (!last) { // and once when it is loaded, if there was no time before
                    last = loaded.get();
                    for (Path file : filesNow()) {
                        if (deleted.getOrDefault(file, 0) < 2 && file.toFile().delete()) {
                            deleted.merge(file, 1, Integer::sum);
                        }
                    }
                }
            });
            clearing.start();
            try (VisionLanguageModel model = load(precision)) {
                assertThat(ask(model)).as("%s", precision).isEqualTo(right);
            } finally {
                loaded.set(true);
                clearing.join();
            }
            assertThat(deleted).isNotEmpty();
        }
    }

    private List<Path> filesNow() {
        File[] found = cache().toFile().listFiles((folder, name) -> name.endsWith(".bin"));
        return found == null
                ? Collections.emptyList()
                : Arrays.stream(found).map(File::toPath).collect(Collectors.toList());
    }

    @Test
    void an_explanation_after_the_files_were_deleted_is_right_or_says_so() throws IOException {
        assumeTrue(Files.isReadable(MAPS), "elsewhere open files cannot be deleted");
        for (Precision precision : precisions()) {
            copy();
            try (VisionLanguageModel model = load(precision)) {
                EncodedImage seen = model.encode(Image.of(fixtures.resolve("images/landscape.png")));
                String before =
                        model.explain(seen, ExplainOptions.defaults()).patches().toString();
                model.langBridge().orElseThrow().releaseExplanation();
                for (Path file : files()) {
                    Files.delete(file);
                }
                try {
                    assertThat(model.explain(seen, ExplainOptions.defaults()).patches())
                            .hasToString(before);
                } catch (CheckpointException e) {
                    assertThat(e)
                            .hasMessageContaining(checkpoint.toString())
                            .hasMessageContaining("was deleted since it was opened");
                }
            }
        }
    }

    @Test
    void an_edited_file_of_the_same_size_and_time_is_converted_anew() throws IOException {
        for (Precision precision : precisions()) {
            copy();
            load(precision).close();
            Path file = checkpoint.resolve("model.safetensors");
            FileTime time = Files.getLastModifiedTime(file);
            try (RandomAccessFile edited = new RandomAccessFile(file.toFile(), "rw")) {
                byte[] zeros = new byte[200];
                for (long at = edited.length() / 2; at < edited.length() - 1000; at += 1000) {
                    edited.seek(at);
                    edited.write(zeros);
                }
            }
            Files.setLastModifiedTime(file, time);
            String found;
            try (VisionLanguageModel model = load(precision)) {
                found = ask(model);
            }
            delete(cache());
            try (VisionLanguageModel model = load(precision)) {
                assertThat(found).as("%s", precision).isEqualTo(ask(model));
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = files.sorted(Comparator.reverseOrder()).collect(Collectors.toList());
        }
        for (Path file : all) {
            Files.delete(file);
        }
    }
}
