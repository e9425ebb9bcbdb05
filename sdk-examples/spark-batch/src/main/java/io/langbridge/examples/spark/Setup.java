package io.langbridge.examples.spark;

import io.langbridge.Precision;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which model answers, and how.
 *
 * @param folder the model's, under the same name on every machine, or null for the bundled one
 * @param precision of all parts
 * @param threads that compute
 */
record Setup(String folder, Precision precision, int threads) implements Serializable {
    /** A model is loaded once per process, not once per task: its tasks share it. */
    private static final Map<Setup, VisionLanguageModel> LOADED = new ConcurrentHashMap<>();

    /** @param loaded is run if this call loads it */
    VisionLanguageModel model(Runnable loaded) {
        return LOADED.computeIfAbsent(this, setup -> {
            VisionLanguageModel model = load();
            loaded.run();
            return model;
        });
    }

    private VisionLanguageModel load() {
        VisionLanguageModel.Builder builder =
                VisionLanguageModel.builder().precision(precision).threads(threads);
        if (folder != null) {
            VisionLanguageModel model = builder.folder(Path.of(folder)).build();
            Runtime.getRuntime().addShutdownHook(new Thread(model::close));
            return model;
        }
        DemoModel demo = DemoModel.open();
        VisionLanguageModel model = builder.encoder(demo.encoder())
                .adapter(demo.adapter())
                .llm(demo.llm())
                .withoutCache()
                .build();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            model.close();
            demo.close();
        }));
        return model;
    }

    String revision() throws IOException {
        if (folder != null) {
            return Revision.of(Path.of(folder)) + " " + precision;
        }
        try (DemoModel demo = DemoModel.open()) {
            return "demo@" + Revision.ofContent(demo.folder()) + " " + precision;
        }
    }
}
