package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.SafetensorsWriter;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.family.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Gemma 3 in the layouts that it is published in. */
class Gemma3Test {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    @SuppressWarnings("NullAway.Init")
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        Path bundled = Fixtures.bundled(scratch.resolve("bundled")).resolve("families/gemma3/checkpoint");
        folder = scratch.resolve("model");
        Fixtures.copy(bundled, folder);
    }

    private void replace(String file, String old, String now) throws IOException {
        String text = Files.readString(folder.resolve(file));
        assertThat(text).contains(old);
        Files.writeString(folder.resolve(file), text.replace(old, now));
    }

    @Test
    void namesOfTransformers5AreTheSameModel() throws IOException {
        Path file = folder.resolve("model.safetensors");
        SafetensorsWriter writer = new SafetensorsWriter();
        Path renamed = scratch.resolve("renamed.safetensors");
        try (Weights weights = Checkpoints.open(file)) {
            for (String name : weights.names()) {
                String now = name.startsWith("language_model.model.")
                        ? name.replace("language_model.model.", "model.language_model.")
                        : "model." + name.replace("vision_tower.", "vision_tower.vision_model.");
                writer.add(now, weights.get(name));
            }
            writer.write(renamed);
        }
        try (ModelFolder before = ModelFolder.open(folder)) {
            Path moved = Files.createDirectory(scratch.resolve("moved"));
            Fixtures.copy(folder, moved);
            Files.copy(renamed, moved.resolve("model.safetensors"), StandardCopyOption.REPLACE_EXISTING);
            try (ModelFolder after = ModelFolder.open(moved)) {
                assertThat(after.llm().weights().names())
                        .isEqualTo(before.llm().weights().names());
                assertThat(after.vision().elements()).isEqualTo(before.vision().elements());
                assertThat(after.imagePrompt()).isEqualTo(before.imagePrompt());
                assertThat(after.llm().config().opensPictures()).isTrue();
            }
        }
    }

    @Test
    void cropsOfPicturesAreRefused() throws IOException {
        replace("processor_config.json", "\"do_convert_rgb\"", "\"do_pan_and_scan\": true, \"do_convert_rgb\"");
        assertThatExceptionOfType(UnsupportedModelException.class)
                .isThrownBy(() -> ModelFolder.open(folder))
                .withMessageContaining("do_pan_and_scan");
    }

    @Test
    void patchesMustShareOutAmongTheVisualTokens() throws IOException {
        replace("config.json", "\"mm_tokens_per_image\": 4", "\"mm_tokens_per_image\": 9");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> ModelFolder.open(folder))
                .withMessageContaining("'mm_tokens_per_image' is 9");
    }
}
