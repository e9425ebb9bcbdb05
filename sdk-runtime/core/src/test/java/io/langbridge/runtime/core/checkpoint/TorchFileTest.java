package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TorchFileTest {
    @TempDir
    Path folder;

    private static Path resource(String name) {
        try {
            return Path.of(
                    TorchFileTest.class.getResource("/torch-files/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @CsvSource({"mixed.pt, mixed/", "mixed.legacy.pt, mixed/", "nested.pt, nested/", "tensor.pt, tensor"})
    void reads_what_torch_reads(String file, String prefix) {
        try (Weights expected = Checkpoints.open(resource("expected.safetensors"));
                Weights actual = Checkpoints.open(resource(file))) {
            Weights values = expected.under(prefix);
            assertThat(actual.names()).containsExactlyInAnyOrderElementsOf(values.names());
            for (String name : values.names()) {
                StoredTensor tensor = actual.get(name, values.get(name).shape());
                assertThat(tensor.dtype()).as(name).isEqualTo(values.get(name).dtype());
                assertThat(tensor.toFloats())
                        .as(name)
                        .containsExactly(values.get(name).toFloats());
            }
        }
    }

    @Test
    void part_of_a_strided_view_can_be_read() {
        try (Weights weights = Checkpoints.open(resource("mixed.pt"))) {
            StoredTensor transposed = weights.get("transposed", 8, 6);
            assertThat(transposed.offset()).isNull();
            float[] part = new float[7];
            transposed.read(11, FloatBuffer.wrap(part));
            assertThat(part).containsExactly(Arrays.copyOfRange(transposed.toFloats(), 11, 18));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mixed.pt", "mixed.legacy.pt"})
    void plain_tensors_lie_in_the_file_at_their_offset(String file) throws IOException {
        try (Weights weights = Checkpoints.open(resource(file))) {
            StoredTensor int32 = weights.get("int32");
            byte[] bytes = Files.readAllBytes(resource(file));
            int at = Objects.requireNonNull(int32.offset()).intValue();
            assertThat((float) bytes[at]).isEqualTo(int32.toFloats()[0]);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mixed.pt", "mixed.legacy.pt"})
    void reading_after_close_is_an_error(String file) {
        Weights weights = Checkpoints.open(resource(file));
        StoredTensor plain = weights.get("plain");
        StoredTensor transposed = weights.get("transposed");
        transposed.toFloats();
        weights.close();
        assertThatThrownBy(plain::toFloats).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(transposed::toFloats).isInstanceOf(IllegalStateException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"foreign-global.pt", "foreign-global.legacy.pt"})
    void a_foreign_global_is_refused_by_name(String file) {
        assertThatThrownBy(() -> Checkpoints.open(resource(file)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(file)
                .hasMessageContaining("posixpath.join");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mixed.pt", "mixed.legacy.pt", "tensor.pt"})
    void files_cut_off_anywhere_are_refused(String name) throws IOException {
        byte[] whole = Files.readAllBytes(resource(name));
        for (int length = 0; length < whole.length; length += 23) {
            Path cut = TestTensors.writeBytes(folder.resolve("cut.pt"), Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> Checkpoints.open(cut))
                    .as("%d bytes", length)
                    .isInstanceOf(CheckpointException.class);
        }
        assertThatThrownBy(() -> Checkpoints.open(resource("truncated.pt")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("truncated");
    }

    @ParameterizedTest
    @ValueSource(strings = {"mixed.pt", "mixed.legacy.pt"})
    void a_damaged_byte_gives_an_error_or_other_numbers_but_nothing_worse(String name) throws IOException {
        byte[] whole = Files.readAllBytes(resource(name));
        for (int i = 0; i < whole.length; i += 11) {
            byte[] damaged = whole.clone();
            damaged[i] ^= (byte) 0xa5;
            Path file = TestTensors.writeBytes(folder.resolve("damaged.pt"), damaged);
            try (Weights weights = Checkpoints.open(file)) {
                for (String tensor : weights.names()) {
                    if (weights.get(tensor).elements() < 1000) {
                        weights.get(tensor).toFloats();
                    }
                }
            } catch (CheckpointException expected) {
                assertThat(expected).hasMessageContaining("damaged.pt");
            }
        }
    }

    @Test
    void a_file_of_another_kind_is_refused() {
        Path file = TestTensors.writeText(folder.resolve("pytorch_model.bin"), "just some text");
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("neither like a zip file nor like a pickle");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "]q\0h\0a.", // a list that holds itself
                "cos\nsystem\n.",
                "ctorch._utils\n_rebuild_tensor_v2\n)R.",
                "ccollections\nOrderedDict\nK\1\205R.",
                "K\1K\2b.",
                "}]K\1s.",
                "h\5.",
                "t.",
                "(.",
                "K\1\u0081.",
                "X\377\377\377\377a.",
                "B\377\377\377\377a.",
                "\u008d\377\377\377\377\377\377\377\177a.",
                "X\0\0\0\0Q."
            })
    void pickles_that_are_not_tensors_are_refused(String pickle) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] legacy = Files.readAllBytes(resource("mixed.legacy.pt"));
        bytes.write(legacy, 0, 137); // magic number, version, system
        bytes.write(("\u0080\2" + pickle + "\u0080\2].").getBytes(StandardCharsets.ISO_8859_1));
        Path file = TestTensors.writeBytes(folder.resolve("odd.pt"), bytes.toByteArray());
        if (pickle.equals("(.")) {
            // A lone mark is a value without tensors.
            Checkpoints.open(file).close();
            return;
        }
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("odd.pt");
    }

    @Test
    void lists_that_share_each_other_do_not_unfold_without_end() throws IOException {
        StringBuilder pickle = new StringBuilder("\u0080\2]");
        for (int i = 0; i < 60; i++) {
            pickle.append("q\0]h\0ah\0a"); // a new list with the last one twice
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(Files.readAllBytes(resource("mixed.legacy.pt")), 0, 137);
        bytes.write((pickle + ".\u0080\2].").getBytes(StandardCharsets.ISO_8859_1));
        Path file = TestTensors.writeBytes(folder.resolve("bomb.pt"), bytes.toByteArray());
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("300000 values");
    }

    @Test
    void a_folder_with_a_sharded_set_is_read() throws IOException {
        Files.copy(resource("nested.pt"), folder.resolve("pytorch_model-00001-of-00001.bin"));
        TestTensors.writeText(
                folder.resolve("pytorch_model.bin.index.json"),
                "{\"weight_map\":{\"state_dict.w\":\"pytorch_model-00001-of-00001.bin\"}}");
        try (Weights weights = Checkpoints.open(folder)) {
            assertThat(weights.names()).containsExactly("state_dict.w");
        }
    }
}
