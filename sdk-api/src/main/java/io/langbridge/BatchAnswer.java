package io.langbridge;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What became of one of many requests, see {@link VisionLanguageModel#answerAll}: an answer, or why there is none.
 * Immutable.
 *
 * @since 0.1
 */
public final class BatchAnswer {
    private final Request request;
    private final @Nullable Answer answer;
    private final @Nullable RuntimeException failure;

    private BatchAnswer(Request request, @Nullable Answer answer, @Nullable RuntimeException failure) {
        this.request = Objects.requireNonNull(request, "request");
        this.answer = answer;
        this.failure = failure;
    }

    /**
     * A request that was answered.
     *
     * @param request what was asked
     * @param answer what was said
     * @return both
     */
    public static BatchAnswer of(Request request, Answer answer) {
        return new BatchAnswer(request, Objects.requireNonNull(answer, "answer"), null);
    }

    /**
     * A request that failed.
     *
     * @param request what was asked
     * @param failure what {@link VisionLanguageModel#answer(Request)} would have thrown
     * @return both
     */
    public static BatchAnswer failed(Request request, RuntimeException failure) {
        return new BatchAnswer(request, null, Objects.requireNonNull(failure, "failure"));
    }

    /** {@return what was asked: the object itself that was in the stream of requests} */
    public Request request() {
        return request;
    }

    /**
     * What was said.
     *
     * @return the answer
     * @throws RuntimeException {@link #failure()}, if that is there
     */
    public Answer answer() {
        if (answer == null) {
            throw Objects.requireNonNull(failure);
        }
        return answer;
    }

    /** {@return why there is no answer, such as an {@link ImageException}; empty if there is one} */
    public Optional<RuntimeException> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    public String toString() {
        return answer == null ? "failed: " + failure : answer.text();
    }
}
