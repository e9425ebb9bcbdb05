package io.langbridge.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.TimeoutException;
import io.langbridge.Answer;
import io.langbridge.AnswerException;
import io.langbridge.BusyException;
import io.langbridge.FinishReason;
import io.langbridge.ImageException;
import io.langbridge.LangBridgeException;
import io.langbridge.PromptException;

/** What fails here, in LangChain4j's terms: by what the caller can do. */
final class Failures {
    private Failures() {}

    static RuntimeException of(RuntimeException failure) {
        if (failure instanceof BusyException) {
            return new RateLimitException(failure.getMessage(), failure);
        }
        if (failure instanceof ImageException || failure instanceof PromptException) {
            return new InvalidRequestException(failure.getMessage(), failure);
        }
        return failure instanceof LangBridgeException
                ? new NonRetriableException(failure.getMessage(), failure)
                : failure;
    }

    /** A part of an answer must not pass for one: whoever reads a record out of it would not look at the reason. */
    static void requireWhole(Answer answer) {
        if (answer.finishReason() == FinishReason.TIMED_OUT) {
            String message = "The time was over after " + answer.usage().newTokens()
                    + " tokens of the answer; give it more, or ask for less with maxOutputTokens";
            throw new TimeoutException(message, new AnswerException(message, answer));
        }
        if (answer.finishReason() == FinishReason.CANCELLED) {
            String message = "The answer was ended after " + answer.usage().newTokens()
                    + " tokens: its thread was interrupted, or the model was closed";
            throw new NonRetriableException(message, new AnswerException(message, answer));
        }
    }
}
