package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hashes of whole files that cached weights were made from. A file is read once; later starts, and this process,
 * compare what the system says about it and read it again only if that differs or does not tell.
 */
final class SourceHash {
    private static final Logger LOG = LoggerFactory.getLogger(SourceHash.class);
    private static final String FORMAT = "langbridge source 1";

    /** Names of the files in which hashes are kept begin with this. */
    static final String PREFIX = "source-";

    /** Parts are hashed side by side. */
    private static final int PART_BYTES = 32 << 20;

    private static final int CHUNK_BYTES = 1 << 20;

    private static final Map<FileState, String> KNOWN = new ConcurrentHashMap<>();

    private SourceHash() {}

    /**
     * The hash of all of a file's bytes.
     *
     * @param folder where it is kept for later starts, a private one
     * @throws CheckpointException if the file changes meanwhile
     */
    static String of(Path path, Path folder) throws IOException {
        FileState state = FileState.of(path);
        Path kept = folder.resolve(PREFIX + ContentHash.hex(bytesOf(state.file()), 16) + ".txt");
        // One at a time: parts of a model that load side by side often lie in the same file.
        synchronized (KNOWN) {
            String known = KNOWN.get(state);
            if (known == null) {
                known = read(kept, state);
            }
            if (known != null) {
                KNOWN.put(state, known);
                return known;
            }
            boolean tells = state.tellsChanges();
            long start = System.nanoTime();
            String hash = hash(state);
            LOG.info("Hashed {} in {} ms", state.file(), (System.nanoTime() - start) / 1_000_000);
            requireSame(state);
            if (tells || state.changed() == null) {
                KNOWN.put(state, hash); // where the system says little, an open file is trusted as well
            }
            if (tells) {
                write(kept, state, hash);
            }
            return hash;
        }
    }

    /** Whether a file that was hashed in one state and is in another now has the same bytes; false if it was not. */
    static boolean isSame(FileState before, FileState now) throws IOException {
        String known = KNOWN.get(before);
        boolean touched = before.size() == now.size() && before.modified().equals(now.modified());
        if (known == null || !touched || !known.equals(hash(now))) {
            return false;
        }
        if (now.tellsChanges()) {
            KNOWN.put(now, known);
        }
        return true;
    }

    private static void requireSame(FileState state) throws IOException {
        if (!state.equals(FileState.of(state.file()))) {
            throw new CheckpointException(
                    state.file() + " is being written while it is read; load the model again when that is done.");
        }
    }

    private static byte[] bytesOf(Path file) {
        return new ContentHash().add(file.toString()).bytes();
    }

    private static @Nullable String read(Path kept, FileState state) {
        try {
            if (!PrivateFolder.trusts(kept)) {
                return null;
            }
            List<String> lines = Files.readAllLines(kept, StandardCharsets.UTF_8);
            boolean fits = lines.size() == 3
                    && lines.get(0).equals(FORMAT)
                    && lines.get(2).equals(state.line());
            return fits ? lines.get(1) : null;
        } catch (IOException e) {
            return null; // then it is hashed again
        }
    }

    private static void write(Path kept, FileState state, String hash) {
        try {
            AtomicWrite.to(kept, FORMAT + "\n" + hash + "\n" + state.line() + "\n");
            PrivateFolder.makeReadOnly(kept); // whatever the umask: what others may write is not trusted
        } catch (CheckpointException | IOException e) {
            LOG.debug("The hash of {} cannot be kept", state.file(), e);
        }
    }

    private static String hash(FileState state) throws IOException {
        int parts = (int) Math.max(1, (state.size() + PART_BYTES - 1) / PART_BYTES);
        ContentHash all = new ContentHash().add(Long.toString(state.size()));
        try {
            IntStream.range(0, parts)
                    .parallel()
                    .mapToObj(part -> hash(state, (long) part * PART_BYTES))
                    .collect(Collectors.toList())
                    .forEach(all::add);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        return all.hex();
    }

    private static String hash(FileState state, long from) {
        ContentHash hash = new ContentHash();
        byte[] chunk = new byte[CHUNK_BYTES];
        try (RandomAccessFile file = new RandomAccessFile(state.file().toFile(), "r")) {
            file.seek(from);
            long left = Math.min(PART_BYTES, state.size() - from);
            while (left > 0) {
                int count = (int) Math.min(left, chunk.length);
                file.readFully(chunk, 0, count);
                hash.add(chunk, count);
                left -= count;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return hash.hex();
    }
}
