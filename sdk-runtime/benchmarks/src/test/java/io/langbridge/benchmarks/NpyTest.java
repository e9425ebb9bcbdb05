package io.langbridge.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpyTest {
    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("a.npy");
    }

    @Test
    void readsWhatItWrote() throws IOException {
        Npy.write(file, FloatTensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3));

        FloatTensor read = Npy.read(file);

        assertThat(read.shape()).containsExactly(2, 3);
        assertThat(read.toArray()).containsExactly(1, 2, 3, 4, 5, 6);
        // NumPy maps such files, so the values are aligned.
        assertThat((Files.size(file) - 6 * Float.BYTES) % 64).isZero();
    }

    @Test
    void readsOneDimension() throws IOException {
        write("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 7f, 8f);

        assertThat(Npy.read(file).shape()).containsExactly(2);
        assertThat(Npy.read(file).toArray()).containsExactly(7, 8);
    }

    @Test
    void refusesOtherElementsAndWrongSizes() throws IOException {
        write("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", 7f, 8f);
        assertThatThrownBy(() -> Npy.read(file)).hasMessageContaining("float32").hasMessageContaining("a.npy");

        write("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n", 7f, 8f);
        assertThatThrownBy(() -> Npy.read(file)).hasMessageContaining("8 bytes").hasMessageContaining("needs 12");

        Files.writeString(file, "no array at all");
        assertThatThrownBy(() -> Npy.read(file)).hasMessageContaining("no .npy file");
    }

    private void write(String header, float... values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(10 + header.length() + values.length * Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0}).putShort((short) header.length());
        bytes.put(header.getBytes(StandardCharsets.US_ASCII));
        for (float value : values) {
            bytes.putFloat(value);
        }
        Files.write(file, bytes.array());
    }
}
