package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.adapter.VocabularyMatrix;
import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Folding a LangBridge adapter for a language model: phases {@code fold} (nothing cached), {@code fold_cached},
 * {@code folded}, {@code unfolded} and {@code gemms}, which is what the folded adapter consists of. {@code rel_err} is
 * against the same computation in float64, on a few patches.
 */
final class FoldSet {
    private static final int PATCHES = 576;
    private static final int CHECKED = 16;

    /** Widths of language models: Qwen2-0.5B, Llama-3-8B. */
    private static final int[] WIDTHS = {896, 4096};

    private FoldSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        Path folder = Files.createTempDirectory(setup.models(), "fold");
        try (AdapterPart part = AdapterPart.open(setup.adapter())) {
            if (!(part.config() instanceof AdapterConfig.LangBridge config)) {
                throw new IllegalArgumentException("Only LangBridge adapters fold, not " + part.config());
            }
            for (int width : WIDTHS) {
                try (Embeddings embeddings = Embeddings.random(setup, config.mmVocabSize(), width)) {
                    measure(setup, part, config, Objects.requireNonNull(embeddings.matrix()), folder, out);
                }
            }
        } finally {
            delete(folder);
        }
    }

    private static void measure(
            Setup setup,
            AdapterPart part,
            AdapterConfig.LangBridge config,
            VocabularyMatrix matrix,
            Path folder,
            Consumer<JsonObject> out)
            throws IOException {
        Engine engine = setup.engine();
        EngineOptions options = setup.options(folder.resolve("cache"));
        Host.resetPeak();
        Measure folding = new Measure(setup.reps, setup.patience).millis(() -> {
            delete(options.cacheDirectory());
            Adapters.attach(engine, config, part.weights(), matrix, null, options)
                    .close();
        });
        out.accept(line(setup, "fold", matrix)
                .put("ms", folding)
                .rounded("peak_rss_mb", Host.peakMb())
                .json());
        out.accept(line(setup, "fold_cached", matrix)
                .put(
                        "ms",
                        new Measure(setup.reps, setup.patience)
                                .millis(() -> Adapters.attach(engine, config, part.weights(), matrix, null, options)
                                        .close()))
                .json());

        FloatTensor features = setup.inputs(1, 1, PATCHES, config.mmHiddenSize());
        FloatTensor few = features.reshape(PATCHES, config.mmHiddenSize())
                .rows(0, CHECKED)
                .reshape(1, CHECKED, config.mmHiddenSize());
        double[] expected = Float64.visualTokens(part.weights(), config, matrix, few);
        try (AdapterNetwork folded = Adapters.attach(engine, config, part.weights(), matrix, null, options)) {
            out.accept(timed(setup, "folded", matrix, folded, features)
                    .put("rel_err", Float64.relativeError(folded.visualTokens(few), expected))
                    .json());
        }
        gemms(setup, part, config, matrix, options, features, out);
        try (AdapterNetwork unfolded = engine.adapter(config, part.weights(), matrix.read(0, matrix.rows()), options)) {
            out.accept(timed(setup, "unfolded", matrix, unfolded, features)
                    .put("rel_err", Float64.relativeError(unfolded.visualTokens(few), expected))
                    .json());
        }
    }

    /** The two products of the folded adapter, each alone. */
    private static void gemms(
            Setup setup,
            AdapterPart part,
            AdapterConfig.LangBridge config,
            VocabularyMatrix matrix,
            EngineOptions options,
            FloatTensor features,
            Consumer<JsonObject> out) {
        Engine engine = setup.engine();
        AdapterConfig first = new AdapterConfig.Linear(config.mmHiddenSize(), config.mlpHiddenSize());
        AdapterConfig second = new AdapterConfig.Linear(config.mlpHiddenSize(), matrix.width());
        try (Weights weights = Adapters.fold(engine, config, part.weights(), matrix, options);
                AdapterNetwork a = engine.adapter(first, layer(weights, "0."), null, options);
                AdapterNetwork b = engine.adapter(second, layer(weights, "2."), null, options)) {
            FloatTensor hidden = a.visualTokens(features);
            out.accept(line(setup, "gemms", matrix)
                    .put("patches", PATCHES)
                    .put("ms", new Measure(setup.reps, setup.patience).millis(() -> {
                                a.visualTokens(features);
                                b.visualTokens(hidden);
                            }))
                    .json());
        }
    }

    private static Weights layer(Weights weights, String prefix) {
        return Checkpoints.renamed(weights, name -> name.startsWith(prefix) ? name.substring(prefix.length()) : null);
    }

    private static Line timed(
            Setup setup, String phase, VocabularyMatrix matrix, AdapterNetwork network, FloatTensor features) {
        return line(setup, phase, matrix)
                .put("patches", PATCHES)
                .put("ms", new Measure(setup.reps, setup.patience).millis(() -> network.visualTokens(features)));
    }

    private static Line line(Setup setup, String phase, VocabularyMatrix matrix) {
        return setup.line(phase, "adapter").put("llm_hidden", matrix.width());
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.exists(folder) ? Files.walk(folder) : Stream.empty()) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The adapter as the authors compute it, in float64 and plain loops. */
    private static final class Float64 {
        private Float64() {}

        static double[] visualTokens(
                Weights weights, AdapterConfig.LangBridge config, VocabularyMatrix matrix, FloatTensor features) {
            double[] x = new double[features.count()];
            FloatBuffer values = features.data();
            for (int i = 0; i < x.length; i++) {
                x[i] = values.get(i);
            }
            x = linear(weights, "0", x, config.mmHiddenSize(), config.mlpHiddenSize());
            for (int i = 0; i < x.length; i++) {
                x[i] = gelu(x[i]);
            }
            x = linear(weights, "2", x, config.mlpHiddenSize(), config.mlpHiddenSize());
            x = linear(weights, "3", x, config.mlpHiddenSize(), config.mmVocabSize());
            return times(matrix, x);
        }

        private static double[] linear(Weights weights, String layer, double[] x, int in, int out) {
            int rows = x.length / in;
            float[] bias = weights.get(layer + ".bias").toFloats();
            double[] y = new double[rows * out];
            IntStream.range(0, out).parallel().forEach(j -> {
                FloatBuffer row = FloatBuffer.allocate(in);
                weights.get(layer + ".weight").read((long) j * in, row);
                float[] w = row.array();
                for (int i = 0; i < rows; i++) {
                    double sum = bias[j];
                    for (int k = 0; k < in; k++) {
                        sum += x[i * in + k] * w[k];
                    }
                    y[i * out + j] = sum;
                }
            });
            return y;
        }

        private static double[] times(VocabularyMatrix matrix, double[] coefficients) {
            int rows = coefficients.length / matrix.rows();
            int width = matrix.width();
            double[] y = new double[rows * width];
            for (int token = 0; token < matrix.rows(); token++) {
                FloatBuffer embedding = matrix.read(token, token + 1).data();
                for (int i = 0; i < rows; i++) {
                    double coefficient = coefficients[i * matrix.rows() + token];
                    for (int k = 0; k < width; k++) {
                        y[i * width + k] += coefficient * embedding.get(k);
                    }
                }
            }
            return y;
        }

        private static double gelu(double x) {
            return 0.5 * x * (1 + erf(x / Math.sqrt(2)));
        }

        /** Series where it converges fast, continued fraction beyond; both to double precision. */
        private static double erf(double x) {
            double a = Math.abs(x);
            if (a < 3) {
                double term = a;
                double sum = a;
                for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
                    term *= -a * a / n;
                    sum += term / (2 * n + 1);
                }
                return Math.copySign(2 / Math.sqrt(Math.PI) * sum, x);
            }
            double fraction = a;
            for (int n = 60; n > 0; n--) {
                fraction = a + n / 2.0 / fraction;
            }
            return Math.copySign(1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * fraction), x);
        }

        static double relativeError(FloatTensor actual, double[] expected) {
            FloatBuffer values = actual.data();
            double difference = 0;
            double norm = 0;
            for (int i = 0; i < expected.length; i++) {
                double error = values.get(i) - expected[i];
                difference += error * error;
                norm += expected[i] * expected[i];
            }
            return Math.sqrt(difference / norm);
        }
    }
}
