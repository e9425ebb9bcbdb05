package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.family.ModelFolder;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.State;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Gemma 4 in the layouts that it is published in. */
class Gemma4Test {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        Path bundled = Fixtures.bundled(scratch.resolve("bundled")).resolve("families/gemma4/checkpoint");
        folder = scratch.resolve("model");
        Fixtures.copy(bundled, folder);
    }

    private void replace(String file, String old, String now) throws IOException {
        String text = Files.readString(folder.resolve(file));
        assertThat(text).contains(old);
        Files.writeString(folder.resolve(file), text.replace(old, now));
    }

    @Test
    void whatIsForSoundAndWhatSharedLayersDoNotReadIsLeftAlone() throws IOException {
        Path file = folder.resolve("model.safetensors");
        Path renamed = scratch.resolve("renamed.safetensors");
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Weights weights = Checkpoints.open(file)) {
            for (String name : weights.names()) {
                String now = name.startsWith("model.language_model.")
                        ? name.replace("model.language_model.", "language_model.model.")
                        : name.substring("model.".length());
                writer.add(now, weights.get(name));
            }
            for (String more : new String[] {
                "language_model.model.layers.4.self_attn.k_proj.weight",
                "language_model.model.layers.4.self_attn.k_norm.weight",
                "audio_tower.layers.0.linear.weight",
                "embed_audio.embedding_projection.weight"
            }) {
                writer.add(more, FloatBuffer.allocate(2), 1, 2);
            }
            writer.write(renamed);
        }
        try (ModelFolder before = ModelFolder.open(folder)) {
            replace("config.json", "\"rope_type\": \"axial\"", "\"rope_type\": \"default\"");
            replace("config.json", "\"audio_config\": null", "\"audio_config\": {\"model_type\": \"gemma4_audio\"}");
            Files.copy(renamed, file, StandardCopyOption.REPLACE_EXISTING);
            try (ModelFolder after = ModelFolder.open(folder)) {
                assertThat(after.llm().elements()).isEqualTo(before.llm().elements());
                assertThat(after.vision().elements()).isEqualTo(before.vision().elements());
                assertThat(after.adapter().elements())
                        .isEqualTo(before.adapter().elements());
                assertThat(after.imagePrompt()).isEqualTo(before.imagePrompt());
            }
        }
    }

    @Test
    void aTableOfRowsForEachLayerStaysInItsFileAndSharedLayersKeepNothing() {
        try (ModelFolder model = ModelFolder.open(folder)) {
            Inventory inventory = Inventory.of(model.llm().config().network());
            assertThat(inventory.mapped()).isEqualTo(544 * 5 * 8);
            assertThat(inventory.lookedUp()).isEqualTo(inventory.mapped());
            assertThat(inventory.states())
                    .containsExactly(
                            new State.Keys(1, 16, 12, 1), new State.Keys(1, 32, 0, 2), new State.Keys(1, 16, 12, 2));
        }
    }

    @Test
    void thePreprocessorMayHaveAFileOfItsOwn() throws IOException {
        Files.delete(folder.resolve("processor_config.json"));
        Path file = folder.resolve("preprocessor_config.json");
        Files.writeString(
                file, "{\"image_processor_type\":\"Gemma4ImageProcessor\",\"patch_size\":4,\"max_soft_tokens\":140}");
        try (ModelFolder model = ModelFolder.open(folder)) {
            assertThat(model.pictures().description()).contains("at most 140");
            assertThat(model.pictures().atMost(1200).description()).contains("at most 1120");
        }
        Files.delete(file);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ModelFolder.open(folder))
                .withMessageContaining("preprocessor_config.json");
    }

    @Test
    void theModelWithoutATowerIsRefusedByName() throws IOException {
        replace("config.json", "Gemma4ForConditionalGeneration", "Gemma4UnifiedForConditionalGeneration");
        assertThatExceptionOfType(UnsupportedModelException.class)
                .isThrownBy(() -> ModelFolder.open(folder))
                .withMessageContainingAll("'Gemma4UnifiedForConditionalGeneration'", "Gemma4ForConditionalGeneration");
    }

    @Test
    void weightsThatDoNotFitAreNamedWithBothShapes() throws IOException {
        replace("config.json", "\"hidden_size_per_layer_input\": 8", "\"hidden_size_per_layer_input\": 6");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ModelFolder.open(folder))
                .withMessageContainingAll("embed_tokens_per_layer.weight", "[544, 40]", "[544, 30]");
    }
}
