package io.langbridge.runtime.core.explain;

import io.langbridge.runtime.core.engine.FloatTensor;

/** The input embeddings of a language model, one row for each token. Read block by block: the whole is large. */
public interface Embeddings {
    /** Number of rows. */
    int rows();

    /** Rows {@code from} to {@code to} (exclusive), {@code [to - from, llm_hidden]}. */
    FloatTensor read(int from, int to);
}
