package io.langbridge.demoworld;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small SigLIP-style encoder with random weights, as a Hugging Face folder. */
final class EncoderFolder {
    /** Patches per row and column. */
    static final int GRID = 8;

    /** The encoder's last layer is the one that is used. */
    static final int LAYER = -1;

    private static final int PATCH = 16;
    private static final int HIDDEN = 192;
    private static final int INNER = 576;
    private static final int LAYERS = 6;
    private static final int HEADS = 6;

    private EncoderFolder() {}

    static void write(Path folder, long seed) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(
                folder.resolve("config.json"), """
                {
                  "architectures": ["SiglipVisionModel"],
                  "model_type": "siglip_vision_model",
                  "hidden_size": %d,
                  "intermediate_size": %d,
                  "num_hidden_layers": %d,
                  "num_attention_heads": %d,
                  "num_channels": 3,
                  "image_size": %d,
                  "patch_size": %d,
                  "hidden_act": "gelu_pytorch_tanh",
                  "layer_norm_eps": 1e-6,
                  "attention_dropout": 0.0,
                  "vision_use_head": false,
                  "torch_dtype": "float32"
                }
                """.formatted(HIDDEN, INNER, LAYERS, HEADS, GRID * PATCH, PATCH));
        Files.writeString(folder.resolve("preprocessor_config.json"), """
                {
                  "image_processor_type": "SiglipImageProcessor",
                  "do_resize": true,
                  "size": {"height": %1$d, "width": %1$d},
                  "resample": 3,
                  "do_rescale": true,
                  "rescale_factor": 0.00392156862745098,
                  "do_normalize": true,
                  "image_mean": [0.5, 0.5, 0.5],
                  "image_std": [0.5, 0.5, 0.5]
                }
                """.formatted(GRID * PATCH));
        NewWeights weights = new NewWeights(seed);
        String embeddings = "vision_model.embeddings.";
        weights.normal(embeddings + "patch_embedding.weight", 1 / Math.sqrt(3 * PATCH * PATCH), HIDDEN, 3, PATCH, PATCH)
                .constant(embeddings + "patch_embedding.bias", 0, HIDDEN)
                .normal(embeddings + "position_embedding.weight", 0.1, GRID * GRID, HIDDEN);
        // Each layer adds to what the layers before it gave; the sum of all is to be no larger than what went in.
        double share = 1 / Math.sqrt(2 * LAYERS);
        for (int i = 0; i < LAYERS; i++) {
            String layer = "vision_model.encoder.layers." + i + ".";
            norm(weights, layer + "layer_norm1.");
            for (String name : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
                linear(weights, layer + "self_attn." + name + ".", HIDDEN, HIDDEN, name.startsWith("out") ? share : 1);
            }
            norm(weights, layer + "layer_norm2.");
            linear(weights, layer + "mlp.fc1.", INNER, HIDDEN, 1);
            linear(weights, layer + "mlp.fc2.", HIDDEN, INNER, share);
        }
        norm(weights, "vision_model.post_layernorm.");
        weights.write(folder.resolve("model.safetensors"));
    }

    private static void norm(NewWeights weights, String prefix) {
        weights.constant(prefix + "weight", 1, HIDDEN).constant(prefix + "bias", 0, HIDDEN);
    }

    private static void linear(NewWeights weights, String prefix, int out, int in, double factor) {
        weights.linear(prefix + "weight", out, in, factor).constant(prefix + "bias", 0, out);
    }
}
