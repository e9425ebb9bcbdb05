package io.langbridge.spring.ai;

import io.langbridge.Answer;
import io.langbridge.AnswerException;
import io.langbridge.AnswerStream;
import io.langbridge.FinishReason;
import io.langbridge.Image;
import io.langbridge.ImageLimits;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.contextpropagation.ObservationThreadLocalAccessor;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.model.MessageAggregator;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.observation.ChatModelObservationConvention;
import org.springframework.ai.chat.observation.ChatModelObservationDocumentation;
import org.springframework.ai.chat.observation.DefaultChatModelObservationConvention;
import org.springframework.ai.chat.prompt.Prompt;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * A {@link VisionLanguageModel} as a {@link ChatModel} of Spring AI, in this process.
 *
 * <pre>{@code
 * ChatClient client = ChatClient.create(LangBridgeChatModel.of(model));
 * Thing thing = client.prompt()
 *         .user(user -> user.text("Which colour and shape has the thing in the picture?")
 *                 .media(MimeTypeUtils.IMAGE_PNG, new FileSystemResource("thing.png")))
 *         .call()
 *         .entity(Thing.class, ChatClient.EntityParamSpec::useProviderStructuredOutput);
 * }</pre>
 *
 * <p>A user message's media are pictures and come first, as models were trained: resources and bytes, Base64,
 * {@code data:} and {@code file:} addresses; other addresses need an {@link Builder#imageFetcher}. The first bytes say
 * what a picture is. With {@code useProviderStructuredOutput} an entity's JSON Schema holds the answer; without it
 * Spring AI writes the schema into the question and nothing holds the answer to it.
 *
 * <p>A prompt without options has those of {@link Builder#options}; one with options has these alone, as everywhere in
 * Spring AI, whose {@code ChatClient} merges both. What cannot be done is refused with an
 * {@link UnsupportedOperationException} that names it, before anything runs: tools, media that are no pictures, another
 * model's name, options of another provider, a system message that is not the first. Other failures are those of
 * {@link VisionLanguageModel#answer}; where a timeout was over, or the thread was interrupted, that is an
 * {@link AnswerException} with what had been said, since a part of an answer must not pass for one.
 *
 * <p>The metadata of a response have the {@link Answer} under {@link #ANSWER}, those of a message its thoughts under
 * {@link #THINKING}. Thoughts of earlier answers are not sent back.
 *
 * <p>A stream begins when it is subscribed to and runs on {@link Schedulers#boundedElastic()}, of which it takes a
 * thread until it ends. The last of its responses has no text, and says why the answer ended and what it cost. A
 * subscription that is cancelled ends the generation within a token.
 *
 * <p>Safe for use by several threads. Whoever loaded the model closes it; there is nothing to close here.
 *
 * @since 0.1
 */
public final class LangBridgeChatModel implements ChatModel {
    /** The key of the {@link Answer} among the metadata of a response. */
    public static final String ANSWER = "answer";

    /** The key of what the model thought, among the metadata of a message. */
    public static final String THINKING = "thinking";

    private static final String PROVIDER = "langbridge";
    private static final ChatModelObservationConvention CONVENTION = new DefaultChatModelObservationConvention();

    private final VisionLanguageModel model;
    private final Prompts prompts;
    private final LangBridgeChatOptions options;
    private final ObservationRegistry observations;
    private final @Nullable ChatModelObservationConvention convention;

    private LangBridgeChatModel(Builder builder) {
        this.model = builder.model;
        this.prompts = new Prompts(builder.modelName, builder.imageFetcher, builder.imageLimits);
        this.options = LangBridgeChatOptions.builder()
                .model(builder.modelName)
                .combineWith(builder.options)
                .build();
        this.observations = builder.observations;
        this.convention = builder.convention;
        // What a prompt with these would be refused for.
        Request unused = prompts.request(new Prompt("?", options));
    }

    /**
     * A model of Spring AI with the checkpoint's own options.
     *
     * @param model stays the caller's, who closes it
     * @return the model
     */
    public static LangBridgeChatModel of(VisionLanguageModel model) {
        return builder(model).build();
    }

    /**
     * Starts a model of Spring AI.
     *
     * @param model stays the caller's, who closes it
     * @return a builder
     */
    public static Builder builder(VisionLanguageModel model) {
        return new Builder(model);
    }

    /** {@return options of prompts that have none} */
    @Override
    public LangBridgeChatOptions getOptions() {
        return options;
    }

    @Override
    public ChatResponse call(Prompt given) {
        Prompt prompt = withOptions(given);
        ChatModelObservationContext context = context(prompt, false);
        return Objects.requireNonNull(observation(context).observe(() -> {
            ChatResponse response = whole(model.answer(prompts.request(prompt)));
            context.setResponse(response);
            return response;
        }));
    }

    @Override
    public Flux<ChatResponse> stream(Prompt given) {
        Prompt prompt = withOptions(given);
        return Flux.deferContextual(view -> {
            ChatModelObservationContext context = context(prompt, true);
            Observation observation = observation(context);
            observation.parentObservation(view.getOrDefault(ObservationThreadLocalAccessor.KEY, null));
            observation.start();
            String id = UUID.randomUUID().toString();
            Flux<ChatResponse> responses = Flux.using(
                            () -> model.stream(prompts.request(prompt)),
                            stream -> Flux.fromIterable(stream)
                                    .filter(piece -> !piece.text().isEmpty())
                                    .map(piece -> piece(id, piece))
                                    .concatWith(Mono.fromCallable(() -> last(id, stream.answer()))),
                            AnswerStream::close)
                    .subscribeOn(Schedulers.boundedElastic())
                    .doOnError(observation::error)
                    .doFinally(any -> observation.stop())
                    .contextWrite(written -> written.put(ObservationThreadLocalAccessor.KEY, observation));
            return new MessageAggregator().aggregate(responses, context::setResponse);
        });
    }

    private Prompt withOptions(Prompt prompt) {
        return prompt.getOptions() == null
                ? prompt.mutate().chatOptions(options).build()
                : prompt;
    }

    private static ChatModelObservationContext context(Prompt prompt, boolean streaming) {
        return ChatModelObservationContext.builder()
                .prompt(prompt)
                .provider(PROVIDER)
                .streaming(streaming)
                .build();
    }

    private Observation observation(ChatModelObservationContext context) {
        return ChatModelObservationDocumentation.CHAT_MODEL_OPERATION.observation(
                convention, CONVENTION, () -> context, observations);
    }

    private ChatResponse whole(Answer answer) {
        return response(UUID.randomUUID().toString(), answer.text(), answer.thinking(), answer);
    }

    private ChatResponse piece(String id, AnswerStream.Piece piece) {
        return piece.thinking() ? response(id, "", piece.text(), null) : response(id, piece.text(), "", null);
    }

    private ChatResponse last(String id, Answer answer) {
        return response(id, "", "", answer);
    }

    private ChatResponse response(String id, String text, String thinking, @Nullable Answer answer) {
        AssistantMessage message = AssistantMessage.builder()
                .content(text)
                .properties(thinking.isEmpty() ? Map.of() : Map.of(THINKING, thinking))
                .build();
        ChatResponseMetadata.Builder metadata =
                ChatResponseMetadata.builder().id(id).model(prompts.modelName());
        if (answer == null) {
            return new ChatResponse(List.of(new Generation(message)), metadata.build());
        }
        String reason = reason(answer);
        Answer.Usage usage = answer.usage();
        metadata.usage(new DefaultUsage(
                        usage.promptTokens(), usage.newTokens(), usage.promptTokens() + usage.newTokens(), usage))
                .keyValue(ANSWER, answer);
        ChatGenerationMetadata generation =
                ChatGenerationMetadata.builder().finishReason(reason).build();
        return new ChatResponse(List.of(new Generation(message, generation)), metadata.build());
    }

    /** As Spring AI's other models call them; of an answer that was ended before its time, none. */
    private static String reason(Answer answer) {
        FinishReason reason = answer.finishReason();
        return switch (reason) {
            case STOP_TOKEN, STOP_STRING -> "STOP";
            case MAX_NEW_TOKENS, CONTEXT_FULL -> "LENGTH";
            case CANCELLED, TIMED_OUT ->
                throw new AnswerException(
                        "The answer was ended after " + answer.usage().newTokens() + " tokens: "
                                + (reason == FinishReason.TIMED_OUT
                                        ? "its time was over; give it more, or ask for less with maxTokens"
                                        : "its thread was interrupted, or the model was closed"),
                        answer);
        };
    }

    /** Collects settings. Not thread-safe. */
    public static final class Builder {
        private final VisionLanguageModel model;
        private String modelName = PROVIDER;
        private LangBridgeChatOptions options = LangBridgeChatOptions.builder().build();
        private ObservationRegistry observations = ObservationRegistry.NOOP;
        private @Nullable ChatModelObservationConvention convention;
        private @Nullable Function<URI, Image> imageFetcher;
        private ImageLimits imageLimits = ImageLimits.defaults();

        private Builder(VisionLanguageModel model) {
            this.model = Objects.requireNonNull(model, "model");
        }

        /**
         * What responses and observations call the model; default is {@code langbridge}. A prompt may name it and no
         * other.
         *
         * @param modelName for example the name of the checkpoint
         * @return this builder
         * @throws IllegalArgumentException if it is blank
         */
        public Builder modelName(String modelName) {
            if (modelName.isBlank()) {
                throw new IllegalArgumentException("The name of a model must not be blank");
            }
            this.modelName = modelName;
            return this;
        }

        /**
         * Options of prompts that have none.
         *
         * @param options checked by {@link #build()}, which throws what a prompt with them would
         * @return this builder
         */
        public Builder options(LangBridgeChatOptions options) {
            this.options = Objects.requireNonNull(options, "options");
            return this;
        }

        /**
         * Who observes calls, as Spring AI's observability has it; default is nobody.
         *
         * @param registry the registry
         * @return this builder
         */
        public Builder observationRegistry(ObservationRegistry registry) {
            this.observations = Objects.requireNonNull(registry, "registry");
            return this;
        }

        /**
         * What observations are called; default is Spring AI's convention.
         *
         * @param convention names them
         * @return this builder
         */
        public Builder observationConvention(ChatModelObservationConvention convention) {
            this.convention = Objects.requireNonNull(convention, "convention");
            return this;
        }

        /**
         * Who gets the pictures at addresses that are no {@code data:} ones. Without it {@code file:} addresses are
         * read and all others refused, so nothing is ever fetched from a network. With it every one of them is asked
         * for here, also {@code file:}: where addresses come from users, this is the place to say which are allowed.
         *
         * @param fetcher called in the thread that answers, by several at a time; what it throws fails the request
         * @return this builder
         */
        public Builder imageFetcher(Function<URI, Image> fetcher) {
            this.imageFetcher = Objects.requireNonNull(fetcher, "fetcher");
            return this;
        }

        /**
         * What a picture may cost at most; default is {@link ImageLimits#defaults()}. Pictures of an
         * {@link #imageFetcher} have their own.
         *
         * @param limits for all others
         * @return this builder
         */
        public Builder imageLimits(ImageLimits limits) {
            this.imageLimits = Objects.requireNonNull(limits, "limits");
            return this;
        }

        /** {@return the model} */
        public LangBridgeChatModel build() {
            return new LangBridgeChatModel(this);
        }
    }
}
