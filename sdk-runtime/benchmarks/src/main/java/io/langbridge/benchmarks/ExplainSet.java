package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.EncodedImage;
import io.langbridge.ExplainOptions;
import io.langbridge.Explanation;
import io.langbridge.Image;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * The words of all patches of a picture that is encoded already, the 8 strongest each, and the heat maps of the
 * picture's: {@code explain.coefficient} and {@code explain.cosine}.
 */
final class ExplainSet {
    private ExplainSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        try (VisionLanguageModel model = setup.model()) {
            EncodedImage seen = model.encode(Image.of(Picture.in(setup.models())));
            for (Explanation.Measure measure : Explanation.Measure.values()) {
                ExplainOptions options =
                        ExplainOptions.builder().measure(measure).build();
                Stopwatch first = new Stopwatch();
                Explanation explanation = model.explain(seen, options);
                double firstSeconds = first.seconds();
                Host.resetPeak();
                out.accept(setup.line("explain." + measure.name().toLowerCase(Locale.ROOT), "model")
                        .put("patches", explanation.patches().size())
                        .put("ms", new Measure(setup.reps, setup.patience).millis(() -> model.explain(seen, options)))
                        .rounded("first_s", firstSeconds)
                        .rounded("peak_rss_mb", Host.peakMb())
                        .json());
            }
        }
    }
}
