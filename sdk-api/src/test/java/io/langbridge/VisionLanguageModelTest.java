package io.langbridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.spi.ModelLoader;
import io.langbridge.spi.ModelSpec;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
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
    void the_last_call_wins() {
        Path other = Paths.get("elsewhere");
        Path[] loaded = new Path[1];
        VisionLanguageModel.Builder builder =
                VisionLanguageModel.builder().folder(FOLDER).folder(other);
        assertThatThrownBy(() -> builder.build(new OtherRuntime(spec -> loaded[0] = spec.folder())))
                .hasMessage("loads nothing");
        assertThat(loaded[0]).isEqualTo(other);
    }

    @Test
    void what_was_handed_over_does_not_change_with_the_builder() {
        ModelSpec[] handed = new ModelSpec[1];
        VisionLanguageModel.Builder builder =
                VisionLanguageModel.builder().folder(FOLDER).threads(3);
        assertThatThrownBy(() -> builder.build(new OtherRuntime(spec -> handed[0] = spec)))
                .hasMessage("loads nothing");
        builder.threads(4).listener(new ModelListener() {});
        assertThat(handed[0].threads()).isEqualTo(3);
        assertThat(handed[0].listeners()).isEmpty();
    }

    @Test
    void a_cache_directory_and_no_cache_are_an_error_in_either_order() {
        for (VisionLanguageModel.Builder builder : new VisionLanguageModel.Builder[] {
            VisionLanguageModel.builder().cacheDirectory(FOLDER).withoutCache(),
            VisionLanguageModel.builder().withoutCache().cacheDirectory(FOLDER)
        }) {
            assertThatThrownBy(() -> builder.folder(FOLDER).build())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("cacheDirectory(somewhere) and withoutCache() contradict each other: leave one of"
                            + " them out");
        }
    }

    @Test
    void a_limit_of_the_cache_is_handed_over_and_needs_a_cache() {
        ModelSpec[] handed = new ModelSpec[1];
        assertThatThrownBy(() -> VisionLanguageModel.builder()
                        .folder(FOLDER)
                        .cacheLimit(1000)
                        .build(new OtherRuntime(spec -> handed[0] = spec)))
                .hasMessage("loads nothing");
        assertThat(handed[0].cacheLimit()).isEqualTo(1000);
        assertThatThrownBy(() -> VisionLanguageModel.builder()
                        .folder(FOLDER)
                        .cacheLimit(1000)
                        .withoutCache()
                        .build())
                .hasMessage("cacheLimit(1000) and withoutCache() contradict each other: leave one of them out");
        assertThatThrownBy(() -> VisionLanguageModel.builder().cacheLimit(0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("cacheLimit must be at least 1 byte, not 0");
    }

    @Test
    void encoder_and_adapter_of_an_INT4_model_have_INT8_unless_they_are_asked_for_otherwise() {
        VisionLanguageModel.Builder builder =
                VisionLanguageModel.builder().folder(FOLDER).precision(Precision.INT4);
        assertThat(precisions(builder)).containsExactly(Precision.INT8, Precision.INT8, Precision.INT4);
        assertThat(precisions(builder.encoderPrecision(Precision.INT4))).containsOnly(Precision.INT4);
        VisionLanguageModel.Builder parts = VisionLanguageModel.builder()
                .encoder(Encoder.of(FOLDER).precision(Precision.INT4))
                .adapter(Adapter.langBridge(FOLDER))
                .llm(Llm.of(FOLDER).precision(Precision.FULL))
                .precision(Precision.INT4);
        assertThat(precisions(parts)).containsExactly(Precision.INT4, Precision.INT8, Precision.FULL);
        assertThat(precisions(parts.encoderPrecision(Precision.FULL)))
                .containsExactly(Precision.INT4, Precision.FULL, Precision.FULL);
        for (Precision same : new Precision[] {Precision.FULL, Precision.INT8}) {
            assertThat(precisions(VisionLanguageModel.builder().folder(FOLDER).precision(same)))
                    .containsOnly(same);
        }
    }

    /** Of encoder, adapter and language model. */
    private static List<Precision> precisions(VisionLanguageModel.Builder builder) {
        List<Precision> found = new ArrayList<>();
        assertThatThrownBy(() -> builder.build(new OtherRuntime(spec -> {
                    found.add(spec.precisionOf(spec.encoder()));
                    found.add(spec.precisionOf(spec.adapter()));
                    found.add(spec.precisionOf(spec.llm()));
                })))
                .hasMessage("loads nothing");
        return found;
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

    /** Tells what it was given. */
    private record OtherRuntime(Consumer<ModelSpec> told) implements ModelLoader {
        @Override
        public VisionLanguageModel load(ModelSpec spec) {
            told.accept(spec);
            throw new UnsupportedOperationException("loads nothing");
        }

        @Override
        public FitReport check(ModelSpec spec) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void save(LangBridgeAdapter adapter, @Nullable Llm trainedWith, Path folder) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void fold(LangBridgeAdapter adapter, Llm llm, boolean standard, Path folder) {
            throw new UnsupportedOperationException();
        }
    }
}
