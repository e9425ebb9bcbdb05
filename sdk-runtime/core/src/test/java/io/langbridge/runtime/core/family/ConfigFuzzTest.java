package io.langbridge.runtime.core.family;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.langbridge.runtime.core.Fuzzing;
import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

/** One file of a sound folder is another one. */
class ConfigFuzzTest {
    @TempDir
    static Path temp;

    private static Path folder() {
        return temp.resolve("model");
    }

    @BeforeEach
    void writeModel() {
        if (!folder().resolve("config.json").toFile().exists()) {
            TinyModel.authors(folder(), TinyModel.LANGBRIDGE);
        }
    }

    private static void open(Path in, String name, byte[] input) {
        Fuzzing.file(in, name, input);
        Fuzzing.run(input, () -> ModelFolder.open(folder()).close());
    }

    static Stream<byte[]> configs() {
        return Fuzzing.texts(
                "{" + TinyModel.LANGBRIDGE + "}",
                "{" + TinyModel.LANGBRIDGE
                        + ",\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,"
                        + "\"high_freq_factor\":4,\"original_max_position_embeddings\":8192},"
                        + "\"tie_word_embeddings\":false,\"rms_norm_eps\":1e-6,\"mm_patch_merge_type\":\"spatial_unpad\","
                        + "\"image_grid_pinpoints\":[[8,4],[4,8]],\"sliding_window\":4,\"use_sliding_window\":true}",
                "{\"architectures\":[\"LlavaNextForConditionalGeneration\"],\"text_config\":{\"model_type\":\"llama\","
                        + TinyModel.DECODER + "},\"vision_config\":{" + TinyModel.VISION
                        + "},\"vision_feature_layer\":-2,\"vision_feature_select_strategy\":\"default\","
                        + "\"image_token_index\":5,\"image_grid_pinpoints\":[[8,4]],\"projector_hidden_act\":\"gelu\"}");
    }

    @MethodSource("configs")
    @FuzzTest
    void config(byte[] input) {
        open(folder(), "config.json", input);
    }

    static Stream<byte[]> preprocessors() {
        return Fuzzing.texts(
                "{" + TinyModel.PREPROCESSOR + "}",
                "{\"image_processor_type\":\"CLIPImageProcessor\",\"size\":{\"shortest_edge\":4},\"crop_size\":"
                        + "{\"height\":4,\"width\":4},\"do_center_crop\":true,\"resample\":3,\"do_rescale\":true,"
                        + "\"rescale_factor\":0.00392,\"image_mean\":[0.5,0.4,0.3],\"image_std\":[0.2,0.2,0.2]}");
    }

    @MethodSource("preprocessors")
    @FuzzTest
    void preprocessor(byte[] input) {
        open(temp.resolve("tiny-clip"), "preprocessor_config.json", input);
    }

    static Stream<byte[]> towers() {
        return Fuzzing.texts("{\"model_type\":\"clip\",\"vision_config\":{" + TinyModel.VISION + "}}");
    }

    @MethodSource("towers")
    @FuzzTest
    void tower(byte[] input) {
        open(temp.resolve("tiny-clip"), "config.json", input);
    }

    static Stream<byte[]> generations() {
        return Fuzzing.texts(
                "{\"eos_token_id\":[1,2],\"do_sample\":true,\"temperature\":0.7,\"top_k\":20,\"top_p\":0.8,"
                        + "\"min_p\":0.1,\"repetition_penalty\":1.05,\"max_new_tokens\":9,\"min_length\":1,"
                        + "\"suppress_tokens\":[3],\"bad_words_ids\":[[4,5]],\"no_repeat_ngram_size\":2,"
                        + "\"stop_strings\":[\"x\"],\"num_beams\":2}");
    }

    @MethodSource("generations")
    @FuzzTest
    void generation_config(byte[] input) {
        open(folder(), "generation_config.json", input);
        Json config = TinyModel.json("\"eos_token_id\":2");
        Fuzzing.run(input, () -> GenerationDefaults.read(folder(), config));
    }

    static Stream<byte[]> vocabularies() {
        return Fuzzing.texts("{\"\\u0120the\": 279, \",\": 11}", "[{\"b\": [7, 0]}, {\"a\": [3, 1]}]");
    }

    @MethodSource("vocabularies")
    @FuzzTest
    void vocabulary(byte[] input) {
        Path file = Fuzzing.file(folder(), "other.json", input);
        Fuzzing.run(input, () -> SharedVocabulary.read(file));
    }

    static Stream<byte[]> ggufs() {
        return Fuzzing.texts("GGUF\3\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\14\0\0\0\0\0\0\0general.name"
                + "\10\0\0\0\2\0\0\0\0\0\0\0me");
    }

    @MethodSource("ggufs")
    @FuzzTest
    void gguf(byte[] input) {
        Path file = Fuzzing.file(folder(), "model.gguf", input);
        Fuzzing.run(input, () -> Gguf.origin(file));
    }
}
