package io.langbridge.runtime.core.adapter;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.config.AdapterConfig;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
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
     * @return the network; the caller closes it
     * @throws io.langbridge.CheckpointException if a weight or an embedding is not a finite number
     */
    public static AdapterNetwork attach(
            Engine engine,
            AdapterConfig config,
            Weights weights,
            @Nullable VocabularyMatrix matrix,
            EngineOptions options) {
        if (!(config instanceof AdapterConfig.LangBridge langBridge)) {
            return engine.adapter(config, weights, null, options);
        }
        if (matrix == null) {
            throw new IllegalArgumentException("A LangBridge adapter needs a vocabulary matrix");
        }
        return langBridge.softmax()
                ? engine.adapter(config, weights, matrix.read(0, matrix.rows()), options)
                : FoldedAdapter.open(engine, langBridge, weights, matrix, options);
    }
}
