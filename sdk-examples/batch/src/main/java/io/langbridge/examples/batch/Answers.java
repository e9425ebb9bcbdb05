package io.langbridge.examples.batch;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** The file of answers: what is in it, and more of them. Safe for use by several threads. */
final class Answers implements Closeable {
    private static final Gson GSON = new GsonBuilder()
            .setFieldNamingPolicy(FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES)
            .serializeNulls() // every line has the same columns
            .disableHtmlEscaping()
            .create();

    private final RandomAccessFile file; // a channel that is written to is closed when its thread is interrupted
    private final Set<String> done = new HashSet<>();

    /** Opens a file, or begins one. Half a line at its end, from a process that was killed, is cut off. */
    Answers(Path path) throws IOException {
        file = new RandomAccessFile(path.toFile(), "rw");
        try {
            if (file.getChannel().tryLock() == null) {
                throw new IOException(path + " is being written by another run; give another --out, or wait");
            }
            file.setLength(endOfLastLine());
            read(path);
            file.seek(file.length());
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private long endOfLastLine() throws IOException {
        for (long end = file.length(); end > 0; end--) {
            file.seek(end - 1);
            if (file.read() == '\n') {
                return end;
            }
        }
        return 0;
    }

    private void read(Path path) throws IOException {
        BufferedReader lines =
                new BufferedReader(Channels.newReader(file.getChannel().position(0), StandardCharsets.UTF_8));
        int number = 0;
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            number++;
            try {
                Answered row = GSON.fromJson(line, Answered.class);
                if (row == null || row.task == null) {
                    throw new JsonParseException("No row");
                }
                done.add(row.sha256 + row.task);
            } catch (JsonParseException e) {
                throw new IOException(
                        path + ", line " + number + ", is no answer of an earlier run; give another --out");
            }
        }
    }

    /** @return whether an earlier run has asked this about a picture with these bytes */
    boolean has(String sha256, String task) {
        return done.contains(sha256 + task);
    }

    /** Adds a line. */
    synchronized void add(Answered row) throws IOException {
        file.write((GSON.toJson(row) + "\n").getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public synchronized void close() throws IOException {
        file.close();
    }
}
