package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;

/** An adapter with its weights. Safe for use by several threads; closing waits for what runs. */
public interface AdapterNetwork extends AutoCloseable {
    AdapterConfig config();

    /**
     * Turns patch features into visual tokens.
     *
     * @param features {@code [tiles, patches, mm_hidden]}
     * @return {@code [tiles, patches, llm_hidden]}
     * @throws UnsupportedOperationException if it is a LangBridge adapter opened without a vocabulary matrix
     */
    FloatTensor visualTokens(FloatTensor features);

    /**
     * The weight of every shared token in every visual token: raw projector output, or its softmax where the
     * configuration says so.
     *
     * @param features {@code [tiles, patches, mm_hidden]}
     * @return {@code [tiles, patches, mm_vocab]}
     * @throws UnsupportedOperationException if the adapter is not a LangBridge adapter
     */
    FloatTensor coefficients(FloatTensor features);

    /** Frees what only {@link #coefficients} needs, until it is called again; waits for calls under way. */
    default void releaseCoefficients() {}

    @Override
    void close();
}
