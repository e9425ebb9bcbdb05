package io.langbridge.tools;

import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.checkpoint.CacheDirectory;
import io.langbridge.runtime.core.checkpoint.CacheEntries;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/**
 * The converted weights that models leave in a cache directory, those of other versions of the library too. Deleting
 * them harms no model that is open, in this process or another, and one that is being loaded makes them anew.
 *
 * <pre>{@code
 * WeightCache cache = WeightCache.ofUser();
 * cache.entries().forEach(System.out::println);
 * cache.limit(20_000_000_000L);
 * }</pre>
 *
 * <p>Safe for use by several threads.
 *
 * @since 0.1
 */
public final class WeightCache {
    private final Path folder;

    private WeightCache(Path folder) {
        this.folder = folder;
    }

    /**
     * The cache that models use unless they are told another.
     *
     * @return the cache, which need not exist
     */
    public static WeightCache ofUser() {
        return new WeightCache(CacheDirectory.ofUser());
    }

    /**
     * The cache of models that were told where to keep it.
     *
     * @param cacheDirectory as the builder was given it
     * @return the cache, which need not exist
     */
    public static WeightCache at(Path cacheDirectory) {
        return new WeightCache(Objects.requireNonNull(cacheDirectory, "cacheDirectory"));
    }

    /**
     * A file of converted weights.
     *
     * @param file where it is
     * @param what it holds, in words
     * @param bytes its length
     * @param used when a model last loaded or made it
     */
    public record Entry(Path file, String what, long bytes, Instant used) {}

    /** {@return where it is} */
    public Path folder() {
        return folder;
    }

    /**
     * Lists what is there.
     *
     * @return what is there, the last used first
     * @throws RuntimeUnavailableException if the folder cannot be read
     */
    public List<Entry> entries() {
        try {
            return entries(CacheEntries.all(folder));
        } catch (IOException e) {
            throw failure("read", e);
        }
    }

    /**
     * Deletes what was not used for longest, until what stays has so many bytes together. What open models were loaded
     * from stays where the disk has locks, in this process and in others, so that they start as fast the next time.
     *
     * @param bytes that may stay
     * @return what was deleted
     * @throws RuntimeUnavailableException if something cannot be deleted, after all else is
     */
    public List<Entry> limit(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("A limit is at least 0 bytes, not " + bytes);
        }
        try {
            return entries(CacheEntries.limit(folder, bytes));
        } catch (IOException e) {
            throw failure("emptied", e);
        }
    }

    /**
     * Deletes all converted weights, also those that open models were loaded from.
     *
     * @return what was deleted
     * @throws RuntimeUnavailableException if something cannot be deleted, after all else is
     */
    public List<Entry> clear() {
        try {
            return entries(CacheEntries.clear(folder));
        } catch (IOException e) {
            throw failure("emptied", e);
        }
    }

    private static List<Entry> entries(List<CacheEntries.Entry> found) {
        return found.stream()
                .map(entry -> new Entry(
                        entry.file(), entry.what(), entry.bytes(), entry.used().toInstant()))
                .toList();
    }

    private RuntimeUnavailableException failure(String what, IOException e) {
        return new RuntimeUnavailableException(
                "The cache " + folder + " cannot be " + what + ": " + e
                        + ". Look at who owns it and what is mounted there, or name another folder.",
                e);
    }
}
