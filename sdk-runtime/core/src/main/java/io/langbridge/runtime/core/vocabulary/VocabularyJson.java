package io.langbridge.runtime.core.vocabulary;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.Reason;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** Reading of vocabulary files. */
final class VocabularyJson {
    private VocabularyJson() {}

    /**
     * The JSON in a file, which may be packed with gzip whatever the file is called.
     *
     * @throws CheckpointException if it is missing, cannot be unpacked or is larger than any vocabulary
     */
    static byte[] read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException("There is no shared vocabulary file " + file + ".");
        }
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(file));
                InputStream plain = isGzip(raw) ? new GZIPInputStream(raw) : raw) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            byte[] part = new byte[1 << 16];
            for (int count = plain.read(part); count >= 0; count = plain.read(part)) {
                if (all.size() + count > Json.MAX_BYTES) {
                    throw new CheckpointException(
                            file + " holds more than " + Json.MAX_BYTES + " bytes; no shared vocabulary does.");
                }
                all.write(part, 0, count);
            }
            return all.toByteArray();
        } catch (IOException e) {
            throw new CheckpointException(
                    file + " cannot be read as a shared vocabulary: " + Reason.of(e) + ". Download it again.", e);
        }
    }

    static boolean isGzip(InputStream in) throws IOException {
        in.mark(2);
        boolean gzip = in.read() == 0x1F && in.read() == 0x8B;
        in.reset();
        return gzip;
    }
}
