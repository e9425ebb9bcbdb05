package io.langbridge.demoworld;

import io.langbridge.Adapter;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.runtime.core.adapter.Adapters;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.family.AdapterPart;
import io.langbridge.runtime.core.family.VisionPart;
import io.langbridge.runtime.core.image.ImagePreprocessor;
import io.langbridge.runtime.core.model.EngineChoice;
import io.langbridge.runtime.core.model.Fit;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Scenes as an encoder sees them, and what adapters make of that. */
final class Seen {
    private final List<Scene> scenes = new ArrayList<>();
    private final List<FloatTensor> features = new ArrayList<>();
    private final EngineChoice choice = EngineChoice.of(EngineChoice.onThePath(), null, Device.CPU, false);
    private final EngineOptions options;

    /**
     * Encodes new scenes.
     *
     * @param adapter says which features and pictures are meant
     * @param cache where converted weights are kept
     */
    Seen(Encoder encoder, Adapter adapter, long seed, int count, Path cache) {
        options = choice.defaults(null, cache);
        try (AdapterPart part = Fit.open(adapter);
                VisionPart vision = VisionPart.open(encoder.folder(), Fit.selection(encoder, part));
                Running network = choice.engine().open(vision.network(), vision.weights(), Map.of(), options)) {
            ImagePreprocessor preprocessor = new ImagePreprocessor(vision.pictures(Fit.tiling(encoder, part)));
            SplittableRandom random = new SplittableRandom(seed);
            for (int i = 0; i < count; i++) {
                Scene scene = Scene.random(random);
                scenes.add(scene);
                features.add(
                        network.run(preprocessor.prepare(Painter.image(scene)).inputs()));
            }
        }
    }

    List<Scene> scenes() {
        return scenes;
    }

    /** {@return what a projector gives for each patch of each scene} */
    double[][] through(Adapter projector) {
        List<double[]> rows = new ArrayList<>();
        try (AdapterPart part = Fit.open(projector);
                AdapterNetwork network =
                        Adapters.attach(choice.engine(), part.config(), part.weights(), null, null, options)) {
            for (FloatTensor picture : features) {
                FloatTensor tokens = network.visualTokens(picture);
                int width = tokens.size(-1);
                float[] values = tokens.toArray();
                for (int from = 0; from < values.length; from += width) {
                    double[] row = new double[width];
                    for (int k = 0; k < width; k++) {
                        row[k] = values[from + k];
                    }
                    rows.add(row);
                }
            }
        }
        return rows.toArray(double[][]::new);
    }
}
