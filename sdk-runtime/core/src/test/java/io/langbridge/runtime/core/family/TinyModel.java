package io.langbridge.runtime.core.family;

import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.checkpoint.TestTensors;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Writes folders of a model with one layer everywhere: hidden sizes 4, 2 heads, vocabulary 6, tiles of 4 pixels. */
final class TinyModel {
    static final String DECODER = "\"hidden_size\":4,\"intermediate_size\":8,\"num_hidden_layers\":1,"
            + "\"num_attention_heads\":2,\"num_key_value_heads\":1,\"vocab_size\":6";
    static final String VISION = "\"model_type\":\"clip_vision_model\",\"hidden_size\":4,\"intermediate_size\":8,"
            + "\"num_hidden_layers\":1,\"num_attention_heads\":2,\"image_size\":4,\"patch_size\":2";
    static final String LANGBRIDGE = "\"architectures\":[\"LlavaLlamaForCausalLM\"],\"model_type\":\"llava\"," + DECODER
            + ",\"mm_projector_type\":\"mm_vocab\",\"mm_hidden_size\":4,\"mlp_hidden_size\":3,\"mm_vocab_size\":2,"
            + "\"mm_vision_tower\":\"openai/tiny-clip\",\"image_aspect_ratio\":\"pad\"";

    static final String PREPROCESSOR = "\"size\":4,\"crop_size\":4";

    private TinyModel() {}

    static Json json(String members) {
        return Json.parse(("{" + members + "}").getBytes(StandardCharsets.UTF_8), "config.json");
    }

    static TestTensors llama(TestTensors writer, String prefix, String head) {
        writer.add(prefix + "embed_tokens.weight", 6, 4).add(prefix + "norm.weight", 4);
        String layer = prefix + "layers.0.";
        return writer.add(layer + "input_layernorm.weight", 4)
                .add(layer + "post_attention_layernorm.weight", 4)
                .add(layer + "self_attn.q_proj.weight", 4, 4)
                .add(layer + "self_attn.k_proj.weight", 2, 4)
                .add(layer + "self_attn.v_proj.weight", 2, 4)
                .add(layer + "self_attn.o_proj.weight", 4, 4)
                .add(layer + "self_attn.rotary_emb.inv_freq", 1)
                .add(layer + "mlp.gate_proj.weight", 8, 4)
                .add(layer + "mlp.up_proj.weight", 8, 4)
                .add(layer + "mlp.down_proj.weight", 4, 8)
                .add(head, 6, 4);
    }

    static TestTensors clip(TestTensors writer, String prefix) {
        writer.add(prefix + "embeddings.class_embedding", 4)
                .add(prefix + "embeddings.patch_embedding.weight", 4, 3, 2, 2)
                .add(prefix + "embeddings.position_embedding.weight", 5, 4);
        String layer = prefix + "encoder.layers.0.";
        for (String norm : new String[] {prefix + "pre_layrnorm", layer + "layer_norm1", layer + "layer_norm2"}) {
            writer.add(norm + ".weight", 4).add(norm + ".bias", 4);
        }
        for (String name : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
            writer.add(layer + "self_attn." + name + ".weight", 4, 4).add(layer + "self_attn." + name + ".bias", 4);
        }
        return writer.add(layer + "mlp.fc1.weight", 8, 4)
                .add(layer + "mlp.fc1.bias", 8)
                .add(layer + "mlp.fc2.weight", 4, 8)
                .add(layer + "mlp.fc2.bias", 4);
    }

    static TestTensors langBridge(TestTensors writer, String prefix) {
        return writer.add(prefix + "0.weight", 3, 4)
                .add(prefix + "0.bias", 3)
                .add(prefix + "2.weight", 3, 3)
                .add(prefix + "2.bias", 3)
                .add(prefix + "3.weight", 2, 3)
                .add(prefix + "3.bias", 2);
    }

    static void write(Path file, String members) {
        TestTensors.writeText(file, "{" + members + "}");
    }

    /** The authors' layout; the encoder lies beside it. */
    static void authors(Path folder, String config) {
        llama(langBridge(new TestTensors(), "model.mm_projector."), "model.", "lm_head.weight")
                .write(folder.resolve("model.safetensors"));
        write(folder.resolve("config.json"), config);
        write(folder.resolve("vocabulary.json"), "\"b\":1,\"a\":0");
        Path tower = folder.resolveSibling("tiny-clip");
        clip(new TestTensors(), "vision_model.").write(tower.resolve("model.safetensors"));
        write(tower.resolve("config.json"), "\"model_type\":\"clip\",\"vision_config\":{" + VISION + "}");
        write(tower.resolve("preprocessor_config.json"), PREPROCESSOR);
    }
}
