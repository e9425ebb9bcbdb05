package io.langbridge.langchain4j;

import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import io.langbridge.BusyException;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.util.List;

/** LangChain4j's own contract for listeners of a {@link StreamingChatModel}. */
class StreamingChatModelListenerSuiteTest extends AbstractStreamingChatModelListenerIT {
    @Override
    protected StreamingChatModel createModel(ChatModelListener listener) {
        return model(ScriptedModel.open(), listener);
    }

    @Override
    protected StreamingChatModel createFailingModel(ChatModelListener listener) {
        return model(
                FakeModel.builder()
                        .next(FakeAnswer.failure(new BusyException(1, 0)))
                        .build(),
                listener);
    }

    private StreamingChatModel model(FakeModel model, ChatModelListener listener) {
        return LangBridgeStreamingChatModel.builder(model)
                .modelName(modelName())
                .defaultRequestParameters(ChatRequestParameters.builder()
                        .temperature(temperature())
                        .topP(topP())
                        .maxOutputTokens(maxTokens())
                        .build())
                .listeners(List.of(listener))
                .build();
    }

    @Override
    protected String modelName() {
        return "scripted";
    }

    @Override
    protected Class<? extends Exception> expectedExceptionClass() {
        return RateLimitException.class;
    }

    @Override
    protected boolean supportsTools() {
        return false;
    }
}
