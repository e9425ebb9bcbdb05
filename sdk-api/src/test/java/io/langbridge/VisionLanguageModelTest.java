package io.langbridge;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.nio.file.Paths;
import org.junit.jupiter.api.Test;

class VisionLanguageModelTest {
    private static final Path FOLDER = Paths.get("somewhere");

    @Test
    void a_missing_part_is_an_error_that_shows_what_was_given() {
        assertThatThrownBy(
                        () -> VisionLanguageModel.builder().llm(Llm.of(FOLDER)).build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("encoder null")
                .hasMessageContaining("Llm[somewhere]");
    }

    @Test
    void parts_and_a_folder_together_are_an_error() {
        assertThatThrownBy(() -> VisionLanguageModel.builder()
                        .folder(FOLDER)
                        .llm(Llm.of(FOLDER))
                        .build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("either folder(..)");
    }

    @Test
    void setting_a_part_twice_is_an_error() {
        assertThatThrownBy(
                        () -> VisionLanguageModel.builder().llm(Llm.of(FOLDER)).llm(Llm.of(FOLDER)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("llm was already set");
    }

    @Test
    void a_cache_directory_and_no_cache_are_an_error_in_either_order() {
        assertThatThrownBy(() ->
                        VisionLanguageModel.builder().cacheDirectory(FOLDER).withoutCache())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("withoutCache() contradicts cacheDirectory(");
        assertThatThrownBy(() -> VisionLanguageModel.builder().withoutCache().cacheDirectory(FOLDER))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("withoutCache()");
    }

    @Test
    void a_prompt_cannot_run_in_empty_chunks() {
        assertThatThrownBy(() -> VisionLanguageModel.builder().prefillChunk(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least 1, not 0");
    }

    @Test
    void affinity_names_a_processor_for_each_thread_but_the_one_that_asks() {
        assertThatThrownBy(() -> VisionLanguageModel.builder().affinity(1, -2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("there is none -2");
        assertThatThrownBy(() -> VisionLanguageModel.builder()
                        .folder(FOLDER)
                        .threads(2)
                        .affinity(0, 1)
                        .build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("needs threads(3), not 2");
    }

    @Test
    void without_a_runtime_the_error_names_the_artefact_to_add() {
        assertThatThrownBy(() -> VisionLanguageModel.load(FOLDER))
                .isInstanceOf(RuntimeUnavailableException.class)
                .hasMessageContaining("io.langbridge:langbridge-onnx");
    }
}
