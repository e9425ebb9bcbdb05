package io.langbridge;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** Reads a stream for somebody else. */
final class PushedAnswer implements AnswerHandle, Runnable {
    private final AnswerStream stream;
    private final AnswerListener listener;

    private PushedAnswer(AnswerStream stream, AnswerListener listener) {
        this.stream = stream;
        this.listener = listener;
    }

    /** Tells a listener. */
    static AnswerHandle push(AnswerStream stream, Executor executor, AnswerListener listener) {
        PushedAnswer pushed = new PushedAnswer(stream, listener);
        execute(stream, executor, pushed);
        return pushed;
    }

    /** Promises the whole. */
    static CompletableFuture<Answer> promise(AnswerStream stream, Executor executor) {
        CompletableFuture<Answer> promise = new CompletableFuture<>();
        // Whoever ends the promise, also from outside, ends the answer.
        CompletableFuture<Answer> unused = promise.whenComplete((answer, failure) -> stream.close());
        execute(stream, executor, () -> {
            Answer answer;
            try (stream) {
                answer = stream.answer();
            } catch (Throwable e) {
                promise.completeExceptionally(e);
                return;
            }
            promise.complete(answer);
        });
        return promise;
    }

    /** A task that is refused leaves nothing behind. */
    private static void execute(AnswerStream stream, Executor executor, Runnable task) {
        try {
            executor.execute(task);
        } catch (RuntimeException | Error e) {
            stream.close();
            throw e;
        }
    }

    @Override
    public void run() {
        Answer answer;
        JsonProgress progress = new JsonProgress(listener);
        try (stream) {
            for (AnswerStream.Piece piece : stream) {
                listener.onPiece(piece);
                if (!piece.thinking()) {
                    progress.add(piece.text());
                }
            }
            answer = stream.answer();
        } catch (Throwable e) {
            listener.onError(e);
            return;
        }
        listener.onComplete(answer);
    }

    @Override
    public void cancel() {
        stream.cancel();
    }

    @Override
    public boolean isCancelled() {
        return stream.isCancelled();
    }
}
