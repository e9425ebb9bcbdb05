package io.langbridge.spring.ai;

import io.langbridge.GenerationOptions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.DefaultChatOptions;
import org.springframework.ai.chat.prompt.DefaultChatOptionsBuilder;
import org.springframework.ai.model.tool.DefaultStructuredOutputChatOptions;
import org.springframework.ai.model.tool.DefaultToolCallingChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;

/**
 * Options of a prompt, with what Spring AI has no word for: seed, timeout, thinking, a pattern, probabilities and
 * everything else that {@link GenerationOptions} say. Immutable.
 *
 * <pre>{@code
 * LangBridgeChatOptions.builder()
 *         .maxTokens(100)
 *         .options(GenerationOptions.builder().timeout(Duration.ofSeconds(30)).logProbabilities(0).build())
 *         .build();
 * }</pre>
 *
 * <p>Where both say the same thing, such as a temperature, Spring AI's option counts. Tools are taken only to be
 * refused by name: Spring AI drops those of models whose options have no place for them.
 *
 * @since 0.1
 */
public final class LangBridgeChatOptions extends DefaultChatOptions
        implements StructuredOutputChatOptions, ToolCallingChatOptions {
    private final @Nullable String outputSchema;
    private final @Nullable GenerationOptions options;

    private LangBridgeChatOptions(Builder builder) {
        super(
                builder.model(),
                builder.frequencyPenalty(),
                builder.maxTokens(),
                builder.presencePenalty(),
                builder.stopSequences(),
                builder.temperature(),
                builder.topK(),
                builder.topP());
        this.outputSchema = builder.outputSchema;
        this.options = builder.options;
    }

    /**
     * Starts options that set nothing.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return the JSON Schema that the answer is held to, or null} */
    @Override
    public @Nullable String getOutputSchema() {
        return outputSchema;
    }

    /** {@return options below Spring AI's own, or null for none} */
    public @Nullable GenerationOptions getOptions() {
        return options;
    }

    /**
     * None.
     *
     * @return always empty
     */
    @Override
    public List<ToolCallback> getToolCallbacks() {
        return List.of();
    }

    /**
     * None.
     *
     * @return always empty
     */
    @Override
    public Map<String, Object> getToolContext() {
        return Map.of();
    }

    @Override
    public Builder mutate() {
        return builder().combineWith(this);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return super.equals(other)
                && other instanceof LangBridgeChatOptions that
                && Objects.equals(outputSchema, that.outputSchema)
                && Objects.equals(options, that.options);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), outputSchema, options);
    }

    /** Collects options. Not thread-safe. */
    public static final class Builder extends DefaultChatOptionsBuilder<Builder>
            implements StructuredOutputChatOptions.Builder<Builder>, ToolCallingChatOptions.Builder<Builder> {
        private @Nullable String outputSchema;
        private @Nullable GenerationOptions options;

        private Builder() {}

        private @Nullable String model() {
            return model;
        }

        private @Nullable Double frequencyPenalty() {
            return frequencyPenalty;
        }

        private @Nullable Integer maxTokens() {
            return maxTokens;
        }

        private @Nullable Double presencePenalty() {
            return presencePenalty;
        }

        private @Nullable List<String> stopSequences() {
            return stopSequences;
        }

        private @Nullable Double temperature() {
            return temperature;
        }

        private @Nullable Integer topK() {
            return topK;
        }

        private @Nullable Double topP() {
            return topP;
        }

        /**
         * Holds the answer to a JSON Schema.
         *
         * @param outputSchema see {@link GenerationOptions.Builder#jsonSchema}; null for none
         * @return this builder
         */
        @Override
        public Builder outputSchema(@Nullable String outputSchema) {
            this.outputSchema = outputSchema;
            return this;
        }

        /**
         * What Spring AI has no word for.
         *
         * @param options below Spring AI's own options
         * @return this builder
         */
        public Builder options(GenerationOptions options) {
            this.options = Objects.requireNonNull(options, "options");
            return this;
        }

        /**
         * Refuses tools.
         *
         * @param toolCallbacks null or empty
         * @return this builder
         * @throws UnsupportedOperationException if there is one; it is named
         */
        @Override
        public Builder toolCallbacks(@Nullable List<ToolCallback> toolCallbacks) {
            if (toolCallbacks != null && !toolCallbacks.isEmpty()) {
                throw Prompts.unsupported(
                        "The tool '" + toolCallbacks.get(0).getToolDefinition().name() + "'", "ask without tools");
            }
            return this;
        }

        /**
         * Refuses tools.
         *
         * @param toolCallbacks none
         * @return this builder
         * @throws UnsupportedOperationException if there is one; it is named
         */
        @Override
        public Builder toolCallbacks(ToolCallback... toolCallbacks) {
            return toolCallbacks(List.of(toolCallbacks));
        }

        /**
         * Refuses what would be for tools.
         *
         * @param context null or empty
         * @return this builder
         * @throws UnsupportedOperationException if it is not empty
         */
        @Override
        public Builder toolContext(@Nullable Map<String, Object> context) {
            if (context != null && !context.isEmpty()) {
                throw Prompts.unsupported("A context for tools " + context.keySet(), "ask without tools");
            }
            return this;
        }

        /**
         * Refuses what would be for tools.
         *
         * @param key named in the message
         * @param value not looked at
         * @return never
         * @throws UnsupportedOperationException always
         */
        @Override
        public Builder toolContext(String key, Object value) {
            return toolContext(Map.of(key, value));
        }

        /**
         * Takes over what other options set; stop sequences are added to those that are there, as Spring AI does it.
         *
         * @param other Spring AI's own or these
         * @return this builder
         * @throws UnsupportedOperationException if they are those of another provider, of which some would be lost, or
         *     have tools
         */
        @Override
        public Builder combineWith(ChatOptions.Builder<?> other) {
            if (other instanceof Builder own) {
                outputSchema = own.outputSchema == null ? outputSchema : own.outputSchema;
                options = own.options == null ? options : own.options;
                return super.combineWith(other);
            }
            return combineWith(other.build());
        }

        /** The same for options that are built. */
        Builder combineWith(ChatOptions other) {
            if (other instanceof LangBridgeChatOptions own) {
                outputSchema = own.outputSchema == null ? outputSchema : own.outputSchema;
                options = own.options == null ? options : own.options;
            } else if (other.getClass() == DefaultStructuredOutputChatOptions.class) {
                String schema = ((StructuredOutputChatOptions) other).getOutputSchema();
                outputSchema = schema == null ? outputSchema : schema;
            } else if (other.getClass() == DefaultToolCallingChatOptions.class) {
                toolCallbacks(((ToolCallingChatOptions) other).getToolCallbacks());
                toolContext(((ToolCallingChatOptions) other).getToolContext());
            } else if (other.getClass() != DefaultChatOptions.class) {
                throw Prompts.unsupported(
                        "Options of another provider (" + other.getClass().getSimpleName() + ")",
                        "use ChatOptions or LangBridgeChatOptions");
            }
            return super.combineWith(new DefaultChatOptionsBuilder<>()
                    .model(other.getModel())
                    .frequencyPenalty(other.getFrequencyPenalty())
                    .maxTokens(other.getMaxTokens())
                    .presencePenalty(other.getPresencePenalty())
                    .stopSequences(other.getStopSequences())
                    .temperature(other.getTemperature())
                    .topK(other.getTopK())
                    .topP(other.getTopP()));
        }

        @Override
        public LangBridgeChatOptions build() {
            return new LangBridgeChatOptions(this);
        }
    }
}
