package io.langbridge.runtime.core.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.CheckpointException;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.Image;
import io.langbridge.PromptException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.family.LlavaPictures;
import io.langbridge.runtime.core.family.PreprocessorConfig;
import io.langbridge.runtime.core.family.Tiling;
import io.langbridge.runtime.core.image.PicturePlan;
import io.langbridge.runtime.core.image.Resampler;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import io.langbridge.spi.RgbPixels;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ExplainerTest {
    private static final SharedVocabulary WORDS =
            SharedVocabulary.of(Arrays.asList("\u0120the", "a", "\u010a", "<|im_end|>"), new int[] {258, 64, 198, 622});
    private static final PicturePlan WHOLE = pictures(new Tiling.Pad(), 4).plan(new Size(20, 10));

    private static Tokenizer tokenizer;

    private static LlavaPictures pictures(Tiling tiling, int patches) {
        PreprocessorConfig.Resize shortest = new PreprocessorConfig.ShortestEdge(4);
        List<Double> half = List.of(0.5, 0.5, 0.5);
        return new LlavaPictures(
                new PreprocessorConfig(shortest, 3, new Size(4, 4), 1 / 255.0, half, half), tiling, 4, patches);
    }

    @BeforeAll
    static void open() {
        tokenizer = Tokenizer.of(Paths.get("src/test/resources/qwen2-style"));
    }

    /** Passes the features on as coefficients and as visual tokens, and remembers the tiles it was asked for. */
    private static final class Through implements AdapterNetwork {
        private final AdapterConfig config;
        private final List<float[]> asked = new ArrayList<>();

        Through(AdapterConfig config) {
            this.config = config;
        }

        @Override
        public AdapterConfig config() {
            return config;
        }

        @Override
        public FloatTensor visualTokens(FloatTensor features) {
            return features;
        }

        @Override
        public FloatTensor coefficients(FloatTensor features) {
            asked.add(features.toArray());
            return features;
        }

        @Override
        public void close() {}
    }

    private static Through langBridge(boolean softmax) {
        return new Through(new AdapterConfig.LangBridge(4, 8, 4, softmax));
    }

    private static Explainer explainer(AdapterNetwork adapter, @Nullable SharedVocabulary vocabulary) {
        return new Explainer(
                adapter,
                tokenizer,
                new Embeddings(ArrayTensor.random(700, 4, 3)),
                ArrayTensor::product,
                vocabulary == null ? null : () -> vocabulary.forTokenizer(tokenizer),
                ExplainerTest::encoded);
    }

    /** An encoder that tells what is of one colour, all of its features about 100, from what is not, all of them 0. */
    private static FloatTensor encoded(Image image) {
        RgbPixels pixels = image.pixels();
        byte[] row = new byte[3 * pixels.width()];
        boolean blank = true;
        for (int y = 0; y < pixels.height(); y++) {
            pixels.copyRow(y, 0, pixels.width(), row, 0);
            for (byte channel : row) {
                blank &= channel == row[0];
            }
        }
        float[] features = new float[16];
        for (int i = 0; blank && i < features.length; i++) {
            features[i] = 100 + i / 4;
        }
        return features(1, features);
    }

    private static FloatTensor features(int tiles, float... values) {
        return FloatTensor.of(values, tiles, values.length / 4 / tiles, 4);
    }

    private static final FloatTensor FOUR_PATCHES = features(
            1, //
            1, 2, 3, 4, //
            -9, 2, 1, 0, //
            0, 0, 0, 5, //
            7, 2, 0, 0);

    private static List<String> texts(Explanation.Patch patch) {
        return patch.words().stream().map(weight -> weight.word().text()).toList();
    }

    @Test
    void every_patch_has_its_strongest_words() {
        Explanation explanation = explainer(langBridge(false), WORDS)
                .explain(
                        FOUR_PATCHES,
                        WHOLE,
                        ExplainOptions.builder().wordsPerPatch(2).raw(true).build());

        assertThat(explanation.patches().stream().map(ExplainerTest::texts))
                .containsExactly(
                        List.of("<|im_end|>", "\\n"),
                        List.of("a", "\\n"),
                        List.of("<|im_end|>", "the"),
                        List.of("the", "a"));
        Explanation.Patch last = explanation.patches().get(3);
        assertThat(last.words().get(0))
                .isEqualTo(new Explanation.Weight(new Explanation.Word(258, "\u0120the", "the"), 7));
        assertThat(last.row()).isEqualTo(1);
        assertThat(last.column()).isEqualTo(1);
        assertThat(last.area()).isEqualTo(new Explanation.Area(10, 5, 20, 15));
        assertThat(explanation.areProbabilities()).isFalse();
        assertThat(explanation.width()).isEqualTo(20);
    }

    @Test
    void the_words_of_the_picture_have_complete_heat_maps() {
        Explanation explanation = explainer(langBridge(false), WORDS)
                .explain(
                        FOUR_PATCHES,
                        WHOLE,
                        ExplainOptions.builder()
                                .wordsPerPatch(1)
                                .imageWords(2)
                                .raw(true)
                                .build());

        assertThat(explanation.words()).extracting(word -> word.word().text()).containsExactly("<|im_end|>", "the");
        Explanation.ImageWord the = explanation.word("the").orElseThrow();
        assertThat(the.strength()).isEqualTo(7 / 4.0);
        assertThat(the.strongIn()).isEqualTo(1);
        assertThat(IntStream.range(0, 4).mapToObj(the::value)).containsExactly(1f, -9f, 0f, 7f);
        assertThat(explanation.word("a")).isEmpty();
    }

    @Test
    void words_that_all_patches_have_come_after_those_that_set_one_apart() {
        FloatTensor features = features(
                1, //
                8, 5, 0, 0, //
                8, 0, 0, 0, //
                8, -3, 0, 0, //
                8, 0, 6, 0);
        ExplainOptions options = ExplainOptions.builder().wordsPerPatch(2).build();

        Explanation explanation = explainer(langBridge(false), WORDS).explain(features, WHOLE, options);

        assertThat(texts(explanation.patches().get(0))).containsExactly("a", "the");
        assertThat(texts(explanation.patches().get(3))).containsExactly("\\n", "the");
        Explanation.Weight the = explanation.patches().get(0).words().get(1);
        assertThat(the.value()).isEqualTo(8);
        assertThat(the.strength()).isEqualTo(8 - 8 / 2f);
        Explanation.Weight a = explanation.patches().get(0).words().get(0);
        assertThat(a.value()).isEqualTo(5);
        assertThat(a.strength()).isEqualTo(5 - 0.5f / 2);
        assertThat(explanation.word("a").orElseThrow().strength())
                .isEqualTo((4.75 + strength(explanation, "a", 1) + strength(explanation, "a", 2)) / 4, within(1e-6));

        Explanation raw = explainer(langBridge(false), WORDS)
                .explain(features, WHOLE, options.toBuilder().raw(true).build());
        assertThat(texts(raw.patches().get(0))).containsExactly("the", "a");
        assertThat(raw.patches().get(0).words().get(1).strength()).isEqualTo(5);
    }

    /** How strong a word is in a patch, 0 if it is not among its words. */
    private static double strength(Explanation explanation, String word, int patch) {
        return explanation.patches().get(patch).words().stream()
                .filter(weight -> weight.word().text().equals(word))
                .mapToDouble(Explanation.Weight::strength)
                .sum();
    }

    @Test
    void on_empty_ground_nothing_is_said() {
        FloatTensor features = features(
                1, //
                101, 102, 103, 101, //
                0, 1, 0, 9, //
                99, 100, 101, 102, //
                130, 130, 130, 130);

        Explanation explanation =
                explainer(langBridge(false), WORDS).explain(features, WHOLE, ExplainOptions.defaults());

        assertThat(explanation.patches())
                .extracting(patch -> patch.words().size())
                .containsExactly(0, 4, 0, 4);
        assertThat(explanation.words())
                .allSatisfy(word -> assertThat(word.strongIn()).isEqualTo(2));
        Explanation raw = explainer(langBridge(false), WORDS)
                .explain(features, WHOLE, ExplainOptions.builder().raw(true).build());
        assertThat(raw.patches()).allMatch(patch -> patch.words().size() == 4);
    }

    @Test
    void an_encoder_to_which_all_pictures_look_empty_does_not_say_what_is() {
        FloatTensor features = features(1, new float[16]);
        Explainer explainer = new Explainer(
                langBridge(false),
                tokenizer,
                new Embeddings(ArrayTensor.random(700, 4, 3)),
                ArrayTensor::product,
                () -> WORDS.forTokenizer(tokenizer),
                image -> FOUR_PATCHES);

        assertThat(explainer.explain(features, WHOLE, ExplainOptions.defaults()).patches())
                .allMatch(patch -> patch.words().size() == 4);
    }

    @Test
    void by_magnitude_negative_words_are_strong() {
        Explanation explanation = explainer(langBridge(false), WORDS)
                .explain(
                        FOUR_PATCHES,
                        WHOLE,
                        ExplainOptions.builder()
                                .wordsPerPatch(1)
                                .byMagnitude(true)
                                .raw(true)
                                .build());

        assertThat(explanation.patches().get(1).words().get(0).value()).isEqualTo(-9);
        assertThat(explanation.words().get(0).word().text()).isEqualTo("the");
        assertThat(explanation.words().get(0).strength()).isEqualTo((9 + 7) / 4.0);
    }

    @Test
    void a_word_asked_for_has_a_heat_map_even_if_it_is_weak_everywhere() {
        Explanation explanation = explainer(langBridge(false), WORDS)
                .explain(
                        FOUR_PATCHES,
                        WHOLE,
                        ExplainOptions.builder()
                                .wordsPerPatch(1)
                                .imageWords(0)
                                .word("\\n")
                                .build());

        assertThat(explanation.words()).hasSize(1);
        assertThat(explanation.word("\\n").orElseThrow().strongIn()).isZero();
        assertThat(explanation.word("\\n").orElseThrow().value(0)).isEqualTo(3);
        assertThatThrownBy(() -> explainer(langBridge(false), WORDS)
                        .explain(
                                FOUR_PATCHES,
                                WHOLE,
                                ExplainOptions.builder().word("dog").word("a").build()))
                .isInstanceOf(PromptException.class)
                .hasMessageContaining("4 words")
                .hasMessageContaining("[dog]");
    }

    @Test
    void with_tiles_patches_of_padding_are_left_out_and_one_tile_is_computed_at_a_time() {
        // 40 x 10 in 2 x 2 tiles of 2 x 2 patches: rows 0 and 3 of the four rows of the grid are padding.
        Tiling tiling =
                new Tiling.AnyResolution(List.of(new Size(8, 8)), Tiling.Convention.LLAVA, Tiling.Merge.SPATIAL_UNPAD);
        PicturePlan plan = pictures(tiling, 4).plan(new Size(40, 10));
        float[] values = new float[5 * 4 * 4];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        Through adapter = langBridge(false);

        Explanation explanation =
                explainer(adapter, WORDS).explain(features(5, values), plan, ExplainOptions.defaults());

        assertThat(explanation.patches())
                .extracting(patch -> patch.tile() + "/" + patch.row() + "/" + patch.column())
                .containsExactly(
                        "0/0/0", "0/0/1", "0/1/0", "0/1/1", "1/1/0", "1/1/1", "2/1/0", "2/1/1", "3/0/0", "3/0/1",
                        "4/0/0", "4/0/1");
        assertThat(explanation.patches().get(4).area()).isEqualTo(new Explanation.Area(0, -5, 10, 5));
        assertThat(explanation.tiles().get(3))
                .isEqualTo(new Explanation.Tile(3, 1, 0, 2, 2, new Explanation.Area(0, 5, 20, 25)));
        Explanation.ImageWord first = explanation.word("the").orElseThrow();
        assertThat(first.value(4)).isEqualTo(values[(1 * 4 + 2) * 4]);
        assertThat(first.value(11)).isEqualTo(values[(4 * 4 + 1) * 4]);
        // Three times, less the tiles which are still there; never two tiles in one call.
        assertThat(adapter.asked).hasSize(13).allMatch(tile -> tile.length == 16);
    }

    @Test
    void a_picture_at_its_own_shape_has_its_own_grid_and_what_stands_behind_embeddings_is_left_out() {
        Size size = new Size(30, 20);
        PicturePlan plan = new PicturePlan(
                new Size(15, 10),
                List.of(PicturePlan.Resizing.of(new Size(15, 10), size, Resampler.Filter.BICUBIC)),
                List.of(new PicturePlan.View(0, size, 0, 0, 0, 0)),
                TokenLayout.builder(2, 3).view(0).build());
        float[] table = ArrayTensor.random(700, 4, 3).values();
        float[] tokens = new float[6 * 8];
        Arrays.fill(tokens, 5);
        System.arraycopy(table, 64 * 4, tokens, 4 * 8, 4);

        Explanation explanation = explainer(new Through(new AdapterConfig.Linear(4, 8)), null)
                .explain(
                        FloatTensor.of(tokens, 1, 6, 8),
                        plan,
                        ExplainOptions.builder()
                                .measure(Explanation.Measure.COSINE)
                                .wordsPerPatch(1)
                                .raw(true)
                                .build());

        assertThat(explanation.tiles())
                .containsExactly(new Explanation.Tile(0, 0, 0, 2, 3, new Explanation.Area(0, 0, 15, 10)));
        Explanation.Patch fifth = explanation.patches().get(4);
        assertThat(fifth.row()).isEqualTo(1);
        assertThat(fifth.column()).isEqualTo(1);
        assertThat(fifth.area()).isEqualTo(new Explanation.Area(5, 5, 10, 10));
        assertThat(fifth.words().get(0).value()).isCloseTo(1, within(1e-6f));
    }

    @Test
    void the_class_token_is_no_patch() {
        FloatTensor withClass = features(1, 9, 9, 9, 9, 1, 2, 3, 4, -9, 2, 1, 0, 0, 0, 0, 5, 7, 2, 0, 0);
        Explanation explanation = explainer(langBridge(false), WORDS)
                .explain(withClass, pictures(new Tiling.Pad(), 5).plan(WHOLE.picture()), ExplainOptions.defaults());

        assertThat(explanation.patches()).hasSize(4);
        assertThat(texts(explanation.patches().get(0))).startsWith("<|im_end|>");
    }

    @Test
    void with_a_softmax_the_values_are_probabilities() {
        assertThat(explainer(langBridge(true), WORDS)
                        .explain(FOUR_PATCHES, WHOLE, ExplainOptions.defaults())
                        .areProbabilities())
                .isTrue();
    }

    @Test
    void cosines_are_taken_with_every_token_of_the_language_model_and_of_any_adapter() {
        ArrayTensor embeddings = ArrayTensor.random(700, 4, 3);
        float[] likeToken = Arrays.copyOfRange(embeddings.values(), 64 * 4, 65 * 4);
        for (int i = 0; i < 4; i++) {
            likeToken[i] *= 3;
        }
        float[] features = new float[16];
        System.arraycopy(likeToken, 0, features, 4, 4);
        Arrays.fill(features, 8, 16, 1);
        ExplainOptions options = ExplainOptions.builder()
                .measure(Explanation.Measure.COSINE)
                .wordsPerPatch(3)
                .raw(true)
                .word("the")
                .build();

        Explanation explanation = explainer(new Through(new AdapterConfig.Linear(4, 4)), null)
                .explain(features(1, features), WHOLE, options);

        Explanation.Weight nearest = explanation.patches().get(1).words().get(0);
        assertThat(nearest.word().text()).isEqualTo("a");
        assertThat(nearest.value()).isCloseTo(1, within(1e-6f));
        assertThat(explanation.patches().get(0).words().get(0).value()).isZero();
        // Rows that have no token, 623 and above, are no words.
        assertThat(explanation.patches())
                .allMatch(patch ->
                        patch.words().stream().allMatch(weight -> weight.word().id() < 623));
        assertThat(explanation.word("a").orElseThrow().value(1)).isCloseTo(1, within(1e-6f));
        assertThat(explanation.word("the")).isPresent();
        assertThat(explanation.measure()).isEqualTo(Explanation.Measure.COSINE);
    }

    @Test
    void an_adapter_without_a_vocabulary_is_refused_with_the_way_out() {
        assertThatThrownBy(() -> explainer(new Through(new AdapterConfig.Linear(4, 4)), null)
                        .explain(FOUR_PATCHES, WHOLE, ExplainOptions.defaults()))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("linear")
                .hasMessageContaining("COSINE");
        assertThatThrownBy(() ->
                        explainer(langBridge(false), null).explain(FOUR_PATCHES, WHOLE, ExplainOptions.defaults()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("no shared vocabulary")
                .hasMessageContaining("4 columns");
    }

    @Test
    void coefficients_that_are_not_numbers_are_an_error() {
        FloatTensor damaged = features(1, 1, 2, 3, 4, -9, 2, Float.NaN, 0, 0, 0, 0, 5, 7, 2, 0, 0);
        assertThatThrownBy(() -> explainer(langBridge(false), WORDS).explain(damaged, WHOLE, ExplainOptions.defaults()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("value 2 is not a number")
                .hasMessageContaining("mm_vocab");
    }
}
