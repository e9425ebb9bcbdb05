package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URISyntaxException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
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

    @Test
    void a_negative_bit_turns_the_sign() {
        try (Weights zip = Checkpoints.open(resource("negative.pt"));
                Weights legacy = Checkpoints.open(resource("negative.legacy.pt"))) {
            assertThat(zip.get("a").toFloats()).containsExactly(0.08988532f, -0.5099618f, -0.40877149f);
            assertThat(legacy.get("a").toFloats()).containsExactly(0.10017234f, -0.06194108f, -0.862567f);
            assertThat(zip.get("a").offset()).isNull(); // an engine would map it with the wrong sign
            assertThat(zip.get("b").toFloats()).containsExactly(1, 2);
            assertThat(legacy.get("b").toFloats()).containsExactly(1, 2);
        }
    }

    private static final String TENSOR = "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\n"
            + "X\1\0\0\0000X\3\0\0\0cpuK\1tQK\0K\1\205K\1\205";

    /** A file with a tensor of the value 1, with arguments that follow its strides. */
    private Path tensor(String key, String arguments) throws IOException {
        return legacy("}" + key + TENSOR + arguments + "tRs.\u0080\2]X\1\0\0\0000a." + "\1\0\0\0\0\0\0\0\0\0\u0080\77");
    }

    private Path legacy(String pickle) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(Files.readAllBytes(resource("mixed.legacy.pt")), 0, 137); // magic number, version, system
        bytes.write(("\u0080\2" + pickle).getBytes(StandardCharsets.ISO_8859_1));
        return TestTensors.writeBytes(folder.resolve("made.pt"), bytes.toByteArray());
    }

    @ParameterizedTest
    @CsvSource({"'',1", "N,1", "},1", "}X\3\0\0\0neg\u0089s,1", "}X\4\0\0\0conj\u0089s,1", "}X\3\0\0\0neg\u0088s,-1"})
    void metadata_that_says_how_to_read_a_tensor_is_honoured(String metadata, float expected) throws IOException {
        try (Weights weights = Checkpoints.open(tensor("X\1\0\0\0a", "\u0089}" + metadata))) {
            assertThat(weights.get("a").toFloats()).containsExactly(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "}}X\4\0\0\0conj\u0088s, conjugate bit",
        "}}X\5\0\0\0otherK\1s, metadata 'other'",
        "'}K\1', metadata of an unknown kind",
        "'}NK\1', 8 arguments",
        "}X\1\0\0\0hK\1s, hooks"
    })
    void what_else_is_said_about_a_tensor_is_refused_by_name(String arguments, String expected) throws IOException {
        Path file = tensor("X\1\0\0\0a", "\u0089" + arguments);
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(expected);
    }

    @Test
    void an_expanded_view_takes_no_more_memory_than_its_file() {
        assertThatThrownBy(() -> Checkpoints.open(resource("expanded.legacy.pt")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("repeats the 1 elements of its storage");
    }

    @ParameterizedTest
    @ValueSource(strings = {"]", "2", "(", "\u0094"})
    void small_steps_cannot_fill_the_memory(String opcode) throws IOException {
        char[] steps = new char[3_000_000];
        Arrays.fill(steps, opcode.charAt(0));
        Path file = legacy("K\1" + new String(steps) + ".");
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("more than 2000000 values");
    }

    @Test
    void long_names_and_texts_are_refused_before_they_are_made() throws IOException {
        char[] key = new char[20_000];
        Arrays.fill(key, 'k');
        Path name = tensor("X\40\116\0\0" + new String(key), "\u0089}");
        assertThatThrownBy(() -> Checkpoints.open(name))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("one has 20000 characters");
        Path text = legacy("X\0\0\0\5");
        try (RandomAccessFile sparse = new RandomAccessFile(text.toFile(), "rw")) {
            sparse.setLength(200L << 20);
        }
        assertThatThrownBy(() -> Checkpoints.open(text))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("begins a text of 83886080 bytes");
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "there are no pipes in folders there")
    void a_pipe_is_not_waited_for() throws IOException, InterruptedException {
        Path pipe = folder.resolve("model.safetensors");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        assertThatThrownBy(() -> Checkpoints.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("not a regular file");
    }
}
