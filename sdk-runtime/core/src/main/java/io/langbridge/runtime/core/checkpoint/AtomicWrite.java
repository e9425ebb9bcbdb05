package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/** Writes beside a file's place first, so that a broken write leaves what was there. */
public final class AtomicWrite {
    private AtomicWrite() {}

    /** Writes a file. */
    public interface Writer {
        void write(Path file) throws IOException;
    }

    /**
     * Writes a file, replacing what is there only when everything is written.
     *
     * @return {@code file}
     * @throws CheckpointException if it cannot be written
     */
    public static Path to(Path file, Writer writer) {
        try {
            // Not createTempFile: what is written here is meant for others too, as far as the umask lets them.
            Path part = Files.createFile(file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".part"));
            try {
                writer.write(part);
                Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            throw new CheckpointException(file + " cannot be written: " + Reason.of(e) + ".", e);
        }
        return file;
    }

    /** Writes a text as UTF-8. */
    public static Path to(Path file, String text) {
        return to(file, part -> Files.write(part, text.getBytes(StandardCharsets.UTF_8)));
    }
}
