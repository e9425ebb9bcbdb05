package io.langbridge.runtime.demo;

import io.langbridge.Adapter;
import io.langbridge.CheckpointException;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A very small vision-language model that knows one thing: drawings of a few shapes, letters and digits. It shows what
 * the library does without a download; what it can do and what it cannot stands in {@code MODEL_CARD.md} beside its
 * files. It has two language models, which share one LangBridge adapter.
 *
 * <p>The files are copied out of the jar, since weights are read from files. Thread-safe. Whoever opens one closes it,
 * after every model made of it.
 *
 * @since 0.1
 */
public final class DemoModel implements AutoCloseable {
    private static final List<String> ENCODER = List.of("config.json", "preprocessor_config.json", "model.safetensors");
    private static final List<String> ADAPTER = List.of("config.json", "mm_projector.safetensors", "vocabulary.json");
    private static final List<String> LLM =
            List.of("config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors");

    /** Files that are the same have the same time, so that what is converted from one copy is found for the next. */
    private static final FileTime TIME = FileTime.from(Instant.parse("2000-01-01T00:00:00Z"));

    private final Path folder;
    private final boolean temporary;

    private DemoModel(Path folder, boolean temporary) {
        this.folder = folder;
        this.temporary = temporary;
    }

    /**
     * Copies the model into a temporary folder, which {@link #close} deletes.
     *
     * @return the model's parts
     * @throws CheckpointException if the files cannot be written
     */
    public static DemoModel open() {
        try {
            return copied(Files.createTempDirectory("langbridge-demo-model"), true);
        } catch (IOException e) {
            throw new CheckpointException(
                    "The demo model cannot be copied out of its jar: no temporary folder can be made (" + e.getMessage()
                            + "). Name a folder with DemoModel.copyTo(..)",
                    e);
        }
    }

    /**
     * Copies the model into a folder, where it stays. Files that are there already are replaced.
     *
     * @param folder made if there is none
     * @return the model's parts
     * @throws CheckpointException if the files cannot be written
     */
    public static DemoModel copyTo(Path folder) {
        return copied(Objects.requireNonNull(folder, "folder"), false);
    }

    private static DemoModel copied(Path folder, boolean temporary) {
        DemoModel model = new DemoModel(folder, temporary);
        try {
            copy("encoder", ENCODER, folder);
            copy("adapter", ADAPTER, folder);
            copy("llm", LLM, folder);
            copy("other-llm", LLM, folder);
        } catch (IOException e) {
            model.close();
            throw new CheckpointException(
                    "The demo model cannot be copied to " + folder + ": " + e.getMessage()
                            + ". It needs 9 MB of space and the right to write there; name another folder with"
                            + " DemoModel.copyTo(..)",
                    e);
        }
        return model;
    }

    private static void copy(String part, List<String> files, Path folder) throws IOException {
        Path target = folder.resolve(part);
        Files.createDirectories(target);
        for (String file : files) {
            // The full name, so that it is found in a named module too.
            String resource = "/io/langbridge/runtime/demo/model/" + part + "/" + file;
            try (InputStream in = DemoModel.class.getResourceAsStream(resource)) {
                if (in == null) {
                    throw new IOException("the jar lacks " + resource);
                }
                Files.copy(in, target.resolve(file), StandardCopyOption.REPLACE_EXISTING);
                Files.setLastModifiedTime(target.resolve(file), TIME);
            }
        }
    }

    /** {@return the folder that holds {@code encoder}, {@code adapter}, {@code llm} and {@code other-llm}} */
    public Path folder() {
        return folder;
    }

    /** {@return the encoder: SigLIP's architecture, 64 patches} */
    public Encoder encoder() {
        return Encoder.of(folder.resolve("encoder"));
    }

    /** {@return the LangBridge adapter} */
    public Adapter adapter() {
        return Adapter.langBridge(folder.resolve("adapter"));
    }

    /** {@return the language model that the adapter was trained with: Qwen2's architecture} */
    public Llm llm() {
        return Llm.of(folder.resolve("llm"));
    }

    /** {@return another language model that the adapter has moved to: Llama's architecture, another tokenizer} */
    public Llm otherLlm() {
        return Llm.of(folder.resolve("other-llm"));
    }

    /** Deletes the files if they are in a temporary folder. What cannot be deleted, since it is in use, stays. */
    @Override
    public void close() {
        if (!temporary) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(DemoModel::delete);
        } catch (IOException | UncheckedIOException e) {
            folder.toFile().deleteOnExit();
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            path.toFile().deleteOnExit(); // Windows keeps files that are still mapped
        }
    }
}
