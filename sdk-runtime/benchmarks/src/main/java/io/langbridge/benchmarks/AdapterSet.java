package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.adapter.VocabularyMatrix;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.config.AdapterConfig;
import io.langbridge.runtime.core.config.AdapterPart;
import io.langbridge.runtime.core.config.LlmPart;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Phase {@code adapter}, as it runs in a model. For LangBridge also {@code fold}, without its cache; {@code chain}, the
 * layers as published; and {@code coefficients}.
 */
final class AdapterSet {
    private static final int PATCHES = 576;
    private static final double MILLIS = 1e3;

    private AdapterSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        try (AdapterPart part = AdapterPart.open(setup.adapter());
                LlmPart llm = LlmPart.open(setup.llm())) {
            VocabularyMatrix matrix = matrix(part, llm);
            FloatTensor features = setup.inputs(1, 1, PATCHES, part.config().mmHiddenSize());
            Stopwatch loading = new Stopwatch();
            try (AdapterNetwork network =
                    Adapters.attach(setup.engine(), part.config(), part.weights(), matrix, null, setup.options())) {
                double loadSeconds = loading.seconds();
                Double loadPeak = Host.peakMb();
                Host.resetPeak();
                FloatTensor tokens = network.visualTokens(features);
                Line line = line(setup, "adapter", () -> network.visualTokens(features));
                setup.compare(tokens, line);
                out.accept(line.rounded("load_s", loadSeconds)
                        .rounded("load_peak_rss_mb", loadPeak)
                        .json());
                if (matrix != null) {
                    out.accept(line(setup, "coefficients", () -> network.coefficients(features))
                            .json());
                }
            }
            if (matrix != null && part.config() instanceof AdapterConfig.LangBridge config) {
                chain(setup, part, matrix, features, out);
                if (!config.softmax()) {
                    out.accept(fold(setup, config, part.weights(), matrix));
                }
            }
        }
    }

    private static Line line(Setup setup, String phase, Runnable call) {
        Host.resetPeak();
        return setup.line(phase, "adapter")
                .put("patches", PATCHES)
                .put("ms", new Measure(setup.reps, setup.patience).millis(call))
                .rounded("peak_rss_mb", Host.peakMb());
    }

    private static void chain(
            Setup setup, AdapterPart part, VocabularyMatrix matrix, FloatTensor features, Consumer<JsonObject> out) {
        try (AdapterNetwork chain =
                setup.engine().adapter(part.config(), part.weights(), matrix.read(0, matrix.rows()), setup.options())) {
            out.accept(line(setup, "chain", () -> chain.visualTokens(features)).json());
        }
    }

    private static JsonObject fold(
            Setup setup, AdapterConfig.LangBridge config, Weights weights, VocabularyMatrix matrix) throws IOException {
        Host.resetPeak();
        Measure fold = new Measure(setup.reps, setup.patience);
        while (!fold.enough()) {
            try (Scratch cache = new Scratch(setup.models())) {
                EngineOptions options = setup.options(cache.folder());
                fold.take(() -> {
                    Stopwatch time = new Stopwatch();
                    Adapters.fold(setup.engine(), config, weights, matrix, options)
                            .close();
                    return MILLIS * time.seconds();
                });
            }
        }
        return setup.line("fold", "adapter")
                .put("ms", fold)
                .rounded("peak_rss_mb", Host.peakMb())
                .json();
    }

    /** The language model's rows of the shared tokens, whose ids must be those of its tokenizer. */
    private static @Nullable VocabularyMatrix matrix(AdapterPart part, LlmPart llm) {
        if (!(part.config() instanceof AdapterConfig.LangBridge)) {
            return null;
        }
        Path vocabulary = Objects.requireNonNull(part.vocabularyFile(), "The adapter has no shared vocabulary");
        return VocabularyMatrix.of(llm.weights().get("model.embed_tokens.weight"), SharedVocabulary.read(vocabulary));
    }
}
