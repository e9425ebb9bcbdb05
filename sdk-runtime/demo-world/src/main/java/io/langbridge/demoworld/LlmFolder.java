package io.langbridge.demoworld;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The two small language models with random weights, as Hugging Face folders. They differ in family, width, depth and
 * tokenizer.
 */
enum LlmFolder {
    /** Qwen2's layout. */
    A(
            128,
            320,
            4,
            4,
            2,
            2,
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+| ?\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            List.of("<|endoftext|>", "<|user|>", "<|assistant|>", "<|end|>"),
            "<|end|>",
            "{%- for message in messages -%}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}"
                    + "{%- endfor -%}{%- if add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}"),
    /** Llama's layout. */
    B(
            96,
            256,
            4,
            4,
            4,
            4,
            "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+| ?\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            List.of("<s>", "[INST]", "[/INST]", "</s>"),
            "</s>",
            "{%- for message in messages -%}{%- if message.role == 'assistant' -%}{{ message.content + '</s>' }}"
                    + "{%- else -%}{{ '[INST]' + message.content + '[/INST]' }}{%- endif -%}{%- endfor -%}");

    private static final int TEXTS = 5_000;
    private static final Gson GSON =
            new GsonBuilder().disableHtmlEscaping().setPrettyPrinting().create();

    private final int hidden;
    private final int inner;
    private final int layers;
    private final int heads;
    private final int keyValueHeads;
    private final int minimum;
    private final String words;
    private final List<String> special;
    private final String end;
    private final String template;

    LlmFolder(
            int hidden,
            int inner,
            int layers,
            int heads,
            int keyValueHeads,
            int minimum,
            String words,
            List<String> special,
            String end,
            String template) {
        this.hidden = hidden;
        this.inner = inner;
        this.layers = layers;
        this.heads = heads;
        this.keyValueHeads = keyValueHeads;
        this.minimum = minimum;
        this.words = words;
        this.special = special;
        this.end = end;
        this.template = template;
    }

    /** Its tokenizer is learnt from texts of the world, its weights are random. */
    void write(Path folder, long seed) throws IOException {
        Files.createDirectories(folder);
        ByteLevelBpe bpe = new ByteLevelBpe(words, TextLessons.texts(seed, TEXTS), minimum);
        Files.writeString(folder.resolve("tokenizer.json"), GSON.toJson(bpe.json(special)));
        JsonObject tokenizer = new JsonObject();
        tokenizer.addProperty("tokenizer_class", "PreTrainedTokenizerFast");
        tokenizer.addProperty("clean_up_tokenization_spaces", false);
        tokenizer.addProperty("model_max_length", 1024);
        if (this == B) {
            tokenizer.addProperty("bos_token", special.get(0));
        }
        tokenizer.addProperty("eos_token", end);
        tokenizer.addProperty("chat_template", template);
        Files.writeString(folder.resolve("tokenizer_config.json"), GSON.toJson(tokenizer));
        int vocabulary = bpe.size() + special.size();
        int endId = bpe.size() + special.indexOf(end);
        JsonObject config = new JsonObject();
        config.add("architectures", GSON.toJsonTree(List.of(this == A ? "Qwen2ForCausalLM" : "LlamaForCausalLM")));
        config.addProperty("model_type", this == A ? "qwen2" : "llama");
        config.addProperty("hidden_size", hidden);
        config.addProperty("intermediate_size", inner);
        config.addProperty("num_hidden_layers", layers);
        config.addProperty("num_attention_heads", heads);
        config.addProperty("num_key_value_heads", keyValueHeads);
        config.addProperty("hidden_act", "silu");
        config.addProperty("max_position_embeddings", 1024);
        config.addProperty("rms_norm_eps", 1e-6);
        config.addProperty("rope_theta", 10000.0);
        config.addProperty("tie_word_embeddings", true);
        config.addProperty("vocab_size", vocabulary);
        if (this == B) {
            config.addProperty("bos_token_id", bpe.size());
        }
        config.addProperty("eos_token_id", endId);
        config.addProperty("torch_dtype", "float32");
        Files.writeString(folder.resolve("config.json"), GSON.toJson(config));
        weights(new NewWeights(seed), vocabulary).write(folder.resolve("model.safetensors"));
    }

    private NewWeights weights(NewWeights weights, int vocabulary) {
        int headDim = hidden / heads;
        double share = 1 / Math.sqrt(2 * layers);
        weights.normal("model.embed_tokens.weight", 0.05, vocabulary, hidden);
        for (int i = 0; i < layers; i++) {
            String layer = "model.layers." + i + ".";
            weights.constant(layer + "input_layernorm.weight", 1, hidden)
                    .constant(layer + "post_attention_layernorm.weight", 1, hidden);
            projection(weights, layer + "self_attn.q_proj", hidden);
            projection(weights, layer + "self_attn.k_proj", keyValueHeads * headDim);
            projection(weights, layer + "self_attn.v_proj", keyValueHeads * headDim);
            weights.linear(layer + "self_attn.o_proj.weight", hidden, hidden, share)
                    .linear(layer + "mlp.gate_proj.weight", inner, hidden, 1)
                    .linear(layer + "mlp.up_proj.weight", inner, hidden, 1)
                    .linear(layer + "mlp.down_proj.weight", hidden, inner, share);
        }
        return weights.constant("model.norm.weight", 1, hidden);
    }

    private void projection(NewWeights weights, String name, int out) {
        weights.linear(name + ".weight", out, hidden, 1);
        if (this == A) {
            weights.constant(name + ".bias", 0, out);
        }
    }
}
