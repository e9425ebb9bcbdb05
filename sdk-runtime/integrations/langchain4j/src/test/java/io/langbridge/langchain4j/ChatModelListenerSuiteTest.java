package io.langbridge.langchain4j;

import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import io.langbridge.BusyException;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.util.List;

/** LangChain4j's own contract for listeners of a {@link ChatModel}. */
class ChatModelListenerSuiteTest extends AbstractChatModelListenerIT {
    @Override
    protected ChatModel createModel(ChatModelListener listener) {
        return model(ScriptedModel.open(), listener);
    }

    @Override
    protected ChatModel createFailingModel(ChatModelListener listener) {
        return model(
                FakeModel.builder()
                        .next(FakeAnswer.failure(new BusyException(1, 0)))
                        .build(),
                listener);
    }

    private ChatModel model(FakeModel model, ChatModelListener listener) {
        return LangBridgeChatModel.builder(model)
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
