package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.Net.Value;
import java.util.function.ToDoubleFunction;

/**
 * The vision tower of Gemma 4, over the patches of a picture of any shape, and what makes visual tokens of its
 * features. Patches come block by block, as they are averaged; their values are those of pixels, 0 to 1.
 *
 * <p>Beside them goes in what depends on the shape alone: {@link GridVit#COS} and {@link GridVit#SIN}, of the angles by
 * column and then by row, and {@link #COLUMN} and {@link #ROW}.
 */
public final class Gemma4Vit {
    /** The column of each patch, as a row of the tables of positions, which lie one under the other. */
    public static final String COLUMN = "column";

    /** The row of each patch, as one of theirs too. */
    public static final String ROW = "row";

    private final Gemma4VitConfig config;
    private final ToDoubleFunction<String> bounds;

    private Gemma4Vit(Gemma4VitConfig config, ToDoubleFunction<String> bounds) {
        this.config = config;
        this.bounds = bounds;
    }

    /**
     * Patches {@code [patches, 3 * patch_size * patch_size]} to features {@code [patches, hidden]}.
     *
     * @param bounds numbers of the checkpoint that values are kept between, by name
     */
    public static Network network(Gemma4VitConfig config, ToDoubleFunction<String> bounds) {
        return new Network("vision encoder", new Gemma4Vit(config, bounds)::features);
    }

    /**
     * The weights as the text reads them. A head's columns rotate in its first half and rows in its second, quarter by
     * quarter; here its first half rotates with its second.
     */
    public static Weights weights(Gemma4VitConfig config, Weights stored) {
        int quarter = config.headDim() / 4;
        int[] rows = new int[config.headDim()];
        int at = 0;
        for (int from : new int[] {0, 2, 1, 3}) {
            for (int i = 0; i < quarter; i++) {
                rows[at++] = from * quarter + i;
            }
        }
        return Checkpoints.reordered(stored, Gemma4Vit::rotates, rows);
    }

    private static boolean rotates(String name) {
        return name.endsWith(".q_proj.linear.weight")
                || name.endsWith(".k_proj.linear.weight")
                || name.endsWith(".q_norm.weight")
                || name.endsWith(".k_norm.weight");
    }

    private Value features(Net net) {
        Gemma4VitConfig c = config;
        Value pixels = net.input(Net.PIXEL_VALUES, Net.ANY, 3 * c.patchSize() * c.patchSize());
        Value x = net.linear(net.scaled(pixels, 2, -1), "patch_embedder.input_proj", c.hiddenSize(), false);
        Value table =
                net.weight("patch_embedder.position_embedding_table", 2, c.positionEmbeddingSize(), c.hiddenSize());
        x = net.add(x, net.picked(table, net.indices(COLUMN)));
        x = net.add(x, net.picked(table, net.indices(ROW)));
        Value cos = net.input(GridVit.COS, Net.ANY, c.headDim() / 2);
        Value sin = net.input(GridVit.SIN, Net.ANY, c.headDim() / 2);
        for (int i = 0; i < c.numHiddenLayers(); i++) {
            String layer = "encoder.layers." + i;
            Value attended = attention(net, norm(net, x, layer + ".input_layernorm"), layer + ".self_attn.", cos, sin);
            x = net.add(x, norm(net, attended, layer + ".post_attention_layernorm"));
            Value given = mlp(net, norm(net, x, layer + ".pre_feedforward_layernorm"), layer + ".mlp.");
            x = net.add(x, norm(net, given, layer + ".post_feedforward_layernorm"));
        }
        return x;
    }

    private Value attention(Net net, Value x, String name, Value cos, Value sin) {
        Gemma4VitConfig c = config;
        int width = c.numAttentionHeads() * c.headDim();
        Value q = heads(net, linear(net, x, name + "q_proj", width), name + "q_norm");
        Value k = heads(net, linear(net, x, name + "k_proj", width), name + "k_norm");
        Value v = net.rmsNorm(linear(net, x, name + "v_proj", width), null, c.headDim(), c.rmsNormEps());
        Value y = net.heads(net.rotated(q, cos, sin), net.rotated(k, cos, sin), v, c.numAttentionHeads(), 1);
        return linear(net, y, name + "o_proj", c.hiddenSize());
    }

    private Value heads(Net net, Value x, String norm) {
        return net.rmsNorm(x, norm, config.headDim(), config.rmsNormEps());
    }

    private Value mlp(Net net, Value x, String name) {
        int inner = config.intermediateSize();
        Value gate = net.activation(Activation.GELU_TANH, linear(net, x, name + "gate_proj", inner));
        Value up = linear(net, x, name + "up_proj", inner);
        return linear(net, net.multiply(gate, up), name + "down_proj", config.hiddenSize());
    }

    private Value linear(Net net, Value x, String name, int out) {
        Value y = net.linear(clipped(net, x, name + ".input"), name + ".linear", out, false);
        return clipped(net, y, name + ".output");
    }

    private Value clipped(Net net, Value x, String where) {
        if (!config.useClippedLinears()) {
            return x;
        }
        float least = (float) bounds.applyAsDouble(where + "_min");
        float most = (float) bounds.applyAsDouble(where + "_max");
        return Float.isInfinite(least) && Float.isInfinite(most) ? x : net.clipped(x, least, most);
    }

    private Value norm(Net net, Value x, String name) {
        return net.rmsNorm(x, name, config.rmsNormEps());
    }

    /**
     * Features to visual tokens, each made of the patches of a block.
     *
     * @param width of a visual token
     */
    public static AdapterConfig.Connector connector(Gemma4VitConfig config, int width) {
        return new AdapterConfig.Connector(
                "average pool", config.hiddenSize(), width, net -> visualTokens(net, config, width));
    }

    private static Value visualTokens(Net net, Gemma4VitConfig c, int width) {
        Value features = net.input(Projector.FEATURES, Net.ANY, c.hiddenSize());
        Value x = net.averaged(features, c.poolingKernelSize() * c.poolingKernelSize());
        x = net.scaled(x, (float) Math.sqrt(c.hiddenSize()), 0);
        if (c.standardize()) {
            Value mean = net.scaled(net.weight("vision_tower.std_bias", c.hiddenSize()), -1, 0);
            x = net.multiply(net.add(x, mean), net.weight("vision_tower.std_scale", c.hiddenSize()));
        }
        Value normed = net.rmsNorm(x, null, c.hiddenSize(), c.rmsNormEps());
        return net.linear(normed, "embed_vision.embedding_projection", width, false);
    }
}
