package io.langbridge.langchain4j;

import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import io.langbridge.Answer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a response says beside the text, with the {@link Answer} it was made of: how long each phase took, how many
 * visual tokens there were, how likely each token and each value of a record was. Immutable.
 *
 * <pre>{@code
 * Answer answer = ((LangBridgeChatResponseMetadata) response.metadata()).answer();
 * }</pre>
 *
 * @since 0.1
 */
public final class LangBridgeChatResponseMetadata extends ChatResponseMetadata {
    private final Answer answer;

    private LangBridgeChatResponseMetadata(Builder builder) {
        super(builder);
        this.answer = Objects.requireNonNull(builder.answer, "answer");
    }

    /**
     * Starts metadata; they need an answer.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return the answer} */
    public Answer answer() {
        return answer;
    }

    @Override
    public Builder toBuilder() {
        return ((Builder) toBuilder(builder())).answer(answer);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return super.equals(other)
                && other instanceof LangBridgeChatResponseMetadata that
                && answer.equals(that.answer);
    }

    @Override
    public int hashCode() {
        return 31 * super.hashCode() + answer.hashCode();
    }

    /** Collects what a response says. Not thread-safe. */
    public static final class Builder extends ChatResponseMetadata.Builder<Builder> {
        private @Nullable Answer answer;

        private Builder() {}

        /**
         * The answer.
         *
         * @param answer what the model said
         * @return this builder
         */
        public Builder answer(Answer answer) {
            this.answer = Objects.requireNonNull(answer, "answer");
            return this;
        }

        @Override
        public LangBridgeChatResponseMetadata build() {
            return new LangBridgeChatResponseMetadata(this);
        }
    }
}
