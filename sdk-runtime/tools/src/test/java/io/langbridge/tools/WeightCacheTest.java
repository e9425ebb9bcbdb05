package io.langbridge.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightCacheTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    Path folder;

    @Test
    void theLeastRecentlyUsedGoFirst() throws IOException {
        Path older = entry("weights-0.bin", 50);
        Path newer = entry("weights-1.bin", 10);
        Files.writeString(folder.resolve("weights-1.txt"), "the decoder of a model");
        Files.setLastModifiedTime(folder.resolve("weights-1.txt"), FileTime.from(NOW.minusSeconds(10)));
        Path other = Files.createFile(folder.resolve("somebody-elses.bin"));
        WeightCache cache = WeightCache.at(folder);

        assertThat(cache.entries())
                .containsExactly(
                        new WeightCache.Entry(newer, "the decoder of a model", 100, NOW.minusSeconds(10)),
                        new WeightCache.Entry(older, "weights of another version", 100, NOW.minusSeconds(50)));
        assertThat(cache.limit(150)).extracting(WeightCache.Entry::file).containsExactly(older);
        assertThat(cache.clear()).extracting(WeightCache.Entry::file).containsExactly(newer);
        assertThat(cache.entries()).isEmpty();
        assertThat(other).exists();
        assertThat(folder.resolve("weights-1.txt")).doesNotExist();
    }

    @Test
    void aCacheThatIsNotThereIsEmpty() {
        WeightCache cache = WeightCache.at(folder.resolve("nothing"));

        assertThat(cache.entries()).isEmpty();
        assertThat(cache.clear()).isEmpty();
        assertThat(cache.folder()).doesNotExist();
        assertThatIllegalArgumentException().isThrownBy(() -> cache.limit(-1));
    }

    private Path entry(String name, int secondsAgo) throws IOException {
        Path file = Files.write(folder.resolve(name), new byte[100]);
        Files.setLastModifiedTime(file, FileTime.from(NOW.minusSeconds(secondsAgo)));
        return file;
    }
}
