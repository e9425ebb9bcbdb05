package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.network.Net.Value;
import java.util.List;

/** Qwen2, Qwen3, Llama, SmolLM2 and Mistral; they differ in the configuration only. */
final class Decoder {
    private final LlamaConfig config;

    private Decoder(LlamaConfig config) {
        this.config = config;
    }

    static Network network(LlamaConfig config) {
        Decoder decoder = new Decoder(config);
        return new Network(config.modelType() + " decoder", decoder::logits);
    }

    private Value logits(Net net) {
        LlamaConfig c = config;
        List<Value> given = net.embedded(c.table(), 1 + c.deepstack());
        Value x = given.get(0);
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            if (i > 0) {
                net.show("hidden_states." + i, x);
            }
            String layer = "model.layers." + i;
            Net.Attention attention = attention(i);
            Value attended = net.attention(norm(net, x, layer + ".input_layernorm"), layer + ".self_attn", attention);
            // Behind the last layer's attention nobody reads the others.
            x = net.add(i == c.numHiddenLayers() - 1 ? net.answered(x) : x, attended);
            Value normed = norm(net, x, layer + ".post_attention_layernorm");
            x = net.add(x, net.gatedMlp(normed, layer + ".mlp", c.intermediateSize(), Activation.SILU, c.mlpBias()));
            if (i < c.deepstack()) {
                x = net.add(x, i == c.numHiddenLayers() - 1 ? net.answered(given.get(i + 1)) : given.get(i + 1));
            }
        }
        x = norm(net, x, "model.norm");
        net.show("hidden_states." + c.numHiddenLayers(), x);
        return net.linear(x, c.tieWordEmbeddings() ? LlamaConfig.EMBED_TOKENS : "lm_head.weight", null, c.vocabSize());
    }

    private Net.Attention attention(int layer) {
        LlamaConfig c = config;
        return new Net.Attention(
                c.numAttentionHeads(),
                c.numKeyValueHeads(),
                c.headDim(),
                c.qkvBias(),
                "o_proj",
                c.outputBias(),
                false,
                new Net.Causal(
                        layer,
                        Net.KeysAndValues.PROJECTED,
                        new Rotary(c.rope(), c.headDim()),
                        c.qkNorm() ? (Float) c.rmsNormEps() : null,
                        1 / Math.sqrt(c.headDim()),
                        0,
                        c.slidingLayer()[layer] ? c.slidingWindow() : 0,
                        false,
                        layer == c.numHiddenLayers() - 1));
    }

    private Value norm(Net net, Value x, String layer) {
        return net.rmsNorm(x, layer, config.rmsNormEps());
    }
}
