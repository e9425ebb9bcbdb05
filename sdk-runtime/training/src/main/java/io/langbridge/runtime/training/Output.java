package io.langbridge.runtime.training;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/** Files and folders that are complete or not there. */
final class Output {
    /** Files of a Hugging Face folder that are no weights are smaller. */
    private static final long LARGEST_OTHER = 100_000_000;

    private static final List<String> WEIGHTS = List.of(
            ".safetensors",
            ".bin",
            ".pt",
            ".pth",
            ".ckpt",
            ".h5",
            ".msgpack",
            ".gguf",
            ".onnx",
            ".index.json",
            ".part");

    private Output() {}

    /** Fills a folder. */
    interface Content {
        void writeTo(Path folder) throws IOException;
    }

    /** Makes a folder that has all of its content as soon as it has its name; an older one is replaced. */
    static void folder(Path folder, Content content) throws IOException {
        Path part = folder.resolveSibling(folder.getFileName() + ".part");
        delete(part);
        Files.createDirectories(part);
        content.writeTo(part);
        if (Files.exists(folder)) {
            Path old = folder.resolveSibling(folder.getFileName() + ".old");
            delete(old);
            Files.move(folder, old);
            Files.move(part, folder);
            delete(old);
        } else {
            Files.move(part, folder);
        }
    }

    /** Copies what lies in a Hugging Face folder beside the weights: configuration and tokenizer. */
    static void copyAllButWeights(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.sorted().toList()) {
                String name = String.valueOf(file.getFileName());
                if (Files.isRegularFile(file)
                        && WEIGHTS.stream().noneMatch(name::endsWith)
                        && Files.size(file) < LARGEST_OTHER) {
                    Files.copy(file, to.resolve(name));
                }
            }
        }
    }

    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path each, IOException error) throws IOException {
                if (error != null) {
                    throw error;
                }
                Files.delete(each);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    static TrainingException failed(Path path, Exception cause) {
        return new TrainingException(
                path + " cannot be written to: " + cause + "; free space there or choose another output folder", cause);
    }
}
