package io.langbridge.runtime.core.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What tells whether a file still holds what it held, without reading it.
 *
 * @param file the file itself, behind all links
 * @param size in bytes
 * @param modified when its content was last written, as anybody may set it
 * @param changed when anything about it was last changed, which only the system sets; null where it does not say
 * @param access who may do what with it, and how many names it has; null where the system does not say
 * @param key the file on its disk, whatever its name; null where there is none
 */
public record FileState(
        Path file,
        long size,
        FileTime modified,
        @Nullable FileTime changed,
        @Nullable String access,
        @Nullable String key) {
    /** Clocks of file systems are as coarse as this, in milliseconds. */
    private static final long COARSE = 2000;

    /** What it is now. */
    public static FileState of(Path path) throws IOException {
        Path file = path.toRealPath();
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        Object key = attributes.fileKey();
        return new FileState(
                file,
                attributes.size(),
                attributes.lastModifiedTime(),
                changed(file),
                access(file),
                key == null ? null : key.toString());
    }

    private static @Nullable FileTime changed(Path file) throws IOException {
        try {
            return (FileTime) Files.getAttribute(file, "unix:ctime");
        } catch (UnsupportedOperationException | IllegalArgumentException e) {
            return null; // another system
        }
    }

    private static @Nullable String access(Path file) throws IOException {
        try {
            return new TreeMap<>(Files.readAttributes(file, "unix:mode,uid,gid,nlink")).toString();
        } catch (UnsupportedOperationException | IllegalArgumentException e) {
            return null; // another system
        }
    }

    /** Whether somebody gave it other rights, another owner or another name, and wrote nothing. */
    boolean isOnlyAccessedOtherwise(FileState now) {
        return size == now.size
                && modified.equals(now.modified)
                && Objects.equals(key, now.key)
                && access != null
                && now.access != null
                && !access.equals(now.access);
    }

    /**
     * Whether the same path names another file now, as when a new version is moved there. Who has the old one open
     * still reads that.
     */
    boolean isReplacedBy(FileState now) {
        return key != null && now.key != null && !key.equals(now.key);
    }

    /**
     * Whether a later change would show: it was written long enough ago, by the system's clock and not by what others
     * set.
     */
    boolean tellsChanges() {
        return changed != null && System.currentTimeMillis() - changed.toMillis() > COARSE;
    }

    /** Everything in one line. */
    String line() {
        return size + " " + modified + " " + (changed == null ? "-" : changed) + " " + (key == null ? "-" : key) + " "
                + file;
    }
}
