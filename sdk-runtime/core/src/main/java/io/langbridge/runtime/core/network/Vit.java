package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.Net.Value;
import io.langbridge.runtime.core.network.VisionConfig.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The vision towers of CLIP, SigLIP and SigLIP 2. */
public final class Vit {
    private static final String POSITIONS = "embeddings.position_embedding.weight";

    private final VisionConfig config;
    private final boolean clip;

    private Vit(VisionConfig config) {
        this.config = config;
        clip = config.kind() == Kind.CLIP;
    }

    /**
     * Pixels {@code [3, image_size, image_size]} to features of the selected layers, {@code [tokens, layers * hidden]},
     * without the class token if the configuration selects patches.
     *
     * @param pools whether the checkpoint has what comes behind the last layer, which only the trace shows
     */
    public static Network network(VisionConfig config, boolean pools) {
        Vit vit = new Vit(config);
        return new Network("vision encoder", vit::features, net -> vit.trace(net, pools));
    }

    /** The same, with what comes behind the last layer if the weights have it. */
    public static Network network(VisionConfig config, Weights weights) {
        return network(config, weights.contains(config.kind() == Kind.CLIP ? "post_layernorm.weight" : "head.probe"));
    }

    /** The features alone, for who goes on from there. */
    public static Value features(Net net, VisionConfig config) {
        return new Vit(config).features(net);
    }

    /**
     * SigLIP 2: patches of a picture of any shape, {@code [patches, 3 * patch_size * patch_size]} pixel by pixel, to
     * what its last norm gives, {@code [patches, hidden]}. Beside them goes in how much of each position of the square
     * that {@code image_size} makes a patch has, {@link GridVit#POSITION_SHARE}.
     */
    public static Network ofPatches(VisionConfig config) {
        return new Network("vision encoder", new Vit(config)::ofPatches);
    }

    private Value ofPatches(Net net) {
        int hidden = config.hiddenSize();
        Value patches = net.input(Net.PIXEL_VALUES, Net.ANY, 3 * config.patchSize() * config.patchSize());
        Value x = net.linear(patches, "embeddings.patch_embedding", hidden, true);
        Value share = net.input(GridVit.POSITION_SHARE, Net.ANY, config.patches());
        Value table = net.weight(POSITIONS, config.patches(), hidden);
        List<Value> states = states(net, net.add(x, net.mixed(share, table)));
        return norm(net, states.get(states.size() - 1), "post_layernorm");
    }

    private Value features(Net net) {
        List<Value> states = states(net, embeddings(net));
        Value x = null;
        for (int layer : config.selectLayers()) {
            Value state = states.get(config.layersBehind(layer));
            x = x == null ? state : net.beside(x, state);
        }
        Objects.requireNonNull(x);
        return config.selectPatches() && clip ? net.rows(x, 1, config.patches()) : x;
    }

    /** What goes into the first layer, and what each gives. */
    private List<Value> states(Net net, Value embedded) {
        List<Value> states = new ArrayList<>();
        states.add(embedded);
        for (int i = 0; i < config.layersToRun(); i++) {
            states.add(layer(net, states.get(i), "encoder.layers." + i));
        }
        return states;
    }

    private Value embeddings(Net net) {
        int hidden = config.hiddenSize();
        Value pixels = net.pixels(config.imageSize(), config.imageSize());
        Value x = net.patches(pixels, "embeddings.patch_embedding", config.patchSize(), hidden, !clip);
        if (clip) {
            x = net.under(net.weight("embeddings.class_embedding", hidden), x);
        }
        x = net.add(x, net.weight(POSITIONS, config.tokens(), hidden));
        return clip ? norm(net, x, "pre_layrnorm") : x;
    }

    private Value layer(Net net, Value x, String name) {
        Value normed = norm(net, x, name + ".layer_norm1");
        Net.Attention open = Net.Attention.open(config.numAttentionHeads(), config.hiddenSize());
        Value middle = net.add(x, net.attention(normed, name + ".self_attn", open));
        return net.add(middle, mlp(net, norm(net, middle, name + ".layer_norm2"), name + ".mlp"));
    }

    private Value mlp(Net net, Value x, String name) {
        Value inner = net.linear(x, name + ".fc1", config.intermediateSize(), true);
        return net.linear(net.activation(config.hiddenAct(), inner), name + ".fc2", config.hiddenSize(), true);
    }

    private Value norm(Net net, Value x, String name) {
        return net.layerNorm(x, name, config.layerNormEps());
    }

    /** The whole tower: {@code hidden_states.N}, {@code last_hidden_state}, {@code pooler_output}. */
    private Value trace(Net net, boolean pools) {
        Value x = embeddings(net);
        net.show("hidden_states.0", x);
        for (int i = 0; i < config.numHiddenLayers(); i++) {
            x = layer(net, x, "encoder.layers." + i);
            net.show("hidden_states." + (i + 1), x);
        }
        Value last = clip ? x : norm(net, x, "post_layernorm");
        net.show("last_hidden_state", last);
        if (pools) {
            net.show(
                    "pooler_output",
                    clip ? norm(net, net.rows(last, 0, 1), "post_layernorm") : attentionPooling(net, last));
        }
        return last;
    }

    /** SigLIP: a learnt query attends to all tokens. */
    private Value attentionPooling(Net net, Value x) {
        int hidden = config.hiddenSize();
        String weight = "head.attention.in_proj_weight";
        String bias = "head.attention.in_proj_bias";
        Value q = net.columns(net.linear(net.weight("head.probe", 1, 1, hidden), weight, bias, 3 * hidden), 0, hidden);
        Value all = net.linear(x, weight, bias, 3 * hidden);
        Value k = net.columns(all, hidden, hidden);
        Value v = net.columns(all, 2 * hidden, hidden);
        Value heads = net.heads(q, k, v, config.numAttentionHeads());
        Value pooled = net.linear(heads, "head.attention.out_proj", hidden, true);
        return net.add(pooled, mlp(net, norm(net, pooled, "head.layernorm"), "head.mlp"));
    }
}
