package io.langbridge.testing;

import io.langbridge.FinishReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link FakeModel} says, and how that ends. Immutable; can be said any number of times.
 *
 * <pre>{@code
 * FakeAnswer.of("A red bicycle.")                                           // three pieces and the stop token
 * FakeAnswer.of("A red").endingWith(FinishReason.MAX_NEW_TOKENS)
 * FakeAnswer.of("A red").failingAfter(1, new CheckpointException("The disk is gone"))
 * FakeAnswer.of("A red").stallingAfter(1)                                   // until it is cancelled or times out
 * FakeAnswer.failure(new BusyException(2, 10))
 * }</pre>
 *
 * @since 0.1
 */
public final class FakeAnswer {
    final List<String> pieces;
    final FinishReason reason;
    final @Nullable RuntimeException failure;

    /** Pieces before the answer stalls, or -1. */
    final int stallAfter;

    private FakeAnswer(List<String> pieces, FinishReason reason, @Nullable RuntimeException failure, int stallAfter) {
        this.pieces = Collections.unmodifiableList(pieces);
        this.reason = reason;
        this.failure = failure;
        this.stallAfter = stallAfter;
    }

    /**
     * An answer whose tokens are its words, each with the blanks in front of it, and then a stop token.
     *
     * @param text may be empty
     * @return the answer
     */
    public static FakeAnswer of(String text) {
        Objects.requireNonNull(text, "text");
        return ofPieces(text.isEmpty() ? new String[0] : text.split("(?<=\\S)(?=\\s)", -1));
    }

    /**
     * An answer with tokens of its own, and then a stop token.
     *
     * @param pieces the text of each token; may be empty texts
     * @return the answer
     */
    public static FakeAnswer ofPieces(String... pieces) {
        Objects.requireNonNull(pieces, "pieces");
        for (String piece : pieces) {
            Objects.requireNonNull(piece, "a piece");
        }
        return new FakeAnswer(new ArrayList<>(Arrays.asList(pieces)), FinishReason.STOP_TOKEN, null, -1);
    }

    /**
     * No answer at all: the request fails. {@link io.langbridge.BusyException} fails it before it begins to run, as a
     * {@link io.langbridge.ModelListener} sees; anything else as the first thing that happens then.
     *
     * @param failure thrown each time
     * @return the answer
     */
    public static FakeAnswer failure(RuntimeException failure) {
        return of("").failingAfter(0, failure);
    }

    /**
     * The same answer, ended otherwise. Only {@link FinishReason#STOP_TOKEN}, the default, has a token of its own.
     *
     * @param reason all but {@link FinishReason#CANCELLED}, which whoever asks brings about;
     *     {@link FinishReason#TIMED_OUT} takes no time
     * @return the answer
     * @throws IllegalArgumentException if it is {@code CANCELLED}
     * @throws IllegalStateException if it fails
     */
    public FakeAnswer endingWith(FinishReason reason) {
        Objects.requireNonNull(reason, "reason");
        if (reason == FinishReason.CANCELLED) {
            throw new IllegalArgumentException(
                    "CANCELLED comes of cancel() or close(); stallingAfter(..) waits for it");
        }
        requireNoFailure();
        return new FakeAnswer(pieces, reason, null, stallAfter);
    }

    /**
     * The same answer, but it fails on the way.
     *
     * @param pieces how many are said before
     * @param failure thrown each time, in place of the next piece
     * @return the answer
     * @throws IllegalArgumentException if the answer has fewer pieces
     * @throws IllegalStateException if it fails already
     */
    public FakeAnswer failingAfter(int pieces, RuntimeException failure) {
        Objects.requireNonNull(failure, "failure");
        requireNoFailure();
        requirePieces(pieces);
        return new FakeAnswer(this.pieces.subList(0, pieces), reason, failure, stallAfter);
    }

    /**
     * The same answer, but it waits on the way until it is cancelled, closed or interrupted, its time is over, or the
     * model is closed. However short its time is, the pieces before are said.
     *
     * @param pieces how many are said before
     * @return the answer
     * @throws IllegalArgumentException if the answer has fewer pieces
     */
    public FakeAnswer stallingAfter(int pieces) {
        requirePieces(pieces);
        return new FakeAnswer(this.pieces, reason, failure, pieces);
    }

    private void requireNoFailure() {
        if (failure != null) {
            throw new IllegalStateException("The answer fails already, with " + failure);
        }
    }

    private void requirePieces(int asked) {
        if (asked < 0 || asked > pieces.size()) {
            throw new IllegalArgumentException("The answer has " + pieces.size() + " pieces, so not after " + asked);
        }
    }
}
