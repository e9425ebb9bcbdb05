package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.Image;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.family.FeatureSelection;
import io.langbridge.runtime.core.family.Tiling;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;

/** Phases {@code picture} and {@code encode}. */
final class EncoderSet {
    private EncoderSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        Path picture = Picture.in(setup.models());
        FeatureSelection selection = new FeatureSelection(setup.layer, setup.layer != -1);
        try (VisionPart part = VisionPart.open(setup.encoder(), selection)) {
            VisionConfig config = part.config();
            ImagePreprocessor preprocessor = new ImagePreprocessor(part.pictures(new Tiling.Pad()));
            Measure prepare = new Measure(setup.reps, setup.patience)
                    .millis(() -> preprocessor.prepare(Image.of(picture).pixels()));
            out.accept(setup.line("picture", "encoder")
                    .put("pixels", Picture.WIDTH + "x" + Picture.HEIGHT)
                    .put("ms", prepare)
                    .rounded("peak_rss_mb", Host.peakMb())
                    .json());

            Host.resetPeak();
            Stopwatch loading = new Stopwatch();
            try (Running network = setup.engine().open(part.network(), part.weights(), Map.of(), setup.options())) {
                double loadSeconds = loading.seconds();
                Double loadPeak = Host.peakMb();
                Host.resetPeak();
                FloatTensor pixels = setup.inputs(1, 1, 3, config.imageSize(), config.imageSize());
                FloatTensor features = network.run(Map.of("pixel_values", pixels));
                Measure encode = new Measure(setup.reps, setup.patience)
                        .millis(() -> network.run(Map.of("pixel_values", pixels)));
                Line line = setup.line("encode", "encoder").put("layers", config.layersToRun());
                line.put("ms", encode);
                setup.compare(features, line);
                out.accept(line.rounded("load_s", loadSeconds)
                        .rounded("load_peak_rss_mb", loadPeak)
                        .rounded("peak_rss_mb", Host.peakMb())
                        .json());
            }
        }
    }
}
