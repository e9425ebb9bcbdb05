package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.Vit;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A vision encoder on any engine. */
final class RunningVision implements VisionNetwork {
    private final VisionConfig config;
    private final Running running;

    RunningVision(Engine engine, VisionConfig config, Weights weights, EngineOptions options) {
        this.config = config;
        boolean pools = weights.contains(Vit.pooledBy(config));
        running = engine.open(Vit.network(config, pools), weights, Collections.emptyMap(), options);
    }

    @Override
    public VisionConfig config() {
        return config;
    }

    @Override
    public FloatTensor features(FloatTensor pixels) {
        return running.run(checked(pixels));
    }

    private FloatTensor checked(FloatTensor pixels) {
        int[] shape = pixels.shape();
        int size = config.imageSize();
        if (shape.length != 4 || shape[0] < 1 || shape[1] != 3 || shape[2] != size || shape[3] != size) {
            throw new IllegalArgumentException("Pixels must have the shape [tiles, 3, " + size + ", " + size
                    + "] with at least one tile, not " + Arrays.toString(shape));
        }
        return pixels;
    }

    @Override
    public int tilesAtOnce() {
        return running.together();
    }

    @Override
    public Trace trace(FloatTensor pixels) {
        Map<String, FloatTensor> shown = running.trace(checked(pixels));
        List<FloatTensor> states = new ArrayList<>();
        for (int i = 0; i <= config.numHiddenLayers(); i++) {
            states.add(Objects.requireNonNull(shown.get("hidden_states." + i)));
        }
        FloatTensor pooled = shown.get("pooler_output");
        return new Trace(
                states,
                Objects.requireNonNull(shown.get("last_hidden_state")),
                pooled == null ? null : pooled.reshape(pooled.size(0), pooled.size(2)));
    }

    @Override
    public void close() {
        running.close();
    }
}
