package io.langbridge.runtime.onnx;

import static io.langbridge.runtime.onnx.Errors.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxAdapterTest {
    @TempDir
    Path folder;

    private final FloatTensor features = FloatTensor.of(RandomWeights.values(2 * 3 * 8, 1), 2, 3, 8);
    private final FloatTensor matrix = FloatTensor.of(RandomWeights.values(10 * 6, 2), 10, 6);

    private EngineOptions options() {
        return new EngineOptions(1, false, folder.resolve("cache"));
    }

    private Weights langBridgeWeights() throws IOException {
        return new RandomWeights(DType.F32)
                .add("0.weight", 12, 8)
                .add("0.bias", 12)
                .add("2.weight", 12, 12)
                .add("2.bias", 12)
                .add("3.weight", 10, 12)
                .add("3.bias", 10)
                .writeTo(folder.resolve("adapter.safetensors"));
    }

    private AdapterNetwork langBridge(boolean softmax) throws IOException {
        return new OnnxEngine()
                .adapter(new AdapterConfig.LangBridge(8, 12, 10, softmax), langBridgeWeights(), matrix, options());
    }

    @Test
    void visualTokensAreTheCoefficientsTimesTheVocabularyMatrix() throws IOException {
        for (boolean softmax : new boolean[] {false, true}) {
            try (AdapterNetwork adapter = langBridge(softmax)) {
                FloatTensor coefficients = adapter.coefficients(features);
                FloatTensor tokens = adapter.visualTokens(features);
                assertThat(coefficients.shape()).containsExactly(2, 3, 10);
                assertThat(tokens.shape()).containsExactly(2, 3, 6);
                assertClose(tokens.toArray(), product(coefficients.toArray(), matrix.toArray(), 10, 6));
            }
        }
    }

    @Test
    void softmaxCoefficientsSumToOneAndRawOnesDoNot() throws IOException {
        try (AdapterNetwork adapter = langBridge(true)) {
            assertThat(sum(adapter.coefficients(features)
                            .rows(0, 1)
                            .reshape(3, 10)
                            .rows(0, 1)))
                    .isCloseTo(1, within(1e-6));
        }
        try (AdapterNetwork raw = langBridge(false)) {
            assertThat(sum(raw.coefficients(features).rows(0, 1).reshape(3, 10).rows(0, 1)))
                    .isNotCloseTo(1, within(1e-3));
        }
    }

    @Test
    void oneLinearLayerIsAProduct() throws IOException {
        Weights weights = new RandomWeights(DType.F32)
                .add("weight", 6, 8)
                .add("bias", 6)
                .writeTo(folder.resolve("adapter.safetensors"));
        float[] w = weights.get("weight").toFloats();
        float[] b = weights.get("bias").toFloats();
        float[] x = features.toArray();
        double[] expected = new double[6 * 6];
        for (int i = 0; i < expected.length; i++) {
            expected[i] = b[i % 6];
            for (int k = 0; k < 8; k++) {
                expected[i] += (double) x[i / 6 * 8 + k] * w[i % 6 * 8 + k];
            }
        }
        try (AdapterNetwork adapter =
                new OnnxEngine().adapter(new AdapterConfig.Linear(8, 6), weights, null, options())) {
            assertClose(adapter.visualTokens(features).toArray(), expected);
            assertThatExceptionOfType(UnsupportedOperationException.class)
                    .isThrownBy(() -> adapter.coefficients(features))
                    .withMessage("An adapter of type linear has no coefficients; only LangBridge adapters have");
        }
    }

    @Test
    void anMlpMayHaveNoBiasAndAWidthOfItsOwnBetweenTheLayers() throws IOException {
        Weights weights = new RandomWeights(DType.F32)
                .add("0.weight", 7, 8)
                .add("2.weight", 7, 7)
                .add("4.weight", 6, 7)
                .writeTo(folder.resolve("adapter.safetensors"));
        try (AdapterNetwork adapter =
                new OnnxEngine().adapter(new AdapterConfig.Mlp(8, 7, 6, 3, false), weights, null, options())) {
            assertThat(adapter.visualTokens(features).shape()).containsExactly(2, 3, 6);
        }
    }

    @Test
    void withoutAVocabularyMatrixThereAreOnlyCoefficients() throws IOException {
        Weights weights = langBridgeWeights();
        try (AdapterNetwork adapter =
                new OnnxEngine().adapter(new AdapterConfig.LangBridge(8, 12, 10, false), weights, null, options())) {
            assertThat(adapter.coefficients(features).shape()).containsExactly(2, 3, 10);
            assertThatExceptionOfType(UnsupportedOperationException.class)
                    .isThrownBy(() -> adapter.visualTokens(features))
                    .withMessage("This adapter was opened without a vocabulary matrix; it only gives coefficients");
        }
    }

    @Test
    void wrongShapesAreRefused() throws IOException {
        try (AdapterNetwork adapter = langBridge(false)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> adapter.visualTokens(FloatTensor.allocate(1, 3, 9)))
                    .withMessage(
                            "features must have the shape [tiles, rows, 8] with at least one of each, not [1, 3, 9]");
            assertThatIllegalArgumentException().isThrownBy(() -> adapter.coefficients(FloatTensor.allocate(3, 8)));
        }
        Weights none = new RandomWeights(DType.F32).add("x", 1).writeTo(folder.resolve("none.safetensors"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new OnnxEngine()
                        .adapter(new AdapterConfig.LangBridge(8, 12, 11, false), none, matrix, options()))
                .withMessage("The vocabulary matrix must have the shape [11, llm_hidden], not [10, 6]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new OnnxEngine().adapter(new AdapterConfig.Linear(8, 6), none, matrix, options()));
    }

    @Test
    void aClosedAdapterRefusesToRun() throws IOException {
        AdapterNetwork adapter = langBridge(false);
        adapter.close();
        adapter.close();
        assertThatIllegalStateException().isThrownBy(() -> adapter.visualTokens(features));
        assertThatIllegalStateException().isThrownBy(() -> adapter.coefficients(features));
    }

    private static double sum(FloatTensor values) {
        double sum = 0;
        for (float value : values.toArray()) {
            sum += value;
        }
        return sum;
    }

    private static double[] product(float[] x, float[] w, int in, int out) {
        double[] y = new double[x.length / in * out];
        for (int i = 0; i < y.length; i++) {
            for (int k = 0; k < in; k++) {
                y[i] += (double) x[i / out * in + k] * w[k * out + i % out];
            }
        }
        return y;
    }
}
