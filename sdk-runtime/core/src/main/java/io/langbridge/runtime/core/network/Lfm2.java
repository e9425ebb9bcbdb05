package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.network.Net.Value;

/** LFM2. */
final class Lfm2 {
    private final Lfm2Config config;
    private int convLayers;
    private int attentionLayers;

    private Lfm2(Lfm2Config config) {
        this.config = config;
    }

    static Network network(Lfm2Config config) {
        return new Network(config.modelType() + " decoder", net -> new Lfm2(config).logits(net));
    }

    private Value logits(Net net) {
        Lfm2Config c = config;
        Value x = net.embedded(c.table());
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            net.show("hidden_states." + i, x);
            String layer = "model.layers." + i;
            boolean last = i == c.numHiddenLayers() - 1;
            Value normed = norm(net, x, layer + ".operator_norm");
            Value mixed = c.convLayer()[i]
                    ? convolved(net, normed, layer + ".conv", last)
                    : net.attention(normed, layer + ".self_attn", attention(last));
            // Behind the last layer's states nobody reads the others.
            x = net.add(last ? net.answered(x) : x, mixed);
            Value read = norm(net, x, layer + ".ffn_norm");
            x = net.add(x, net.gatedMlp(read, layer + ".feed_forward", c.intermediateSize(), Activation.SILU, false));
        }
        x = norm(net, x, "model.embedding_norm");
        net.show("hidden_states." + c.numHiddenLayers(), x);
        String head = c.tieWordEmbeddings() ? DecoderConfig.EMBED_TOKENS : "lm_head.weight";
        return net.linear(x, head, null, c.vocabSize());
    }

    /** One third is what the convolution goes over, the others are gates before and behind it. */
    private Value convolved(Net net, Value x, String layer, boolean last) {
        Lfm2Config c = config;
        int width = c.hiddenSize();
        Value all = net.linear(x, layer + ".in_proj", 3 * width, c.convBias());
        Value before = net.columns(all, 0, width);
        Value behind = net.columns(all, width, width);
        Value own = net.columns(all, 2 * width, width);
        Net.Convolution how = new Net.Convolution(convLayers++, c.convLCache(), c.convBias());
        Value y = net.convolved(net.multiply(before, own), layer + ".conv", how);
        y = last ? net.multiply(net.answered(behind), net.answered(y)) : net.multiply(behind, y);
        return net.linear(y, layer + ".out_proj", width, c.convBias());
    }

    private Net.Attention attention(boolean last) {
        Lfm2Config c = config;
        return new Net.Attention(
                c.numAttentionHeads(),
                c.numKeyValueHeads(),
                c.headDim(),
                false,
                "out_proj",
                false,
                false,
                new Net.Causal(
                        attentionLayers++,
                        Net.KeysAndValues.PROJECTED,
                        new Rotary(c.rope(), c.headDim()),
                        c.normEps(),
                        1 / Math.sqrt(c.headDim()),
                        0,
                        0,
                        false,
                        last));
    }

    private Value norm(Net net, Value x, String layer) {
        return net.rmsNorm(x, layer, config.normEps());
    }
}
