package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.runtime.core.config.AdapterConfig;
import io.langbridge.runtime.core.config.AdapterPart;
import io.langbridge.runtime.core.config.LlmPart;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.FloatTensor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Phases {@code adapter} and, for LangBridge, {@code coefficients}. */
final class AdapterSet {
    private static final int PATCHES = 576;
    private static final float EMBEDDING_DEVIATION = 0.02f;

    private AdapterSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        try (AdapterPart part = AdapterPart.open(setup.adapter())) {
            FloatTensor features = setup.inputs(1, 1, PATCHES, part.config().mmHiddenSize());
            FloatTensor matrix = matrix(setup, part.config());
            Stopwatch loading = new Stopwatch();
            try (AdapterNetwork network =
                    setup.engine().adapter(part.config(), part.weights(), matrix, setup.options())) {
                double loadSeconds = loading.seconds();
                Double loadPeak = Host.peakMb();
                Host.resetPeak();
                FloatTensor tokens = network.visualTokens(features);
                Line line = setup.line("adapter", "adapter")
                        .put("patches", PATCHES)
                        .put(
                                "ms",
                                new Measure(setup.reps, setup.patience).millis(() -> network.visualTokens(features)));
                setup.compare(tokens, line);
                out.accept(line.rounded("load_s", loadSeconds)
                        .rounded("load_peak_rss_mb", loadPeak)
                        .rounded("peak_rss_mb", Host.peakMb())
                        .json());
                if (matrix != null) {
                    Host.resetPeak();
                    out.accept(setup.line("coefficients", "adapter")
                            .put("patches", PATCHES)
                            .put(
                                    "ms",
                                    new Measure(setup.reps, setup.patience)
                                            .millis(() -> network.coefficients(features)))
                            .rounded("peak_rss_mb", Host.peakMb())
                            .json());
                }
            }
        }
    }

    /** Random rows in place of the language model's embeddings, of which only the width matters here. */
    private static @Nullable FloatTensor matrix(Setup setup, AdapterConfig config) throws IOException {
        if (!(config instanceof AdapterConfig.LangBridge langBridge)) {
            return null;
        }
        try (LlmPart llm = LlmPart.open(setup.llm())) {
            FloatTensor matrix =
                    FloatTensor.allocate(langBridge.mmVocabSize(), llm.config().hiddenSize());
            Random random = new Random(8);
            FloatBuffer values = matrix.data();
            while (values.hasRemaining()) {
                values.put(EMBEDDING_DEVIATION * (float) random.nextGaussian());
            }
            return matrix;
        }
    }
}
