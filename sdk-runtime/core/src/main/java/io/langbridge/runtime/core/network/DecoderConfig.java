package io.langbridge.runtime.core.network;

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

    /** Width of what goes in for a position: an embedding, and what belongs to a visual token beside it. */
    default int inputWidth() {
        return hiddenSize();
    }

    int numHiddenLayers();

    int vocabSize();

    int maxPositionEmbeddings();

    /** Whether the head is the table of embeddings. */
    boolean tieWordEmbeddings();

    /** The same decoder with {@code lm_head} being the embeddings or not. */
    DecoderConfig tied(boolean tied);

    /** Embeddings {@code [tokens, input_width]} to logits of those that are answered, {@code [answered, vocab]}. */
    Network network();
}
