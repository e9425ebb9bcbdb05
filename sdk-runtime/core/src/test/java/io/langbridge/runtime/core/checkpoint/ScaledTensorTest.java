package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class ScaledTensorTest {
    @TempDir
    Path folder;

    @Test
    @DisabledOnOs(OS.WINDOWS) // nothing is moved to the place of a file that is open
    void theFileOfTheScaleMustBeInPlaceToo() throws IOException {
        Path matrices = new TestTensors().add("matrix", 4, 4).write(folder.resolve("matrices.safetensors"));
        Path scales = new TestTensors().add("scale", 2, 2).write(folder.resolve("scales.safetensors"));
        try (Weights matrix = Checkpoints.open(matrices);
                Weights scale = Checkpoints.open(scales)) {
            StoredTensor scaled = Checkpoints.scaled(matrix.get("matrix"), scale.get("scale"), 2, 2);
            scaled.requireInPlace();
            assertThat(scaled.toFloats()).startsWith(0, 0, 2, 3);
            Path other = new TestTensors().add("scale", 2, 2).write(folder.resolve("other.safetensors"));
            Files.move(other, scales, StandardCopyOption.REPLACE_EXISTING);
            scaled.requireUnchanged(); // what is open is still the old one
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(scaled::requireInPlace)
                    .withMessageContaining(scales.toString());
        }
    }
}
