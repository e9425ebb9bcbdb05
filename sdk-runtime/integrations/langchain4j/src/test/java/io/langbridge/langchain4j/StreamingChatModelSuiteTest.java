package io.langbridge.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import io.langbridge.GenerationOptions;
import io.langbridge.testing.FakeModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;

/**
 * LangChain4j's own contract for a {@link StreamingChatModel}. Off are tools, JSON without a schema and the choice of
 * another model, which are refused, and so are the suite's tests that they are.
 */
class StreamingChatModelSuiteTest extends AbstractStreamingChatModelIT {
    @TempDir
    static Path folder;

    private final FakeModel model = ScriptedModel.open();

    @AfterAll
    void close() {
        model.close();
    }

    @Override
    protected List<StreamingChatModel> models() {
        return List.of(LangBridgeStreamingChatModel.of(model));
    }

    @Override
    protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
        return LangBridgeStreamingChatModel.builder(model)
                .defaultRequestParameters(parameters)
                .build();
    }

    @Override
    protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
        return LangBridgeChatRequestParameters.builder()
                .maxOutputTokens(maxOutputTokens)
                .options(GenerationOptions.greedy())
                .build();
    }

    @Override
    public StreamingChatModel createModelWith(ChatModelListener listener) {
        return LangBridgeStreamingChatModel.builder(model)
                .listeners(List.of(listener))
                .build();
    }

    @Override
    protected String catImageUrl() {
        return ScriptedModel.fileAddress(folder, "cat");
    }

    @Override
    protected String diceImageUrl() {
        return ScriptedModel.fileAddress(folder, "dice");
    }

    @Override
    protected Class<? extends ChatResponseMetadata> chatResponseMetadataType(StreamingChatModel any) {
        return LangBridgeChatResponseMetadata.class;
    }

    @Override
    protected boolean supportsModelNameParameter() {
        return false;
    }

    @Override
    protected boolean supportsTools() {
        return false;
    }

    @Override
    protected boolean supportsToolChoiceRequired() {
        return false;
    }

    @Override
    protected boolean supportsJsonResponseFormat() {
        return false;
    }
}
