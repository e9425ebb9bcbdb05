package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import org.jspecify.annotations.Nullable;

/**
 * A decoder as its checkpoint describes it: what all of them have, and the network. What differs between kinds is known
 * to their texts alone. Immutable.
 */
public interface DecoderConfig {
    /** The table of embeddings, which also is the head where {@link #tieWordEmbeddings}. */
    String EMBED_TOKENS = "model.embed_tokens.weight";

    /** {@code model_type}, for messages. */
    String modelType();

    /** Width of the embeddings. */
    int hiddenSize();

    /** What rows of the table of embeddings are multiplied with; not what stands in their place, and not the head. */
    default float embeddingScale() {
        return 1;
    }

    /** The table of embeddings, as the text names it. */
    default Net.Table table() {
        return new Net.Table(EMBED_TOKENS, vocabSize(), hiddenSize(), embeddingScale());
    }

    /**
     * A table of which a token's row stands beside its embedding; null if there is none. Visual tokens have that of
     * {@link #padTokenId}.
     */
    default Net.@Nullable Table secondTable() {
        return null;
    }

    /** The token that a batch is filled up with. */
    default int padTokenId() {
        return 0;
    }

    /** Width of what goes in for a position: an embedding, and what belongs to it beside it. */
    default int inputWidth() {
        return hiddenSize();
    }

    /** Width of a visual token: all that goes in for it but what is in {@link #secondTable}. */
    default int visualWidth() {
        Net.Table second = secondTable();
        return second == null ? inputWidth() : inputWidth() - second.width();
    }

    /** Whether visual tokens that follow each other see those behind them too. */
    default boolean opensPictures() {
        return false;
    }

    /** Whether all of a prompt see each other, words too; {@link #opensPictures} is true then. */
    default boolean opensPrompts() {
        return false;
    }

    int numHiddenLayers();

    int vocabSize();

    int maxPositionEmbeddings();

    /** Whether the head is the table of embeddings. */
    boolean tieWordEmbeddings();

    /** The same decoder with {@code lm_head} being the embeddings or not. */
    DecoderConfig tied(boolean tied);

    /**
     * The weights as {@link #network} reads them, where a checkpoint has them in another form.
     *
     * @param stored named as the network names them
     * @return a view; closing it closes nothing
     */
    default Weights weights(Weights stored) {
        return Checkpoints.plusOne(stored, this::isBeyondOne);
    }

    /** Whether a checkpoint has a tensor as what it is beyond 1, as some norms are; named as the network names it. */
    default boolean isBeyondOne(String tensor) {
        return false;
    }

    /** What tokens enter with, {@code [vocab, hidden]}; {@code weights} as {@link #weights} gives them. */
    default StoredTensor embeddings(Weights weights) {
        return Checkpoints.times(embeddingScale(), weights.get(EMBED_TOKENS, vocabSize(), hiddenSize()));
    }

    /** Rows of {@link #secondTable} as they go in, read from their file one by one; null if there is none. */
    default @Nullable StoredTensor secondEmbeddings(Weights weights) {
        Net.Table second = secondTable();
        return second == null
                ? null
                : Checkpoints.times(second.scale(), weights.get(second.weight(), second.vocab(), second.width()));
    }

    /** Embeddings {@code [tokens, input_width]} to logits of those that are answered, {@code [answered, vocab]}. */
    Network network();
}
