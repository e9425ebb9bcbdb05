package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.CheckpointException;
import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.DType;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.LlamaConfig;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.Vit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights that are no numbers are refused while they are quantised, wherever they stand. */
class OnnxFiniteTest {
    private static final float[] WRONG = {Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY};

    @TempDir
    Path folder;

    /** A network made of weights. */
    private interface Network {
        AutoCloseable open(Weights weights, EngineOptions options);
    }

    /** The shapes of a network's tensors. */
    private static final class Shapes {
        private final List<String> names = new ArrayList<>();
        private final List<long[]> shapes = new ArrayList<>();

        Shapes add(String name, long... shape) {
            names.add(name);
            shapes.add(shape);
            return this;
        }

        Shapes linear(String name, long out, long in) {
            return add(name + ".weight", out, in).add(name + ".bias", out);
        }
    }

    /** Puts a wrong value into one tensor after the other. */
    private void refusesEach(Shapes tensors, Precision precision, Network network) throws Exception {
        for (int i = 0; i < tensors.names.size(); i++) {
            String wrong = tensors.names.get(i);
            float value = WRONG[i % WRONG.length];
            try (Weights weights = write(tensors, wrong, value)) {
                assertThatExceptionOfType(CheckpointException.class)
                        .as("%s in %s", value, wrong)
                        .isThrownBy(
                                () -> network.open(weights, options(precision)).close())
                        .withMessageContaining("Tensor " + wrong + " in ")
                        .withMessageContaining("weights.safetensors")
                        .withMessageContaining(Float.toString(value));
            }
        }
        try (Weights weights = write(tensors, "", 0)) {
            network.open(weights, options(precision)).close();
        }
    }

    private Weights write(Shapes tensors, String wrong, float value) throws IOException {
        RandomWeights writer = new RandomWeights(DType.F32).editedBy((name, values) -> {
            if (name.equals(wrong)) {
                values[values.length / 2] = value;
            }
        });
        for (int i = 0; i < tensors.names.size(); i++) {
            writer.add(tensors.names.get(i), tensors.shapes.get(i));
        }
        return writer.writeTo(folder.resolve("weights.safetensors"));
    }

    private EngineOptions options(Precision precision) {
        return new EngineOptions(1, false, folder.resolve("cache")).with(precision);
    }

    @ParameterizedTest
    @EnumSource(names = {"INT8", "INT4"})
    void in_an_encoder(Precision precision) throws Exception {
        Shapes tensors = new Shapes()
                .add("embeddings.patch_embedding.weight", 16, 3, 4, 4)
                .add("embeddings.position_embedding.weight", 5, 16)
                .add("embeddings.class_embedding", 16)
                .add("pre_layrnorm.weight", 16)
                .add("pre_layrnorm.bias", 16);
        String layer = "encoder.layers.0.";
        for (String norm : List.of("layer_norm1", "layer_norm2")) {
            tensors.add(layer + norm + ".weight", 16).add(layer + norm + ".bias", 16);
        }
        for (String part : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
            tensors.linear(layer + "self_attn." + part, 16, 16);
        }
        tensors.linear(layer + "mlp.fc1", 24, 16).linear(layer + "mlp.fc2", 16, 24);
        VisionConfig config =
                new VisionConfig(VisionConfig.Kind.CLIP, 16, 24, 1, 2, 8, 4, Activation.QUICK_GELU, 1e-5f, -1, true);
        refusesEach(
                tensors,
                precision,
                (weights, options) -> new OnnxEngine().open(Vit.network(config, weights), weights, Map.of(), options));
    }

    @ParameterizedTest
    @EnumSource(names = {"INT8", "INT4"})
    void in_an_adapter(Precision precision) throws Exception {
        Shapes tensors = new Shapes().linear("0", 32, 16).linear("2", 32, 32);
        AdapterConfig config = new AdapterConfig.Mlp(16, 32, 2, true);
        refusesEach(tensors, precision, (weights, options) -> new OnnxEngine().adapter(config, weights, null, options));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void in_a_decoder(boolean tied) throws Exception {
        for (Precision precision : List.of(Precision.INT8, Precision.INT4)) {
            refusesEach(
                    decoder(tied),
                    precision,
                    (weights, options) -> new OnnxEngine().decoder(config(tied), weights, options));
        }
    }

    @Test
    void values_that_overflow_while_they_are_changed_are_refused_too() throws Exception {
        try (Weights weights = write(decoder(false), "model.layers.0.mlp.up_proj.weight", Float.MAX_VALUE)) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> new OnnxEngine().decoder(config(false), weights, options(Precision.INT4)))
                    .withMessageContaining("model.layers.0.mlp.up_proj.weight")
                    .withMessageContaining("so large that they cannot be quantised");
        }
    }

    private static Shapes decoder(boolean tied) {
        Shapes tensors = new Shapes().add("model.embed_tokens.weight", 48, 32);
        String layer = "model.layers.0.";
        tensors.add(layer + "input_layernorm.weight", 32)
                .add(layer + "post_attention_layernorm.weight", 32)
                .linear(layer + "self_attn.q_proj", 32, 32)
                .linear(layer + "self_attn.k_proj", 16, 32)
                .linear(layer + "self_attn.v_proj", 16, 32)
                .add(layer + "self_attn.o_proj.weight", 32, 32)
                .add(layer + "mlp.gate_proj.weight", 64, 32)
                .add(layer + "mlp.up_proj.weight", 64, 32)
                .add(layer + "mlp.down_proj.weight", 32, 64)
                .add("model.norm.weight", 32);
        return tied ? tensors : tensors.add("lm_head.weight", 48, 32);
    }

    private static LlamaConfig config(boolean tied) {
        return new LlamaConfig(
                "test",
                32,
                64,
                1,
                2,
                1,
                16,
                48,
                64,
                1e-6f,
                new Rope(10000, null),
                true,
                false,
                false,
                false,
                0,
                new boolean[1],
                0,
                tied);
    }
}
