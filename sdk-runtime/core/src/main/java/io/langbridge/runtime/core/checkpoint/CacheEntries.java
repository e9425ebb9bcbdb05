package io.langbridge.runtime.core.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
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
     * models were loaded from stays, in this process and in others.
     *
     * @return what was deleted
     */
    public static List<Entry> limit(Path cacheDirectory, long bytes) throws IOException {
        List<Entry> deleted = new ArrayList<>();
        List<Entry> entries = all(cacheDirectory);
        long together = entries.stream().mapToLong(Entry::bytes).sum();
        for (int i = entries.size() - 1; i >= 0 && together > bytes; i--) {
            Entry entry = entries.get(i);
            EntryLock unused = EntryLock.unused(entry.file());
            if (unused != null) {
                try {
                    delete(entry);
                } finally {
                    unused.close();
                }
                deleted.add(entry);
                together -= entry.bytes();
            }
        }
        return deleted;
    }

    /** Makes room for an entry. What cannot be deleted stays: the limit does not keep a model from being loaded. */
    static void makeRoom(Path folder, long limit, long bytes) {
        try {
            limit(folder, Math.max(0, limit - bytes));
            long together = all(folder).stream().mapToLong(Entry::bytes).sum() + bytes;
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

    private static void delete(Entry entry) throws IOException {
        Files.deleteIfExists(entry.file());
        Files.deleteIfExists(text(entry.file()));
        LOG.info("Deleted {} ({}), last used {}", entry.file(), entry.what(), entry.used());
    }

    /**
     * Deletes all entries, also those that open models were loaded from, and the hashes of their sources.
     *
     * @return what was deleted
     */
    public static List<Entry> clear(Path cacheDirectory) throws IOException {
        List<Entry> entries = all(cacheDirectory);
        for (Entry entry : entries) {
            delete(entry);
        }
        if (Files.isDirectory(cacheDirectory)) {
            Path folder = PrivateFolder.make(cacheDirectory);
            EntryLock.sweep(folder);
            try (DirectoryStream<Path> texts =
                    Files.newDirectoryStream(folder, "{" + SourceHash.PREFIX + "," + WeightFile.PREFIX + "}*" + TEXT)) {
                for (Path text : texts) {
                    Files.deleteIfExists(text);
                }
            }
        }
        return entries;
    }
}
