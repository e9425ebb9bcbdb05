package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.network.Net.KeysAndValues;
import io.langbridge.runtime.core.network.Net.Value;
import java.util.List;

/**
 * The language model of Gemma 4: layers as in {@link Gemma}, and behind each what a token's own row for it adds. Each
 * layer's result is multiplied by a number of its own.
 */
final class Gemma4 {
    private final Gemma4Config config;

    private Gemma4(Gemma4Config config) {
        this.config = config;
    }

    static Network network(Gemma4Config config) {
        Gemma4 gemma = new Gemma4(config);
        return new Network(config.modelType() + " decoder", gemma::logits);
    }

    private Value logits(Net net) {
        Gemma4Config c = config;
        Net.Table second = c.secondTable();
        List<Value> given = second == null ? net.embedded(c.table(), 1) : net.embedded(c.table(), second);
        Value x = given.get(0);
        Value ofLayers = second == null ? null : ofLayers(net, x, given.get(1));
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            net.show("hidden_states." + i, x);
            String layer = "model.layers." + i;
            // Behind the last keys and values nobody reads rows but those that are answered.
            boolean last = i == c.firstShared() - 1;
            boolean wide = c.useDoubleWideMlp() && i >= c.firstShared();
            int inner = wide ? 2 * c.intermediateSize() : c.intermediateSize();
            x = Gemma.layer(net, x, layer, c.rmsNormEps(), attention(i), inner, last);
            if (ofLayers != null) {
                ofLayers = last ? net.answered(ofLayers) : ofLayers;
                int width = c.hiddenSizePerLayerInput();
                x = withOwn(net, x, layer, net.columns(ofLayers, i * width, width));
            }
            x = net.multiply(x, net.weight(layer + ".layer_scalar", 1));
        }
        return Gemma.head(net, x, c, c.rmsNormEps(), c.finalLogitSoftcapping());
    }

    /**
     * What each layer adds for a token: its rows, and as much that is made of its embedding. Both are sqrt(2) times of
     * what the reference has, and the latter is normed before it is divided by the root of the width: norms take that
     * out again, whose epsilons are in proportion.
     */
    private Value ofLayers(Net net, Value x, Value rows) {
        Gemma4Config c = config;
        Value made = net.linear(x, "model.per_layer_model_projection", rows.width(), false);
        Value normed = net.rmsNorm(
                made, "model.per_layer_projection_norm", c.hiddenSizePerLayerInput(), c.rmsNormEps() * c.hiddenSize());
        return net.add(normed, rows);
    }

    private Value withOwn(Net net, Value x, String layer, Value own) {
        Gemma4Config c = config;
        Value gate = net.linear(x, layer + ".per_layer_input_gate", c.hiddenSizePerLayerInput(), false);
        Value added = net.linear(
                net.multiply(net.activation(Activation.GELU_TANH, gate), own),
                layer + ".per_layer_projection",
                c.hiddenSize(),
                false);
        return net.add(x, net.rmsNorm(added, layer + ".post_per_layer_input_norm", 2 * c.rmsNormEps()));
    }

    private Net.Attention attention(int layer) {
        Gemma4Config c = config;
        Gemma4Config.Heads heads = c.heads(layer);
        boolean sliding = c.slidingLayer()[layer];
        return new Net.Attention(
                c.numAttentionHeads(),
                heads.numKeyValueHeads(),
                heads.headDim(),
                c.attentionBias(),
                "o_proj",
                c.attentionBias(),
                false,
                new Net.Causal(
                        source(layer),
                        from(layer),
                        new Rotary(heads.rope(), heads.headDim()),
                        c.rmsNormEps(),
                        1,
                        0,
                        sliding ? c.slidingWindow() : 0,
                        c.opensPictures() && sliding,
                        layer == c.firstShared() - 1));
    }

    /** The layer whose keys and values it looks at: its own, or of the last of its kind that has some. */
    private int source(int layer) {
        boolean[] sliding = config.slidingLayer();
        int source = Math.min(layer, config.firstShared() - 1);
        while (sliding[source] != sliding[layer]) {
            source--;
        }
        return source;
    }

    private KeysAndValues from(int layer) {
        if (layer >= config.firstShared()) {
            return KeysAndValues.EARLIER;
        }
        return config.attentionKEqV() && !config.slidingLayer()[layer]
                ? KeysAndValues.KEYS_ARE_VALUES
                : KeysAndValues.VALUES_NORMED;
    }
}
