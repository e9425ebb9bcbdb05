package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.List;

/** A language model's decoder with its weights. Safe for use by several threads, each with its own session. */
public interface DecoderNetwork extends AutoCloseable {
    DecoderConfig config();

    /**
     * Input embeddings of tokens.
     *
     * @return {@code [ids.length, hidden]}
     * @throws IndexOutOfBoundsException if an id is not below {@code vocab_size}
     */
    FloatTensor embed(int... ids);

    /**
     * Opens an empty KV cache.
     *
     * @param capacity most positions it will hold, at most {@code max_position_embeddings}
     */
    DecoderSession open(int capacity);

    /**
     * Opens empty KV caches for sequences that run together.
     *
     * @param sequences how many, at least 1
     * @param capacity most positions that each of them will hold, at most {@code max_position_embeddings}
     */
    DecoderBatch open(int sequences, int capacity);

    /**
     * Runs a prompt from an empty cache and keeps every intermediate result, for verification and analysis. Slow: it
     * may open a second graph.
     *
     * @param inputsEmbeds {@code [tokens, hidden]}
     */
    Trace trace(FloatTensor inputsEmbeds);

    /** Closes the network. Sessions must be closed before. */
    @Override
    void close();

    /**
     * Every intermediate result of one run.
     *
     * @param hiddenStates {@code [tokens, hidden]} each: embeddings, then after each layer; the last is after the final
     *     norm
     * @param logits {@code [tokens, vocab]}
     * @param cacheKeys {@code [layers, kv_heads, tokens, head_dim]}, after rotation
     * @param cacheValues {@code [layers, kv_heads, tokens, head_dim]}
     */
    record Trace(List<FloatTensor> hiddenStates, FloatTensor logits, FloatTensor cacheKeys, FloatTensor cacheValues) {}
}
