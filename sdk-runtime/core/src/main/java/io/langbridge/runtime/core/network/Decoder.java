package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.network.Net.Value;
import java.util.List;

/** Llama and what is near it; they differ in the configuration only. */
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
        Value x = scaled(net, given.get(0), c.variant().embeddingMultiplier());
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            net.show("hidden_states." + i, x);
            boolean last = i == c.numHiddenLayers() - 1;
            x = layer(net, x, i, last);
            if (i < c.deepstack()) {
                x = net.add(x, last ? net.answered(given.get(i + 1)) : given.get(i + 1));
            }
        }
        x = norm(net, x, "model.norm");
        net.show("hidden_states." + c.numHiddenLayers(), x);
        String head = c.tieWordEmbeddings() ? LlamaConfig.EMBED_TOKENS : "lm_head.weight";
        return scaled(
                net, net.linear(x, head, null, c.vocabSize()), 1 / c.variant().logitsScaling());
    }

    private Value layer(Net net, Value x, int index, boolean last) {
        LlamaConfig c = config;
        boolean behind = c.variant().normsBehind();
        float multiplier = c.variant().residualMultiplier();
        String layer = "model.layers." + index;
        Value read = behind ? x : norm(net, x, layer + ".input_layernorm");
        Value attended = net.attention(read, layer + ".self_attn", attention(index, last));
        attended = behind ? norm(net, attended, layer + ".post_attention_layernorm") : attended;
        // Behind the last layer's attention nobody reads the others.
        Value y = net.add(last ? net.answered(x) : x, scaled(net, attended, multiplier));
        read = behind ? y : norm(net, y, layer + ".post_attention_layernorm");
        Value given = net.gatedMlp(read, layer + ".mlp", c.intermediateSize(), Activation.SILU, c.mlpBias());
        given = behind ? norm(net, given, layer + ".post_feedforward_layernorm") : given;
        return net.add(y, scaled(net, given, multiplier));
    }

    private static Value scaled(Net net, Value x, float factor) {
        return factor == 1 ? x : net.scaled(x, factor, 0);
    }

    private Net.Attention attention(int layer, boolean last) {
        LlamaConfig c = config;
        float multiplier = c.variant().attentionMultiplier();
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
                        c.rotary(layer),
                        c.qkNorm() ? (Float) c.rmsNormEps() : null,
                        multiplier == 0 ? 1 / Math.sqrt(c.headDim()) : multiplier,
                        0,
                        c.slidingLayer()[layer] ? c.slidingWindow() : 0,
                        false,
                        last,
                        c.variant().normsBehind()));
    }

    private Value norm(Net net, Value x, String layer) {
        return net.rmsNorm(x, layer, config.rmsNormEps());
    }
}
