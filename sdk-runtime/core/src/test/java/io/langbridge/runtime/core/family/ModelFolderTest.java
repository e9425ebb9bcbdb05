package io.langbridge.runtime.core.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.TestTensors;
import io.langbridge.runtime.core.network.AdapterConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFolderTest {
    @TempDir
    Path temp;

    private Path folder;

    @BeforeEach
    void writeModel() {
        folder = temp.resolve("model");
        TinyModel.authors(folder, TinyModel.LANGBRIDGE);
    }

    @Test
    void the_authors_layout_with_the_encoder_beside_it_opens() {
        StoredTensor embeddings;
        StoredTensor patches;
        try (ModelFolder model = ModelFolder.open(folder)) {
            assertThat(model.llm().config().modelType()).isEqualTo("llama");
            assertThat(model.llm().weights().names()).hasSize(12).contains("model.norm.weight", "lm_head.weight");
            assertThat(model.adapter().config()).isEqualTo(new AdapterConfig.LangBridge(4, 3, 2, false));
            assertThat(model.adapter().weights().names())
                    .contains("0.weight", "3.bias")
                    .hasSize(6);
            assertThat(model.adapter().vocabularyFile()).isEqualTo(folder.resolve("vocabulary.json"));
            assertThat(model.adapter().elements()).isEqualTo(12 + 3 + 9 + 3 + 6 + 2);
            assertThat(model.pictures()).hasToString(new Tiling.Pad().toString());
            assertThat(model.imagePrompt()).isEqualTo(new ImagePrompt.Splice());
            embeddings = model.llm().weights().get("model.embed_tokens.weight");
            patches = model.vision().weights().get("embeddings.patch_embedding.weight");
            assertThat(patches.toFloats()).hasSize(48);
        }
        assertThatThrownBy(embeddings::toFloats).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(patches::toFloats).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void a_projector_in_a_file_of_its_own_is_found() {
        TinyModel.llama(new TestTensors(), "model.", "lm_head.weight").write(folder.resolve("model.safetensors"));
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("no mm_projector.bin or mm_projector.safetensors");
        TinyModel.langBridge(new TestTensors(), "model.mm_projector.")
                .write(folder.resolve("mm_projector.safetensors"));
        ModelFolder model = ModelFolder.open(folder);
        StoredTensor bias = model.adapter().weights().get("3.bias");
        assertThat(bias.toFloats()).containsExactly(0, 1);
        model.close();
        assertThatThrownBy(bias::toFloats).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void a_missing_encoder_is_reported_and_can_be_passed() throws IOException {
        Files.move(temp.resolve("tiny-clip"), temp.resolve("elsewhere"));
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("mm_vision_tower' is 'openai/tiny-clip'");
        ModelFolder.open(folder, temp.resolve("elsewhere")).close();
    }

    @Test
    void an_encoder_of_another_size_is_refused() {
        TinyModel.write(
                folder.resolve("config.json"),
                TinyModel.LANGBRIDGE.replace("mm_hidden_size\":4", "mm_hidden_size\":5"));
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("model.mm_projector.0.weight")
                .hasMessageContaining("[3, 4]")
                .hasMessageContaining("[3, 5]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"identity", "mlp2x_res2x_gelu", "ldpnet", "resampler", "mlp0x_gelu"})
    void another_adapter_is_unsupported(String type) {
        TinyModel.write(folder.resolve("config.json"), TinyModel.LANGBRIDGE.replace("mm_vocab\"", type + "\""));
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("'" + type + "'")
                .hasMessageContaining("mm_vocab");
    }

    @Test
    void another_architecture_is_unsupported() {
        TinyModel.write(folder.resolve("config.json"), "\"architectures\":[\"MolmoForCausalLM\"]");
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("MolmoForCausalLM")
                .hasMessageContaining("LlavaQwenForCausalLM");
    }

    @Test
    void a_vocabulary_of_another_size_is_refused() {
        TinyModel.write(folder.resolve("vocabulary.json"), "\"a\":0");
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("has 1 tokens, but the adapter has 2 columns");
    }

    @Test
    void a_vocabulary_of_another_name_is_found_by_its_size() throws IOException {
        Files.move(folder.resolve("vocabulary.json"), folder.resolve("tokens.json"));
        TinyModel.write(folder.resolve("other.json"), "\"a\":\"x\",\"b\":\"y\"");
        try (ModelFolder model = ModelFolder.open(folder)) {
            assertThat(model.adapter().vocabularyFile()).isEqualTo(folder.resolve("tokens.json"));
        }
        TinyModel.write(folder.resolve("other.json"), "\"a\":1,\"b\":2");
        assertThatThrownBy(() -> ModelFolder.open(folder)).hasMessageContaining("2 files that could be");
        Files.delete(folder.resolve("other.json"));
        Files.delete(folder.resolve("tokens.json"));
        assertThatThrownBy(() -> ModelFolder.open(folder)).hasMessageContaining("neither a shared vocabulary");
    }

    @Test
    void an_adapter_alone_takes_its_sizes_from_its_weights() {
        Path file = TinyModel.langBridge(new TestTensors(), "model.mm_projector.")
                .write(temp.resolve("adapter/mm_projector.safetensors"));
        for (Path path : new Path[] {file, file.getParent()}) {
            try (AdapterPart adapter = AdapterPart.open(path)) {
                assertThat(adapter.config()).isEqualTo(new AdapterConfig.LangBridge(4, 3, 2, false));
                assertThat(adapter.tiling()).isNull();
            }
        }
        assertThatThrownBy(() -> AdapterPart.open(temp.resolve("tiny-clip")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("There is no adapter");
        assertThatThrownBy(() -> AdapterPart.open(temp))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("looked for mm_projector.safetensors, mm_projector.bin");
    }

    @Test
    void a_language_model_that_does_not_fit_its_configuration_is_refused() {
        TinyModel.write(
                folder.resolve("config.json"), TinyModel.LANGBRIDGE.replace("vocab_size\":6", "vocab_size\":7"));
        assertThatThrownBy(() -> LlmPart.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("model.embed_tokens.weight")
                .hasMessageContaining("[6, 4]")
                .hasMessageContaining("[7, 4]");
        TinyModel.write(
                folder.resolve("config.json"),
                TinyModel.LANGBRIDGE.replace("num_hidden_layers\":1", "num_hidden_layers\":2"));
        assertThatThrownBy(() -> LlmPart.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("no tensor model.layers.1.input_layernorm.weight");
    }

    @Test
    void quantized_weights_are_unsupported() {
        TinyModel.llama(new TestTensors(), "x.", "lm_head.weight")
                .add("model.embed_tokens.weight", "I8", new byte[24], 6, 4)
                .write(folder.resolve("model.safetensors"));
        assertThatThrownBy(() -> LlmPart.open(folder)).hasMessageContaining("two language models");
        new TestTensors()
                .add("model.embed_tokens.weight", "I8", new byte[24], 6, 4)
                .write(folder.resolve("model.safetensors"));
        assertThatThrownBy(() -> LlmPart.open(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("stored as I8");
    }

    @Test
    void an_encoder_whose_preprocessor_gives_another_size_is_refused() {
        Path tower = temp.resolve("tiny-clip");
        TinyModel.write(tower.resolve("preprocessor_config.json"), "\"size\":8,\"crop_size\":8");
        assertThatThrownBy(() -> VisionPart.open(tower))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("8 x 8, but the encoder's image_size is 4");
    }

    @ParameterizedTest
    @CsvSource({
        "vision_tower.vision_model., multi_modal_projector., language_model.model., language_model.lm_head.weight,''",
        "model.vision_tower., model.multi_modal_projector., model.language_model., lm_head.weight, model."
    })
    void both_namings_of_transformers_open(String vision, String projector, String llm, String head, String newline) {
        Path next = temp.resolve("next");
        TestTensors writer = new TestTensors();
        TinyModel.clip(writer, vision);
        TinyModel.llama(writer, llm, head)
                .add(projector + "linear_1.weight", 4, 4)
                .add(projector + "linear_1.bias", 4)
                .add(projector + "linear_2.weight", 4, 4)
                .add(projector + "linear_2.bias", 4)
                .add(newline + "image_newline", 4)
                .write(next.resolve("model.safetensors"));
        TinyModel.write(next.resolve("preprocessor_config.json"), TinyModel.PREPROCESSOR);
        String config = "\"vision_config\":{" + TinyModel.VISION + "},\"text_config\":{" + TinyModel.DECODER
                + "},\"image_token_index\":5,\"image_grid_pinpoints\":[[4,8]]";
        TinyModel.write(
                next.resolve("config.json"), "\"architectures\":[\"LlavaNextForConditionalGeneration\"]," + config);
        try (ModelFolder model = ModelFolder.open(next)) {
            assertThat(model.adapter().config()).isEqualTo(new AdapterConfig.Mlp(4, 4, 2, true));
            assertThat(model.adapter().imageNewline()).isNotNull();
            assertThat(model.imagePrompt()).isEqualTo(new ImagePrompt.Placeholder(5, "<image>"));
            assertThat(model.pictures().needsNewline()).isTrue();
            assertThat(model.llm().weights().contains("lm_head.weight")).isTrue();
        }
        TinyModel.write(next.resolve("config.json"), "\"model_type\":\"llava\"," + config);
        try (ModelFolder model = ModelFolder.open(next)) {
            assertThat(model.pictures()).hasToString(new Tiling.Plain().toString());
        }
        TinyModel.write(
                next.resolve("config.json"), "\"model_type\":\"llava_next\"," + config.replace("[[4,8]]", "[[4,7]]"));
        assertThatThrownBy(() -> ModelFolder.open(next))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("not made of whole tiles of 4");
    }

    @Test
    void tiles_merged_with_a_newline_need_the_newline() {
        TinyModel.write(
                folder.resolve("config.json"),
                TinyModel.LANGBRIDGE.replace("\"pad\"", "\"anyres\"")
                        + ",\"mm_patch_merge_type\":\"spatial_unpad\",\"image_grid_pinpoints\":[[4,8]]");
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("image_newline with 4 elements; it is missing");
    }

    @Test
    void generation_defaults_are_read_and_checked() {
        TinyModel.write(
                folder.resolve("generation_config.json"),
                "\"eos_token_id\":[3,4],\"do_sample\":true,\"temperature\":0.7,\"top_k\":20,\"top_p\":0.8");
        try (LlmPart llm = LlmPart.open(folder)) {
            assertThat(llm.generation().eosTokenIds()).containsExactly(3, 4);
            assertThat(llm.generation().temperature()).isEqualTo(0.7);
            assertThat(llm.generation().minP()).isNull();
        }
        TinyModel.write(folder.resolve("generation_config.json"), "\"top_p\":1.5");
        assertThatThrownBy(() -> LlmPart.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("top_p' is 1.5");
    }
}
