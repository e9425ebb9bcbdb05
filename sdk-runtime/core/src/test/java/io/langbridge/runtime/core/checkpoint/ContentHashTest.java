package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContentHashTest {
    @TempDir
    Path folder;

    @Test
    void whatAViewMakesOfATensorIsTold() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(6 * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(new float[] {0, 1, 2, 3, 4, 5});
        Path path = Files.write(folder.resolve("values"), bytes.array());
        try (OpenFile file = OpenFile.open(path)) {
            String plain = hash(file, false, 2, 1);
            assertThat(hash(file, false, 2, 1)).isEqualTo(plain);
            assertThat(hash(file, false, 1, 3)).isNotEqualTo(plain);
            assertThat(hash(file, true, 2, 1)).isNotEqualTo(plain);
        }
    }

    private static String hash(OpenFile file, boolean negative, long... strides) {
        return ContentHash.ofSome(new FileTensor("matrix", file, DType.F32, new long[] {3, 2}, 0, strides, negative));
    }
}
