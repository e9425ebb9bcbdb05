package io.langbridge.runtime.core.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.TestTensors;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What people give in place of a folder that is read: each is said by name, with what to do. */
class FolderTest {
    private static final String LLAMA = "\"model_type\":\"llama\"," + TinyModel.DECODER;

    @TempDir
    Path temp;

    private Path folder;

    @BeforeEach
    void writeModel() {
        folder = temp.resolve("model");
        TinyModel.write(folder.resolve("config.json"), LLAMA);
        weights("lm_head.weight");
    }

    /** With a head of the same values as the embeddings. */
    private void weights(String head) {
        TinyModel.llama(new TestTensors(), "model.", head).write(folder.resolve("model.safetensors"));
    }

    private void weights(String head, float[] values) {
        TinyModel.llama(new TestTensors(), "model.", "unused.weight")
                .add(head, values, 6, 4)
                .write(folder.resolve("model.safetensors"));
    }

    private static String refusal(Path folder, Class<? extends Exception> type) {
        Throwable[] thrown = new Throwable[2];
        for (int i = 0; i < 2; i++) {
            try {
                if (i == 0) {
                    LlmPart.open(folder).close();
                } else {
                    ModelFolder.open(folder).close();
                }
            } catch (RuntimeException e) {
                thrown[i] = e;
            }
        }
        assertThat(thrown[0]).isInstanceOf(type);
        assertThat(thrown[1]).isInstanceOf(type).hasMessage(thrown[0].getMessage());
        return String.valueOf(thrown[0].getMessage());
    }

    @Test
    void a_repository_name_says_how_to_download_it() {
        assertThat(refusal(Path.of("llava-hf/llava-1.5-7b-hf"), CheckpointException.class))
                .contains("hf download llava-hf/llava-1.5-7b-hf --local-dir llava-1.5-7b-hf");
        assertThat(refusal(temp.resolve("none"), CheckpointException.class)).contains("There is no folder");
    }

    @Test
    void a_file_names_its_folder() {
        assertThat(refusal(folder.resolve("model.safetensors"), CheckpointException.class))
                .contains("is a file", "here " + folder);
    }

    @Test
    void an_empty_folder_says_so() throws IOException {
        assertThat(refusal(Files.createDirectory(temp.resolve("empty")), CheckpointException.class))
                .contains("is empty", "hf download");
    }

    @Test
    void an_entry_of_the_cache_names_the_snapshot() throws IOException {
        Path entry = temp.resolve("models--org--name");
        Path right = entry.resolve("snapshots/0123abcd");
        Files.createDirectories(right);
        Files.createDirectories(entry.resolve("blobs"));
        assertThat(refusal(entry, CheckpointException.class)).contains("give " + right);
        Files.createDirectories(entry.resolve("snapshots/ffff"));
        assertThat(refusal(entry, CheckpointException.class)).contains("one of 0123abcd, ffff");
        TestTensors.writeText(entry.resolve("refs/main"), "0123abcd");
        assertThat(refusal(entry, CheckpointException.class)).contains("give " + right);
        assertThat(refusal(temp, CheckpointException.class)).contains("cache of Hugging Face with 1 models");
    }

    @Test
    void a_folder_around_the_model_names_it() throws IOException {
        Path around = Files.createDirectory(temp.resolve("around"));
        Files.move(folder, around.resolve("model"));
        assertThat(refusal(around, CheckpointException.class)).contains("but in model inside it");
    }

    @Test
    void a_folder_of_other_files_lists_them() throws IOException {
        Path other = Files.createDirectory(temp.resolve("other"));
        Files.createFile(other.resolve("notes.txt"));
        assertThat(refusal(other, CheckpointException.class)).contains("no config.json", "which holds notes.txt");
        Files.createFile(other.resolve("consolidated.00.pth"));
        assertThat(refusal(other, UnsupportedModelException.class)).contains("layout of its authors");
    }

    @Test
    void gguf_names_the_original_where_the_file_does() throws IOException {
        Path gguf = Files.createDirectory(temp.resolve("gguf"));
        Files.write(
                gguf.resolve("model-Q4_K_M.gguf"), gguf("general.base_model.0.repo_url", "https://huggingface.co/a/b"));
        assertThat(refusal(gguf, UnsupportedModelException.class))
                .contains("GGUF", "model-Q4_K_M.gguf", "the file names https://huggingface.co/a/b");
        assertThat(refusal(gguf.resolve("model-Q4_K_M.gguf"), UnsupportedModelException.class))
                .contains("https://huggingface.co/a/b");
        Files.write(gguf.resolve("model-Q4_K_M.gguf"), new byte[] {'G', 'G', 'U', 'F', 3, 0, 0, 0, 9});
        assertThat(refusal(gguf, UnsupportedModelException.class)).contains("the page it came from names it");
    }

    private static byte[] gguf(String key, String value) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeBytes("GGUF");
            out.writeInt(Integer.reverseBytes(3));
            out.writeLong(0);
            out.writeLong(Long.reverseBytes(3));
            text(out, "general.file_type");
            out.writeInt(Integer.reverseBytes(4));
            out.writeInt(0);
            text(out, "general.tags");
            out.writeInt(Integer.reverseBytes(9));
            out.writeInt(Integer.reverseBytes(8));
            out.writeLong(Long.reverseBytes(1));
            text(out, "tag");
            text(out, key);
            out.writeInt(Integer.reverseBytes(8));
            text(out, value);
        }
        return bytes.toByteArray();
    }

    private static void text(DataOutputStream out, String text) throws IOException {
        out.writeLong(Long.reverseBytes(text.length()));
        out.writeBytes(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"})
    void lora_is_refused_beside_weights_and_alone(String name) throws IOException {
        TestTensors.writeText(folder.resolve(name), "{\"base_model_name_or_path\":\"org/base\"}");
        String beside = refusal(folder, UnsupportedModelException.class);
        assertThat(beside).contains("LoRA", name, "beside the weights", "merge_and_unload");
        assertThat(beside.contains("org/base")).isEqualTo(name.equals("adapter_config.json"));
        Files.delete(folder.resolve("model.safetensors"));
        assertThat(refusal(folder, UnsupportedModelException.class)).contains("without the weights it belongs to");
        assertThatThrownBy(() -> AdapterPart.open(folder)).hasMessageContaining("LoRA");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "q_proj.lora_A.default.weight",
                "q_proj.base_layer.weight",
                "q_proj.lora_magnitude_vector",
                "q_proj.lora_b",
                "k_proj.ia3_l.default"
            })
    void lora_among_the_weights_is_refused(String name) {
        String prefix = "base_model.model.model.";
        TinyModel.llama(new TestTensors(), prefix, "base_model.model.lm_head.weight")
                .write(folder.resolve("model.safetensors"));
        LlmPart.open(folder).close();
        String lora = prefix + "layers.0.self_attn." + name;
        TinyModel.llama(new TestTensors(), prefix, "base_model.model.lm_head.weight")
                .add(lora, 2, 4)
                .write(folder.resolve("model.safetensors"));
        assertThatThrownBy(() -> LlmPart.open(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(lora)
                .hasMessageContaining("not merged")
                .hasMessageContaining("merge_and_unload");
    }

    @Test
    void lora_among_the_weights_of_encoder_and_projector_is_refused() {
        Path tower = temp.resolve("lora-clip");
        String lora = "vision_model.encoder.layers.0.self_attn.q_proj.lora_A.default.weight";
        TinyModel.clip(new TestTensors(), "vision_model.").add(lora, 2, 4).write(tower.resolve("model.safetensors"));
        TinyModel.write(
                tower.resolve("config.json"), "\"model_type\":\"clip\",\"vision_config\":{" + TinyModel.VISION + "}");
        TinyModel.write(tower.resolve("preprocessor_config.json"), TinyModel.PREPROCESSOR);
        assertThatThrownBy(() -> VisionPart.open(tower))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining(lora);
        for (String name :
                new String[] {"0.lora_A.default.weight", "0.base_layer.weight", "0.modules_to_save.weight"}) {
            Path file = TinyModel.langBridge(new TestTensors(), "mm_projector.")
                    .add("mm_projector." + name, 2, 4)
                    .write(temp.resolve("projector.safetensors"));
            assertThatThrownBy(() -> AdapterPart.open(file))
                    .isInstanceOf(UnsupportedModelException.class)
                    .hasMessageContaining(name)
                    .hasMessageContaining("merge_and_unload");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"quantization_config\":{\"quant_method\":\"awq\",\"bits\":4} | awq, 4 bits",
                "\"quantization_config\":{\"quant_method\":\"bitsandbytes\",\"load_in_4bit\":true} | bitsandbytes, 4",
                "\"quantization_config\":{\"load_in_8bit\":true} | bitsandbytes, 8 bits",
                "\"quantization_config\":{\"quant_method\":\"compressed-tensors\"} | compressed-tensors",
                "\"text_config\":{\"quantization_config\":{\"quant_method\":\"gptq\"}} | text_config.quantization_config",
                "\"vision_config\":{\"quantization_config\":{\"quant_method\":\"fp8\"}} | fp8",
                "\"quantization\":{\"group_size\":64,\"bits\":4} | MLX, 4 bits"
            })
    void a_quantised_checkpoint_is_refused_by_the_name_of_its_method(String member, String expected) {
        TinyModel.write(folder.resolve("config.json"), LLAMA + "," + member);
        assertThat(refusal(folder, UnsupportedModelException.class))
                .contains("quantised", expected, "float32, float16 or bfloat16", "precision(Precision.INT8)");
        TinyModel.write(
                folder.resolve("config.json"), "\"architectures\":[\"LlavaForConditionalGeneration\"]," + member);
        assertThat(refusal(folder, UnsupportedModelException.class)).contains(expected);
    }

    @Test
    void quantisation_is_seen_in_files_and_tensors_beside_the_configuration() throws IOException {
        TestTensors.writeText(folder.resolve("quantize_config.json"), "{\"bits\":4}");
        assertThat(refusal(folder, UnsupportedModelException.class)).contains("quantize_config.json", "GPTQ, 4 bits");
        Files.delete(folder.resolve("quantize_config.json"));
        new TestTensors().add("model.layers.0.mlp.up_proj.qweight", 2).write(folder.resolve("model.safetensors"));
        assertThatThrownBy(() -> LlmPart.open(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("up_proj.qweight")
                .hasMessageContaining("AWQ or GPTQ");
    }

    @Test
    void settings_of_a_quantisation_that_is_off_change_nothing() {
        TinyModel.write(
                folder.resolve("config.json"),
                LLAMA + ",\"quantization_config\":{\"load_in_4bit\":false,\"load_in_8bit\":false}");
        LlmPart.open(folder).close();
    }

    @Test
    void a_head_of_its_own_is_not_tied_unless_it_is_the_same() {
        TinyModel.write(folder.resolve("config.json"), LLAMA + ",\"tie_word_embeddings\":true");
        try (LlmPart llm = LlmPart.open(folder)) {
            assertThat(llm.config().tieWordEmbeddings()).isTrue();
        }
        float[] other = new float[24];
        for (int i = 0; i < 24; i++) {
            other[i] = i == 23 ? -1 : i;
        }
        weights("lm_head.weight", other);
        try (LlmPart llm = LlmPart.open(folder)) {
            assertThat(llm.config().tieWordEmbeddings()).isFalse();
        }
        weights("unused_too.weight");
        try (LlmPart llm = LlmPart.open(folder)) {
            assertThat(llm.config().tieWordEmbeddings()).isTrue();
        }
        TinyModel.write(folder.resolve("config.json"), LLAMA);
        assertThatThrownBy(() -> LlmPart.open(folder)).hasMessageContaining("no tensor lm_head.weight");
    }

    @Test
    void an_encoder_without_its_preprocessing_is_refused() throws IOException {
        TinyModel.authors(folder, TinyModel.LANGBRIDGE);
        Path tower = temp.resolve("tiny-clip");
        Files.delete(tower.resolve("preprocessor_config.json"));
        assertThatThrownBy(() -> VisionPart.open(tower))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("no preprocessor_config.json in the folder " + tower);
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "links need a privilege there")
    void a_link_that_leads_nowhere_is_told() throws IOException {
        Files.delete(folder.resolve("model.safetensors"));
        Files.createSymbolicLink(folder.resolve("model.safetensors"), temp.resolve("blobs/none"));
        assertThatThrownBy(() -> LlmPart.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("is a link that leads nowhere");
    }

    @Test
    void text_of_a_file_is_shown_escaped() {
        TinyModel.write(
                folder.resolve("config.json"), "\"architectures\":[\"x\\u001b]0;pwn\\u0007\\u001b[31m\\n\\u202e\"]");
        assertThatThrownBy(() -> ModelFolder.open(folder))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("x\\u001b]0;pwn\\u0007\\u001b[31m\\n\\u202e")
                .hasMessageNotContainingAny("\u001b", "\u0007", "\n", "\u202e");
    }

    @Test
    void nan_and_infinity_are_read_and_refused_where_they_matter() {
        TinyModel.write(folder.resolve("config.json"), LLAMA + ",\"unused\":NaN,\"limits\":[0.0,Infinity,-Infinity]");
        LlmPart.open(folder).close();
        TinyModel.write(folder.resolve("config.json"), LLAMA + ",\"rms_norm_eps\":NaN");
        assertThatThrownBy(() -> LlmPart.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("key 'rms_norm_eps' must be a finite number, not NaN");
        TinyModel.write(folder.resolve("config.json"), LLAMA + ",\"rope_theta\":1e99999999999");
        assertThatThrownBy(() -> LlmPart.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("key 'rope_theta' must be a finite number, not 1e99999999999");
    }
}
