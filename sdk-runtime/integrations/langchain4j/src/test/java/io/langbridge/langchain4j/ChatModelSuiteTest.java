package io.langbridge.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import io.langbridge.GenerationOptions;
import io.langbridge.testing.FakeModel;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;

/**
 * LangChain4j's own contract for a {@link ChatModel}. Off are tools, JSON without a schema and the choice of another
 * model, which are refused, and so are the suite's tests that they are.
 */
class ChatModelSuiteTest extends AbstractChatModelIT {
    @TempDir
    static Path folder;

    private final FakeModel model = ScriptedModel.open();

    @AfterAll
    void close() {
        model.close();
    }

    @Override
    protected List<ChatModel> models() {
        return List.of(LangBridgeChatModel.of(model));
    }

    @Override
    protected ChatModel createModelWith(ChatRequestParameters parameters) {
        return LangBridgeChatModel.builder(model)
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
    protected String catImageUrl() {
        return ScriptedModel.fileAddress(folder, "cat");
    }

    @Override
    protected String diceImageUrl() {
        return ScriptedModel.fileAddress(folder, "dice");
    }

    @Override
    protected Class<? extends ChatResponseMetadata> chatResponseMetadataType(ChatModel any) {
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
