package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.Gemma4Vit;
import io.langbridge.runtime.core.network.Gemma4VitConfig;
import io.langbridge.runtime.core.network.GridVit;
import io.langbridge.runtime.core.network.GridVitConfig;
import io.langbridge.runtime.core.network.InternVit;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.network.PixtralVit;
import io.langbridge.runtime.core.network.PixtralVitConfig;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.Vit;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What quantised vision towers do to the features, with and without channels that are far larger than the rest. */
class OnnxEncoderPrecisionTest {
    private static final int HIDDEN = 192;
    private static final int INNER = 576;
    private static final int LAYERS = 4;
    private static final int HEADS = 6;
    private static final int SIDE = 6;
    /** Places in windows are those of patches times this, and back: 7 * 31 = 6 * 36 + 1. */
    private static final int STRIDE = 7;

    private static final int BACK = 31;
    private static final int PATCH = 4;
    /** As large as in towers that were trained. */
    private static final float FACTOR = 50;

    private static final List<Integer> LARGE = List.of(5, 77);

    @TempDir
    Path folder;

    private enum Tower {
        CLIP {
            @Override
            Network network() {
                return Vit.network(vit(VisionConfig.Kind.CLIP, Activation.QUICK_GELU), false);
            }
        },
        SIGLIP {
            @Override
            Network network() {
                return Vit.network(vit(VisionConfig.Kind.SIGLIP, Activation.GELU_TANH), false);
            }
        },
        GRID {
            @Override
            Network network() {
                return GridVit.network(grid(false, 0));
            }
        },
        GATED_GRID {
            @Override
            Network network() {
                return GridVit.network(grid(true, 0));
            }
        },
        WINDOWS {
            @Override
            Network network() {
                return GridVit.network(grid(true, 1));
            }
        },
        INTERN {
            @Override
            Network network() {
                return InternVit.network(new InternVit.Config(
                        HIDDEN,
                        INNER,
                        LAYERS,
                        HEADS,
                        SIDE * PATCH,
                        PATCH,
                        Activation.GELU,
                        1e-6f,
                        true,
                        1e-6f,
                        false,
                        true,
                        LAYERS,
                        false));
            }
        },
        PIXTRAL {
            @Override
            Network network() {
                return PixtralVit.network(pixtral());
            }
        },
        /** Norms stand behind its blocks. */
        GEMMA {
            @Override
            Network network() {
                return Gemma4Vit.network(gemma(), name -> 0);
            }
        };

        abstract Network network();
    }

    private static VisionConfig vit(VisionConfig.Kind kind, Activation activation) {
        return new VisionConfig(kind, HIDDEN, INNER, LAYERS, HEADS, SIDE * PATCH, PATCH, activation, 1e-5f, -1, true);
    }

    private static GridVitConfig grid(boolean gated, int cellsPerWindow) {
        return new GridVitConfig(
                HIDDEN,
                INNER,
                LAYERS,
                HEADS,
                PATCH,
                2,
                gated ? Activation.SILU : Activation.GELU_TANH,
                10000,
                gated,
                List.of("fc1", "fc2"),
                true,
                0,
                cellsPerWindow,
                List.of(1),
                List.of());
    }

    private static Gemma4VitConfig gemma() {
        return new Gemma4VitConfig(
                HIDDEN, INNER, LAYERS, HEADS, HIDDEN / HEADS, PATCH, 2, SIDE, 1e-6f, 100, false, false);
    }

    private static PixtralVitConfig pixtral() {
        return new PixtralVitConfig(HIDDEN, INNER, LAYERS, HEADS, PATCH, Activation.SILU, 10000);
    }

    private Weights weights(String file, Network network, BiConsumer<String, float[]> edit) throws IOException {
        RandomWeights weights = new RandomWeights(DType.BF16).editedBy((name, values) -> {
            // As real networks are initialised, so that no layer drowns the others.
            for (int i = 0; i < values.length && !isNorm(name) && !name.contains("patch"); i++) {
                values[i] *= 0.2f;
            }
            for (int i = 0; i < values.length && name.equals("ln_pre.weight"); i++) {
                values[i] += 1;
            }
            edit.accept(name, values);
        });
        Inventory.of(network).tensors().forEach(weights::add);
        return weights.writeTo(folder.resolve(file + ".safetensors"));
    }

    private static boolean isNorm(String name) {
        return name.contains("norm") || name.startsWith("ln_");
    }

    private static Map<String, FloatTensor> inputs(Network network) {
        Map<String, FloatTensor> inputs = new LinkedHashMap<>();
        Inventory.of(network).inputs().forEach((name, dims) -> {
            List<Integer> shape = new ArrayList<>(List.of(1));
            int count = 1;
            for (int dim : dims) {
                shape.add(dim < 0 ? SIDE * SIDE : dim);
                count *= shape.get(shape.size() - 1);
            }
            float[] values = RandomWeights.values(count, 3);
            if (!name.equals("pixel_values")) { // of the same angles
                for (int i = 0; i < count; i++) {
                    values[i] = switch (name) {
                        case GridVit.COS -> (float) Math.cos(values[i]);
                        case GridVit.SIN -> (float) Math.sin(values[i]);
                        case Gemma4Vit.COLUMN, Gemma4Vit.ROW -> i % SIDE;
                        case GridVit.WINDOW_PATCHES -> i * STRIDE % count;
                        case GridVit.WINDOW_PLACES -> i * BACK % count;
                        default -> 0;
                    };
                }
            }
            inputs.put(
                    name, FloatTensor.of(values, shape.stream().mapToInt(i -> i).toArray()));
        });
        return inputs;
    }

    /** Of the channels that are not {@link #LARGE}. */
    private double error(Tower tower, Precision precision, String file, BiConsumer<String, float[]> edit)
            throws IOException {
        Network network = tower.network();
        Weights weights = weights(tower + file, network, edit);
        EngineOptions options = new EngineOptions(2, false, folder.resolve("cache"));
        try (Running exact = new OnnxEngine().open(network, weights, Map.of(), options);
                Running rough = new OnnxEngine().open(network, weights, Map.of(), options.with(precision))) {
            float[] expected = exact.run(inputs(network)).toArray();
            float[] actual = rough.run(inputs(network)).toArray();
            double difference = 0;
            double norm = 0;
            for (int i = 0; i < expected.length; i++) {
                if (!LARGE.contains(i % HIDDEN)) {
                    difference += Math.pow(actual[i] - expected[i], 2);
                    norm += Math.pow(expected[i], 2);
                }
            }
            return Math.sqrt(difference / norm);
        }
    }

    /** In what goes from layer to layer. */
    private static void inStream(String name, float[] values) {
        boolean first = name.contains("patch") || name.equals("pre_layrnorm.weight") || name.equals("ln_pre.weight");
        if (first) {
            LARGE.forEach(channel -> scaleRow(values, channel, HIDDEN, FACTOR));
        }
    }

    /** Where they leave a product, and as much smaller where the next one reads them. */
    private static void inLayers(String name, float[] values) {
        if (name.contains("fc1") || name.contains("up_proj")) {
            LARGE.forEach(channel -> scaleRow(values, channel, INNER, FACTOR));
        } else if (name.endsWith("fc2.weight") || name.contains("down_proj")) {
            LARGE.forEach(channel -> scaleColumn(values, channel, INNER));
        } else if (name.contains("v_proj")) {
            LARGE.forEach(channel -> scaleRow(values, channel, HIDDEN, FACTOR));
        } else if (name.contains("qkv")) {
            LARGE.forEach(channel -> scaleRow(values, 2 * HIDDEN + channel, 3 * HIDDEN, FACTOR));
        } else if (name.endsWith("out_proj.weight")
                || name.contains("o_proj.")
                || name.endsWith("attn.proj.weight")
                || name.endsWith("projection_layer.weight")) {
            LARGE.forEach(channel -> scaleColumn(values, channel, HIDDEN));
        }
    }

    private static void scaleRow(float[] values, int row, int rows, float factor) {
        int width = values.length / rows;
        for (int i = 0; i < width; i++) {
            values[row * width + i] *= factor;
        }
    }

    private static void scaleColumn(float[] values, int column, int width) {
        for (int i = column; i < values.length; i += width) {
            values[i] /= FACTOR;
        }
    }

    @ParameterizedTest
    @EnumSource
    void largeChannelsCostLittleAccuracy(Tower tower) throws IOException {
        double plain = error(tower, Precision.INT8, "plain", (name, values) -> {});
        double inStream = error(tower, Precision.INT8, "stream", OnnxEncoderPrecisionTest::inStream);
        double inLayers = error(tower, Precision.INT8, "layers", OnnxEncoderPrecisionTest::inLayers);
        assertThat(plain).isBetween(1e-4, 0.03);
        // Where norms stand behind blocks, channels are spread over some and not over all.
        double most = tower == Tower.GEMMA ? 4 : 1.5;
        assertThat(inStream).isLessThan(most * plain);
        assertThat(inLayers).isLessThan(most * plain);
    }
}
