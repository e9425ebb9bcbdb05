package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A language model's decoder with its weights. Safe for use by several threads, each with its own session. */
public interface DecoderNetwork extends AutoCloseable {
    DecoderConfig config();

    /**
     * Input embeddings of tokens, with their rows of a second table if there is one; what only visual tokens have
     * behind them is 0.
     *
     * @return {@code [ids.length, input_width]}
     * @throws IndexOutOfBoundsException if an id is not below {@code vocab_size}
     */
    FloatTensor embed(int... ids);

    /**
     * Rows of visual tokens as they go in, with what stands beside them.
     *
     * @param visualTokens {@code [n, visual_width]}
     * @return {@code [n, input_width]}; maybe the same
     */
    default FloatTensor embed(FloatTensor visualTokens) {
        DecoderConfig config = config();
        if (config.visualWidth() == config.inputWidth()) {
            return visualTokens;
        }
        float[] beside =
                Arrays.copyOfRange(embed(config.padTokenId()).toArray(), config.visualWidth(), config.inputWidth());
        FloatTensor rows = FloatTensor.allocate(visualTokens.size(0), config.inputWidth());
        FloatBuffer target = rows.data();
        for (int i = 0; i < visualTokens.size(0); i++) {
            target.put(visualTokens.rows(i, i + 1).data()).put(beside);
        }
        return rows;
    }

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
     * @param inputsEmbeds {@code [tokens, input_width]}
     */
    default Trace trace(FloatTensor inputsEmbeds) {
        return trace(inputsEmbeds, null, null);
    }

    /**
     * The same where tokens do not stand one behind the other, or see some behind them.
     *
     * @param positions {@code [axes][tokens]}, as for {@link DecoderSession#place}; null if they do
     * @param ahead as for {@link DecoderSession#lookAhead}; null if they do not
     */
    Trace trace(FloatTensor inputsEmbeds, int @Nullable [][] positions, int @Nullable [] ahead);

    /**
     * Makes sure that input embeddings have the shape {@code [tokens, input_width]}, with at least one token.
     *
     * @return how many tokens
     * @throws IllegalArgumentException if not
     */
    static int tokens(FloatTensor inputsEmbeds, DecoderConfig config) {
        int[] shape = inputsEmbeds.shape();
        if (shape.length != 2 || shape[0] < 1 || shape[1] != config.inputWidth()) {
            throw new IllegalArgumentException("Input embeddings must have the shape [tokens, " + config.inputWidth()
                    + "] with at least one token, not " + Arrays.toString(shape));
        }
        return shape[0];
    }

    /**
     * Makes sure that there is such a token.
     *
     * @throws IndexOutOfBoundsException if not
     */
    static void requireToken(int id, DecoderConfig config) {
        if (id < 0 || id >= config.vocabSize()) {
            throw new IndexOutOfBoundsException(
                    "Token id " + id + " is not in the vocabulary of " + config.vocabSize() + " entries");
        }
    }

    /**
     * Makes sure that there can be such a cache.
     *
     * @throws IllegalArgumentException if not
     */
    static void requireCapacity(int sequences, int capacity, DecoderConfig config) {
        if (capacity < 1 || capacity > config.maxPositionEmbeddings()) {
            throw new IllegalArgumentException("capacity must be 1 to " + config.maxPositionEmbeddings()
                    + " (max_position_embeddings), not " + capacity);
        }
        if (sequences < 1) {
            throw new IllegalArgumentException("There must be at least 1 sequence, not " + sequences);
        }
    }

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
