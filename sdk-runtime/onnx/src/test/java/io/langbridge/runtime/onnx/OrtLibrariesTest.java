package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.runtime.core.checkpoint.CacheDirectory;
import io.langbridge.runtime.core.engine.NativeLibraries;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OrtLibrariesTest {
    private static final String SETTING = "onnxruntime.native.onnxruntime.path";

    @TempDir
    private Path cache;

    private @Nullable String taken;

    /** As in a process that has not loaded them yet. */
    @BeforeEach
    void begin() {
        taken = System.clearProperty(OrtLibraries.TAKEN);
        NativeLibraries.keepIn(cache);
    }

    @AfterEach
    void end() {
        NativeLibraries.keepIn(CacheDirectory.ofUser());
        System.clearProperty(OrtLibraries.TAKEN);
        if (taken != null) {
            System.setProperty(OrtLibraries.TAKEN, taken);
        }
    }

    private static Path used() {
        System.clearProperty(OrtLibraries.TAKEN);
        try (OrtLibraries libraries = OrtLibraries.use()) {
            assertThat(libraries.areUsed()).isTrue();
            return Path.of(System.getProperty(SETTING));
        }
    }

    @Test
    void areUnpackedOnceAndWhatIsDamagedIsUnpackedAgain() throws IOException {
        Path library = used();
        assertThat(library).startsWith(cache.toRealPath()).isExecutable();
        assertThat(System.getProperty(SETTING)).isNull();
        byte[] sound = Files.readAllBytes(library);
        Object file = Files.readAttributes(library, "fileKey,creationTime");
        assertThat(used()).isEqualTo(library);
        assertThat(Files.readAttributes(library, "fileKey,creationTime")).isEqualTo(file);

        try (RandomAccessFile open = new RandomAccessFile(library.toFile(), "rw")) {
            open.seek(sound.length / 2);
            open.write(sound[sound.length / 2] ^ 4);
        }
        assertThat(used()).isEqualTo(library);
        assertThat(Files.readAllBytes(library)).isEqualTo(sound);

        Files.write(library, new byte[100]);
        Path forgotten = Files.createFile(library.resolveSibling("a.part"));
        Files.setLastModifiedTime(forgotten, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        Path unfinished = Files.createFile(library.resolveSibling("b.part"));
        used();
        assertThat(Files.readAllBytes(library)).isEqualTo(sound);
        assertThat(forgotten).doesNotExist();
        assertThat(unfinished).exists();
    }

    /** The JVM lets one class loader load a file; the next gets a copy of its own from ONNX Runtime. */
    @Test
    void areForOneClassLoader() {
        used();
        try (OrtLibraries next = OrtLibraries.use()) {
            assertThat(next.areUsed()).isFalse();
            assertThat(System.getProperty(SETTING)).isNull();
        }
    }

    @Test
    void areLeftAloneWhereNothingIsKeptOrTheApplicationSaysWhereTheyAre() {
        NativeLibraries.keepIn(null);
        try (OrtLibraries libraries = OrtLibraries.use()) {
            assertThat(libraries.areUsed()).isFalse();
        }
        NativeLibraries.keepIn(cache);
        System.setProperty(SETTING, "/there/libonnxruntime.so");
        try (OrtLibraries libraries = OrtLibraries.use()) {
            assertThat(libraries.areUsed()).isFalse();
            assertThat(System.getProperty(SETTING)).isEqualTo("/there/libonnxruntime.so");
        } finally {
            System.clearProperty(SETTING);
        }
    }
}
