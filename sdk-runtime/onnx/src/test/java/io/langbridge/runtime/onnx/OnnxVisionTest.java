package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.Vit;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxVisionTest {
    private static final int HIDDEN = 16;

    @TempDir
    Path folder;

    /** Three layers; a picture of 9 pixels has 2 x 2 patches of 4 and one row and column too many. */
    private static VisionConfig config(VisionConfig.Kind kind, int selectLayer, boolean selectPatches) {
        return new VisionConfig(kind, HIDDEN, 24, 3, 2, 9, 4, Activation.QUICK_GELU, 1e-5f, selectLayer, selectPatches);
    }

    private Weights weights(VisionConfig.Kind kind, int layers, boolean pools) throws IOException {
        boolean clip = kind == VisionConfig.Kind.CLIP;
        RandomWeights weights = new RandomWeights(DType.F32)
                .add("embeddings.patch_embedding.weight", HIDDEN, 3, 4, 4)
                .add("embeddings.position_embedding.weight", clip ? 5 : 4, HIDDEN);
        if (clip) {
            weights.add("embeddings.class_embedding", HIDDEN);
            norm(weights, "pre_layrnorm");
        } else {
            weights.add("embeddings.patch_embedding.bias", HIDDEN);
        }
        for (int i = 0; i < layers; i++) {
            String layer = "encoder.layers." + i + ".";
            norm(weights, layer + "layer_norm1");
            norm(weights, layer + "layer_norm2");
            for (String part : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
                weights.add(layer + "self_attn." + part + ".weight", HIDDEN, HIDDEN);
                weights.add(layer + "self_attn." + part + ".bias", HIDDEN);
            }
            mlp(weights, layer + "mlp");
        }
        if (!clip || pools) {
            norm(weights, "post_layernorm");
        }
        if (!clip && pools) {
            weights.add("head.probe", 1, 1, HIDDEN)
                    .add("head.attention.in_proj_weight", 3 * HIDDEN, HIDDEN)
                    .add("head.attention.in_proj_bias", 3 * HIDDEN)
                    .add("head.attention.out_proj.weight", HIDDEN, HIDDEN)
                    .add("head.attention.out_proj.bias", HIDDEN);
            norm(weights, "head.layernorm");
            mlp(weights, "head.mlp");
        }
        return weights.writeTo(folder.resolve("vision.safetensors"));
    }

    private static void norm(RandomWeights weights, String layer) {
        weights.add(layer + ".weight", HIDDEN).add(layer + ".bias", HIDDEN);
    }

    private static void mlp(RandomWeights weights, String layer) {
        weights.add(layer + ".fc1.weight", 24, HIDDEN).add(layer + ".fc1.bias", 24);
        weights.add(layer + ".fc2.weight", HIDDEN, 24).add(layer + ".fc2.bias", HIDDEN);
    }

    private Running open(VisionConfig config, Weights weights) {
        return new OnnxEngine()
                .open(
                        Vit.network(config, weights),
                        weights,
                        Map.of(),
                        new EngineOptions(1, false, folder.resolve("cache")));
    }

    private static FloatTensor pixels(int tiles) {
        return FloatTensor.of(RandomWeights.values(tiles * 3 * 9 * 9, 5), tiles, 3, 9, 9);
    }

    @Test
    void featuresAreTheSelectedHiddenState() throws IOException {
        for (VisionConfig.Kind kind : VisionConfig.Kind.values()) {
            Weights weights = weights(kind, 3, true);
            for (int layer : new int[] {-2, -1, 0, 1}) {
                VisionConfig config = config(kind, layer, true);
                try (Running network = open(config, weights)) {
                    FloatTensor features = network.run(Map.of("pixel_values", pixels(1)));
                    FloatTensor state = Objects.requireNonNull(network.trace(Map.of("pixel_values", pixels(1)))
                            .get("hidden_states." + config.layersToRun()));
                    int first = config.tokens() - config.patches();
                    assertThat(features.shape()).containsExactly(1, 4, HIDDEN);
                    assertThat(features.toArray())
                            .isEqualTo(state.reshape(config.tokens(), HIDDEN)
                                    .rows(first, config.tokens())
                                    .toArray());
                }
            }
        }
    }

    @Test
    void theClassTokenStaysIfAllTokensAreSelected() throws IOException {
        try (Running network =
                open(config(VisionConfig.Kind.CLIP, -2, false), weights(VisionConfig.Kind.CLIP, 3, true))) {
            assertThat(network.run(Map.of("pixel_values", pixels(1))).shape()).containsExactly(1, 5, HIDDEN);
        }
    }

    @Test
    void aTileDoesNotDependOnTheOthers() throws IOException {
        try (Running network =
                open(config(VisionConfig.Kind.CLIP, -2, true), weights(VisionConfig.Kind.CLIP, 3, true))) {
            FloatTensor tiles = pixels(3);
            FloatTensor together = network.run(Map.of("pixel_values", tiles));
            assertThat(together.shape()).containsExactly(3, 4, HIDDEN);
            for (int i = 0; i < 3; i++) {
                assertThat(network.run(Map.of("pixel_values", tiles.rows(i, i + 1)))
                                .toArray())
                        .isEqualTo(together.rows(i, i + 1).toArray());
            }
        }
    }

    @Test
    void poolerOutputIsThereIfItsWeightsAre() throws IOException {
        for (VisionConfig.Kind kind : VisionConfig.Kind.values()) {
            VisionConfig config = config(kind, -2, true);
            try (Running network = open(config, weights(kind, 3, true))) {
                Map<String, FloatTensor> trace = network.trace(Map.of("pixel_values", pixels(2)));
                assertThat(trace).containsKey("hidden_states.3").doesNotContainKey("hidden_states.4");
                assertThat(Objects.requireNonNull(trace.get("last_hidden_state"))
                                .shape())
                        .containsExactly(2, config.tokens(), HIDDEN);
                assertThat(trace).containsKey("pooler_output");
            }
            try (Running network = open(config, weights(kind, 3, false))) {
                assertThat(network.trace(Map.of("pixel_values", pixels(1)))).doesNotContainKey("pooler_output");
            }
        }
    }

    @Test
    void layersBehindTheSelectedOneAreNotNeeded() throws IOException {
        Weights weights = weights(VisionConfig.Kind.CLIP, 2, false);
        try (Running network = open(config(VisionConfig.Kind.CLIP, -2, true), weights)) {
            network.run(Map.of("pixel_values", pixels(1)));
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> network.trace(Map.of("pixel_values", pixels(1))))
                    .withMessageContaining("encoder.layers.2");
        }
    }

    @Test
    void wrongPicturesAreRefusedAndSoIsAClosedNetwork() throws IOException {
        Running network = open(config(VisionConfig.Kind.CLIP, -2, true), weights(VisionConfig.Kind.CLIP, 3, true));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> network.run(Map.of("pixel_values", FloatTensor.allocate(1, 3, 9, 8))))
                .withMessage(
                        "pixel_values must have the shape [tiles, 3, 9, 9] with at least one of each, not [1, 3, 9, 8]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> network.run(Map.of("pixel_values", FloatTensor.allocate(3, 9, 9))));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> network.trace(Map.of("pixel_values", FloatTensor.allocate(0, 3, 9, 9))));
        network.close();
        network.close();
        assertThatIllegalStateException().isThrownBy(() -> network.run(Map.of("pixel_values", pixels(1))));
        assertThatIllegalStateException().isThrownBy(() -> network.trace(Map.of("pixel_values", pixels(1))));
    }

    @Test
    void closingWaitsForWhatRuns() throws Exception {
        Running network = open(config(VisionConfig.Kind.CLIP, -2, true), weights(VisionConfig.Kind.CLIP, 3, true));
        FloatTensor tiles = pixels(2);
        float[] expected = network.run(Map.of("pixel_values", tiles)).toArray();
        CountDownLatch running = new CountDownLatch(3);
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Future<?>> loops = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                loops.add(threads.submit(() -> {
                    try {
                        while (true) {
                            assertThat(network.run(Map.of("pixel_values", tiles))
                                            .toArray())
                                    .isEqualTo(expected);
                            running.countDown();
                        }
                    } catch (IllegalStateException closed) {
                        assertThat(closed).hasMessageContaining("is closed");
                    }
                }));
            }
            running.await();
            network.close();
            for (Future<?> loop : loops) {
                loop.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
