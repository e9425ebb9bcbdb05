package io.langbridge.hub;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A model that lies in the cache, whoever put it there.
 *
 * @param repository the model, {@code ORG/NAME}
 * @param folder where it lies
 * @param bytes what it takes on the disk, unfinished downloads included
 * @param commits the commits of which there are files
 * @param revisions branches and tags, and the commit each stood for when it was last asked for
 * @since 0.1
 */
public record CachedModel(
        String repository, Path folder, long bytes, List<String> commits, Map<String, String> revisions) {
    /**
     * Copies the collections.
     *
     * @param repository the model, {@code ORG/NAME}
     * @param folder where it lies
     * @param bytes what it takes on the disk, unfinished downloads included
     * @param commits the commits of which there are files
     * @param revisions branches and tags, and the commit each stood for when it was last asked for
     */
    public CachedModel {
        commits = List.copyOf(commits);
        revisions = Map.copyOf(revisions);
    }
}
