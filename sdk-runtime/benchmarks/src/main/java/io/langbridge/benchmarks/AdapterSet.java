package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.util.function.Consumer;

/** Phases {@code adapter}, as a model runs it, and, for LangBridge, {@code coefficients}. */
final class AdapterSet {
    private static final int PATCHES = 576;

    private AdapterSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        try (AdapterPart part = AdapterPart.open(setup.adapter());
                Embeddings embeddings = Embeddings.random(setup, part.config())) {
            FloatTensor features = setup.inputs(1, 1, PATCHES, part.config().mmHiddenSize());
            Stopwatch loading = new Stopwatch();
            try (AdapterNetwork network = Adapters.attach(
                    setup.engine(), part.config(), part.weights(), embeddings.matrix(), null, setup.options())) {
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
                if (embeddings.matrix() != null) {
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
}
