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
 */
public final class CacheEntries {
    private static final Logger LOG = LoggerFactory.getLogger(CacheEntries.class);

    private CacheEntries() {}

    /**
     * A file of converted weights.
     *
     * @param what it holds, in words
     * @param used when it was last loaded or made
     */
    public record Entry(Path file, String what, long bytes, FileTime used) {}

    /** Notes that an entry is used; nothing if that cannot be written. */
    static void used(Path entry) {
        try {
            Files.setLastModifiedTime(EntryLock.of(entry), FileTime.fromMillis(System.currentTimeMillis()));
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
        Path lock = EntryLock.of(file);
        try {
            boolean known = Files.isRegularFile(lock);
            entries.add(new Entry(
                    file,
                    known
                            ? new String(Files.readAllBytes(lock), StandardCharsets.UTF_8).trim()
                            : "weights of another version",
                    Files.size(file),
                    Files.getLastModifiedTime(known ? lock : file)));
        } catch (NoSuchFileException e) {
            LOG.debug("{} has just been deleted", file);
        }
    }

    /**
     * Deletes the entries that were not used for longest, until those that stay have so many bytes together.
     *
     * @param bytes 0 deletes all, and the hashes of their sources
     * @return what was deleted
     */
    public static List<Entry> limit(Path cacheDirectory, long bytes) throws IOException {
        List<Entry> deleted = new ArrayList<>();
        long together = 0;
        for (Entry entry : all(cacheDirectory)) {
            together += entry.bytes();
            if (together > bytes) {
                EntryLock lock = EntryLock.hold(entry.file());
                try {
                    Files.deleteIfExists(entry.file());
                } finally {
                    lock.close();
                }
                LOG.info("Deleted {} ({}), last used {}", entry.file(), entry.what(), entry.used());
                deleted.add(entry);
            }
        }
        if (bytes == 0 && Files.isDirectory(cacheDirectory)) {
            Path folder = PrivateFolder.make(cacheDirectory);
            EntryLock.sweep(folder);
            try (DirectoryStream<Path> hashes = Files.newDirectoryStream(folder, SourceHash.PREFIX + "*.txt")) {
                for (Path hash : hashes) {
                    Files.deleteIfExists(hash);
                }
            }
        }
        return deleted;
    }
}
