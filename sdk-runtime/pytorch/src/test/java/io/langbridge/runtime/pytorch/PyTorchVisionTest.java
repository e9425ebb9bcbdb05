package io.langbridge.runtime.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.VisionNetwork;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
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

    private VisionNetwork open(VisionConfig config) throws IOException {
        Weights weights = Tiny.weights(config).open(folder);
        return new PyTorchEngine().vision(config, weights, Tiny.OPTIONS);
    }

    @ParameterizedTest
    @CsvSource({"CLIP, QUICK_GELU", "CLIP, GELU", "SIGLIP, GELU_TANH", "SIGLIP, SILU"})
    void featuresAreTheSelectedHiddenStateOfEveryTile(VisionConfig.Kind kind, Activation activation)
            throws IOException {
        VisionConfig config = Tiny.vision(kind, activation);
        FloatTensor pixels = Tiny.random(2, 3, 12, 12);
        try (VisionNetwork tower = open(config)) {
            FloatTensor features = tower.features(pixels);
            assertThat(features.shape()).containsExactly(2, 4, 16);
            VisionNetwork.Trace trace = tower.trace(pixels);
            assertThat(trace.hiddenStates()).hasSize(4);
            for (int tile = 0; tile < 2; tile++) {
                float[] selected =
                        trace.hiddenStates().get(2).rows(tile, tile + 1).toArray();
                float[] patches = Arrays.copyOfRange(selected, (config.tokens() - 4) * 16, selected.length);
                Tiny.assertClose(features.rows(tile, tile + 1).toArray(), Tiny.doubles(patches));
                FloatTensor alone = tower.features(pixels.rows(tile, tile + 1));
                Tiny.assertClose(alone.toArray(), Tiny.doubles(patches));
            }
            assertThat(trace.poolerOutput() == null).isEqualTo(kind == VisionConfig.Kind.SIGLIP);
        }
    }

    @Test
    void wrongShapesAndUseAfterClosingAreRefused() throws IOException {
        VisionNetwork tower = open(Tiny.vision(VisionConfig.Kind.CLIP, Activation.GELU));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> tower.features(FloatTensor.allocate(1, 3, 12, 13)))
                .withMessage(
                        "Pixels must have the shape [tiles, 3, 12, 12] with at least one tile, not [1, 3, 12, 13]");
        tower.close();
        assertThatIllegalStateException()
                .isThrownBy(() -> tower.features(Tiny.random(1, 3, 12, 12)))
                .withMessage("The vision encoder is closed");
    }
}
