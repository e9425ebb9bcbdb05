package io.langbridge.records;

import io.langbridge.Answer;
import io.langbridge.AnswerException;
import io.langbridge.FinishReason;
import org.jspecify.annotations.Nullable;

/** An answer that is read into a type. */
record Reading(Answer answer, String type) {
    /** What to throw where a value is not as it should be. */
    AnswerException damaged(String pointer, String what, @Nullable Throwable cause) {
        AnswerException wrong = new AnswerException(
                "The answer is no " + type + ": " + (pointer.isEmpty() ? "it" : pointer) + " " + what
                        + ", and it ended with " + answer.finishReason()
                        + (answer.finishReason() == FinishReason.STOP_TOKEN
                                ? ". Ask with Records.ask(..) or Records.request(..), and let @Limit say what the type"
                                        + " itself refuses"
                                : ""),
                answer);
        if (cause != null) {
            wrong.initCause(cause);
        }
        return wrong;
    }

    AnswerException wrong(String pointer, @Nullable Object value, String wanted) {
        return damaged(
                pointer, "is " + (value instanceof String ? "\"" + value + "\"" : value) + " and not " + wanted, null);
    }
}
