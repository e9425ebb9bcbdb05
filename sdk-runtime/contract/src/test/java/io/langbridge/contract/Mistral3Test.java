package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.family.ModelFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ministral 3 in the layouts that it is published in, and what is wrong with a folder. */
class Mistral3Test {
    private static final String MATRIX = "language_model.model.layers.1.mlp.up_proj.weight";
    private static final int ROWS = 56;
    private static final int COLUMNS = 32;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        Path bundled = Fixtures.bundled(scratch.resolve("bundled")).resolve("families/ministral3/checkpoint");
        folder = scratch.resolve("model");
        Fixtures.copy(bundled, folder);
    }

    private void replace(String file, String old, String now) throws IOException {
        String text = Files.readString(folder.resolve(file));
        assertThat(text).contains(old);
        Files.writeString(folder.resolve(file), text.replace(old, now));
    }

    /** One matrix in 8 bits: byte i of it is i, and with it come other tensors. */
    private void inEightBits(String block, Function<SafetensorsWriter, SafetensorsWriter> more) throws IOException {
        Path now = scratch.resolve("now.safetensors");
        byte[] bytes = new byte[ROWS * COLUMNS];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i % 127);
        }
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Weights weights = Checkpoints.open(folder.resolve("model.safetensors"))) {
            for (String name : weights.names()) {
                if (!name.equals(MATRIX)) {
                    writer.add(name, weights.get(name));
                }
            }
            writer.add(MATRIX, DType.F8_E4M3, channel -> channel.write(ByteBuffer.wrap(bytes)), ROWS, COLUMNS);
            more.apply(writer).write(now);
        }
        Files.copy(now, folder.resolve("model.safetensors"), StandardCopyOption.REPLACE_EXISTING);
        replace(
                "config.json",
                "\"dtype\": \"float32\",\n  \"image_token_index\"",
                "\"quantization_config\": {\"quant_method\": \"fp8\", \"weight_block_size\": " + block + "},\n"
                        + "  \"image_token_index\"");
    }

    private float[] read() {
        try (ModelFolder model = ModelFolder.open(folder)) {
            return model.llm()
                    .weights()
                    .get("model.layers.1.mlp.up_proj.weight")
                    .toFloats();
        }
    }

    /** A sign, four bits of exponent with a bias of 7, three of fraction. */
    private static double value(int bits) {
        int exponent = bits >> 3;
        return exponent == 0 ? (bits & 7) / 8.0 / 64 : (1 + (bits & 7) / 8.0) * Math.pow(2, exponent - 7);
    }

    @Test
    void weightsInEightBitsAreWidenedWithTheirScale() throws IOException {
        inEightBits(
                "null",
                writer -> writer.add(MATRIX + "_scale_inv", FloatBuffer.wrap(new float[] {0.5f}))
                        .add(MATRIX.replace(".weight", ".activation_scale"), FloatBuffer.wrap(new float[] {3})));
        float[] widened = read();
        for (int i = 0; i < widened.length; i++) {
            assertThat(widened[i]).isEqualTo((float) (value(i % 127) / 2));
        }
    }

    @Test
    void andWithAScaleForEachBlockOfThem() throws IOException {
        float[] scales = new float[3 * 2];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = 1 << i;
        }
        inEightBits("[24, 20]", writer -> writer.add(MATRIX + "_scale_inv", FloatBuffer.wrap(scales), 3, 2));
        float[] widened = read();
        for (int i = 0; i < widened.length; i++) {
            int block = i / COLUMNS / 24 * 2 + i % COLUMNS / 20;
            assertThat(widened[i]).isEqualTo((float) value(i % 127) * scales[block]);
        }
    }

    @Test
    void aScaleThatIsMissingOrDoesNotFitIsNamed() throws IOException {
        inEightBits("[24, 20]", writer -> writer.add(MATRIX + "_scale_inv", FloatBuffer.allocate(2), 2, 1));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(this::read)
                .withMessageContainingAll(MATRIX + "_scale_inv", "[2, 1]", "[3, 2]", "weight_block_size");
        Path bare = scratch.resolve("bare.safetensors");
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Weights weights = Checkpoints.open(folder.resolve("model.safetensors"))) {
            weights.names().stream()
                    .filter(name -> !name.endsWith("_scale_inv"))
                    .forEach(name -> writer.add(name, weights.get(name)));
            writer.write(bare);
        }
        Files.copy(bare, folder.resolve("model.safetensors"), StandardCopyOption.REPLACE_EXISTING);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(this::read)
                .withMessageContainingAll(MATRIX, "F8_E4M3", MATRIX + "_scale_inv");
    }

    @Test
    void namesAreThoseOfOldAndNewFiles() throws IOException {
        Path renamed = scratch.resolve("renamed.safetensors");
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Weights weights = Checkpoints.open(folder.resolve("model.safetensors"))) {
            for (String name : weights.names()) {
                writer.add("model." + name.replace("language_model.model.", "language_model."), weights.get(name));
            }
            writer.write(renamed);
        }
        try (ModelFolder before = ModelFolder.open(folder)) {
            Files.copy(renamed, folder.resolve("model.safetensors"), StandardCopyOption.REPLACE_EXISTING);
            try (ModelFolder after = ModelFolder.open(folder)) {
                assertThat(after.llm().elements()).isEqualTo(before.llm().elements());
                assertThat(after.vision().elements()).isEqualTo(before.vision().elements());
                assertThat(after.adapter().elements())
                        .isEqualTo(before.adapter().elements());
            }
        }
    }

    @Test
    void whatChangesTheNetworkAndIsNotSupportedIsRefusedByName() throws IOException {
        refused("\"vision_feature_layer\": -1", "\"vision_feature_layer\": [-1, -2]", "vision_feature_layer");
        refused("\"model_type\": \"pixtral\"", "\"model_type\": \"siglip_vision_model\"", "siglip_vision_model");
        refused("\"projector_hidden_act\": \"gelu\"", "\"projector_hidden_act\": \"relu\"", "projector_hidden_act");
    }

    @Test
    void whatDoesNotFitTogetherIsNamed() throws IOException {
        damaged("config.json", "\"vision_feature_layer\": -1", "\"vision_feature_layer\": -9", "vision_feature_layer");
        damaged(
                "processor_config.json",
                "\"spatial_merge_size\": 2",
                "\"spatial_merge_size\": 3",
                "spatial_merge_size");
        damaged("config.json", "\"spatial_merge_size\": 2", "\"spatial_merge_size\": 4", "spatial_merge_size");
        damaged("config.json", "\"patch_size\": 4", "\"patch_size\": 8", "patch_");
    }

    private void refused(String old, String now, String named) throws IOException {
        replace("config.json", old, now);
        assertThatExceptionOfType(UnsupportedModelException.class)
                .isThrownBy(() -> ModelFolder.open(folder))
                .withMessageContaining(named);
        replace("config.json", now, old);
    }

    private void damaged(String file, String old, String now, String named) throws IOException {
        replace(file, old, now);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ModelFolder.open(folder))
                .withMessageContaining(named);
        replace(file, now, old);
    }
}
