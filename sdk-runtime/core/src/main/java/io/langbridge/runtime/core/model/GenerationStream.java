package io.langbridge.runtime.core.model;

import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What the caller holds of an answer. Nothing refers to it but the caller. */
final class GenerationStream implements AnswerStream {
    private final Generation generation;
    private final Pieces pieces = new Pieces();
    private Dropped.@Nullable Watch watch;
    private boolean readToTheEnd;
    private volatile boolean closed;

    GenerationStream(Generation generation) {
        this.generation = generation;
    }

    /** Watched from now on. */
    void watchedBy(Dropped.Watch by) {
        watch = by;
    }

    @Override
    public Iterator<Piece> iterator() {
        if (closed) {
            throw new IllegalStateException("The stream is closed; begin another one with stream(..)");
        }
        if (readToTheEnd) {
            throw new IllegalStateException("The stream has been read to its end; answer() has the whole text, and"
                    + " stream(..) begins another one");
        }
        return pieces;
    }

    @Override
    public void cancel() {
        generation.cancel();
    }

    @Override
    public boolean isCancelled() {
        return generation.isCancelled();
    }

    @Override
    public Answer answer() {
        try {
            return generation.finish();
        } finally {
            readToTheEnd = true; // also keeps this object reachable until then, or it would count as dropped
        }
    }

    @Override
    public void close() {
        closed = true;
        generation.close();
        if (watch != null) {
            watch.end();
        }
    }

    private final class Pieces implements Iterator<Piece> {
        private @Nullable Piece next;

        @Override
        public boolean hasNext() {
            if (next == null) {
                next = generation.next();
                readToTheEnd = next == null;
            }
            return next != null;
        }

        @Override
        public Piece next() {
            if (!hasNext()) {
                throw new NoSuchElementException("The answer has ended; answer() says why");
            }
            Piece piece = Objects.requireNonNull(next);
            next = null;
            return piece;
        }
    }
}
