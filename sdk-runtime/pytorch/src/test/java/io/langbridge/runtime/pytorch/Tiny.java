package io.langbridge.runtime.pytorch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.langbridge.RuntimeUnavailableException;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.Gemma4Config;
import io.langbridge.runtime.core.network.Gemma4VitConfig;
import io.langbridge.runtime.core.network.GemmaConfig;
import io.langbridge.runtime.core.network.GridVitConfig;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.network.Qwen35Config;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.network.Rotary;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** Tiny networks with random weights, and how their results are compared. */
final class Tiny {
    static final EngineOptions OPTIONS = new EngineOptions(1, false, Path.of("unused"));

    private Tiny() {}

    /** Skips the test where there are no natives for this machine on the class path. */
    static void requireNatives() {
        try {
            TorchRuntime.get();
        } catch (RuntimeUnavailableException e) {
            abort("Needs PyTorch's natives: " + e.getMessage());
        }
    }

    /** Two layers, four heads in two groups. */
    static LlamaConfig decoder(boolean biases, boolean qkNorm, int slidingWindow, boolean tied) {
        return new LlamaConfig(
                "tiny",
                24,
                40,
                2,
                4,
                2,
                6,
                50,
                64,
                1e-5f,
                new Rope(10_000, null),
                biases,
                biases,
                biases,
                qkNorm,
                slidingWindow,
                new boolean[] {slidingWindow > 0, false},
                0,
                tied);
    }

    /** A tower for pictures of any shape, of two layers; with windows only in the first. */
    static GridVitConfig grid(boolean gated, int positions, int window, List<Integer> deepLayers) {
        return new GridVitConfig(
                16,
                24,
                2,
                2,
                2,
                2,
                gated ? Activation.SILU : Activation.QUICK_GELU,
                10_000,
                gated,
                List.of("fc1", "fc2"),
                positions > 0,
                positions,
                window,
                List.of(1),
                deepLayers);
    }

    /** The same size, with norms behind blocks and caps. */
    static GemmaConfig gemma() {
        return new GemmaConfig(
                "tiny",
                24,
                40,
                2,
                4,
                2,
                6,
                50,
                64,
                1e-5f,
                false,
                true,
                10,
                4,
                new boolean[] {true, false},
                new Rope(1_000_000, new Rope.LinearScaling(8)),
                new Rope(10_000, null),
                5,
                6,
                GemmaConfig.Opens.NOTHING,
                true);
    }

    /** Layers of both kinds, of which full ones have no values of their own, and one more of each that has no keys. */
    static Gemma4Config gemma4() {
        return new Gemma4Config(
                24,
                40,
                4,
                4,
                new Gemma4Config.Heads(2, 6, new Rope(10_000, null)),
                new Gemma4Config.Heads(1, 8, new Rope(1_000_000, new Rope.ProportionalScaling(1, 0.25))),
                4,
                new boolean[] {true, false, true, false},
                false,
                true,
                2,
                true,
                3,
                50,
                0,
                50,
                64,
                1e-5f,
                6,
                true,
                true);
    }

    static Gemma4VitConfig gemma4Tower() {
        return new Gemma4VitConfig(16, 24, 1, 2, 8, 4, 3, 9, 1e-5f, 100, true, true);
    }

    /** A layer of linear attention and one of full attention, of whose heads half rotate. */
    static Qwen35Config qwen35() {
        return new Qwen35Config(
                24,
                40,
                2,
                new boolean[] {true, false},
                4,
                2,
                8,
                false,
                new Rotary(new Rope(10_000, null), 4),
                2,
                4,
                6,
                10,
                4,
                50,
                64,
                1e-5f,
                true);
    }

    static RandomWeights weights(LlamaConfig c) {
        RandomWeights weights = new RandomWeights()
                .add("model.embed_tokens.weight", 0, c.vocabSize(), c.hiddenSize())
                .add("model.norm.weight", 1, c.hiddenSize());
        if (!c.tieWordEmbeddings()) {
            weights.add("lm_head.weight", 0, c.vocabSize(), c.hiddenSize());
        }
        int queries = c.numAttentionHeads() * c.headDim();
        int keys = c.numKeyValueHeads() * c.headDim();
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            String layer = "model.layers." + i + ".";
            weights.add(layer + "input_layernorm.weight", 1, c.hiddenSize());
            weights.add(layer + "post_attention_layernorm.weight", 1, c.hiddenSize());
            linear(weights, layer + "self_attn.q_proj", c.hiddenSize(), queries, c.qkvBias());
            linear(weights, layer + "self_attn.k_proj", c.hiddenSize(), keys, c.qkvBias());
            linear(weights, layer + "self_attn.v_proj", c.hiddenSize(), keys, c.qkvBias());
            linear(weights, layer + "self_attn.o_proj", queries, c.hiddenSize(), c.outputBias());
            if (c.qkNorm()) {
                weights.add(layer + "self_attn.q_norm.weight", 1, c.headDim());
                weights.add(layer + "self_attn.k_norm.weight", 1, c.headDim());
            }
            linear(weights, layer + "mlp.gate_proj", c.hiddenSize(), c.intermediateSize(), c.mlpBias());
            linear(weights, layer + "mlp.up_proj", c.hiddenSize(), c.intermediateSize(), c.mlpBias());
            linear(weights, layer + "mlp.down_proj", c.intermediateSize(), c.hiddenSize(), c.mlpBias());
        }
        return weights;
    }

    /** Three layers, pictures of 12 x 12 pixels in patches of 5 x 5: the last two rows and columns are left over. */
    static VisionConfig vision(VisionConfig.Kind kind, Activation activation) {
        return new VisionConfig(kind, 16, 24, 3, 2, 12, 5, activation, 1e-5f, -2, true);
    }

    static RandomWeights weights(VisionConfig c) {
        int hidden = c.hiddenSize();
        RandomWeights weights = new RandomWeights()
                .add("embeddings.patch_embedding.weight", 0, hidden, 3, c.patchSize(), c.patchSize())
                .add("embeddings.position_embedding.weight", 0, c.tokens(), hidden);
        norm(weights, "post_layernorm", hidden);
        if (c.kind() == VisionConfig.Kind.CLIP) {
            weights.add("embeddings.class_embedding", 0, hidden);
            norm(weights, "pre_layrnorm", hidden);
        } else {
            weights.add("embeddings.patch_embedding.bias", 0, hidden);
        }
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            String layer = "encoder.layers." + i + ".";
            norm(weights, layer + "layer_norm1", hidden);
            norm(weights, layer + "layer_norm2", hidden);
            for (String name : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
                linear(weights, layer + "self_attn." + name, hidden, hidden, true);
            }
            linear(weights, layer + "mlp.fc1", hidden, c.intermediateSize(), true);
            linear(weights, layer + "mlp.fc2", c.intermediateSize(), hidden, true);
        }
        return weights;
    }

    private static void norm(RandomWeights weights, String name, int size) {
        weights.add(name + ".weight", 1, size).add(name + ".bias", 0, size);
    }

    static void linear(RandomWeights weights, String name, int in, int out, boolean bias) {
        weights.add(name + ".weight", 0, out, in);
        if (bias) {
            weights.add(name + ".bias", 0, out);
        }
    }

    static FloatTensor random(int... shape) {
        Random random = new Random(11);
        FloatTensor tensor = FloatTensor.allocate(shape);
        FloatBuffer data = tensor.data();
        while (data.hasRemaining()) {
            data.put((float) random.nextGaussian());
        }
        return tensor;
    }

    /** The logits of a step, copied out of the buffer that the next step reuses. */
    static float[] copy(FloatBuffer logits) {
        float[] values = new float[logits.remaining()];
        logits.duplicate().get(values);
        return values;
    }

    /** Relative L2 error within what float32 explains. */
    static void assertClose(float[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < actual.length; i++) {
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
        }
        assertThat(Math.sqrt(difference / norm)).isLessThan(5e-6);
    }

    static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }
}
