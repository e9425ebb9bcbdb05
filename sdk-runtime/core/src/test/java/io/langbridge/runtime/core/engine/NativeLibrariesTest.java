package io.langbridge.runtime.core.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibrariesTest {
    private static final String OTHERWISE = "Add an artefact.";

    @TempDir
    Path folder;

    @AfterEach
    void keepNothing() {
        NativeLibraries.keepIn(null);
    }

    @Test
    void anOldGlibcIsRefusedByItsVersion() throws IOException {
        Path maps = glibc("2.26", "libc-2.26.so");

        assertThatThrownBy(() -> NativeLibraries.requireGlibc("The engine", 27, maps))
                .isInstanceOf(RuntimeUnavailableException.class)
                .hasMessageStartingWith(
                        "The engine needs glibc 2.27 or later, but this machine has 2.26, as Amazon Linux 2.");
    }

    @Test
    void aGlibcThatIsNewEnoughWillDo() throws IOException {
        Path maps = glibc("2.28", "libc.so.6");

        assertThatCode(() -> NativeLibraries.requireGlibc("The engine", 28, maps))
                .doesNotThrowAnyException();
    }

    @Test
    void muslIsRefusedByName() throws IOException {
        Path maps = Files.writeString(
                folder.resolve("maps"), "7f00-7f01 r-xp 00000000 08:01 42    /lib/ld-musl-x86_64.so.1\n");

        assertThatThrownBy(() -> NativeLibraries.requireGlibc("The engine", 27, maps))
                .isInstanceOf(RuntimeUnavailableException.class)
                .hasMessageContaining("runs on musl, as on Alpine Linux");
    }

    @Test
    void anotherLibraryCIsLeftToItself() throws IOException {
        Path maps = Files.writeString(
                folder.resolve("maps"),
                "7f00-7f01 r-xp 00000000 08:01 42    /apex/com.android.runtime/bionic/libc.so\n");

        assertThatCode(() -> NativeLibraries.requireGlibc("The engine", 27, maps))
                .doesNotThrowAnyException();
    }

    private Path glibc(String version, String name) throws IOException {
        Path library = folder.resolve(name);
        Files.write(
                library,
                ("\u007fELF\u0001 GNU C Library (GNU libc) stable release version " + version + ".\nCopyright")
                        .getBytes(StandardCharsets.ISO_8859_1));
        return Files.writeString(
                folder.resolve("maps"),
                "5500-5600 r-xp 00000000 08:01 41    /usr/bin/java\n7f00-7f01 r-xp 00000000 08:01 42    " + library
                        + "\n");
    }

    @Test
    void aFolderThatForbidsExecutionIsNamed() {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(
                "/mnt/tmp/natives42/libengine.so: /mnt/tmp/natives42/libengine.so: failed to map segment from shared"
                        + " object");

        assertThat(NativeLibraries.cause(
                        new ExceptionInInitializerError(error), NativeLibraries.Place.TEMPORARY, OTHERWISE))
                .startsWith("/mnt/tmp/natives42/libengine.so may not be executed: its folder is mounted noexec.")
                .contains("-Djava.io.tmpdir=FOLDER");
    }

    @Test
    void refusedNativeAccessNamesTheFlag() {
        assertThat(NativeLibraries.cause(
                        new IllegalStateException("Illegal native access from an unnamed module (file:x.jar)"),
                        NativeLibraries.Place.TEMPORARY,
                        OTHERWISE))
                .contains("--enable-native-access=ALL-UNNAMED");
    }

    @Test
    void aFullDiskIsTheCauseThatIsNamed() {
        assertThat(NativeLibraries.cause(
                        new IllegalStateException(new IOException("No space left on device")),
                        NativeLibraries.Place.TEMPORARY,
                        OTHERWISE))
                .contains("No space left on device")
                .contains("java.io.tmpdir");
    }

    @Test
    void aModuleThatTheJavaRuntimeLacksIsNamed() {
        NoClassDefFoundError error = new NoClassDefFoundError("java/util/logging/Logger");
        error.initCause(new ClassNotFoundException("java.util.logging.Logger"));

        assertThat(NativeLibraries.cause(error, NativeLibraries.Place.TEMPORARY, OTHERWISE))
                .contains("java.util.logging.Logger of the module java.logging")
                .contains("jlink --add-modules java.logging");
    }

    @Test
    void anythingElseIsLeftToTheEngine() {
        assertThat(NativeLibraries.cause(
                        new UnsatisfiedLinkError("no engine in java.library.path"),
                        NativeLibraries.Place.TEMPORARY,
                        OTHERWISE))
                .isEqualTo("no engine in java.library.path. Add an artefact.");
    }

    @Test
    void librariesAreUnpackedIntoTheCacheForItsOwnerAlone() throws IOException {
        NativeLibraries.keepIn(folder.resolve("cache"));

        Path natives = NativeLibraries.folder();

        assertThat(natives).isEqualTo(folder.resolve("cache").resolve("natives"));
        if (natives.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(natives)))
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void withoutACacheEveryProcessHasAFolderOfItsOwn() throws IOException {
        NativeLibraries.keepIn(null);

        Path natives = NativeLibraries.folder();

        assertThat(natives).isEmptyDirectory();
        NativeLibraries.unpacked(natives);
    }
}
