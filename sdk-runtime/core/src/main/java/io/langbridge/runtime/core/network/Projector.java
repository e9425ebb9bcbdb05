package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.network.Net.Value;

/** What stands between an encoder and a language model: LangBridge's adapter, and LLaVA's. */
public final class Projector {
    /** The embeddings of the shared tokens, {@code [mm_vocab, llm_hidden]}: an input of LangBridge adapters. */
    public static final String VOCABULARY_MATRIX = "vocabulary_matrix";

    /** What goes in. */
    public static final String FEATURES = "features";

    private Projector() {}

    /**
     * Features {@code [patches, mm_hidden]} to visual tokens {@code [patches, llm_hidden]}. LangBridge without softmax
     * is here as the authors compute it; a model runs it folded, as an MLP.
     *
     * @param llmHidden width of the language model, for LangBridge; others have a width of their own
     */
    public static Network network(AdapterConfig config, int llmHidden) {
        return new Network(config.type() + " adapter", net -> visualTokens(net, config, llmHidden));
    }

    /** Features {@code [patches, mm_hidden]} to the coefficients of the shared tokens, {@code [patches, mm_vocab]}. */
    public static Network coefficients(AdapterConfig.LangBridge config) {
        return new Network(
                config.type() + " adapter",
                net -> net.coefficients(latent(net, config), "3", config.mmVocabSize(), config.softmax()));
    }

    private static Value features(Net net, AdapterConfig config) {
        return net.input(FEATURES, Net.ANY, config.mmHiddenSize());
    }

    private static Value visualTokens(Net net, AdapterConfig config, int llmHidden) {
        if (config instanceof AdapterConfig.LangBridge c) {
            return net.words(latent(net, c), "3", c.mmVocabSize(), c.softmax(), VOCABULARY_MATRIX, llmHidden);
        }
        if (config instanceof AdapterConfig.Mlp c) {
            Value x = net.linear(features(net, c), "0", c.width(0), c.bias());
            for (int i = 1; i < c.depth(); i++) {
                x = net.linear(net.activation(Activation.GELU, x), String.valueOf(2 * i), c.width(i), c.bias());
            }
            return x;
        }
        if (config instanceof AdapterConfig.Connector c) {
            return c.text().apply(net);
        }
        return net.linear(features(net, config), "weight", "bias", ((AdapterConfig.Linear) config).llmHiddenSize());
    }

    /** What the last layer sees, {@code [patches, mlp_hidden]}. There is no activation between the last two. */
    private static Value latent(Net net, AdapterConfig.LangBridge c) {
        Value x = net.activation(Activation.GELU, net.linear(features(net, c), "0", c.mlpHiddenSize(), true));
        return net.linear(x, "2", c.mlpHiddenSize(), true);
    }
}
