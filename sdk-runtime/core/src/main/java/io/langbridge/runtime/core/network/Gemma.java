package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.network.Net.Value;

/** Gemma 2 and Gemma 3: a norm in front of each block and one behind it, before it is added. */
final class Gemma {
    private final GemmaConfig config;

    private Gemma(GemmaConfig config) {
        this.config = config;
    }

    static Network network(GemmaConfig config) {
        Gemma gemma = new Gemma(config);
        return new Network(config.modelType() + " decoder", gemma::logits);
    }

    private Value logits(Net net) {
        GemmaConfig c = config;
        Value x = net.embedded(c.table());
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            net.show("hidden_states." + i, x);
            boolean last = i == c.numHiddenLayers() - 1;
            x = layer(net, x, "model.layers." + i, c.rmsNormEps(), attention(i), c.intermediateSize(), last);
        }
        return head(net, x, c, c.rmsNormEps(), c.finalLogitSoftcapping());
    }

    /**
     * Attention and MLP, each with a norm in front and one behind.
     *
     * @param inner width of the MLP
     * @param last whether only answers are read of what it gives
     */
    static Value layer(Net net, Value x, String name, float epsilon, Net.Attention attention, int inner, boolean last) {
        Value attended =
                net.attention(net.rmsNorm(x, name + ".input_layernorm", epsilon), name + ".self_attn", attention);
        // Behind the last layer's attention nobody reads the others.
        Value middle =
                net.add(last ? net.answered(x) : x, net.rmsNorm(attended, name + ".post_attention_layernorm", epsilon));
        Value read = net.rmsNorm(middle, name + ".pre_feedforward_layernorm", epsilon);
        Value mlp = net.gatedMlp(read, name + ".mlp", inner, Activation.GELU_TANH, false);
        return net.add(middle, net.rmsNorm(mlp, name + ".post_feedforward_layernorm", epsilon));
    }

    /**
     * Behind the last layer.
     *
     * @param cap of the logits; 0 if they have none
     */
    static Value head(Net net, Value x, DecoderConfig c, float epsilon, float cap) {
        Value normed = net.rmsNorm(x, "model.norm", epsilon);
        net.show("hidden_states." + c.numHiddenLayers(), normed);
        String head = c.tieWordEmbeddings() ? DecoderConfig.EMBED_TOKENS : "lm_head.weight";
        Value logits = net.linear(normed, head, null, c.vocabSize());
        return cap == 0 ? logits : net.capped(logits, cap);
    }

    private Net.Attention attention(int layer) {
        GemmaConfig c = config;
        boolean sliding = c.slidingLayer()[layer];
        return new Net.Attention(
                c.numAttentionHeads(),
                c.numKeyValueHeads(),
                c.headDim(),
                c.attentionBias(),
                "o_proj",
                c.attentionBias(),
                false,
                new Net.Causal(
                        layer,
                        Net.KeysAndValues.PROJECTED,
                        new Rotary(sliding ? c.slidingRope() : c.rope(), c.headDim()),
                        c.qkNorm() ? (Float) c.rmsNormEps() : null,
                        1 / Math.sqrt(c.queryPreAttnScalar()),
                        c.attnLogitSoftcapping(),
                        sliding ? c.slidingWindow() : 0,
                        c.opensPictures(),
                        layer == c.numHiddenLayers() - 1));
    }
}
