package io.langbridge.langchain4j;

import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatRequestOptions;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import io.langbridge.VisionLanguageModel;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * A {@link VisionLanguageModel} as a {@link StreamingChatModel} of LangChain4j, in this process. What it takes, refuses
 * and fails with is as {@link LangBridgeChatModel} says; failures are told to the handler, refusals are thrown at once
 * and no listener hears of them.
 *
 * <pre>{@code
 * StreamingChatModel chat = LangBridgeStreamingChatModel.of(model);
 * chat.chat(List.of(UserMessage.from(picture, TextContent.from("What is in the picture?"))), handler);
 * }</pre>
 *
 * <p>A handler is told everything by one thread, which is not the one that asked, and holds the answer up while it is
 * at it. Thoughts come as {@code PartialThinking}. What it throws is handed to its {@code onError} and the answer goes
 * on, as LangChain4j wants it. After {@code StreamingHandle.cancel()}, which any thread may call, generation ends
 * within a token and the handler is told nothing more.
 *
 * @since 0.1
 */
public final class LangBridgeStreamingChatModel implements StreamingChatModel {
    private final Bridge bridge;
    private final Executor executor;

    private LangBridgeStreamingChatModel(Bridge bridge, Executor executor) {
        this.bridge = bridge;
        this.executor = executor;
    }

    /**
     * A model of LangChain4j with the checkpoint's own options.
     *
     * @param model stays the caller's, who closes it
     * @return the model
     */
    public static LangBridgeStreamingChatModel of(VisionLanguageModel model) {
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
    public void chat(ChatRequest request, ChatRequestOptions options, StreamingChatResponseHandler handler) {
        // Before listeners hear of the request: they would wait for an end that nobody tells.
        bridge.check(request.messages(), bridge.defaults().overrideWith(request.parameters()));
        StreamingChatModel.super.chat(request, options, handler);
    }

    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        Streaming answer = new Streaming(bridge, request, handler);
        try {
            executor.execute(answer);
        } catch (RejectedExecutionException e) {
            answer.fail(new RateLimitException(
                    "The executor of the streaming model takes no more answers (" + e.getMessage()
                            + "); try again later, or give the model a larger one",
                    e));
        }
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
        private Executor executor = LangBridgeStreamingChatModel::runInThread;

        private Builder(VisionLanguageModel model) {
            super(Objects.requireNonNull(model, "model"));
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Where answers are read and handlers are told; default is a daemon thread for each answer. An answer takes one
         * thread from its beginning to its end, which mostly waits: a pool as large as
         * {@link VisionLanguageModel.Builder#maxConcurrentRequests}, or virtual threads, suit it. Where it refuses, the
         * handler is told a {@link RateLimitException}.
         *
         * @param executor stays the caller's
         * @return this builder
         */
        public Builder executor(Executor executor) {
            this.executor = Objects.requireNonNull(executor, "executor");
            return this;
        }

        /** {@return the model} */
        public LangBridgeStreamingChatModel build() {
            return new LangBridgeStreamingChatModel(bridge(), executor);
        }
    }

    private static void runInThread(Runnable answer) {
        Thread thread = new Thread(answer, "langbridge-answer");
        thread.setDaemon(true);
        thread.start();
    }
}
