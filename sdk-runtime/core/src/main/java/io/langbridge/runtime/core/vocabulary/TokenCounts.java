package io.langbridge.runtime.core.vocabulary;

import com.google.gson.stream.JsonWriter;
import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.AtomicWrite;
import io.langbridge.runtime.core.checkpoint.Reason;
import io.langbridge.runtime.core.text.Tokenizer;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Counts how often the tokens of a tokenizer occur in text, for {@link SharedVocabulary#builder()}.
 *
 * @since 0.1
 */
public final class TokenCounts {
    /** Text is tokenized in parts of about this many characters. */
    private static final int PART = 1 << 16;

    private TokenCounts() {}

    /** Told about every part of the text. */
    public interface Progress {
        /**
         * A part was counted.
         *
         * @param bytes of all files read so far, as they lie on disk
         * @param allBytes of all files together
         * @param tokens counted so far
         */
        void counted(long bytes, long allBytes, long tokens);
    }

    /**
     * Counts. Special tokens written in the text are read as ordinary characters.
     *
     * @param tokenizer whose tokens to count
     * @param files text in UTF-8, plain or gzip
     * @param progress called in this thread
     * @return token to count, most frequent first, equal counts in the order in which they occurred first
     * @throws CheckpointException if a file is missing, cannot be read or is not UTF-8, or there is no token in them
     */
    public static Map<String, Long> count(Tokenizer tokenizer, List<Path> files, Progress progress) {
        Counter counter = new Counter(tokenizer, progress);
        for (Path file : files) {
            try {
                counter.allBytes += Files.size(file);
            } catch (IOException e) {
                throw unreadable(file, e);
            }
        }
        for (Path file : files) {
            try {
                counter.read(file);
            } catch (IOException e) {
                throw unreadable(file, e);
            }
        }
        List<Map.Entry<String, long[]>> ranked = new ArrayList<>(counter.counts.entrySet());
        if (ranked.isEmpty()) {
            throw new CheckpointException("There is no text to count in " + files + ".");
        }
        ranked.sort((a, b) -> Long.compare(b.getValue()[0], a.getValue()[0]));
        Map<String, Long> counts = new LinkedHashMap<>();
        ranked.forEach(entry -> counts.put(entry.getKey(), entry.getValue()[0]));
        return counts;
    }

    private static CheckpointException unreadable(Path file, IOException e) {
        return new CheckpointException(
                file + " cannot be read as text in UTF-8: " + Reason.of(e) + ". Give text files, plain or gzip.", e);
    }

    /**
     * Writes counts as {@code {token: count}}, one token on a line, as {@link SharedVocabulary.Builder#counts(Path)}
     * reads them.
     *
     * @param counts in the order to keep
     * @param file replaced if it exists, and only when everything is written
     * @throws CheckpointException if it cannot be written
     */
    public static void save(Map<String, Long> counts, Path file) {
        AtomicWrite.to(file, out -> {
            try (JsonWriter json = new JsonWriter(Files.newBufferedWriter(out, StandardCharsets.UTF_8))) {
                json.setIndent(" ");
                json.beginObject();
                for (Map.Entry<String, Long> entry : counts.entrySet()) {
                    json.name(entry.getKey()).value(entry.getValue());
                }
                json.endObject();
            }
        });
    }

    private static final class Counter {
        private final Tokenizer tokenizer;
        private final Progress progress;
        private final Map<String, long[]> counts = new LinkedHashMap<>();
        private long tokens;
        private long bytes;
        private long allBytes;

        Counter(Tokenizer tokenizer, Progress progress) {
            this.tokenizer = tokenizer;
            this.progress = progress;
        }

        void read(Path file) throws IOException {
            try (InputStream raw = new BufferedInputStream(new Counted(Files.newInputStream(file)), PART);
                    InputStream plain = VocabularyJson.isGzip(raw) ? new GZIPInputStream(raw) : raw;
                    Reader in = new BufferedReader(
                            new InputStreamReader(plain, StandardCharsets.UTF_8.newDecoder()), PART)) {
                StringBuilder text = new StringBuilder();
                char[] buffer = new char[PART];
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    text.append(buffer, 0, read);
                    int end = text.length() < PART ? 0 : cut(text);
                    if (end > 0) {
                        count(text.substring(0, end));
                        text.delete(0, end);
                    }
                }
                count(text.toString());
            }
        }

        /**
         * Where a part may end without cutting a token: before a line that does not begin with white space, because
         * tokens of white space can span lines; 0 if there is none yet. Text without lines is cut at a space.
         */
        private static int cut(StringBuilder text) {
            for (int i = text.length() - 1; i > 0; i--) {
                if (text.charAt(i - 1) == '\n' && !Character.isWhitespace(text.charAt(i))) {
                    return i;
                }
            }
            int space = text.length() < 16 * PART ? 0 : text.lastIndexOf(" ");
            return Math.max(space, 0);
        }

        private void count(String text) {
            for (int id : tokenizer.encodeAsText(text)) {
                @Nullable String token = tokenizer.tokenOf(id);
                if (token != null) {
                    counts.computeIfAbsent(token, t -> new long[1])[0]++;
                    tokens++;
                }
            }
            progress.counted(bytes, allBytes, tokens);
        }

        /** Counts what is read from the disk. */
        private final class Counted extends FilterInputStream {
            Counted(InputStream in) {
                super(in);
            }

            @Override
            public int read() throws IOException {
                int b = super.read();
                bytes += b < 0 ? 0 : 1;
                return b;
            }

            @Override
            public int read(byte[] target, int offset, int length) throws IOException {
                int count = super.read(target, offset, length);
                bytes += Math.max(count, 0);
                return count;
            }
        }
    }
}
