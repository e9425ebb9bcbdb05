package io.langbridge.hub;

import java.nio.file.Path;
import java.util.List;

/**
 * What {@link Hub#verify} found. Damaged files are left where they are; the next {@link HubModel#get()} fetches them
 * again.
 *
 * @param files how many files were hashed
 * @param bytes how many bytes they have
 * @param damaged files whose bytes are not those of their name, and links that lead nowhere
 * @param unknown files of which nothing says what they should hold: their commit's listing is not in the cache, and
 *     they are no link to a blob named by its hash; they were not hashed
 * @since 0.1
 */
public record Verification(int files, long bytes, List<Path> damaged, List<Path> unknown) {
    /**
     * Copies the lists.
     *
     * @param files how many files were hashed
     * @param bytes how many bytes they have
     * @param damaged files whose bytes are not those of their name, and links that lead nowhere
     * @param unknown files of which nothing says what they should hold: their commit's listing is not in the cache, and
     *     they are no link to a blob named by its hash; they were not hashed
     */
    public Verification {
        damaged = List.copyOf(damaged);
        unknown = List.copyOf(unknown);
    }

    /** {@return whether every file is what it should be, as far as that is known} */
    public boolean healthy() {
        return damaged.isEmpty();
    }
}
