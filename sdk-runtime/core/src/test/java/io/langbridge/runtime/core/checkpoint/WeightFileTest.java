package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.langbridge.CheckpointException;
import io.langbridge.RuntimeUnavailableException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
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
        assertThat(bytes).hasSize(192 + Integer.BYTES); // behind what it holds, the checksum of its only part
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
        overwrite(path, Arrays.copyOf(sound, 150));
        file("a").in(folder);
        assertThat(path).hasBinaryContent(sound);
        byte[] otherHeader = sound.clone();
        otherHeader[20]++;
        overwrite(path, otherHeader);
        file("a").in(folder);
        assertThat(path).hasBinaryContent(sound);
    }

    @Test
    void anyByteThatFlipsIsNoticedAndHealed() throws IOException {
        Path path = file("a").in(folder);
        byte[] sound = Files.readAllBytes(path);
        for (int i = 0; i < sound.length; i++) {
            byte[] flipped = sound.clone();
            flipped[i] = (byte) (flipped[i] ^ 1 << i % 8);
            overwrite(path, flipped);
            Path found = file("a").in(folder);
            if (!WeightFile.keep(found)) {
                found = file("a").in(folder);
            }
            assertThat(found).as("byte %d", i).isEqualTo(path).hasBinaryContent(sound);
            assertThat(WeightFile.keep(found)).isTrue();
        }
    }

    @Test
    void everyPartHasAChecksum() throws IOException {
        int bytes = 2 * WeightFile.PART_BYTES + 5;
        WeightFile big = new WeightFile();
        big.add("big", bytes, channel -> WeightFile.writeFully(channel, ByteBuffer.allocate(bytes)));
        Path path = big.in(folder);
        for (long at : new long[] {64, WeightFile.PART_BYTES, 2L * WeightFile.PART_BYTES - 1, bytes + 63}) {
            assertThat(WeightFile.keep(big.in(folder))).isTrue();
            path.toFile().setWritable(true);
            try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                file.seek(at);
                file.write(1);
            }
            assertThat(WeightFile.keep(path)).as("byte %d", at).isFalse();
            assertThat(path).doesNotExist();
        }
    }

    @Test
    void nobodyWritesIntoAFileByMistake() throws IOException {
        Path path = file("a").in(folder);
        assumeTrue(path.getFileSystem().supportedFileAttributeViews().contains("posix"), "files have no mode here");
        assertThat(Files.getPosixFilePermissions(path)).containsExactly(PosixFilePermission.OWNER_READ);
    }

    /** In place, as whoever does not care that it is read-only. */
    private static void overwrite(Path path, byte[] bytes) throws IOException {
        path.toFile().setWritable(true);
        Files.write(path, bytes);
    }

    @Test
    void whatDiedWhileItWroteGoesAtTheNextStart() throws IOException {
        Path of = folder.resolve("weights-00112233445566778899aabbccddeeff." + UUID.randomUUID() + ".part");
        Path ofOlderVersion = folder.resolve("weights-4711.part");
        Path justNow = folder.resolve("weights-4712.part");
        for (Path part : List.of(of, ofOlderVersion, justNow)) {
            Files.write(part, new byte[100]);
        }
        Files.setLastModifiedTime(ofOlderVersion, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        file("a").in(folder);
        assertThat(of).doesNotExist();
        assertThat(ofOlderVersion).doesNotExist();
        assertThat(justNow).exists();
    }

    @Test
    void whatIsBeingWrittenStays() throws IOException {
        Path entry = folder.resolve("weights-00112233445566778899aabbccddeeff.bin");
        Path part = Files.createFile(folder.resolve("weights-00112233445566778899aabbccddeeff.1.part"));
        EntryLock lock = EntryLock.hold(entry);
        try {
            file("a").in(folder);
            assertThat(part).exists();
        } finally {
            lock.close();
        }
        file("a").in(folder);
        assertThat(part).doesNotExist();
    }

    @Test
    void aSourceThatChangesMakesAnotherFile() throws IOException {
        Path source = folder.resolve("a.safetensors");
        new SafetensorsWriter()
                .add("x", FloatBuffer.wrap(new float[1000]), 1000)
                .write(source);
        FileTime time = Files.getLastModifiedTime(source);
        Path first = of(source);
        assertThat(of(source)).isEqualTo(first);

        try (RandomAccessFile file = new RandomAccessFile(source.toFile(), "rw")) {
            file.seek(file.length() - 2000); // far from what is sampled
            file.write(1);
        }
        Files.setLastModifiedTime(source, time);
        assertThat(of(source)).isNotEqualTo(first);
    }

    @Test
    void aCopyOfASourceIsRecognised() throws IOException {
        Path source = folder.resolve("a.safetensors");
        new SafetensorsWriter().add("x", FloatBuffer.wrap(new float[10]), 10).write(source);
        Path copy = Files.copy(
                source, Files.createDirectory(folder.resolve("other")).resolve("a.safetensors"));
        assertThat(of(copy)).isEqualTo(of(source));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // nothing is moved to the place of a file that is open
    void whatIsReadFromAnotherFileThanLiesThereIsNotKept() throws IOException {
        Path source = folder.resolve("a.safetensors");
        new SafetensorsWriter().add("x", FloatBuffer.wrap(new float[10]), 10).write(source);
        try (Weights weights = Checkpoints.open(source)) {
            Path other = folder.resolve("b.safetensors");
            new SafetensorsWriter()
                    .add("x", FloatBuffer.wrap(new float[10]), 10)
                    .write(other);
            Files.move(other, source, StandardCopyOption.REPLACE_EXISTING);
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> file("a").source(weights).in(folder))
                    .withMessageStartingWith("Another file was put in the place of " + source);
            Files.delete(source);
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> file("a").source(weights).in(folder))
                    .withMessageStartingWith(source + " was deleted since it was opened");
        }
        assertThat(written).hasValue(0);
    }

    private Path of(Path source) {
        try (Weights weights = Checkpoints.open(source)) {
            return file("a").source(weights).in(folder);
        }
    }

    @Test
    void theLeastRecentlyUsedGoFirst() throws IOException {
        Path old = file("old").describe("an old one").in(folder);
        Path used = file("used").in(folder);
        Path made = file("made").in(folder);
        long now = System.currentTimeMillis();
        for (Path entry : List.of(old, used, made)) {
            Files.setLastModifiedTime(CacheEntries.text(entry), FileTime.fromMillis(now -= 10_000));
        }
        file("made").in(folder);

        assertThat(CacheEntries.all(folder)).hasSize(3);
        assertThat(CacheEntries.limit(folder, 600)).isEmpty();
        assertThat(CacheEntries.limit(folder, 400))
                .extracting(CacheEntries.Entry::file)
                .containsExactly(used);
        assertThat(CacheEntries.clear(folder))
                .extracting(CacheEntries.Entry::what)
                .containsExactlyInAnyOrder("weights", "an old one");
        assertThat(files()).containsExactly(EntryLock.FILE);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void whatIsAddedMakesRoomForItself() throws IOException {
        Path first = file("first").limit(400L).in(folder);
        Path second = file("second").limit(400L).in(folder);
        assertThat(List.of(first, second)).allMatch(Files::exists);
        Files.setLastModifiedTime(
                CacheEntries.text(second), FileTime.from(Instant.now().minusSeconds(10)));

        Path third = file("third").limit(400L).in(folder);
        assertThat(second).doesNotExist();
        assertThat(List.of(first, third)).allMatch(Files::exists);
        assertThat(file("first").limit(1L).in(folder)).isEqualTo(first); // nothing is added
        assertThat(third).exists();
        assertThat(file("alone").limit(1L).in(folder)).exists();
        assertThat(CacheEntries.all(folder)).hasSize(1);
    }

    @Test
    void whatIsBeingWrittenCountsToo() throws IOException {
        Path old = file("old").in(folder);
        WeightFile slow = new WeightFile().limit(400L);
        slow.add("slow", 5, channel -> {
            assertThat(old).exists();
            file("meanwhile").limit(400L).in(folder);
            WeightFile.writeFully(channel, ByteBuffer.allocate(5));
        });
        slow.in(folder);
        assertThat(old).doesNotExist();
        assertThat(CacheEntries.all(folder)).hasSize(2);
    }

    @Test
    void manyWritersAtOnceKeepTheLimit() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Path>> paths = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                String recipe = "recipe " + i;
                paths.add(threads.submit(() -> file(recipe).limit(400L).in(folder)));
            }
            for (Future<Path> path : paths) {
                path.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(CacheEntries.all(folder)).hasSizeLessThanOrEqualTo(2);
    }

    @Test
    void whatIsWrittenAnewTakesTheRoomItHad() throws IOException {
        Path path = file("a").in(folder);
        Path other = file("other").in(folder);
        Files.setLastModifiedTime(
                CacheEntries.text(other), FileTime.from(Instant.now().minusSeconds(10)));
        overwrite(path, Arrays.copyOf(Files.readAllBytes(path), 150));
        assertThat(file("a").limit(400L).in(folder)).isEqualTo(path).hasSize(196);
        assertThat(other).exists();
    }

    @Test
    void whatCannotBeDeletedKeepsNothingElse() throws IOException {
        Path first = file("first").in(folder);
        Path stuck = Files.createDirectory(folder.resolve("weights-stuck.bin"));
        Files.createFile(stuck.resolve("file"));
        Files.setLastModifiedTime(stuck, FileTime.from(Instant.now().minusSeconds(10)));
        assertThatExceptionOfType(DirectoryNotEmptyException.class)
                .isThrownBy(() -> CacheEntries.limit(folder, 0))
                .withMessageContaining("weights-stuck");
        assertThat(first).doesNotExist();
        assertThat(file("alone").limit(1L).in(folder)).exists();

        Files.setLastModifiedTime(stuck, FileTime.from(Instant.now().plusSeconds(10)));
        Path ofBefore = Files.createFile(folder.resolve("weights-4711.lock"));
        assertThatExceptionOfType(DirectoryNotEmptyException.class).isThrownBy(() -> CacheEntries.clear(folder));
        assertThat(ofBefore).doesNotExist();
        assertThat(files()).containsExactly("weights-stuck.bin", EntryLock.FILE);
    }

    @Test
    void noLimitDeletesWhatIsInUse() throws IOException {
        EntryLock use = file("a").use(folder);
        EntryLock again = file("a").use(folder);
        Path path = file("a").in(folder);
        use.close();
        use.close();
        assertThat(CacheEntries.limit(folder, 0)).isEmpty();
        assertThat(file("b").limit(1L).in(folder)).exists();
        assertThat(path).exists();
        again.close();
        assertThat(CacheEntries.limit(folder, 0)).hasSize(2);
        assertThat(path).doesNotExist();
    }

    @Test
    void noLimitDeletesWhatAnotherProcessUses() throws Exception {
        Path path = file("a").in(folder);
        Process other = EntryLockTest.Other.process("use", folder, path);
        try {
            assertThat(other.getInputStream().read()).isEqualTo('u');
            assertThat(CacheEntries.limit(folder, 0)).isEmpty();
            assertThat(path).exists();
        } finally {
            other.destroyForcibly().waitFor();
        }
        assertThat(CacheEntries.limit(folder, 0)).hasSize(1);
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
                assertThat(path.get()).hasSize(196);
            }
            assertThat(written).hasValue(1);
        } finally {
            threads.shutdownNow();
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.toString().replaceAll(".*[.]", "")))
                    .containsExactlyInAnyOrder("bin", "txt", "locks");
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
        assertThat(files()).containsExactly(EntryLock.FILE);
    }

    @Test
    void aCacheDirectoryThatCannotBeMadeIsReported() throws IOException {
        Path blocked = Files.createFile(folder.resolve("file")).resolve("cache");
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> file("a").in(blocked))
                .withMessageContaining(blocked.toString());
    }
}
