package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.network.Net.Value;

/** The language model of Qwen3.5. */
final class Qwen35 {
    private final Qwen35Config config;
    private int linearLayers;
    private int fullLayers;

    private Qwen35(Qwen35Config config) {
        this.config = config;
    }

    static Network network(Qwen35Config config) {
        return new Network(config.modelType() + " decoder", net -> new Qwen35(config).logits(net));
    }

    private Value logits(Net net) {
        Qwen35Config c = config;
        Value x = net.embedded(c.table());
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            net.show("hidden_states." + i, x);
            String layer = "model.layers." + i;
            boolean last = i == c.numHiddenLayers() - 1;
            Value normed = norm(net, x, layer + ".input_layernorm");
            Value mixed = c.linearLayer()[i]
                    ? net.deltaRule(normed, layer + ".linear_attn", deltaRule(last))
                    : net.attention(normed, layer + ".self_attn", attention(last));
            // Behind the last layer's attention nobody reads the others.
            x = net.add(last ? net.answered(x) : x, mixed);
            Value read = norm(net, x, layer + ".post_attention_layernorm");
            x = net.add(x, net.gatedMlp(read, layer + ".mlp", c.intermediateSize(), Activation.SILU, false));
        }
        x = norm(net, x, "model.norm");
        net.show("hidden_states." + c.numHiddenLayers(), x);
        return net.linear(
                x, c.tieWordEmbeddings() ? DecoderConfig.EMBED_TOKENS : "lm_head.weight", null, c.vocabSize());
    }

    private Net.DeltaRule deltaRule(boolean last) {
        Qwen35Config c = config;
        return new Net.DeltaRule(
                linearLayers++,
                c.linearNumKeyHeads(),
                c.linearNumValueHeads(),
                c.linearKeyHeadDim(),
                c.linearValueHeadDim(),
                c.linearConvKernelDim(),
                c.rmsNormEps(),
                last);
    }

    private Net.Attention attention(boolean last) {
        Qwen35Config c = config;
        return new Net.Attention(
                c.numAttentionHeads(),
                c.numKeyValueHeads(),
                c.headDim(),
                c.attentionBias(),
                "o_proj",
                c.attentionBias(),
                true,
                new Net.Causal(
                        fullLayers++,
                        Net.KeysAndValues.PROJECTED,
                        c.rotary(),
                        c.rmsNormEps(),
                        1 / Math.sqrt(c.headDim()),
                        0,
                        0,
                        false,
                        last));
    }

    private Value norm(Net net, Value x, String layer) {
        return net.rmsNorm(x, layer, config.rmsNormEps());
    }
}
