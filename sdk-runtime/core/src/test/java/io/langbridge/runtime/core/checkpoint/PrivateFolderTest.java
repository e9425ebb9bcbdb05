package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.langbridge.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateFolderTest {
    private static final int ANOTHER_USER = 12345;

    @TempDir
    Path folder;

    @BeforeEach
    void requireOwners() {
        assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("posix"), "files have no owner here");
    }

    @Test
    void isMadeForItsOwnerAlone() throws IOException {
        Path made = PrivateFolder.make(folder.resolve("above").resolve("cache"));

        assertThat(permissions(made)).isEqualTo("rwx------");
        assertThat(PrivateFolder.make(made)).isEqualTo(made);
    }

    @Test
    void aFolderThatOthersMayWriteToStaysAsItIsAndGetsAPrivateOne() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxr-x"));

        Path made = PrivateFolder.make(folder);

        assertThat(made.getParent()).isEqualTo(folder);
        assertThat(permissions(made)).isEqualTo("rwx------");
        assertThat(permissions(folder)).isEqualTo("rwxrwxr-x");
        assertThat(PrivateFolder.make(folder)).isEqualTo(made);
    }

    @Test
    void aFileThatOthersMayWriteIsNotTrusted() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        assertThat(PrivateFolder.trusts(file)).isTrue();

        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw--w----"));
        assertThat(PrivateFolder.trusts(file)).isFalse();
    }

    @Test
    void neitherALinkNorAFolderNorNothingIsAFileToTrust() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));

        assertThat(PrivateFolder.trusts(Files.createSymbolicLink(folder.resolve("link"), file)))
                .isFalse();
        assertThat(PrivateFolder.trusts(folder)).isFalse();
        assertThat(PrivateFolder.trusts(folder.resolve("nothing"))).isFalse();
    }

    @Test
    void whatBelongsToAnotherUserIsRefused() throws IOException {
        Path planted = Files.createDirectory(folder.resolve("planted"));
        Path file = Files.createFile(folder.resolve("file"));
        giveAway(planted);
        giveAway(file);

        assertThatThrownBy(() -> PrivateFolder.make(planted))
                .isInstanceOf(RuntimeUnavailableException.class)
                .hasMessageContaining("" + planted)
                .hasMessageContaining("belongs to the user " + ANOTHER_USER)
                .hasMessageContaining("set the cache directory to a folder of your own");
        assertThat(PrivateFolder.trusts(file)).isFalse();
    }

    private static void giveAway(Path path) throws IOException {
        try {
            Files.setAttribute(path, "unix:uid", ANOTHER_USER);
        } catch (FileSystemException e) {
            assumeTrue(false, "only root can give files away");
        }
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }
}
