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
    private static final long[] IN_ROWS = {2, 1};
    private static final long[] TRANSPOSED = {1, 3};

    @TempDir
    Path folder;

    @Test
    void onlyTheRowsThatAreNamedCount() throws IOException {
        for (long[] strides : new long[][] {IN_ROWS, TRANSPOSED}) {
            String before = hash(strides, 0, 2, 3, 4, 5, 6);
            assertThat(hash(strides, 0, 2, 3, 4, 5, 6)).isEqualTo(before);
            // Row 1 has the values 2 and 3 of the file, or 1 and 4 if it is transposed; nobody asks for it.
            boolean inRows = strides == IN_ROWS;
            assertThat(hash(strides, 0, 2, inRows ? 9 : 3, 4, inRows ? 5 : 9, 6))
                    .isEqualTo(before);
            assertThat(hash(strides, 0, 2, 3, 4, 5, 9)).isNotEqualTo(before);
        }
    }

    /** Of rows 0 and 2 of a matrix {@code [3, 2]}. */
    private String hash(long[] strides, float... values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        Path path = Files.write(folder.resolve("values"), bytes.array());
        try (OpenFile file = OpenFile.open(path)) {
            FileTensor matrix = new FileTensor("matrix", file, DType.F32, new long[] {3, 2}, 0, strides, false);
            return new ContentHash().addRows(matrix, new int[] {0, 2}).hex();
        }
    }
}
