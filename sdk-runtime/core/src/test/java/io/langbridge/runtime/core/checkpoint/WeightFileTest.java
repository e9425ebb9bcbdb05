package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.RuntimeUnavailableException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightFileTest {
    @TempDir
    Path folder;

    private final AtomicInteger written = new AtomicInteger();

    private WeightFile file(String recipe) {
        WeightFile file = new WeightFile();
        assertThat(file.add(recipe, 5, channel -> {
                    written.incrementAndGet();
                    WeightFile.writeFully(channel, ByteBuffer.wrap(new byte[] {1, 2, 3, 4, 5}));
                }))
                .isEqualTo(64);
        assertThat(file.add("b", 2, channel -> WeightFile.writeFully(channel, ByteBuffer.wrap(new byte[] {6, 7}))))
                .isEqualTo(128);
        return file;
    }

    @Test
    void entriesStartWhereAddSaid() throws IOException {
        byte[] bytes = Files.readAllBytes(file("a").in(folder));
        assertThat(bytes).hasSize(192);
        assertThat(bytes[64]).isEqualTo((byte) 1);
        assertThat(bytes[129]).isEqualTo((byte) 7);
    }

    @Test
    void aCompleteFileIsNotWrittenAgain() {
        Path first = file("a").in(folder);
        assertThat(file("a").in(folder)).isEqualTo(first);
        assertThat(written).hasValue(1);
    }

    @Test
    void anotherRecipeIsAnotherFile() {
        assertThat(file("a").in(folder)).isNotEqualTo(file("c").in(folder));
    }

    @Test
    void aDamagedFileIsWrittenAgain() throws IOException {
        Path path = file("a").in(folder);
        byte[] sound = Files.readAllBytes(path);
        Files.write(path, Arrays.copyOf(sound, 150));
        file("a").in(folder);
        assertThat(path).hasBinaryContent(sound);
        byte[] otherHeader = sound.clone();
        otherHeader[20]++;
        Files.write(path, otherHeader);
        file("a").in(folder);
        assertThat(path).hasBinaryContent(sound);
    }

    @Test
    void manyWritersAtOnceLeaveOneFile() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Path>> paths = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                paths.add(threads.submit(() -> file("a").in(folder)));
            }
            for (Future<Path> path : paths) {
                assertThat(path.get()).hasSize(192);
            }
        } finally {
            threads.shutdownNow();
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void aFailureLeavesNothingBehind() throws IOException {
        WeightFile file = new WeightFile();
        file.add("a", 5, channel -> {
            throw new IOException("No space left on device");
        });
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> file.in(folder))
                .withMessageContaining("(128 bytes) cannot be kept in " + folder)
                .withMessageContaining("No space left on device")
                .withMessageContaining("set the cache directory");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void aCacheDirectoryThatCannotBeMadeIsReported() throws IOException {
        Path blocked = Files.createFile(folder.resolve("file")).resolve("cache");
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> file("a").in(blocked))
                .withMessageContaining(blocked.toString());
    }
}
