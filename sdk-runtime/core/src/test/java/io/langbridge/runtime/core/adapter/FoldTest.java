package io.langbridge.runtime.core.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.TestTensors;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FakeEngine;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class FoldTest {
    /** More shared tokens than are folded at a time. */
    private static final AdapterConfig.LangBridge CONFIG = new AdapterConfig.LangBridge(3, 5, 2500, false);

    private static final int LLM_HIDDEN = 4;

    @TempDir
    private Path folder;

    private final FakeEngine engine = new FakeEngine("loops");
    private final Map<String, float[]> values = new HashMap<>();

    @BeforeEach
    void fill() {
        Random random = new Random(7);
        Map<String, Integer> sizes = Map.of(
                "0.weight",
                15,
                "0.bias",
                5,
                "2.weight",
                25,
                "2.bias",
                5,
                "3.weight",
                12500,
                "3.bias",
                2500,
                "embeddings",
                3000 * LLM_HIDDEN);
        sizes.keySet().stream().sorted().forEach(name -> {
            float[] filled = new float[sizes.get(name)];
            for (int i = 0; i < filled.length; i++) {
                filled[i] = (float) random.nextGaussian();
            }
            values.put(name, filled);
        });
    }

    private float[] values(String name) {
        return Objects.requireNonNull(values.get(name));
    }

    private Weights projector(String file) {
        return open(
                file,
                Map.of(
                        "0.weight", new long[] {5, 3},
                        "0.bias", new long[] {5},
                        "2.weight", new long[] {5, 5},
                        "2.bias", new long[] {5},
                        "3.weight", new long[] {2500, 5},
                        "3.bias", new long[] {2500}));
    }

    private Weights open(String file, Map<String, long[]> shapes) {
        TestTensors writer = new TestTensors();
        shapes.forEach((name, shape) -> writer.add(name, values(name), shape));
        return Checkpoints.open(writer.write(folder.resolve(file)));
    }

    private Weights fold(String file) {
        int[] ids = IntStream.range(0, 2500).map(i -> 2999 - i).toArray();
        List<String> tokens = IntStream.range(0, 2500).mapToObj(i -> "t" + i).toList();
        try (Weights projector = projector(file + ".safetensors");
                Weights llm =
                        open("llm-" + file + ".safetensors", Map.of("embeddings", new long[] {3000, LLM_HIDDEN}))) {
            VocabularyMatrix matrix = VocabularyMatrix.of(llm.get("embeddings"), SharedVocabulary.of(tokens, ids));
            EngineOptions options = new EngineOptions(1, false, folder.resolve("cache"));
            return new Fold(engine, CONFIG, projector, matrix, options).open();
        }
    }

    @Test
    void theLayersAfterTheActivationBecomeOne() {
        double[] weight = new double[LLM_HIDDEN * 5];
        double[] bias = new double[LLM_HIDDEN];
        for (int column = 0; column < 2500; column++) {
            for (int d = 0; d < LLM_HIDDEN; d++) {
                double e = at("embeddings", 2999 - column, LLM_HIDDEN, d);
                bias[d] += at("3.bias", column, 1, 0) * e;
                for (int j = 0; j < 5; j++) {
                    double w3 = at("3.weight", column, 5, j);
                    bias[d] += at("2.bias", j, 1, 0) * w3 * e;
                    for (int i = 0; i < 5; i++) {
                        weight[d * 5 + i] += at("2.weight", j, 5, i) * w3 * e;
                    }
                }
            }
        }
        try (Weights folded = fold("a")) {
            assertThat(folded.names()).containsExactlyInAnyOrder("0.weight", "0.bias", "2.weight", "2.bias");
            assertThat(folded.get("0.weight", 5, 3).toFloats()).containsExactly(values("0.weight"));
            assertThat(folded.get("0.bias", 5).toFloats()).containsExactly(values("0.bias"));
            assertClose(folded.get("2.weight", LLM_HIDDEN, 5).toFloats(), weight);
            assertClose(folded.get("2.bias", LLM_HIDDEN).toFloats(), bias);
        }
    }

    private double at(String name, int row, int width, int column) {
        return values(name)[row * width + column];
    }

    private static void assertClose(float[] actual, double[] expected) {
        double difference = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - expected[i], 2);
            size += Math.pow(expected[i], 2);
        }
        assertThat(Math.sqrt(difference / size)).isLessThan(1e-6);
    }

    @Test
    void theSameContentIsFoldedOnceWhateverItsFileIsCalled() throws IOException {
        fold("a").close();
        int products = engine.products;
        fold("b").close();
        assertThat(products).isPositive();
        assertThat(engine.products).isEqualTo(products);
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            assertThat(files.filter(file -> file.toString().endsWith(".bin"))).hasSize(1);
        }
    }

    @Test
    void otherContentUnderTheSameNameAndTimeIsFoldedAgain() {
        fold("a").close();
        for (String changed : List.of("0.bias", "2.weight", "3.weight", "3.bias", "embeddings")) {
            int before = engine.products;
            float[] content = values(changed);
            int middle = content.length / 2; // where no sample is taken
            content[middle] = Math.nextUp(content[middle]);
            fold("a").close();
            assertThat(engine.products).as(changed).isGreaterThan(before);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // nothing is moved to the place of a file that is open
    void whatIsReadFromAnotherFileThanLiesThereIsNotKept() throws IOException {
        int[] ids = IntStream.range(0, 2500).toArray();
        List<String> tokens = IntStream.range(0, 2500).mapToObj(i -> "t" + i).toList();
        for (String replaced : List.of("projector.safetensors", "llm.safetensors")) {
            try (Weights projector = projector("projector.safetensors");
                    Weights llm = open("llm.safetensors", Map.of("embeddings", new long[] {3000, LLM_HIDDEN}))) {
                VocabularyMatrix matrix = VocabularyMatrix.of(llm.get("embeddings"), SharedVocabulary.of(tokens, ids));
                Path file = folder.resolve(replaced);
                Files.move(Files.copy(file, folder.resolve("copy")), file, StandardCopyOption.REPLACE_EXISTING);
                EngineOptions options = new EngineOptions(1, false, folder.resolve("cache"));
                assertThatExceptionOfType(CheckpointException.class)
                        .isThrownBy(() -> new Fold(engine, CONFIG, projector, matrix, options).open())
                        .withMessageStartingWith("Another file was put in the place of " + file);
            }
        }
        assertNothingIsKept();
    }

    private void assertNothingIsKept() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            assertThat(files).noneMatch(file -> file.toString().matches(".*\\.(bin|part)"));
        }
    }

    @Test
    void aWeightThatIsNoNumberIsNamedWithItsPlaceAndNothingIsKept() throws IOException {
        values("3.weight")[2100 * 5 + 3] = Float.NaN;
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> fold("a"))
                .withMessage("Tensor 3.weight in " + folder.resolve("a.safetensors")
                        + " holds NaN at row 2100, column 3 of [2500, 5]; weights are finite numbers. Training went wrong"
                        + " or the file is damaged.");
        assertNothingIsKept();
    }

    @Test
    void weightsThatLeaveTheRangeAreRefused() {
        Arrays.fill(values("2.weight"), Float.MAX_VALUE);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> fold("a"))
                .withMessageContaining("leaves the range of float32");
    }

    @Test
    void embeddingsThatAreAllZeroAreRefused() {
        values.put("embeddings", new float[3000 * LLM_HIDDEN]);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> fold("a"))
                .withMessageContaining("The embeddings of all 2500 shared tokens")
                .withMessageContaining("llm-a.safetensors");
    }

    @Test
    void anEmbeddingThatIsNoNumberIsNamedWithItsRow() {
        values("embeddings")[2999 * LLM_HIDDEN + 1] = Float.POSITIVE_INFINITY;
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> fold("a"))
                .withMessageContaining("Tensor embeddings in ")
                .withMessageContaining("Infinity at row 2999, column 1 of [3000, 4]");
    }
}
