package io.langbridge.runtime.core.adapter;

import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.Finite;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Footprint;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.tensor.FloatTensor;
import org.jspecify.annotations.Nullable;

/** Opens adapters in the form in which they run fastest. */
public final class Adapters {
    private Adapters() {}

    /**
     * Attaches an adapter to a language model. A LangBridge adapter without softmax is folded: its network then costs
     * what a plain MLP costs, and the unfolded projector stays in its file until coefficients are asked for.
     *
     * @param weights as {@link Engine#adapter} takes them; they stay open as long as the network
     * @param matrix the language model's; null unless it is a LangBridge adapter
     * @param topK shared tokens to keep of a softmax, or null for all
     * @return the network; the caller closes it
     * @throws io.langbridge.CheckpointException if a weight or an embedding is not a finite number
     */
    public static AdapterNetwork attach(
            Engine engine,
            AdapterConfig config,
            Weights weights,
            @Nullable VocabularyMatrix matrix,
            @Nullable Integer topK,
            EngineOptions options) {
        boolean folds = config instanceof AdapterConfig.LangBridge c && !c.softmax();
        if (!folds) {
            Finite.require(weights); // folding looks at every weight itself
        }
        if (!(config instanceof AdapterConfig.LangBridge langBridge)) {
            return engine.adapter(config, weights, null, options);
        }
        if (matrix == null) {
            throw new IllegalArgumentException("A LangBridge adapter needs a vocabulary matrix");
        }
        if (!langBridge.softmax()) {
            return FoldedAdapter.open(engine, langBridge, weights, matrix, options);
        }
        FloatTensor rows = matrix.read(0, matrix.rows());
        AdapterNetwork whole = engine.adapter(config, weights, rows, options);
        return topK == null ? whole : new TopKAdapter(whole, rows, topK);
    }

    /**
     * What runs in an adapter's place: LangBridge without softmax is folded.
     *
     * @param llmHidden width of the language model
     */
    public static AdapterConfig running(AdapterConfig config, int llmHidden) {
        return config instanceof AdapterConfig.LangBridge c && !c.softmax()
                ? new AdapterConfig.Mlp(c.mmHiddenSize(), c.mlpHiddenSize(), llmHidden, 2, true)
                : config;
    }

    /** Memory that folding takes, in bytes. */
    public static long foldingBytes(AdapterConfig.LangBridge config, int llmHidden) {
        return Fold.bytes(config, llmHidden);
    }

    /**
     * Memory that {@link AdapterNetwork#coefficients} takes from its first call on, in bytes: the network that gives
     * them, and what it gives for so many patches.
     *
     * @param engine null if none is there
     */
    public static long coefficientBytes(
            @Nullable Engine engine, AdapterConfig.LangBridge config, int patches, Precision precision) {
        Inventory network = Inventory.of(Projector.coefficients(config));
        Footprint taken = engine == null
                ? Footprint.plain(network, patches)
                : engine.footprint(network, patches, precision, false);
        long given = (long) patches * config.mmVocabSize() * Float.BYTES;
        return taken.weights() + Math.max(taken.opening(), taken.work() + given);
    }

    /**
     * Folds a LangBridge adapter without softmax, or finds it folded in the cache directory.
     *
     * @param weights as {@link Engine#adapter} takes them
     * @return the two layers {@code 0.weight} {@code [mlp_hidden, mm_hidden]} and {@code 2.weight} {@code [llm_hidden,
     *     mlp_hidden]} with their biases, float32; the caller closes them
     * @throws io.langbridge.CheckpointException if a weight or an embedding is not a finite number
     */
    public static Weights fold(
            Engine engine,
            AdapterConfig.LangBridge config,
            Weights weights,
            VocabularyMatrix matrix,
            EngineOptions options) {
        return new Fold(engine, config, weights, matrix, options).open();
    }
}
