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
        Value x = net.embedded(DecoderConfig.EMBED_TOKENS, c.vocabSize(), c.hiddenSize(), c.embeddingScale(), 1)
                .get(0);
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            if (i > 0) {
                net.show("hidden_states." + i, x);
            }
            String layer = "model.layers." + i;
            Value attended =
                    net.attention(norm(net, x, layer + ".input_layernorm"), layer + ".self_attn", attention(i));
            // Behind the last layer's attention nobody reads the others.
            x = net.add(
                    i == c.numHiddenLayers() - 1 ? net.answered(x) : x,
                    norm(net, attended, layer + ".post_attention_layernorm"));
            Value mlp = net.gatedMlp(
                    norm(net, x, layer + ".pre_feedforward_layernorm"),
                    layer + ".mlp",
                    c.intermediateSize(),
                    Activation.GELU_TANH,
                    false);
            x = net.add(x, norm(net, mlp, layer + ".post_feedforward_layernorm"));
        }
        x = norm(net, x, "model.norm");
        net.show("hidden_states." + c.numHiddenLayers(), x);
        String head = c.tieWordEmbeddings() ? DecoderConfig.EMBED_TOKENS : "lm_head.weight";
        Value logits = net.linear(x, head, null, c.vocabSize());
        return c.finalLogitSoftcapping() == 0 ? logits : net.capped(logits, c.finalLogitSoftcapping());
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
                        new Rotary(sliding ? c.slidingRope() : c.rope(), c.headDim()),
                        c.qkNorm() ? (Float) c.rmsNormEps() : null,
                        1 / Math.sqrt(c.queryPreAttnScalar()),
                        c.attnLogitSoftcapping(),
                        sliding ? c.slidingWindow() : 0,
                        c.opensPictures(),
                        layer == c.numHiddenLayers() - 1));
    }

    private Value norm(Net net, Value x, String layer) {
        return net.rmsNorm(x, layer, config.rmsNormEps());
    }
}
