package io.langbridge.hub;

import org.jspecify.annotations.Nullable;

/**
 * A file as the listing of a commit describes it.
 *
 * @param path inside the model, parts divided by slashes; checked
 * @param size in bytes
 * @param gitHash git's SHA-1 of what git holds, which for a large file is only a pointer
 * @param sha256 of the content of a large file; null for a small one
 * @param xetHash for Python; null if there is none
 */
record RepoFile(
        String path,
        long size,
        String gitHash,
        @Nullable String sha256,
        @Nullable String xetHash) {
    /** The name of its content in the cache, which is also its hash. */
    String blob() {
        return sha256 == null ? gitHash : sha256;
    }

    /** The folder inside the model, empty for the top one. */
    String folder() {
        int slash = path.lastIndexOf('/');
        return slash < 0 ? "" : path.substring(0, slash);
    }

    String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
