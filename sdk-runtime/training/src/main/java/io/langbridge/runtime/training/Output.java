package io.langbridge.runtime.training;

import com.google.gson.stream.JsonWriter;
import io.langbridge.runtime.core.engine.FloatTensor;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/** Files and folders that are complete or not there. */
final class Output {
    /** Values written at a time. */
    private static final int CHUNK = 1 << 20;

    /** Files of a Hugging Face folder that are no weights are smaller. */
    private static final long LARGEST_OTHER = 100_000_000;

    private static final List<String> WEIGHTS = List.of(
            ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".gguf", ".onnx", ".index.json", ".part");

    private Output() {}

    /** Where the values of a tensor come from. */
    interface Source {
        /** Fills {@code target} with values from index {@code first} on. */
        void read(long first, FloatTensor target);
    }

    /**
     * A float32 tensor to write.
     *
     * @param name its key in the file
     */
    @SuppressWarnings("ArrayRecordComponent")
    record Tensor(String name, long[] shape, Source source) {
        long elements() {
            long count = 1;
            for (long size : shape) {
                count = Math.multiplyExact(count, size);
            }
            return count;
        }
    }

    /** Writes a safetensors file, tensor by tensor. */
    static void safetensors(Path file, List<Tensor> tensors) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject().name("__metadata__").beginObject();
            json.name("format").value("pt").endObject();
            long offset = 0;
            for (Tensor tensor : tensors) {
                json.name(tensor.name()).beginObject().name("dtype").value("F32");
                json.name("shape").beginArray();
                for (long size : tensor.shape()) {
                    json.value(size);
                }
                long end = offset + tensor.elements() * Float.BYTES;
                json.endArray().name("data_offsets").beginArray();
                json.value(offset).value(end).endArray().endObject();
                offset = end;
            }
            json.endObject();
        }
        byte[] header = (text + " ".repeat((8 - text.getBuffer().length() % 8) % 8)).getBytes(StandardCharsets.UTF_8);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer start = ByteBuffer.allocate(Long.BYTES + header.length).order(ByteOrder.LITTLE_ENDIAN);
            writeFully(channel, start.putLong(header.length).put(header).flip());
            ByteBuffer bytes = ByteBuffer.allocateDirect(CHUNK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            FloatTensor values = FloatTensor.allocate(CHUNK);
            for (Tensor tensor : tensors) {
                for (long first = 0; first < tensor.elements(); first += CHUNK) {
                    int count = (int) Math.min(CHUNK, tensor.elements() - first);
                    tensor.source().read(first, values.rows(0, count));
                    bytes.clear().limit(count * Float.BYTES);
                    bytes.asFloatBuffer().put(values.rows(0, count).data());
                    writeFully(channel, bytes);
                }
            }
            // Without this a power cut can leave the name with half of the content.
            channel.force(true);
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

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

    /** Gives a finished file its name. */
    static void replace(Path part, Path file) throws IOException {
        try {
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
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
