package io.langbridge.runtime.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.langbridge.Precision;
import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PyTorchAdapterTest {
    /** More shared tokens than are worked on at a time. */
    private static final int VOCABULARY = 8200;

    private static final int LLM_HIDDEN = 5;

    @TempDir
    private Path folder;

    @BeforeAll
    static void requireNatives() {
        Tiny.requireNatives();
    }

    private AdapterNetwork open(AdapterConfig config, @Nullable FloatTensor matrix) throws IOException {
        RandomWeights values = new RandomWeights();
        Tiny.linear(values, "0", 6, 7, true);
        Tiny.linear(values, "2", 7, 7, true);
        Tiny.linear(values, "3", 7, VOCABULARY, true);
        Tiny.linear(values, "4", 7, LLM_HIDDEN, true);
        values.add("weight", 0, LLM_HIDDEN, 6).add("bias", 0, LLM_HIDDEN);
        Weights weights = values.open(folder);
        return new PyTorchEngine().adapter(config, weights, matrix, Tiny.OPTIONS);
    }

    @ParameterizedTest(name = "softmax {0}")
    @ValueSource(booleans = {false, true})
    void visualTokensAreTheCoefficientsTimesTheVocabularyMatrix(boolean softmax) throws IOException {
        FloatTensor matrix = Tiny.random(VOCABULARY, LLM_HIDDEN);
        FloatTensor features = Tiny.random(2, 3, 6);
        try (AdapterNetwork adapter = open(new AdapterConfig.LangBridge(6, 7, VOCABULARY, softmax), matrix)) {
            float[] coefficients = adapter.coefficients(features).toArray();
            float[] rows = matrix.toArray();
            double[] expected = new double[2 * 3 * LLM_HIDDEN];
            for (int token = 0; token < 6; token++) {
                for (int i = 0; i < VOCABULARY; i++) {
                    for (int k = 0; k < LLM_HIDDEN; k++) {
                        expected[token * LLM_HIDDEN + k] +=
                                (double) coefficients[token * VOCABULARY + i] * rows[i * LLM_HIDDEN + k];
                    }
                }
            }
            Tiny.assertClose(adapter.visualTokens(features).toArray(), expected);
        }
    }

    @Test
    void aSoftmaxWithLargeCoefficientsStaysFinite() throws IOException {
        FloatTensor matrix = Tiny.random(VOCABULARY, LLM_HIDDEN);
        FloatTensor features = FloatTensor.of(new float[] {900, -900, 800, 700, -600, 500}, 1, 1, 6);
        try (AdapterNetwork adapter = open(new AdapterConfig.LangBridge(6, 7, VOCABULARY, true), matrix)) {
            double sum = 0;
            for (float weight : adapter.coefficients(features).toArray()) {
                sum += weight;
            }
            Tiny.assertClose(new float[] {(float) sum}, new double[] {1});
            double norm = 0;
            for (float value : adapter.visualTokens(features).toArray()) {
                norm += value * value;
            }
            assertThat(norm).isFinite().isPositive();
        }
    }

    @Test
    void onlyLangBridgeAdaptersHaveCoefficients() throws IOException {
        try (AdapterNetwork adapter = open(new AdapterConfig.Linear(6, LLM_HIDDEN), null)) {
            assertThatExceptionOfType(UnsupportedOperationException.class)
                    .isThrownBy(() -> adapter.coefficients(Tiny.random(1, 1, 6)))
                    .withMessage("An adapter of type linear has no coefficients; only LangBridge adapters have");
        }
    }

    @Test
    void withoutAVocabularyMatrixThereAreOnlyCoefficients() throws IOException {
        try (AdapterNetwork adapter = open(new AdapterConfig.LangBridge(6, 7, VOCABULARY, false), null)) {
            assertThat(adapter.coefficients(Tiny.random(1, 2, 6)).shape()).containsExactly(1, 2, VOCABULARY);
            assertThatExceptionOfType(UnsupportedOperationException.class)
                    .isThrownBy(() -> adapter.visualTokens(Tiny.random(1, 2, 6)))
                    .withMessage("This adapter was opened without a vocabulary matrix; it only gives coefficients");
        }
    }

    @Test
    void aVocabularyMatrixOfAnotherSizeIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> open(
                        new AdapterConfig.LangBridge(6, 7, VOCABULARY, false), FloatTensor.allocate(3, LLM_HIDDEN)))
                .withMessage("The vocabulary matrix must have the shape [8200, llm_hidden], not [3, 5]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> open(new AdapterConfig.Linear(6, LLM_HIDDEN), FloatTensor.allocate(3, LLM_HIDDEN)))
                .withMessage("Only LangBridge adapters take a vocabulary matrix, not linear");
    }

    @Test
    void wrongShapesAndUseAfterClosingAreRefused() throws IOException {
        AdapterNetwork adapter = open(new AdapterConfig.Mlp(6, 7, LLM_HIDDEN, 3, true), null);
        assertThat(adapter.visualTokens(Tiny.random(2, 3, 6)).shape()).containsExactly(2, 3, LLM_HIDDEN);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> adapter.visualTokens(FloatTensor.allocate(2, 5)))
                .withMessage("features must have the shape [tiles, rows, 6] with at least one of each, not [2, 5]");
        adapter.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> adapter.visualTokens(Tiny.random(1, 1, 6)))
                .withMessage("The mlp3x_gelu adapter is closed");
    }

    @Test
    void quantisedWeightsAreRefusedByName() throws IOException {
        Weights weights = new RandomWeights().add("weight", 0, LLM_HIDDEN, 6).open(folder);
        assertThatExceptionOfType(RuntimeUnavailableException.class)
                .isThrownBy(() -> new PyTorchEngine()
                        .adapter(
                                new AdapterConfig.Linear(6, LLM_HIDDEN),
                                weights,
                                null,
                                Tiny.OPTIONS.with(Precision.INT8)))
                .withMessageContaining("'pytorch' computes in full precision only, not in INT8")
                .withMessageContaining("engine(\"onnx\")");
    }
}
