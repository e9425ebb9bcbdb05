package io.langbridge.runtime.core.checkpoint;

import io.langbridge.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder whose files this process believes and runs, such as converted weights and native libraries. Another user of
 * the machine who could write there, or made it first, would choose what the model answers or what code runs. So it is
 * made for this user alone, and one that is there already must belong to this user or to root.
 *
 * <p>Where files have no owner and mode, as on Windows, the folder's place decides who may write, and nothing is
 * checked.
 */
public final class PrivateFolder {
    private static final Logger LOG = LoggerFactory.getLogger(PrivateFolder.class);
    private static final Set<PosixFilePermission> OTHERS_WRITE =
            EnumSet.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE);
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");

    private PrivateFolder() {}

    /**
     * Makes the folder unless it is there, with what lies above it. One that is there and that others may write to,
     * such as {@code /tmp} or a folder of a group, stays as it is and gets a private folder inside.
     *
     * @param folder links on the way are followed
     * @return {@code folder}, or the private one in it
     * @throws RuntimeUnavailableException if it belongs to another user
     * @throws IOException if it cannot be made
     */
    public static Path make(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            Path parent = folder.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            try {
                create(folder);
            } catch (FileAlreadyExistsException e) {
                if (!Files.isDirectory(folder)) {
                    throw e;
                } // else another process was faster
            }
        }
        PosixFileAttributes attributes = attributes(folder);
        if (attributes == null) {
            return folder;
        }
        if (!Collections.disjoint(attributes.permissions(), OTHERS_WRITE)) {
            return make(folder.resolve("langbridge-" + System.getProperty("user.name")));
        }
        UserPrincipal self = self(folder);
        requireOurs(folder, self);
        requireOurs(folder, self, LinkOption.NOFOLLOW_LINKS); // a link may have been put there by somebody else
        return folder;
    }

    private static void requireOurs(Path folder, @Nullable UserPrincipal self, LinkOption... links) throws IOException {
        UserPrincipal owner = Files.getOwner(folder, links);
        if (!owner.equals(self) && !isRoots(folder, links)) {
            throw new RuntimeUnavailableException("The folder " + folder + " belongs to the user " + owner.getName()
                    + ", who could plant files there; what it holds is not used. Remove it, or set the cache directory"
                    + " to a folder of your own."
                    + (self == null ? " (Who runs this process cannot be told: no file can be made there.)" : ""));
        }
    }

    /**
     * Whether a file in such a folder can only have been written by whom the folder belongs to, or by root.
     *
     * @return false also for a link, or if there is no such file
     */
    public static boolean trusts(Path file) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        PosixFileAttributes attributes = attributes(file);
        if (attributes == null) {
            return true;
        }
        Path folder = Objects.requireNonNull(file.toAbsolutePath().getParent());
        return Collections.disjoint(attributes.permissions(), OTHERS_WRITE)
                && (attributes.owner().equals(Files.getOwner(folder)) || isRoots(file));
    }

    /**
     * Has nobody write a file by mistake. Where files have no mode nothing is done: there, one that is read-only could
     * not be deleted either.
     */
    static void makeReadOnly(Path file) throws IOException {
        if (attributes(file) != null) {
            Files.setPosixFilePermissions(file, EnumSet.of(PosixFilePermission.OWNER_READ));
        }
    }

    private static void create(Path folder) throws IOException {
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        } else {
            Files.createDirectory(folder);
        }
    }

    /** Null where files have no owner. */
    private static @Nullable PosixFileAttributes attributes(Path path) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
        return view == null ? null : view.readAttributes();
    }

    private static boolean isRoots(Path path, LinkOption... links) throws IOException {
        return Files.getAttribute(path, "unix:uid", links).equals(0);
    }

    /**
     * Who this process is: whoever a file belongs to that it makes, best in this very folder, since mounts may change
     * owners. Null if it can make none.
     */
    private static @Nullable UserPrincipal self(Path folder) {
        for (Path place : Arrays.asList(folder, Paths.get(String.valueOf(System.getProperty("java.io.tmpdir"))))) {
            try {
                Path probe = Files.createTempFile(place, "langbridge-", ".owner");
                try {
                    return Files.getOwner(probe);
                } finally {
                    Files.deleteIfExists(probe);
                }
            } catch (IOException e) {
                LOG.debug("Nothing can be written to {}", place, e);
            }
        }
        return null;
    }
}
