package io.langbridge.runtime.onnx;

import static io.langbridge.runtime.onnx.Errors.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Blocks one by one, and how they go together where a network in the house does not show it. */
class OnnxNetTest {
    private static final int ROWS = 16;
    private static final int WIDTH = 32;

    @TempDir
    Path folder;

    private final FloatTensor inputs = FloatTensor.of(RandomWeights.values(2 * ROWS * WIDTH, 5), 2, ROWS, WIDTH);

    private Weights weights() throws IOException {
        return new RandomWeights(DType.F32)
                .add("norm.weight", WIDTH)
                .add("outer.weight", WIDTH)
                .add("more.weight", WIDTH, WIDTH)
                .add("mlp.gate_proj.weight", 64, WIDTH)
                .add("mlp.up_proj.weight", 64, WIDTH)
                .add("mlp.down_proj.weight", WIDTH, 64)
                .add("tokens.weight", 8, WIDTH)
                .writeTo(folder.resolve("weights.safetensors"));
    }

    private Running open(Function<Net, Net.Value> text) throws IOException {
        Network network = new Network("test", text);
        EngineOptions options = new EngineOptions(1, false, folder.resolve("cache"));
        return new OnnxEngine().open(network, weights(), Collections.emptyMap(), options);
    }

    private static Net.Value x(Net net) {
        return net.input("x", ROWS, WIDTH);
    }

    @Test
    void pixelShuffleLaysTheCellsOfASquareSideBySide() throws IOException {
        try (Running running = open(net -> net.pixelShuffle(x(net), 2))) {
            FloatTensor shuffled = running.run(Map.of("x", inputs));
            assertThat(shuffled.shape()).containsExactly(2, 4, 4 * WIDTH);
            for (int tile = 0; tile < 2; tile++) {
                for (int i = 0; i < 4 * 4 * WIDTH; i++) {
                    int row = i / (4 * WIDTH);
                    int cell = i / WIDTH % 4;
                    int from = (row / 2 * 2 + cell / 2) * 4 + row % 2 * 2 + cell % 2;
                    assertThat(shuffled.data().get(tile * ROWS * WIDTH + i))
                            .isEqualTo(inputs.data().get((tile * ROWS + from) * WIDTH + i % WIDTH));
                }
            }
        }
    }

    @Test
    void aSumIsTheSameWhoeverReadsItFirst() throws IOException {
        Function<Net, Net.Value> normFirst = net -> {
            Net.Value sum = net.add(x(net), net.linear(x(net), "more", WIDTH, false));
            Net.Value normed = net.rmsNorm(sum, "norm", 1e-6f);
            return net.add(sum, normed);
        };
        Function<Net, Net.Value> productFirst = net -> {
            Net.Value sum = net.add(x(net), net.linear(x(net), "more", WIDTH, false));
            net.activation(Activation.SILU, sum);
            Net.Value normed = net.rmsNorm(sum, "norm", 1e-6f);
            return net.add(sum, normed);
        };
        try (Running one = open(normFirst);
                Running other = open(productFirst)) {
            assertClose(one.run(Map.of("x", inputs)).toArray(), doubles(other.run(Map.of("x", inputs))));
        }
    }

    @Test
    void whatIsShownIsThereUnderItsName() throws IOException {
        Function<Net, Net.Value> text = net -> {
            Net.Value sum = net.add(x(net), x(net));
            net.show("sum", sum);
            net.show("same", sum);
            net.show("columns", net.columns(sum, 3, 5));
            return net.rmsNorm(sum, "norm", 1e-6f);
        };
        try (Running running = open(text)) {
            Map<String, FloatTensor> shown = running.trace(Map.of("x", inputs));
            assertThat(shown.keySet()).containsExactlyInAnyOrder("sum", "same", "columns");
            FloatTensor sum = Objects.requireNonNull(shown.get("sum"));
            assertThat(sum.data().get(7)).isEqualTo(2 * inputs.data().get(7));
            assertThat(Objects.requireNonNull(shown.get("same")).toArray()).isEqualTo(sum.toArray());
            FloatTensor columns = Objects.requireNonNull(shown.get("columns"));
            assertThat(columns.shape()).containsExactly(2, ROWS, 5);
            assertThat(columns.data().get(1)).isEqualTo(sum.data().get(4));
        }
    }

    @Test
    void inputsOfAnotherShapeAreRefused() throws IOException {
        try (Running running = open(net -> net.rmsNorm(x(net), "norm", 1e-6f))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> running.run(Map.of("x", FloatTensor.allocate(1, ROWS + 1, WIDTH))))
                    .withMessage(
                            "x must have the shape [tiles, 16, 32] with at least one of each," + " not [1, 17, 32]");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> running.trace(Map.of("x", FloatTensor.allocate(ROWS, WIDTH))));
        }
    }

    /** Norms behind blocks, values of the stream in an activation. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void blocksThatKnowNothingOfTheStreamsBasisReadItInItsOwn(boolean turnsStream) throws IOException {
        Function<Net, Net.Value> text = net -> {
            Net.Value x = net.embedded(new Net.Table("tokens.weight", 8, WIDTH, 1));
            Net.Value normed = net.rmsNorm(x, "norm", 1e-6f);
            Net.Value behind = net.rmsNorm(net.gatedMlp(normed, "mlp", 64, Activation.SILU, false), "outer", 1e-6f);
            Net.Value sum = net.add(x, behind);
            Net.Value more = net.linear(sum, "more", WIDTH, false);
            Net.Value again = net.linear(net.columns(sum, 0, WIDTH), "more", WIDTH, false);
            Net.Value block = net.gatedMlp(net.rmsNorm(sum, "norm", 1e-6f), "mlp", 64, Activation.SILU, false);
            Net.Value stream = net.add(sum, block);
            Net.Value rest = net.add(net.activation(Activation.QUICK_GELU, block), net.columns(normed, 0, WIDTH));
            return net.add(net.add(net.add(stream, rest), more), again);
        };
        FloatTensor input = inputs.rows(0, 1).reshape(ROWS, WIDTH);
        FloatTensor exact = decoded(text, input, Precision.FULL, turnsStream);
        for (Precision precision : new Precision[] {Precision.INT8, Precision.INT4}) {
            assertThat(Errors.relative(
                            decoded(text, input, precision, turnsStream).toArray(), doubles(exact)))
                    .isBetween(1e-5, precision == Precision.INT8 ? 0.03 : 0.2);
        }
    }

    private FloatTensor decoded(
            Function<Net, Net.Value> text, FloatTensor input, Precision precision, boolean turnsStream)
            throws IOException {
        StoredWeights stored = new StoredWeights("test", weights(), precision);
        Products products = new Products(stored, weight -> false, name -> false, new Scratch());
        OnnxNet net = precision == Precision.FULL
                ? new OnnxNet(stored, products, false, OnnxGraph.Type.FLOAT)
                : new RoundedNet(stored, products, false, OnnxGraph.Type.FLOAT, turnsStream);
        net.output("y", text.apply(net));
        FloatTensor y = FloatTensor.allocate(ROWS, WIDTH);
        EngineOptions options = new EngineOptions(1, false, folder.resolve("cache"));
        try (LoadedGraph loaded = net.load(options);
                Bindings bindings = new Bindings()) {
            new Inputs(1, ROWS, false).bind(bindings);
            bindings.input(OnnxNet.INPUTS_EMBEDS, input, ROWS, WIDTH)
                    .output("y", y, ROWS, WIDTH)
                    .run(loaded);
        }
        return y;
    }

    @Test
    void whatNoOutputDependsOnIsLeftOut() throws IOException {
        OnnxGraph graph = new OnnxGraph("test");
        graph.constant("factor", new float[] {2});
        graph.constant("other", new float[] {3});
        graph.input("x", OnnxGraph.Type.FLOAT, 1);
        graph.node("Mul", "x", "factor").to("twice");
        graph.node("Mul", "twice", "other").to("six");
        graph.output("twice", OnnxGraph.Type.FLOAT, 1);
        assertThat(graph.needed()).containsExactlyInAnyOrder("x", "factor", "twice");
        assertThat(new String(graph.toBytes(), StandardCharsets.ISO_8859_1))
                .contains("factor")
                .doesNotContain("other")
                .doesNotContain("six");
    }

    private static double[] doubles(FloatTensor values) {
        float[] floats = values.toArray();
        double[] all = new double[floats.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = floats[i];
        }
        return all;
    }
}
