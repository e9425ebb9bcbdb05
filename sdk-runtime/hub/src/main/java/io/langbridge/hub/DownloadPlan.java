package io.langbridge.hub;

import java.util.List;

/**
 * What {@link HubModel#get()} would fetch, known before the first large file.
 *
 * @param repository the model, {@code ORG/NAME}
 * @param revision the branch, tag or commit that was asked for
 * @param commit what it stands for now, 40 hexadecimal digits
 * @param files the files that are needed, in the order in which they are fetched
 * @since 0.1
 */
public record DownloadPlan(String repository, String revision, String commit, List<File> files) {
    /**
     * Copies the list.
     *
     * @param repository the model, {@code ORG/NAME}
     * @param revision the branch, tag or commit that was asked for
     * @param commit what it stands for now, 40 hexadecimal digits
     * @param files the files that are needed, in the order in which they are fetched
     */
    public DownloadPlan {
        files = List.copyOf(files);
    }

    /**
     * A file that is needed.
     *
     * @param path its path inside the model
     * @param bytes its size
     * @param missingBytes how many of them are not in the cache yet
     */
    public record File(String path, long bytes, long missingBytes) {}

    /** {@return the bytes of all files, in the cache or not} */
    public long bytes() {
        return files.stream().mapToLong(File::bytes).sum();
    }

    /** {@return the bytes that have to be downloaded} */
    public long missingBytes() {
        return files.stream().mapToLong(File::missingBytes).sum();
    }
}
