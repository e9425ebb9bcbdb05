package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.tensor.FloatTensor;

/**
 * Several sequences that do not see each other, of different lengths, whose next tokens are computed together: every
 * weight is read once for all of them. Not thread-safe, and neither are its sequences: one thing at a time.
 */
public interface DecoderBatch extends AutoCloseable {
    /** In place of a token, for a sequence that sits out. */
    int NONE = -1;

    /** How many there are. */
    int sequences();

    /**
     * One of them alone, from 0: for its prompt, for steps without the others, to rewind it. It ends with the batch;
     * closed before, it takes part no more.
     */
    DecoderSession sequence(int index);

    /**
     * Appends one token to each sequence, in one run. If one has no room, nothing is appended to any.
     *
     * @param tokenIds one for each sequence; {@link #NONE} for one that sits out and stays as it is
     * @return logits {@code [sequences, vocab]}, the buffer is reused by the next call; rows of those that sit out mean
     *     nothing
     * @throws IllegalStateException if the cache of a sequence that takes part is full, or it is closed
     * @throws IndexOutOfBoundsException if an id is not below {@code vocab_size}
     */
    FloatTensor step(int... tokenIds);

    /**
     * Makes sure that there is a token or {@link #NONE} for each sequence.
     *
     * @throws IllegalArgumentException if not
     */
    default void requireOneEach(int... tokenIds) {
        if (tokenIds.length != sequences()) {
            throw new IllegalArgumentException("There are " + sequences() + " sequences, but " + tokenIds.length
                    + " tokens; one that sits out has " + NONE + " in place of a token");
        }
    }

    /** Frees all sequences. */
    @Override
    void close();
}
