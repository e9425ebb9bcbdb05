package io.langbridge.runtime.core.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The converted weights in a cache directory, of this version and of others: what is there, and what may go. Deleting
 * harms no model that is open: none needs its entries once it is loaded, and one that is being loaded writes them anew.
 *
 * <p>Beside an entry lies a text that says what it is, and whose time says when it was last used.
 */
public final class CacheEntries {
    private static final Logger LOG = LoggerFactory.getLogger(CacheEntries.class);
    private static final String TEXT = ".txt";

    /** What is no entry: texts, hashes of sources, and locks as they were when each was a file. */
    private static final String BESIDE = "{" + SourceHash.PREFIX + "*" + TEXT + "," + WeightFile.PREFIX + "*" + TEXT
            + "," + WeightFile.PREFIX + "*.lock}";

    private CacheEntries() {}

    /**
     * A file of converted weights.
     *
     * @param what it holds, in words
     * @param used when it was last loaded or made
     */
    public record Entry(Path file, String what, long bytes, FileTime used) {}

    /** The text beside an entry. */
    static Path text(Path entry) {
        String name = String.valueOf(entry.getFileName());
        return entry.resolveSibling(name.substring(0, name.length() - WeightFile.SUFFIX.length()) + TEXT);
    }

    /** Notes that an entry is used; nothing if that cannot be written. */
    static void used(Path entry, String what) {
        Path text = text(entry);
        try {
            if (Files.exists(text)) {
                Files.setLastModifiedTime(text, FileTime.fromMillis(System.currentTimeMillis()));
            } else {
                Files.write(text, what.getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            LOG.debug("The use of {} cannot be noted", entry, e);
        }
    }

    /**
     * What is there, the last used first.
     *
     * @param cacheDirectory need not exist
     */
    public static List<Entry> all(Path cacheDirectory) throws IOException {
        List<Entry> entries = new ArrayList<>();
        if (Files.isDirectory(cacheDirectory)) {
            Path folder = PrivateFolder.make(cacheDirectory);
            try (DirectoryStream<Path> files =
                    Files.newDirectoryStream(folder, WeightFile.PREFIX + "*" + WeightFile.SUFFIX)) {
                for (Path file : files) {
                    add(entries, file);
                }
            } catch (DirectoryIteratorException e) {
                throw e.getCause();
            }
        }
        entries.sort(Comparator.comparing(Entry::used).reversed());
        return Collections.unmodifiableList(entries);
    }

    private static void add(List<Entry> entries, Path file) throws IOException {
        Path text = text(file);
        try {
            boolean known = Files.isRegularFile(text);
            entries.add(new Entry(
                    file,
                    known
                            ? new String(Files.readAllBytes(text), StandardCharsets.UTF_8).trim()
                            : "weights of another version",
                    Files.size(file),
                    Files.getLastModifiedTime(known ? text : file)));
        } catch (NoSuchFileException e) {
            LOG.debug("{} has just been deleted", file);
        }
    }

    /**
     * Deletes the entries that were not used for longest, until those that stay have so many bytes together. What open
     * models were loaded from stays, in this process and in others, where the disk has locks.
     *
     * @return what was deleted
     * @throws IOException if something cannot be deleted, after all else is
     */
    public static List<Entry> limit(Path cacheDirectory, long bytes) throws IOException {
        List<Entry> deleted = new ArrayList<>();
        limit(all(cacheDirectory), bytes, deleted);
        return deleted;
    }

    /** What stays, in bytes. */
    private static long limit(List<Entry> entries, long bytes, List<Entry> deleted) throws IOException {
        long together = entries.stream().mapToLong(Entry::bytes).sum();
        Failures failures = new Failures();
        for (int i = entries.size() - 1; i >= 0 && together > bytes; i--) {
            Entry entry = entries.get(i);
            if (failures.without(() -> deleteUnused(entry, deleted))) {
                together -= entry.bytes();
            }
        }
        failures.end();
        return together;
    }

    private static boolean deleteUnused(Entry entry, List<Entry> deleted) throws IOException {
        EntryLock unused = EntryLock.unused(entry.file());
        if (unused == null) {
            return false;
        }
        try {
            delete(entry);
        } finally {
            unused.close();
        }
        return deleted.add(entry);
    }

    /**
     * Makes room for an entry, beside what others are writing. What cannot be deleted stays: the limit does not keep a
     * model from being loaded.
     *
     * @param made takes the place of what may lie there under its name
     */
    static void makeRoom(Path made, long limit, long bytes) {
        Path folder = Objects.requireNonNull(made.getParent());
        try {
            List<Entry> others = new ArrayList<>(all(folder));
            others.removeIf(entry -> entry.file().equals(made));
            long unfinished = bytes + unfinished(folder);
            long together = limit(others, Math.max(0, limit - unfinished), new ArrayList<>()) + unfinished;
            if (together > limit) {
                LOG.warn(
                        "{} will hold {} bytes of converted weights that are in use, more than its limit of {}",
                        folder,
                        together,
                        limit);
            }
        } catch (IOException e) {
            LOG.warn("What is in {} cannot be deleted to keep its limit", folder, e);
        }
    }

    /** Bytes that will be entries soon. */
    private static long unfinished(Path folder) throws IOException {
        long together = 0;
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, WeightFile.PREFIX + "*" + EntryLock.PART)) {
            for (Path part : parts) {
                try {
                    together += Files.size(part);
                } catch (NoSuchFileException e) {
                    LOG.debug("{} is finished", part);
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return together;
    }

    private static void delete(Entry entry) throws IOException {
        Files.deleteIfExists(entry.file());
        Files.deleteIfExists(text(entry.file()));
        LOG.info("Deleted {} ({}), last used {}", entry.file(), entry.what(), entry.used());
    }

    /** What goes wrong for some while others are deleted. */
    private static final class Failures {
        private @Nullable IOException first;

        private interface Deleting {
            boolean deleted() throws IOException;
        }

        boolean without(Deleting deleting) {
            try {
                return deleting.deleted();
            } catch (IOException e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
                return false;
            }
        }

        void end() throws IOException {
            if (first != null) {
                throw first;
            }
        }
    }

    /**
     * Deletes all entries, also those that open models were loaded from, and the hashes of their sources.
     *
     * @return what was deleted
     * @throws IOException if something cannot be deleted, after all else is
     */
    public static List<Entry> clear(Path cacheDirectory) throws IOException {
        List<Entry> deleted = new ArrayList<>();
        Failures failures = new Failures();
        for (Entry entry : all(cacheDirectory)) {
            failures.without(() -> {
                delete(entry);
                return deleted.add(entry);
            });
        }
        if (Files.isDirectory(cacheDirectory)) {
            Path folder = PrivateFolder.make(cacheDirectory);
            EntryLock.sweep(folder);
            try (DirectoryStream<Path> beside = Files.newDirectoryStream(folder, BESIDE)) {
                for (Path file : beside) {
                    failures.without(() -> Files.deleteIfExists(file));
                }
            } catch (DirectoryIteratorException e) {
                throw e.getCause();
            }
        }
        failures.end();
        return deleted;
    }
}
