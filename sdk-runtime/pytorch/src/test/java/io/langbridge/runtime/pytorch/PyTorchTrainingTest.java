package io.langbridge.runtime.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.Vit;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.pytorch.PyTorchTraining.Batch;
import io.langbridge.runtime.pytorch.PyTorchTraining.Kind;
import io.langbridge.runtime.pytorch.PyTorchTraining.Networks;
import io.langbridge.runtime.pytorch.PyTorchTraining.Parameter;
import io.langbridge.runtime.pytorch.PyTorchTraining.Part;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PyTorchTrainingTest {
    private static final int[] VOCABULARY = {30, 4, 9, 17, 2, 41, 23, 8, 11};
    private static final AdapterConfig LANGBRIDGE = new AdapterConfig.LangBridge(16, 7, VOCABULARY.length, false);
    private static final AdapterConfig SOFTMAX = new AdapterConfig.LangBridge(16, 7, VOCABULARY.length, true);
    private static final AdapterConfig MLP = new AdapterConfig.Mlp(16, 24, 2, true);
    private static final AdapterConfig LINEAR = new AdapterConfig.Linear(16, 24);
    /** Queries, keys and values with a bias as in Qwen2, or with a norm as in Qwen3; a window of three positions. */
    private static final LlamaConfig QWEN2 = Tiny.decoder(true, false, 3, true);

    private static final LlamaConfig QWEN3 = Tiny.decoder(false, true, 0, false);
    private static final VisionConfig CLIP = Tiny.vision(VisionConfig.Kind.CLIP, Activation.QUICK_GELU);
    private static final VisionConfig SIGLIP = Tiny.vision(VisionConfig.Kind.SIGLIP, Activation.GELU_TANH);

    /** A picture of four patches among words, then words alone. */
    private static final int[] IDS = {3, 0, 0, 0, 0, 7, 9, 11, 5, 6, 8};

    private static final int[] LENGTHS = {8, 3};
    private static final int[] SOURCES = {0, 1, 2, 3};
    private static final int[] PLACES = {1, 2, 3, 4};
    private static final int[] ANSWERS = {4, 5, 6, 9};
    private static final int[] LABELS = {7, 9, 11, 8};

    @TempDir
    private Path folder;

    @BeforeAll
    static void requireNatives() {
        Tiny.requireNatives();
    }

    private PyTorchTraining open(
            AdapterConfig adapter, LlamaConfig llm, boolean trainLlm, @Nullable VisionConfig encoder)
            throws IOException {
        return open(adapter, llm, trainLlm, encoder, false, false);
    }

    private PyTorchTraining open(
            AdapterConfig adapter,
            LlamaConfig llm,
            boolean trainLlm,
            @Nullable VisionConfig encoder,
            boolean newline,
            boolean muon)
            throws IOException {
        Weights llmWeights = Tiny.weights(llm).open(subfolder("llm"));
        Weights encoderWeights = encoder == null ? null : Tiny.weights(encoder).open(subfolder("encoder"));
        int[] vocabulary = adapter instanceof AdapterConfig.LangBridge ? VOCABULARY : null;
        PyTorchTraining training = new PyTorchTraining(
                new Networks(adapter, vocabulary, newline, true, llm, llmWeights, trainLlm, encoder, encoderWeights),
                0,
                muon,
                Tiny.OPTIONS);
        Random random = new Random(3);
        for (Parameter parameter : training.parameters()) {
            if (parameter.part() == Part.ADAPTER) {
                training.write(Kind.PARAMETER, parameter, 0, gaussian(random, (int) parameter.elements(), 0.3));
            }
        }
        return training;
    }

    private Path subfolder(String name) throws IOException {
        return Files.createDirectories(folder.resolve(name));
    }

    private static FloatTensor gaussian(Random random, int count, double scale) {
        FloatTensor tensor = FloatTensor.allocate(count);
        FloatBuffer data = tensor.data();
        while (data.hasRemaining()) {
            data.put((float) (scale * random.nextGaussian()));
        }
        return tensor;
    }

    private static Batch batch(@Nullable VisionConfig encoder) {
        FloatTensor pictures = encoder == null ? Tiny.random(1, 4, 16) : Tiny.random(1, 3, 12, 12);
        return new Batch(pictures, SOURCES, PLACES, IDS, LENGTHS, ANSWERS, LABELS);
    }

    private static float[] read(PyTorchTraining training, Kind kind, Parameter parameter) {
        FloatTensor values = FloatTensor.allocate((int) parameter.elements());
        training.read(kind, parameter, 0, values);
        return values.toArray();
    }

    static Stream<Arguments> networks() {
        return Stream.of(
                Arguments.of(LANGBRIDGE, QWEN2, false, null),
                Arguments.of(SOFTMAX, QWEN2, false, null),
                Arguments.of(MLP, QWEN2, false, null),
                Arguments.of(LINEAR, QWEN3, false, null),
                Arguments.of(LANGBRIDGE, QWEN2, true, CLIP),
                Arguments.of(SOFTMAX, QWEN3, true, null),
                Arguments.of(MLP, QWEN3, true, SIGLIP));
    }

    /** Along its gradient a parameter changes the loss most, by the gradient's norm. */
    @ParameterizedTest
    @MethodSource("networks")
    void theGradientOfEveryTrainedTensorIsThatOfFiniteDifferences(
            AdapterConfig adapter, LlamaConfig llm, boolean trainLlm, @Nullable VisionConfig encoder)
            throws IOException {
        try (PyTorchTraining training = open(adapter, llm, trainLlm, encoder)) {
            Batch batch = batch(encoder);
            training.accumulate(batch, 1);
            Random random = new Random(5);
            for (Parameter parameter : training.parameters()) {
                float[] gradient = read(training, Kind.GRADIENT, parameter);
                float[] values = read(training, Kind.PARAMETER, parameter);
                double norm = norm(gradient);
                assertThat(norm).as(parameter.toString()).isPositive();
                // Half along the gradient, half anywhere.
                float[] direction = gaussian(random, gradient.length, 0.5 / Math.sqrt(gradient.length))
                        .toArray();
                double expected = 0;
                for (int i = 0; i < direction.length; i++) {
                    direction[i] += (float) (gradient[i] / norm);
                    expected += (double) direction[i] * gradient[i];
                }
                double step = Math.min(0.02, 0.0125 / norm);
                double higher = lossBeside(training, parameter, values, direction, step, batch);
                double lower = lossBeside(training, parameter, values, direction, -step, batch);
                training.write(Kind.PARAMETER, parameter, 0, FloatTensor.of(values, values.length));
                assertThat((higher - lower) / (2 * step))
                        .as(parameter.part() + " " + parameter.name())
                        .isCloseTo(expected, within(0.01 * expected + 1e-3));
            }
        }
    }

    private static double lossBeside(
            PyTorchTraining training, Parameter parameter, float[] at, float[] direction, double step, Batch batch) {
        FloatTensor moved = FloatTensor.allocate(at.length);
        for (int i = 0; i < at.length; i++) {
            moved.data().put(i, (float) (at[i] + step * direction[i]));
        }
        training.write(Kind.PARAMETER, parameter, 0, moved);
        return training.evaluate(batch);
    }

    private static double norm(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum);
    }

    @ParameterizedTest
    @MethodSource("networks")
    void theLossIsWhatTheEnginesNetworksGive(
            AdapterConfig adapter, LlamaConfig llm, boolean trainLlm, @Nullable VisionConfig encoder)
            throws IOException {
        Batch batch = batch(encoder);
        try (PyTorchTraining training = open(adapter, llm, trainLlm, encoder)) {
            RandomWeights adapterWeights = new RandomWeights();
            for (Parameter parameter : training.parameters()) {
                if (parameter.part() == Part.ADAPTER) {
                    adapterWeights.add(parameter.name(), 0, parameter.shape());
                    float[] values = adapterWeights.values(parameter.name());
                    training.write(Kind.PARAMETER, parameter, 0, FloatTensor.of(values, values.length));
                }
            }
            FloatTensor matrix = adapter instanceof AdapterConfig.LangBridge ? matrix(llm) : null;
            PyTorchEngine engine = new PyTorchEngine();
            try (AdapterNetwork adapterNetwork =
                            engine.adapter(adapter, adapterWeights.open(folder), matrix, Tiny.OPTIONS);
                    DecoderNetwork decoder =
                            engine.decoder(llm, Tiny.weights(llm).open(subfolder("llm")), Tiny.OPTIONS)) {
                FloatTensor pictures = Objects.requireNonNull(batch.pictures());
                FloatTensor features = pictures;
                if (encoder != null) {
                    try (Running vision = engine.open(
                            Vit.network(encoder, false),
                            Tiny.weights(encoder).open(subfolder("encoder")),
                            Map.of(),
                            Tiny.OPTIONS)) {
                        features = vision.run(Map.of("pixel_values", pictures));
                    }
                }
                float[] visual = adapterNetwork.visualTokens(features).toArray();
                double expected = 0;
                int first = 0;
                for (int length : LENGTHS) {
                    int[] ids = Arrays.copyOfRange(IDS, first, first + length);
                    float[] embeddings = decoder.embed(ids).toArray();
                    if (first == 0) {
                        System.arraycopy(visual, 0, embeddings, PLACES[0] * 24, visual.length);
                    }
                    float[] logits = decoder.trace(FloatTensor.of(embeddings, length, 24))
                            .logits()
                            .toArray();
                    for (int i = 0; i < ANSWERS.length; i++) {
                        if (ANSWERS[i] >= first && ANSWERS[i] < first + length) {
                            expected += crossEntropy(logits, ANSWERS[i] - first, LABELS[i], llm.vocabSize());
                        }
                    }
                    first += length;
                }
                assertThat(training.evaluate(batch)).isCloseTo(expected, within(1e-5 * expected));
                assertThat(training.accumulate(batch, 0.25)).isCloseTo(expected, within(1e-5 * expected));
            }
        }
    }

    private static FloatTensor matrix(LlamaConfig llm) {
        float[] embeddings = Tiny.weights(llm).values("model.embed_tokens.weight");
        FloatTensor matrix = FloatTensor.allocate(VOCABULARY.length, 24);
        FloatBuffer rows = matrix.data();
        for (int id : VOCABULARY) {
            rows.put(embeddings, id * 24, 24);
        }
        return matrix;
    }

    private static double crossEntropy(float[] logits, int row, int label, int vocabulary) {
        double sum = 0;
        for (int i = 0; i < vocabulary; i++) {
            sum += Math.exp(logits[row * vocabulary + i]);
        }
        return Math.log(sum) - logits[row * vocabulary + label];
    }

    @Test
    void anUpdateIsAdamWs() throws IOException {
        try (PyTorchTraining training = open(MLP, QWEN2, true, null)) {
            Map<Part, Double> rates = Map.of(Part.ADAPTER, 0.01, Part.LLM, 0.001);
            for (int step = 1; step <= 3; step++) {
                training.accumulate(batch(null), 0.25);
                List<double[]> expected = new ArrayList<>();
                for (Parameter parameter : training.parameters()) {
                    expected.add(adamW(training, parameter, rates.getOrDefault(parameter.part(), 0.), 0.5, step));
                }
                training.update(rates, 0.5);
                for (int i = 0; i < expected.size(); i++) {
                    Parameter parameter = training.parameters().get(i);
                    Tiny.assertClose(read(training, Kind.PARAMETER, parameter), expected.get(i));
                    assertThat(norm(read(training, Kind.GRADIENT, parameter))).isZero();
                }
            }
            assertThat(training.updates()).isEqualTo(3);
        }
    }

    private static double[] adamW(PyTorchTraining training, Parameter parameter, double rate, double factor, int step) {
        float[] values = read(training, Kind.PARAMETER, parameter);
        float[] gradient = read(training, Kind.GRADIENT, parameter);
        float[] first = read(training, Kind.FIRST_MOMENT, parameter);
        float[] second = read(training, Kind.SECOND_MOMENT, parameter);
        double[] updated = new double[values.length];
        for (int i = 0; i < updated.length; i++) {
            double g = gradient[i] * factor;
            double mean = 0.9 * first[i] + 0.1 * g;
            double square = 0.999 * second[i] + 0.001 * g * g;
            double corrected = Math.sqrt(square / (1 - Math.pow(0.999, step))) + 1e-8;
            updated[i] = values[i] - rate * mean / (1 - Math.pow(0.9, step)) / corrected;
        }
        return updated;
    }

    @Test
    void muonMovesTheMatricesOfLayersAndAdamWAllElse() throws IOException {
        try (PyTorchTraining training = open(MLP, QWEN2, true, null, false, true)) {
            Map<Part, Double> rates = Map.of(Part.ADAPTER, 0.01, Part.LLM, 0.001);
            int moved = 0;
            for (int step = 1; step <= 3; step++) {
                training.accumulate(batch(null), 0.25);
                List<double[]> expected = new ArrayList<>();
                for (Parameter parameter : training.parameters()) {
                    boolean muon = parameter.name().contains("layers.") && parameter.shape().length == 2;
                    double rate = rates.getOrDefault(parameter.part(), 0.);
                    moved += muon ? 1 : 0;
                    expected.add(
                            muon ? muon(training, parameter, rate, 0.5) : adamW(training, parameter, rate, 0.5, step));
                }
                training.update(rates, 0.5);
                for (int i = 0; i < expected.size(); i++) {
                    Tiny.assertClose(
                            read(training, Kind.PARAMETER, training.parameters().get(i)), expected.get(i));
                }
            }
            assertThat(moved).isPositive();
        }
    }

    private static double[] muon(PyTorchTraining training, Parameter parameter, double rate, double factor) {
        float[] values = read(training, Kind.PARAMETER, parameter);
        float[] gradient = read(training, Kind.GRADIENT, parameter);
        float[] momentum = read(training, Kind.FIRST_MOMENT, parameter);
        int rows = (int) parameter.shape()[0];
        int columns = (int) parameter.shape()[1];
        double[][] x = new double[rows][columns];
        double norm = 0;
        for (int i = 0; i < values.length; i++) {
            double g = gradient[i] * factor;
            double direction = g + 0.95 * (0.95 * momentum[i] + g);
            x[i / columns][i % columns] = direction;
            norm += direction * direction;
        }
        for (double[] row : x) {
            for (int i = 0; i < columns; i++) {
                row[i] /= Math.sqrt(norm);
            }
        }
        for (int i = 0; i < 5; i++) { // 3.4445 x - 4.775 (x x') x + 2.0315 (x x')^2 x
            double[][] square = product(x, transposed(x));
            double[][] cubic = product(square, x);
            double[][] quintic = product(square, cubic);
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    x[row][column] =
                            3.4445 * x[row][column] - 4.775 * cubic[row][column] + 2.0315 * quintic[row][column];
                }
            }
        }
        double[] updated = new double[values.length];
        for (int i = 0; i < updated.length; i++) {
            updated[i] = values[i] - rate * 0.2 * Math.sqrt(Math.max(rows, columns)) * x[i / columns][i % columns];
        }
        return updated;
    }

    private static double[][] product(double[][] one, double[][] two) {
        double[][] product = new double[one.length][two[0].length];
        for (int i = 0; i < one.length; i++) {
            for (int j = 0; j < two.length; j++) {
                for (int k = 0; k < two[0].length; k++) {
                    product[i][k] += one[i][j] * two[j][k];
                }
            }
        }
        return product;
    }

    private static double[][] transposed(double[][] matrix) {
        double[][] transposed = new double[matrix[0].length][matrix.length];
        for (int i = 0; i < matrix.length; i++) {
            for (int j = 0; j < matrix[0].length; j++) {
                transposed[j][i] = matrix[i][j];
            }
        }
        return transposed;
    }

    @Test
    void microBatchesAddUpToTheBatch() throws IOException {
        Batch batch = batch(null);
        try (PyTorchTraining training = open(LANGBRIDGE, QWEN2, true, null)) {
            double whole = training.accumulate(batch, 0.25);
            Parameter parameter = training.parameters().get(4);
            float[] gradient = read(training, Kind.GRADIENT, parameter);
            training.discardGradients();
            double first = training.accumulate(
                    new Batch(
                            batch.pictures(),
                            SOURCES,
                            PLACES,
                            Arrays.copyOf(IDS, 8),
                            new int[] {8},
                            new int[] {4, 5, 6},
                            new int[] {7, 9, 11}),
                    0.25);
            double second = training.accumulate(
                    new Batch(
                            null, new int[0], new int[0], new int[] {5, 6, 8}, new int[] {3}, new int[] {1}, new int[] {
                                8
                            }),
                    0.25);
            assertThat(first + second).isCloseTo(whole, within(1e-5 * whole));
            assertThat(parameter.name()).isEqualTo("3.weight");
            Tiny.assertClose(read(training, Kind.GRADIENT, parameter), Tiny.doubles(gradient));
        }
    }

    @Test
    void aTrainingThatIsContinuedGoesOnWithTheSameBits() throws IOException {
        Batch batch = batch(null);
        Map<Part, Double> rates = Map.of(Part.ADAPTER, 0.01);
        try (PyTorchTraining training = open(LANGBRIDGE, QWEN2, false, null);
                PyTorchTraining continued = open(LANGBRIDGE, QWEN2, false, null)) {
            training.accumulate(batch, 0.25);
            training.update(rates, 1);
            for (Parameter parameter : training.parameters()) {
                for (Kind kind : new Kind[] {Kind.PARAMETER, Kind.FIRST_MOMENT, Kind.SECOND_MOMENT}) {
                    float[] values = read(training, kind, parameter);
                    continued.write(kind, parameter, 0, FloatTensor.of(values, values.length));
                }
            }
            continued.continueAfter(training.updates());
            for (int i = 0; i < 3; i++) {
                assertThat(continued.accumulate(batch, 0.25)).isEqualTo(training.accumulate(batch, 0.25));
                assertThat(continued.gradientNorm()).isEqualTo(training.gradientNorm());
                training.update(rates, 1);
                continued.update(rates, 1);
            }
        }
    }

    @Test
    void theNewlineIsTrainedWhereItStands() throws IOException {
        try (PyTorchTraining training = open(MLP, QWEN2, false, null, true, false)) {
            Batch batch =
                    new Batch(Tiny.random(1, 4, 16), new int[] {0, 1, 4, 2}, PLACES, IDS, LENGTHS, ANSWERS, LABELS);
            training.accumulate(batch, 1);
            Parameter newline = training.parameters().get(4);
            assertThat(newline.name()).isEqualTo("image_newline");
            assertThat(norm(read(training, Kind.GRADIENT, newline))).isPositive();
        }
    }

    @Test
    void wrongUseIsRefused() throws IOException {
        Weights weights = Tiny.weights(QWEN2).open(folder);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PyTorchTraining(
                        new Networks(LANGBRIDGE, null, false, true, QWEN2, weights, false, null, null),
                        0,
                        false,
                        Tiny.OPTIONS))
                .withMessage("A shared vocabulary belongs to a LangBridge adapter and to no other");
        PyTorchTraining training = open(MLP, QWEN2, false, null);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> training.evaluate(
                        new Batch(null, new int[0], new int[0], IDS, LENGTHS, new int[0], new int[0])))
                .withMessage("A batch needs answers, and as many labels: 0 and 0");
        training.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> training.evaluate(batch(null)))
                .withMessage("The training is closed");
    }
}
