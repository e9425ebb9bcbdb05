package io.langbridge.runtime.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.Vit;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PyTorchVisionTest {
    @TempDir
    private Path folder;

    @BeforeAll
    static void requireNatives() {
        Tiny.requireNatives();
    }

    private Running open(VisionConfig config) throws IOException {
        Weights weights = Tiny.weights(config).open(folder);
        return new PyTorchEngine().open(Vit.network(config, weights), weights, Map.of(), Tiny.OPTIONS);
    }

    @ParameterizedTest
    @CsvSource({"CLIP, QUICK_GELU", "CLIP, GELU", "SIGLIP, GELU_TANH", "SIGLIP, SILU"})
    void featuresAreTheSelectedHiddenStateOfEveryTile(VisionConfig.Kind kind, Activation activation)
            throws IOException {
        VisionConfig config = Tiny.vision(kind, activation);
        FloatTensor pixels = Tiny.random(2, 3, 12, 12);
        try (Running tower = open(config)) {
            FloatTensor features = tower.run(Map.of("pixel_values", pixels));
            assertThat(features.shape()).containsExactly(2, 4, 16);
            Map<String, FloatTensor> trace = tower.trace(Map.of("pixel_values", pixels));
            assertThat(trace).containsKey("hidden_states.3").doesNotContainKey("hidden_states.4");
            for (int tile = 0; tile < 2; tile++) {
                float[] selected = Objects.requireNonNull(trace.get("hidden_states.2"))
                        .rows(tile, tile + 1)
                        .toArray();
                float[] patches = Arrays.copyOfRange(selected, (config.tokens() - 4) * 16, selected.length);
                Tiny.assertClose(features.rows(tile, tile + 1).toArray(), Tiny.doubles(patches));
                FloatTensor alone = tower.run(Map.of("pixel_values", pixels.rows(tile, tile + 1)));
                Tiny.assertClose(alone.toArray(), Tiny.doubles(patches));
            }
            assertThat(trace.containsKey("pooler_output")).isEqualTo(kind == VisionConfig.Kind.CLIP);
        }
    }

    @Test
    void wrongShapesAndUseAfterClosingAreRefused() throws IOException {
        Running tower = open(Tiny.vision(VisionConfig.Kind.CLIP, Activation.GELU));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tower.run(Map.of("pixel_values", FloatTensor.allocate(1, 3, 12, 13))))
                .withMessage(
                        "pixel_values must have the shape [tiles, 3, 12, 12] with at least one of each, not [1, 3, 12, 13]");
        tower.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> tower.run(Map.of("pixel_values", Tiny.random(1, 3, 12, 12))))
                .withMessage("The vision encoder is closed");
    }
}
