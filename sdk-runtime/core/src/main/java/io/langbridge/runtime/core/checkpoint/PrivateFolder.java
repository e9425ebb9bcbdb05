package io.langbridge.runtime.core.checkpoint;

import io.langbridge.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.EnumSet;
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
     * Makes the folder unless it is there, with what lies above it.
     *
     * @param folder this user's own from now on; links on the way are followed
     * @return {@code folder}
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
        if (!isOursOrRoots(attributes.owner(), folder)) {
            throw new RuntimeUnavailableException("The folder " + folder + " belongs to the user "
                    + attributes.owner().getName() + ", who could plant files there; what it holds is not used. Remove"
                    + " it, or set the cache directory to a folder of your own.");
        }
        Set<PosixFilePermission> permissions = attributes.permissions();
        if (permissions.removeAll(OTHERS_WRITE)) {
            try {
                Files.setPosixFilePermissions(folder, permissions);
                LOG.info("Other users could write to {}; now only its owner can", folder);
            } catch (IOException e) {
                throw new RuntimeUnavailableException(
                        "Other users may write to the folder " + folder + ", so what it holds is not used. Take that"
                                + " right away (chmod go-w), or set the cache directory to a folder of your own.",
                        e);
            }
        }
        return folder;
    }

    /**
     * Whether a file in such a folder can only have been written by this user or root.
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
        Set<PosixFilePermission> permissions = attributes.permissions();
        return isOursOrRoots(attributes.owner(), file) && !permissions.removeAll(OTHERS_WRITE);
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

    private static boolean isOursOrRoots(UserPrincipal owner, Path path) throws IOException {
        Object id = Files.getAttribute(path, "unix:uid");
        return id.equals(0) || owner.equals(Self.USER);
    }

    /** Who this process runs as: whoever a file belongs to that it makes. */
    private static final class Self {
        static final @Nullable UserPrincipal USER = user();

        private static @Nullable UserPrincipal user() {
            try {
                Path probe = Files.createTempFile("langbridge-", ".owner");
                try {
                    return Files.getOwner(probe);
                } finally {
                    Files.deleteIfExists(probe);
                }
            } catch (IOException e) {
                LOG.debug("Who runs this process cannot be told, so only files of root are trusted", e);
                return null;
            }
        }
    }
}
