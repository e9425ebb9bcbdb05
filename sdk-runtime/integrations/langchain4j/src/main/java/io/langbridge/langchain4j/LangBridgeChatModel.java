package io.langbridge.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import io.langbridge.Answer;
import io.langbridge.VisionLanguageModel;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * A {@link VisionLanguageModel} as a {@link ChatModel} of LangChain4j, in this process.
 *
 * <pre>{@code
 * interface Describer {
 *     @UserMessage("Which colour and shape has the thing in the picture?")
 *     Thing describe(@UserMessage ImageContent picture);
 * }
 *
 * Describer describer = AiServices.create(Describer.class, LangBridgeChatModel.of(model));
 * Thing thing = describer.describe(ImageContent.from(Path.of("thing.png"), "image/png"));
 * }</pre>
 *
 * <p>Messages are system messages (first and once), user messages of texts and pictures, and answers. A user message's
 * pictures go first, in their order, and its texts behind them, each on a line of its own, as models were trained;
 * {@link Builder#keepOrder()} leaves them where they are. Pictures come as Base64, as {@code data:} or as {@code file:}
 * addresses; other addresses need an {@link Builder#imageFetcher}. The first bytes say what a picture is, a media type
 * has no effect.
 *
 * <p>A {@code ResponseFormat} with a JSON Schema holds the answer to it, see
 * {@link io.langbridge.GenerationOptions.Builder#jsonSchema}. The schema is not shown to the model: say in the question
 * what you want; descriptions in a schema have no effect.
 *
 * <p>What cannot be done is refused with an {@link dev.langchain4j.exception.UnsupportedFeatureException} that names
 * it, before anything runs: tools, JSON without a schema, audio, video and PDF, names of users, levels of detail above
 * the default, another model's name, parameters of another provider. Thoughts of earlier answers are not sent back.
 *
 * <p>Failures are those of LangChain4j, with the cause: {@link dev.langchain4j.exception.RateLimitException} for
 * {@link io.langbridge.BusyException}, {@link dev.langchain4j.exception.InvalidRequestException} for a picture, a
 * prompt, a schema or an option that cannot be used, {@link dev.langchain4j.exception.TimeoutException} where a timeout
 * was over. An interrupt of the thread that asks ends the answer with a
 * {@link dev.langchain4j.exception.NonRetriableException}. The causes of the last two are
 * {@link io.langbridge.AnswerException}s with what had been said.
 *
 * <p>Safe for use by several threads. Whoever loaded the model closes it; there is nothing to close here.
 *
 * @since 0.1
 */
public final class LangBridgeChatModel implements ChatModel {
    private final Bridge bridge;

    private LangBridgeChatModel(Bridge bridge) {
        this.bridge = bridge;
    }

    /**
     * A model of LangChain4j with the checkpoint's own options.
     *
     * @param model stays the caller's, who closes it
     * @return the model
     */
    public static LangBridgeChatModel of(VisionLanguageModel model) {
        return builder(model).build();
    }

    /**
     * Starts a model of LangChain4j.
     *
     * @param model stays the caller's, who closes it
     * @return a builder
     */
    public static Builder builder(VisionLanguageModel model) {
        return new Builder(model);
    }

    @Override
    public ChatResponse doChat(ChatRequest request) {
        Answer answer;
        try {
            bridge.check(request.messages(), request.parameters());
            answer = bridge.model().answer(bridge.request(request));
        } catch (RuntimeException e) {
            throw Failures.of(e);
        }
        return bridge.response(answer);
    }

    @Override
    public ChatRequestParameters defaultRequestParameters() {
        return bridge.defaults();
    }

    @Override
    public List<ChatModelListener> listeners() {
        return bridge.listeners();
    }

    @Override
    public Set<Capability> supportedCapabilities() {
        return Bridge.CAPABILITIES;
    }

    /** Collects settings. Not thread-safe. */
    public static final class Builder extends BridgeBuilder<Builder> {
        private Builder(VisionLanguageModel model) {
            super(Objects.requireNonNull(model, "model"));
        }

        @Override
        Builder self() {
            return this;
        }

        /** {@return the model} */
        public LangBridgeChatModel build() {
            return new LangBridgeChatModel(bridge());
        }
    }
}
