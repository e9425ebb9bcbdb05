package io.langbridge.runtime.core.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TemporaryFolderTest {
    @Test
    void closingDeletesItWithAllFiles() throws IOException {
        Path path;
        try (TemporaryFolder folder = TemporaryFolder.make()) {
            path = folder.path();
            Files.write(path.resolve("weights-1.bin"), new byte[] {1});
            assertThat(path).isDirectory();
        }
        assertThat(path).doesNotExist();
    }
}
