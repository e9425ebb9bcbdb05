package io.langbridge.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import io.langbridge.GenerationOptions;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Parameters of a request, with what LangChain4j has no word for: seed, timeout, thinking, a pattern, probabilities and
 * everything else that {@link GenerationOptions} say. Immutable.
 *
 * <pre>{@code
 * LangBridgeChatRequestParameters.builder()
 *         .maxOutputTokens(100)
 *         .options(GenerationOptions.builder().timeout(Duration.ofSeconds(30)).logProbabilities(0).build())
 *         .build();
 * }</pre>
 *
 * <p>Where both say the same thing, such as a temperature, LangChain4j's parameter counts. Options of a request take
 * the place of the model's as a whole; LangChain4j's parameters are merged one by one.
 *
 * @since 0.1
 */
public final class LangBridgeChatRequestParameters extends DefaultChatRequestParameters {
    private final @Nullable GenerationOptions options;

    private LangBridgeChatRequestParameters(Builder builder) {
        super(builder);
        this.options = builder.options;
    }

    /**
     * Starts parameters that set nothing.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return options below LangChain4j's own parameters, or null for the model's} */
    public @Nullable GenerationOptions options() {
        return options;
    }

    /**
     * {@inheritDoc}
     *
     * @throws UnsupportedFeatureException if they are those of another provider
     */
    @Override
    public LangBridgeChatRequestParameters overrideWith(ChatRequestParameters parameters) {
        return builder().overrideWith(this).overrideWith(parameters).build();
    }

    /**
     * {@inheritDoc}
     *
     * @throws UnsupportedFeatureException if they are those of another provider
     */
    @Override
    public LangBridgeChatRequestParameters defaultedBy(ChatRequestParameters parameters) {
        return builder().overrideWith(parameters).overrideWith(this).build();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return super.equals(other)
                && other instanceof LangBridgeChatRequestParameters that
                && Objects.equals(options, that.options);
    }

    @Override
    public int hashCode() {
        return 31 * super.hashCode() + Objects.hashCode(options);
    }

    /** Collects parameters. Not thread-safe. */
    public static final class Builder extends DefaultChatRequestParameters.Builder<Builder> {
        private @Nullable GenerationOptions options;

        private Builder() {}

        /**
         * Takes over what other parameters set.
         *
         * @param parameters LangChain4j's own or these
         * @return this builder
         * @throws UnsupportedFeatureException if they are those of another provider, of which some would be lost
         */
        @Override
        public Builder overrideWith(ChatRequestParameters parameters) {
            if (parameters instanceof LangBridgeChatRequestParameters own) {
                options = own.options == null ? options : own.options;
            } else if (parameters.getClass() != DefaultChatRequestParameters.class) {
                throw new UnsupportedFeatureException("Parameters of another provider, "
                        + parameters.getClass().getSimpleName()
                        + ", are not supported by LangBridge; use ChatRequestParameters or"
                        + " LangBridgeChatRequestParameters");
            }
            return super.overrideWith(parameters);
        }

        /**
         * What LangChain4j has no word for.
         *
         * @param options below LangChain4j's own parameters
         * @return this builder
         */
        public Builder options(GenerationOptions options) {
            this.options = Objects.requireNonNull(options, "options");
            return this;
        }

        @Override
        public LangBridgeChatRequestParameters build() {
            return new LangBridgeChatRequestParameters(this);
        }
    }
}
