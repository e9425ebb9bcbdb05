package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.network.Net.Value;
import org.jspecify.annotations.Nullable;

/** InternViT: a class token, and what attention and MLP give multiplied channel by channel (layer scale). */
public final class InternVit {
    private final Config config;

    /**
     * Its shape, keys as in {@code config.json}.
     *
     * @param imageSize pixels along the side of a tile
     * @param attentionBias whether queries, keys and values have a bias
     * @param headNorm epsilon of the RMS norms of queries and keys over all heads ({@code use_qk_norm}); null if there
     *     are none
     * @param rmsNorm whether {@code norm_type} is {@code rms_norm}, else layers have a layer norm
     * @param positions whether patches have positions ({@code use_absolute_position_embeddings})
     * @param layersToRun 0 to {@code num_hidden_layers}
     * @param lastNorm whether a layer norm stands behind them ({@code use_mean_pooling} is false)
     */
    public record Config(
            int hiddenSize,
            int intermediateSize,
            int numHiddenLayers,
            int numAttentionHeads,
            int imageSize,
            int patchSize,
            Activation hiddenAct,
            float layerNormEps,
            boolean attentionBias,
            @Nullable Float headNorm,
            boolean rmsNorm,
            boolean positions,
            int layersToRun,
            boolean lastNorm) {

        /** Patches along one side of a tile. */
        public int patchesPerSide() {
            return imageSize / patchSize;
        }

        /** Patches of one tile. */
        public int patches() {
            return patchesPerSide() * patchesPerSide();
        }
    }

    private InternVit(Config config) {
        this.config = config;
    }

    /**
     * Pixels {@code [3, image_size, image_size]} to features {@code [patches, hidden]}; the class token is left out.
     */
    public static Network network(Config config) {
        return new Network("vision encoder", new InternVit(config)::features);
    }

    private Value features(Net net) {
        int hidden = config.hiddenSize();
        Value pixels = net.pixels(config.imageSize(), config.imageSize());
        Value x = net.under(
                net.weight("embeddings.cls_token", 1, 1, hidden),
                net.patches(pixels, "embeddings.patch_embeddings.projection", config.patchSize(), hidden, true));
        if (config.positions()) {
            x = net.add(x, net.weight("embeddings.position_embeddings", 1, 1 + config.patches(), hidden));
        }
        for (int i = 0; i < config.layersToRun(); i++) {
            x = layer(net, x, "encoder.layer." + i);
        }
        if (config.lastNorm()) {
            x = net.layerNorm(x, "layernorm", config.layerNormEps());
        }
        return net.rows(x, 1, config.patches());
    }

    private Value layer(Net net, Value x, String name) {
        Value seen = attention(net, norm(net, x, name + ".layernorm_before"), name + ".attention");
        Value middle = net.add(x, scaled(net, seen, name + ".lambda_1"));
        Value y = norm(net, middle, name + ".layernorm_after");
        Value inner = net.linear(y, name + ".mlp.fc1", config.intermediateSize(), true);
        y = net.linear(net.activation(config.hiddenAct(), inner), name + ".mlp.fc2", config.hiddenSize(), true);
        return net.add(middle, scaled(net, y, name + ".lambda_2"));
    }

    private Value attention(Net net, Value x, String name) {
        Value q = projected(net, x, name, "q");
        Value k = projected(net, x, name, "k");
        Value v = net.linear(x, name + ".v_proj", config.hiddenSize(), config.attentionBias());
        Value y = net.heads(q, k, v, config.numAttentionHeads());
        return net.linear(y, name + ".projection_layer", config.hiddenSize(), true);
    }

    private Value projected(Net net, Value x, String name, String which) {
        Value y = net.linear(x, name + "." + which + "_proj", config.hiddenSize(), config.attentionBias());
        Float epsilon = config.headNorm();
        return epsilon == null ? y : net.rmsNorm(y, name + "." + which + "_norm", epsilon);
    }

    private Value scaled(Net net, Value x, String name) {
        return net.multiply(x, net.weight(name, config.hiddenSize()));
    }

    private Value norm(Net net, Value x, String name) {
        return config.rmsNorm()
                ? net.rmsNorm(x, name, config.layerNormEps())
                : net.layerNorm(x, name, config.layerNormEps());
    }

    /**
     * Features to visual tokens: blocks of patches side by side, a norm and two products.
     *
     * @param factor patches along the side of a block
     * @param width of a visual token
     */
    public static AdapterConfig.Connector connector(Config config, int factor, int width) {
        return new AdapterConfig.Connector("pixel shuffle, mlp2x_gelu", config.hiddenSize(), width, net -> {
            Value x = net.pixelShuffle(net.input(Projector.FEATURES, config.patches(), config.hiddenSize()), factor);
            Value inner = net.linear(net.layerNorm(x, "layer_norm", 1e-5f), "linear_1", width, true);
            return net.linear(net.activation(Activation.GELU, inner), "linear_2", width, true);
        });
    }
}
