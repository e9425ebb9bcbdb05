package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.network.Net.Value;

/**
 * Pixtral's vision tower, over the patches of a picture of any shape, and what merges its features into visual tokens.
 * Patches come block by block, as they are merged. Beside them goes in {@link GridVit#COS} and {@link GridVit#SIN}.
 */
public final class PixtralVit {
    /** Weight of the patch embedding, {@code [hidden, 3, patch_size, patch_size]} in a checkpoint, here a matrix. */
    public static final String PATCHES = "patch_conv.weight";

    /** Of all norms of the tower. */
    private static final float EPSILON = 1e-5f;

    private final PixtralVitConfig config;

    private PixtralVit(PixtralVitConfig config) {
        this.config = config;
    }

    /** Patches {@code [patches, 3 * patch_size * patch_size]} to features {@code [patches, hidden]}. */
    public static Network network(PixtralVitConfig config) {
        return new Network("vision encoder", new PixtralVit(config)::features);
    }

    private Value features(Net net) {
        PixtralVitConfig c = config;
        Value pixels = net.input(Net.PIXEL_VALUES, Net.ANY, 3 * c.patchSize() * c.patchSize());
        Value x = norm(net, net.linear(pixels, PATCHES, null, c.hiddenSize()), "ln_pre");
        int pairs = c.hiddenSize() / c.numAttentionHeads() / 2;
        Value cos = net.input(GridVit.COS, Net.ANY, pairs);
        Value sin = net.input(GridVit.SIN, Net.ANY, pairs);
        for (int i = 0; i < c.layersToRun(); i++) {
            String layer = "transformer.layers." + i;
            x = net.add(x, attention(net, norm(net, x, layer + ".attention_norm"), layer + ".attention", cos, sin));
            Value read = norm(net, x, layer + ".ffn_norm");
            x = net.add(x, net.gatedMlp(read, layer + ".feed_forward", c.intermediateSize(), c.hiddenAct(), false));
        }
        return x;
    }

    private Value attention(Net net, Value x, String name, Value cos, Value sin) {
        int hidden = config.hiddenSize();
        Value q = net.rotated(net.linear(x, name + ".q_proj", hidden, false), cos, sin);
        Value k = net.rotated(net.linear(x, name + ".k_proj", hidden, false), cos, sin);
        Value v = net.linear(x, name + ".v_proj", hidden, false);
        return net.linear(net.heads(q, k, v, config.numAttentionHeads()), name + ".o_proj", hidden, false);
    }

    private static Value norm(Net net, Value x, String name) {
        return net.rmsNorm(x, name, EPSILON);
    }
}
