package io.langbridge.runtime.core.vocabulary;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import io.langbridge.CheckpointException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** Reading of vocabulary files. */
final class VocabularyJson {
    interface Reader {
        void read(JsonReader in) throws IOException;
    }

    private VocabularyJson() {}

    /** Reads one JSON document, which may be packed with gzip whatever the file is called. */
    static void read(Path file, Reader reader) {
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException("There is no shared vocabulary file " + file + ".");
        }
        // The decoder of newDecoder reports malformed UTF-8; the constructor with a charset would replace it.
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(file));
                InputStream plain = isGzip(raw) ? new GZIPInputStream(raw) : raw;
                JsonReader in = new JsonReader(new InputStreamReader(plain, StandardCharsets.UTF_8.newDecoder()))) {
            reader.read(in);
            if (in.peek() != JsonToken.END_DOCUMENT) {
                throw new IllegalStateException("something follows the list");
            }
        } catch (IOException | IllegalStateException | NumberFormatException e) {
            throw new CheckpointException(
                    file + " cannot be read as a shared vocabulary ({token: id}, or a list of"
                            + " {token: [id, index]}): " + e.getMessage() + ".",
                    e);
        }
    }

    static boolean isGzip(InputStream in) throws IOException {
        in.mark(2);
        boolean gzip = in.read() == 0x1F && in.read() == 0x8B;
        in.reset();
        return gzip;
    }

    static int id(Path file, String token, JsonReader in) throws IOException {
        String number =
                in.peek() == JsonToken.NUMBER ? in.nextString() : in.peek().toString();
        try {
            return Integer.parseInt(number);
        } catch (NumberFormatException e) {
            throw new CheckpointException(
                    file + ": the token '" + token + "' has the id " + number + ", expected a whole number from 0 to "
                            + Integer.MAX_VALUE + ".",
                    e);
        }
    }
}
