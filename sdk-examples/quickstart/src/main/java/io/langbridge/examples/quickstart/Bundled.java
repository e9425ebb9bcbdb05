package io.langbridge.examples.quickstart;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The bundled model and picture, copied out of the jar into a temporary folder that goes when this is closed. */
final class Bundled implements AutoCloseable {
    private static final List<String> MODEL = List.of(
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "special_tokens_map.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "vocabulary.json",
            "vocabulary_matrix.pt",
            "vision_tower/config.json",
            "vision_tower/model.safetensors",
            "vision_tower/preprocessor_config.json");

    private Path folder;

    /** A folder with the tiny model. */
    Path model() throws IOException {
        for (String file : MODEL) {
            copy("tiny-random/" + file);
        }
        return folder().resolve("tiny-random");
    }

    /** The picture. */
    Path picture() throws IOException {
        return copy("picture.png");
    }

    private Path copy(String resource) throws IOException {
        Path target = folder().resolve(resource);
        Files.createDirectories(target.getParent());
        try (InputStream in = Bundled.class.getResourceAsStream("/" + resource)) {
            Files.copy(in, target);
        }
        return target;
    }

    private Path folder() throws IOException {
        if (folder == null) {
            folder = Files.createTempDirectory("langbridge-quickstart");
        }
        return folder;
    }

    @Override
    public void close() throws IOException {
        if (folder == null) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(Bundled::delete);
        }
    }

    private static void delete(Path path) {
        try {
            Files.delete(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
