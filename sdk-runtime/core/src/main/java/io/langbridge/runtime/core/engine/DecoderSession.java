package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;

/**
 * What a decoder keeps of one sequence, a KV cache mostly, and the position in it. Owned by one generation or chat; not
 * thread-safe. Sessions of one network may run side by side.
 */
public interface DecoderSession extends AutoCloseable {
    /** How many {@link #mark marks} a session keeps, the first and the latest, where each is a copy of something. */
    int MARKS = 3;

    /** Positions in the cache. */
    int length();

    /** Most positions the cache can hold. */
    int capacity();

    /**
     * Says where the tokens to come stand, for a decoder whose positions have several axes. Those behind them, and all
     * where this is not called, follow one by one; going back forgets what was said of tokens that did not come.
     *
     * @param positions {@code [axes][tokens]}, each less than the capacity
     * @throws IllegalArgumentException if they are not, or the decoder's positions have one axis
     * @throws IllegalStateException if the cache has no room for so many
     */
    default void place(int[][] positions) {
        throw new IllegalArgumentException("Positions of this decoder have one axis, not " + positions.length);
    }

    /**
     * Says which of the tokens to come see others behind them, for a decoder that
     * {@link io.langbridge.runtime.core.network.DecoderConfig#opensPictures opens pictures}. Where this is not called,
     * none do; going back forgets what was said of tokens that did not come, and goes back to where none was left
     * alone.
     *
     * @param ahead for each token to come, how many behind it it sees
     * @throws IllegalArgumentException if a token would see what does not come, or no token of this decoder does
     * @throws IllegalStateException if the cache has no room for so many
     */
    default void lookAhead(int... ahead) {
        throw new IllegalArgumentException("No token of this decoder sees those behind it");
    }

    /**
     * How many of so many tokens run first, so that tokens that see each other run together: {@link #chunk()}, or
     * fewer, or more where so many see each other.
     *
     * @return at most {@code tokens}
     */
    default int portion(int tokens) {
        return Math.min(tokens, chunk());
    }

    /**
     * Appends a prompt, or a further part of one, in one run.
     *
     * @param inputsEmbeds {@code [tokens, input_width]}, at least one token
     * @return logits of the last position, {@code [vocab]}; the buffer is reused by the next call
     * @throws IllegalStateException if the cache has no room for it
     */
    FloatBuffer prefill(FloatTensor inputsEmbeds);

    /** How many positions run at a time: between two chunks of so many a prompt can be given up. */
    default int chunk() {
        return EngineOptions.PREFILL_CHUNK;
    }

    /**
     * Appends a part of a prompt that is not its end, so that nobody needs its logits. Parts of {@link #portion}
     * positions, and a {@link #prefill(FloatTensor, Sampler)} of the rest, which is at most as long, give what one
     * {@code prefill} of the whole gives.
     *
     * @param inputsEmbeds {@code [tokens, input_width]}, at least one token
     */
    default void fill(FloatTensor inputsEmbeds) {
        prefill(inputsEmbeds);
    }

    /**
     * Appends one token.
     *
     * @return logits {@code [vocab]}; the buffer is reused by the next call
     * @throws IllegalStateException if the cache is full
     */
    FloatBuffer step(int tokenId);

    /**
     * Appends a prompt as {@link #prefill(FloatTensor)} does and chooses the next token. An engine whose results are on
     * another device chooses there, so that one number crosses and not the logits.
     *
     * @return the id chosen, as {@code sampler} would have chosen it from the logits
     */
    default int prefill(FloatTensor inputsEmbeds, Sampler sampler) {
        return sampler.next(prefill(inputsEmbeds));
    }

    /**
     * Appends one token and chooses the next, as {@link #prefill(FloatTensor, Sampler)} does.
     *
     * @return the id chosen
     */
    default int step(int tokenId, Sampler sampler) {
        return sampler.next(step(tokenId));
    }

    /** Whether it can go back to any position; otherwise to {@link #mark marks}, and these are worth their time. */
    default boolean cutsAnywhere() {
        return true;
    }

    /**
     * Says that the sequence may go on from here in another way, so that {@link #rewind} will find the way back. Costs
     * nothing where any position can be gone back to, as with keys and values.
     */
    default void mark() {}

    /**
     * Forgets everything from position {@code length} on, so that another continuation can follow. What a layer keeps
     * may be of a kind that cannot be cut: then it goes back further, to the latest {@link #mark} that is not behind
     * {@code length}, or to nothing. Where it is, and to nothing, any session can go back.
     *
     * @return how many positions it holds then, at most {@code length}; what follows has to run again
     * @throws IllegalArgumentException if the cache is shorter
     */
    int rewind(int length);

    /**
     * Where {@link #rewind} to a position of the cache would go, or a little behind that where tokens see each other.
     * Changes nothing.
     */
    default int rewindable(int position) {
        return position;
    }

    /**
     * Goes on in the place of another session of the same network: holds what that one holds, its marks included. That
     * one is then to be rewound, to take over again or to be closed; its keys and values stay what they were.
     *
     * @param known so many positions from the first on are known to be the same here and there
     * @throws IllegalArgumentException if this has no room for it, or it is a session of another kind
     */
    default void takeOver(DecoderSession other, int known) {
        throw new IllegalArgumentException(getClass().getName() + " cannot go on from another session");
    }

    @Override
    void close();
}
