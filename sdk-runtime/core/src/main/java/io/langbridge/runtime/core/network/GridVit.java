package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.network.Net.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A vision tower over the patches of a picture of any shape, and what merges its features into visual tokens. Patches
 * come block by block, as they are merged.
 *
 * <p>What depends on the shape alone goes in beside the pixels: see the names here.
 */
public final class GridVit {
    /** Of the angles of each patch, {@code [patches, head_dim / 2]}: those of its row, then those of its column. */
    public static final String COS = "cos";

    public static final String SIN = "sin";

    /** Rows of the table of positions that lie around each patch, {@code [patches]} of each of {@link #CORNERS}. */
    public static final String POSITION = "position";

    /** How much of each, {@code [patches, CORNERS]}. */
    public static final String POSITION_SHARE = "position_share";

    /** Rows of the table that a patch lies between. */
    public static final int CORNERS = 4;

    /** Window by window, which patch is there; small ones are filled up with any. */
    public static final String WINDOW_PATCHES = "window_patches";

    /** Where each patch is among those. */
    public static final String WINDOW_PLACES = "window_places";

    /** Keeps what fills windows up from being seen, {@code [windows * patches of one, patches of one]}. */
    public static final String WINDOW_BIAS = "window_bias";

    private static final float EPSILON = 1e-6f;

    private final GridVitConfig config;

    private GridVit(GridVitConfig config) {
        this.config = config;
    }

    /**
     * Patches {@code [patches, 3 * patch_size * patch_size]} to features {@code [patches, hidden * (1 + deep layers)]}.
     */
    public static Network network(GridVitConfig config) {
        return new Network("vision encoder", new GridVit(config)::features);
    }

    private Value features(Net net) {
        GridVitConfig c = config;
        int patch = 3 * c.patchSize() * c.patchSize();
        Value x = net.linear(
                net.input(Net.PIXEL_VALUES, Net.ANY, patch), "patch_embed.proj", c.hiddenSize(), c.patchBias());
        if (c.positionsPerSide() > 0) {
            x = net.add(x, positions(net));
        }
        int pairs = c.hiddenSize() / c.numHeads() / 2;
        Value cos = net.input(COS, Net.ANY, pairs);
        Value sin = net.input(SIN, Net.ANY, pairs);
        Windows windows = c.cellsPerWindow() > 0 ? Windows.of(net, c) : null;
        List<Value> deep = new ArrayList<>();
        for (int i = 0; i < c.depth(); i++) {
            x = layer(net, x, "blocks." + i, cos, sin, c.fullLayers().contains(i) ? null : windows);
            if (c.deepLayers().contains(i)) {
                deep.add(x);
            }
        }
        for (Value of : deep) {
            x = net.beside(x, of);
        }
        return x;
    }

    /** What is between the rows of a table around each patch. */
    private Value positions(Net net) {
        int side = config.positionsPerSide();
        Value table = net.weight("pos_embed.weight", side * side, config.hiddenSize());
        Value share = net.input(POSITION_SHARE, Net.ANY, CORNERS);
        Value sum = null;
        for (int i = 0; i < CORNERS; i++) {
            Value corner = net.picked(table, net.indices(POSITION + "." + i));
            Value part = net.multiply(corner, net.columns(share, i, 1));
            sum = sum == null ? part : net.add(sum, part);
        }
        return Objects.requireNonNull(sum);
    }

    /** Patches by window, and back. */
    private record Windows(Value patches, Value places, Value bias) {
        static Windows of(Net net, GridVitConfig c) {
            int side = c.cellsPerWindow() * c.mergeSize();
            return new Windows(
                    net.indices(WINDOW_PATCHES),
                    net.indices(WINDOW_PLACES),
                    net.input(WINDOW_BIAS, Net.ANY, side * side));
        }
    }

    private Value layer(Net net, Value x, String name, Value cos, Value sin, @Nullable Windows windows) {
        Value middle = net.add(x, attention(net, norm(net, x, name + ".norm1"), name + ".attn", cos, sin, windows));
        return net.add(middle, mlp(net, norm(net, middle, name + ".norm2"), name + ".mlp"));
    }

    private Value attention(Net net, Value x, String name, Value cos, Value sin, @Nullable Windows windows) {
        int hidden = config.hiddenSize();
        int heads = config.numHeads();
        Value qkv = net.linear(x, name + ".qkv", 3 * hidden, true);
        Value q = net.rotated(net.columns(qkv, 0, hidden), cos, sin);
        Value k = net.rotated(net.columns(qkv, hidden, hidden), cos, sin);
        Value v = net.columns(qkv, 2 * hidden, hidden);
        Value y;
        if (windows == null) {
            y = net.heads(q, k, v, heads);
        } else {
            Value attended = net.windowHeads(
                    net.picked(q, windows.patches),
                    net.picked(k, windows.patches),
                    net.picked(v, windows.patches),
                    heads,
                    windows.bias);
            y = net.picked(attended, windows.places);
        }
        return net.linear(y, name + ".proj", hidden, true);
    }

    private Value mlp(Net net, Value x, String name) {
        GridVitConfig c = config;
        if (c.gated()) {
            return net.gatedMlp(x, name, c.intermediateSize(), c.hiddenAct(), true);
        }
        Value inner = net.linear(x, name + "." + c.mlp().get(0), c.intermediateSize(), true);
        return net.linear(
                net.activation(c.hiddenAct(), inner), name + "." + c.mlp().get(1), c.hiddenSize(), true);
    }

    private Value norm(Net net, Value x, String name) {
        return config.gated() ? net.rmsNorm(x, name, EPSILON) : net.layerNorm(x, name, EPSILON);
    }

    /**
     * A merger's names.
     *
     * @param norm in front of it, which is the tower's kind
     * @param first of its products
     * @param second of its products
     */
    public record Merger(String norm, String first, String second) {}

    /**
     * Features to visual tokens, each made of the patches of a block. Those of deep layers stand behind the last one's
     * in a row.
     *
     * @param width of a visual token without them
     */
    public static AdapterConfig.Connector connector(GridVitConfig config, Merger names, int width) {
        int levels = 1 + config.deepLayers().size();
        return new AdapterConfig.Connector(
                "merger",
                config.hiddenSize() * levels,
                width * levels,
                net -> new GridVit(config).merged(net, names, width, levels));
    }

    private Value merged(Net net, Merger names, int width, int levels) {
        int hidden = config.hiddenSize();
        Value features = net.input(Projector.FEATURES, Net.ANY, hidden * levels);
        Value x = norm(net, net.columns(features, 0, hidden), names.norm());
        Value tokens = mlp(net, joined(net, x), names.first(), names.second(), width);
        for (int level = 1; level < levels; level++) {
            // They are numbered as the configuration lists them, and come in the order of the layers.
            int layer = config.deepLayers().stream()
                    .sorted()
                    .skip(level - 1)
                    .findFirst()
                    .get();
            String name = "deepstack_merger_list." + config.deepLayers().indexOf(layer) + ".";
            Value deep = joined(net, net.columns(features, level * hidden, hidden));
            deep = net.layerNorm(deep, name + "norm", EPSILON);
            tokens = net.beside(tokens, mlp(net, deep, name + "linear_fc1", name + "linear_fc2", width));
        }
        return tokens;
    }

    private Value joined(Net net, Value x) {
        return net.joined(x, config.mergeSize() * config.mergeSize());
    }

    private static Value mlp(Net net, Value x, String first, String second, int width) {
        Value inner = net.activation(Activation.GELU, net.linear(x, first, x.width(), true));
        return net.linear(inner, second, width, true);
    }
}
