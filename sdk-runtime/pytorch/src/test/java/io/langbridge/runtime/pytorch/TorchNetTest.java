package io.langbridge.runtime.pytorch;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TorchNetTest {
    @TempDir
    private Path folder;

    static Stream<Arguments> families() {
        return PrintNetwork.golden().entrySet().stream().map(tiny -> Arguments.of(tiny.getKey(), tiny.getValue()));
    }

    /** {@link PrintNetwork} writes the files anew. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void everyFamilyBecomesTheTextThatIsKept(String file, Network network) {
        assertThat(PrintNetwork.text(network)).isEqualTo(TorchScriptArchive.resource(file));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void whatIsShownIsAddedToTheSameText(String file, Network network) {
        TorchNet traced = TorchNet.ofTrace(network);
        String method = traced.text();
        assertThat(method.lines().filter(line -> line.contains("c.shown.append")))
                .hasSameSizeAs(traced.shown());
        assertThat(TorchNet.of(network).text()).doesNotContain("shown");
        assertThat(traced.slots()).containsAll(TorchNet.of(network).slots());
    }

    @Test
    void pixelShuffleLaysTheCellsOfASquareSideBySide() throws IOException {
        Tiny.requireNatives();
        int side = 6;
        int width = 3;
        int factor = 2;
        Network network = new Network("shuffle", net -> {
            Net.Value x = net.input("x", side * side, width);
            return net.pixelShuffle(net.add(x, net.weight("shift", width)), factor);
        });
        RandomWeights weights = new RandomWeights().add("shift", 0, width);
        FloatTensor inputs = Tiny.random(2, side * side, width);
        try (Running running = new PyTorchEngine().open(network, weights.open(folder), Map.of(), Tiny.OPTIONS)) {
            FloatTensor result = running.run(Map.of("x", inputs));
            assertThat(result.shape()).containsExactly(2, 9, 12);
            float[] expected = new float[result.count()];
            int at = 0;
            for (int input = 0; input < 2; input++) {
                for (int cell = 0; cell < 9; cell++) {
                    for (int part = 0; part < 4; part++) {
                        int row = cell / 3 * factor + part / factor;
                        int column = cell % 3 * factor + part % factor;
                        for (int k = 0; k < width; k++) {
                            int index = ((input * side + row) * side + column) * width + k;
                            expected[at++] = inputs.data().get(index) + weights.values("shift")[k];
                        }
                    }
                }
            }
            assertThat(result.toArray()).isEqualTo(expected);
        }
    }
}
