package io.langbridge.runtime.core.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    @Test
    void reads_any_part_of_a_tensor() {
        Path file = new TestTensors().add("a", 3).add("b", 2, 4).write(folder.resolve("model.safetensors"));
        try (Weights weights = Checkpoints.open(folder)) {
            assertThat(weights.names()).containsExactly("a", "b");
            StoredTensor b = weights.get("b", 2, 4);
            float[] part = new float[3];
            b.read(4, FloatBuffer.wrap(part));
            assertThat(part).containsExactly(4, 5, 6);
            assertThat(b.toFloats()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
            assertThat(b.file()).isEqualTo(file);
            assertThat(b.offset()).isEqualTo(file.toFile().length() - 32);
            assertThatThrownBy(() -> b.read(6, FloatBuffer.wrap(part))).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void a_kernel_over_frames_is_summed_where_a_still_is_in_all_of_them() {
        // Two outputs, three channels, two frames of 1 x 2: values count up from 0.
        new TestTensors().add("kernel", 2, 3, 2, 1, 2).add("other", 2).write(folder.resolve("model.safetensors"));
        try (Weights all = Checkpoints.open(folder)) {
            Weights weights = Checkpoints.summedFrames(all, "kernel", 2, 3, 2, 1, 2);
            assertThat(weights.names()).containsExactly("kernel", "other");
            StoredTensor summed = weights.get("kernel", 2, 6);
            assertThat(summed.toFloats()).containsExactly(2, 4, 10, 12, 18, 20, 26, 28, 34, 36, 42, 44);
            float[] part = new float[4];
            summed.read(3, FloatBuffer.wrap(part));
            assertThat(part).containsExactly(12, 18, 20, 26);
            assertThat(summed.offset()).isNull();
            assertThatThrownBy(() -> summed.read(9, FloatBuffer.wrap(part)))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> Checkpoints.summedFrames(all, "kernel", 2, 3, 1, 2, 2))
                    .isInstanceOf(CheckpointException.class);
        }
    }

    @Test
    void reads_more_than_one_chunk() {
        new TestTensors().add("big", 200_001).write(folder.resolve("model.safetensors"));
        try (Weights weights = Checkpoints.open(folder)) {
            float[] values = weights.get("big").toFloats();
            assertThat(values[65_536]).isEqualTo(65_536);
            assertThat(values[200_000]).isEqualTo(200_000);
        }
    }

    @Test
    void widens_every_element_type() {
        byte[] f64 = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putDouble(-1.5)
                .array();
        byte[] i64 = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(-7)
                .array();
        new TestTensors()
                .add("f64", "F64", f64, 1)
                .add("bf16", "BF16", new byte[] {(byte) 0xc0, 0x3f}, 1)
                .add("f16", "F16", new byte[] {0x00, 0x3e, 0x01, 0x00, 0x00, (byte) 0xfc, (byte) 0xff, 0x7b}, 4)
                .add("i64", "I64", i64, 1)
                .add("i32", "I32", new byte[] {(byte) 0xfe, -1, -1, -1}, 1)
                .add("i16", "I16", new byte[] {(byte) 0xfd, -1}, 1)
                .add("i8", "I8", new byte[] {-1}, 1)
                .add("u8", "U8", new byte[] {-1}, 1)
                .add("bool", "BOOL", new byte[] {1, 0}, 2)
                .add("scalar")
                .add("empty", 0, 4)
                .write(folder.resolve("model.safetensors"));
        try (Weights weights = Checkpoints.open(folder)) {
            assertThat(weights.get("f64").toFloats()).containsExactly(-1.5f);
            assertThat(weights.get("bf16").toFloats()).containsExactly(1.5f);
            assertThat(weights.get("f16").toFloats()).containsExactly(1.5f, 0x1p-24f, Float.NEGATIVE_INFINITY, 65504f);
            assertThat(weights.get("i64").toFloats()).containsExactly(-7);
            assertThat(weights.get("i32").toFloats()).containsExactly(-2);
            assertThat(weights.get("i16").toFloats()).containsExactly(-3);
            assertThat(weights.get("i8").toFloats()).containsExactly(-1);
            assertThat(weights.get("u8").toFloats()).containsExactly(255);
            assertThat(weights.get("bool").toFloats()).containsExactly(1, 0);
            assertThat(weights.get("scalar").toFloats()).containsExactly(0);
            assertThat(weights.get("empty").toFloats()).isEmpty();
        }
    }

    @Test
    void half_of_not_a_number_stays_not_a_number() {
        assertThat(Widening.halfToFloat((short) 0x7e00)).isNaN();
        assertThat(Widening.halfToFloat((short) 0x8000)).isEqualTo(-0.0f);
    }

    @Test
    void reading_after_close_is_an_error() {
        new TestTensors().add("a", 3).write(folder.resolve("model.safetensors"));
        Weights weights = Checkpoints.open(folder);
        StoredTensor a = weights.get("a");
        weights.close();
        weights.close();
        assertThatThrownBy(a::toFloats)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("model.safetensors are closed");
    }

    @Test
    void a_file_that_shrinks_while_open_is_an_error() throws IOException {
        Path file = new TestTensors().add("a", 3000).write(folder.resolve("model.safetensors"));
        try (Weights weights = Checkpoints.open(file)) {
            Files.write(file, new byte[20]);
            assertThatThrownBy(() -> weights.get("a").toFloats())
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("truncated");
        }
    }

    @Test
    void a_view_strips_the_prefix_and_keeps_the_full_name_for_messages() {
        new TestTensors().add("x.a", 1).add("y.a", 2).write(folder.resolve("model.safetensors"));
        try (Weights weights = Checkpoints.open(folder)) {
            Weights x = weights.under("x.");
            assertThat(x.names()).containsExactly("a");
            assertThat(x.get("a").name()).isEqualTo("x.a");
            x.close();
            assertThat(x.get("a").toFloats()).containsExactly(0);
        }
    }

    @Test
    void a_missing_tensor_is_reported_with_the_closest_names() {
        new TestTensors().add("model.norm.weight", 1).add("other", 2).write(folder.resolve("model.safetensors"));
        try (Weights weights = Checkpoints.open(folder)) {
            assertThatThrownBy(() -> weights.get("norm.weight"))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("no tensor norm.weight")
                    .hasMessageContaining("model.norm.weight, other");
            assertThatThrownBy(() -> weights.get("other", 3))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("[2]")
                    .hasMessageContaining("[3]");
        }
    }

    @Test
    void an_empty_folder_is_reported_with_what_was_looked_for() {
        assertThatThrownBy(() -> Checkpoints.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("model.safetensors, model.safetensors.index.json, pytorch_model.bin");
        assertThatThrownBy(() -> Checkpoints.open(folder.resolve("none.safetensors")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("There is no file");
    }

    @Test
    void truncated_files_are_refused() throws IOException {
        Path whole = new TestTensors().add("a", 3).write(folder.resolve("whole.safetensors"));
        byte[] bytes = Files.readAllBytes(whole);
        for (int length = 0; length < bytes.length; length++) {
            Path cut = TestTensors.writeBytes(folder.resolve("cut.safetensors"), Arrays.copyOf(bytes, length));
            assertThatThrownBy(() -> Checkpoints.open(cut)).isInstanceOf(CheckpointException.class);
        }
    }

    @Test
    void a_header_length_that_lies_is_refused() {
        byte[] bytes = ByteBuffer.allocate(100)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(1000)
                .array();
        Path file = TestTensors.writeBytes(folder.resolve("a.safetensors"), bytes);
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("header should have 1000 bytes, but the whole file has 100");

        Arrays.fill(bytes, (byte) -1);
        TestTensors.writeBytes(file, bytes);
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("18446744073709551615")
                .hasMessageContaining("100000000");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{",
                "{\"a\":1}",
                "{\"a\":null}",
                "not json",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8.5]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                        + "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                        + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}"
            })
    void impossible_headers_are_refused(String header) {
        Path file = TestTensors.write(folder.resolve("a.safetensors"), header, new byte[8]);
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("a.safetensors");
    }

    @Test
    void overlap_is_named() {
        Path file = TestTensors.write(
                folder.resolve("a.safetensors"),
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                        + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}",
                new byte[12]);
        assertThatThrownBy(() -> Checkpoints.open(file))
                .hasMessageContaining("Tensor b")
                .hasMessageContaining("starts at data byte 4, but tensor a ends at 8: they overlap");
    }

    @Test
    void an_unknown_element_type_is_unsupported() {
        Path file = TestTensors.write(
                folder.resolve("a.safetensors"),
                "{\"a\":{\"dtype\":\"F8_E8M0\",\"shape\":[2],\"data_offsets\":[0,2]}}",
                new byte[2]);
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("F8_E8M0")
                .hasMessageContaining("BF16");
    }

    @Test
    void a_git_lfs_pointer_is_recognised() {
        Path file = TestTensors.writeText(
                folder.resolve("a.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
        assertThatThrownBy(() -> Checkpoints.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("git lfs pull");
    }

    @Test
    void reads_a_sharded_set() {
        new TestTensors().add("a", 1).write(folder.resolve("model-00001-of-00002.safetensors"));
        new TestTensors().add("b", 2).add("c", 3).write(folder.resolve("model-00002-of-00002.safetensors"));
        index("{\"a\":\"model-00001-of-00002.safetensors\",\"b\":\"model-00002-of-00002.safetensors\"}");
        Weights weights = Checkpoints.open(folder);
        assertThat(weights.names()).containsExactlyInAnyOrder("a", "b");
        StoredTensor b = weights.get("b");
        assertThat(b.toFloats()).containsExactly(0, 1);
        weights.close();
        assertThatThrownBy(b::toFloats).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void a_missing_shard_is_named() {
        new TestTensors().add("a", 1).write(folder.resolve("one.safetensors"));
        index("{\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"}");
        assertThatThrownBy(() -> Checkpoints.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("names 2 files, of which 1 are missing: two.safetensors");
    }

    @Test
    void a_tensor_that_is_not_in_its_shard_is_named() {
        new TestTensors().add("a", 1).write(folder.resolve("one.safetensors"));
        index("{\"a\":\"one.safetensors\",\"b\":\"one.safetensors\"}");
        assertThatThrownBy(() -> Checkpoints.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tensor b is in one.safetensors, but it is not");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../one.safetensors", "sub/../../one.safetensors", "/etc/one.safetensors", "one.json", ""})
    void an_index_that_points_elsewhere_is_refused(String shard) {
        Path inner = folder.resolve("inner");
        new TestTensors().add("a", 1).write(folder.resolve("one.safetensors"));
        TestTensors.writeText(
                inner.resolve("model.safetensors.index.json"), "{\"weight_map\":{\"a\":\"" + shard + "\"}}");
        assertThatThrownBy(() -> Checkpoints.open(inner))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("inside its own folder");
    }

    @Test
    void an_index_without_a_map_is_refused() {
        TestTensors.writeText(folder.resolve("model.safetensors.index.json"), "{}");
        assertThatThrownBy(() -> Checkpoints.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("weight_map");
    }

    private void index(String map) {
        TestTensors.writeText(
                folder.resolve("model.safetensors.index.json"), "{\"metadata\":{},\"weight_map\":" + map + "}");
    }

    @Test
    void a_stored_tensor_is_written_bit_for_bit() {
        byte[] nan = {1, 0, (byte) 0xc0, 0x7f, 0, (byte) 0x80, 1, 0};
        Path first = new TestTensors()
                .add("a \"quoted\" näme", "F32", nan, 2)
                .add("halves", "BF16", new byte[] {1, 2, 3, 4, 5, 6}, 3, 1)
                .add("empty", "I64", new byte[0], 0, 4)
                .write(folder.resolve("first.safetensors"));
        try (Weights weights = Checkpoints.open(first)) {
            SafetensorsWriter writer = new SafetensorsWriter();
            weights.names().forEach(name -> writer.add(name, weights.get(name)));
            Path second = writer.write(folder.resolve("second.safetensors"));
            assertThat(second).hasSameBinaryContentAs(first);
        }
    }

    @Test
    void a_tensor_with_too_few_bytes_is_a_mistake_and_leaves_no_file() {
        SafetensorsWriter writer = new SafetensorsWriter().add("a", FloatBuffer.allocate(3), 2, 2);
        assertThatIllegalStateException()
                .isThrownBy(() -> writer.write(folder.resolve("a.safetensors")))
                .withMessage("Tensor a should have 16 bytes and has 12");
        assertThat(folder).isEmptyDirectory();
        assertThatIllegalArgumentException().isThrownBy(() -> writer.add("a", FloatBuffer.allocate(1), 1));
    }
}
