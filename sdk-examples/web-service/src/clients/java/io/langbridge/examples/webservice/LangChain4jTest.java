package io.langbridge.examples.webservice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.AuthenticationException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import io.langbridge.BusyException;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** LangChain4j's client of OpenAI, {@code dev.langchain4j:langchain4j-open-ai}. */
class LangChain4jTest {
    private static OpenAiChatModel.OpenAiChatModelBuilder client(Served served) {
        return OpenAiChatModel.builder()
                .baseUrl(served.address)
                .apiKey(Served.KEY)
                .modelName("mine")
                .maxRetries(0);
    }

    private static UserMessage showing(String question, int pictures) throws IOException {
        UserMessage.Builder message = UserMessage.builder();
        for (int i = 0; i < pictures; i++) {
            message.addContent(ImageContent.from(Served.base64(), "image/png"));
        }
        return message.addContent(TextContent.from(question)).build();
    }

    @Test
    void picturesAndOptionsReachTheModel() throws IOException {
        try (Served served = new Served(FakeModel.builder().otherwise("two hearts"))) {
            ChatResponse response = client(served)
                    .temperature(0.0)
                    .maxCompletionTokens(20)
                    .stop(List.of("###"))
                    .seed(7)
                    .build()
                    .chat(SystemMessage.from("Be brief."), showing("What are they?", 2));

            assertThat(response.aiMessage().text()).isEqualTo("two hearts");
            assertThat(response.finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(response.tokenUsage().outputTokenCount()).isPositive();
            assertThat(served.fake.requests().get(0).messages().get(1).parts()).hasSize(3);
            assertThat(served.fake.requests().get(0).options().maxNewTokens()).isEqualTo(20);
            assertThat(served.fake.requests().get(0).options().stopStrings()).containsExactly("###");
        }
    }

    @Test
    void streamsAddUpAndEndWithTheCounts() throws Exception {
        try (Served served = new Served(null)) {
            List<String> pieces = new ArrayList<>();
            CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
            OpenAiStreamingChatModel.builder()
                    .baseUrl(served.address)
                    .apiKey(Served.KEY)
                    .modelName("mine")
                    .build()
                    .chat(List.of(showing("What is on the right?", 1)), new StreamingChatResponseHandler() {
                        @Override
                        public void onPartialResponse(String piece) {
                            pieces.add(piece);
                        }

                        @Override
                        public void onCompleteResponse(ChatResponse response) {
                            whole.complete(response);
                        }

                        @Override
                        public void onError(Throwable error) {
                            whole.completeExceptionally(error);
                        }
                    });
            ChatResponse response = whole.get(60, TimeUnit.SECONDS);
            assertThat(pieces).hasSizeGreaterThan(2);
            assertThat(String.join("", pieces))
                    .isEqualTo(response.aiMessage().text())
                    .isEqualTo("a purple crescent");
            assertThat(response.tokenUsage().inputTokenCount()).isGreaterThan(64);
        }
    }

    @Test
    void answersHaveTheFormOfASchema() throws IOException {
        try (Served served = new Served(null)) {
            JsonSchema schema = JsonSchema.builder()
                    .name("Thing")
                    .rootElement(JsonObjectSchema.builder()
                            .addEnumProperty("shape", List.of("heart", "crescent"))
                            .required("shape")
                            .build())
                    .build();
            ChatResponse response = client(served)
                    .strictJsonSchema(true)
                    .build()
                    .chat(ChatRequest.builder()
                            .messages(showing("What is on the right?", 1))
                            .responseFormat(ResponseFormat.builder()
                                    .type(ResponseFormatType.JSON)
                                    .jsonSchema(schema)
                                    .build())
                            .build());
            assertThat(response.aiMessage().text()).matches("\\{\\s*\"shape\":\\s*\"(heart|crescent)\"\\s*\\}");
        }
    }

    @Test
    void errorsAreTheClientsOwn() throws IOException {
        try (Served served = new Served(FakeModel.builder()
                .next(FakeAnswer.failure(new BusyException(2, 16)))
                .otherwise("yes"))) {
            assertThatThrownBy(() -> client(served).build().chat("Hello?")).isInstanceOf(RateLimitException.class);
            assertThatThrownBy(() ->
                            client(served).responseFormat("json_object").build().chat("Hello?"))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessageContaining("response_format");
            assertThatThrownBy(() -> client(served).apiKey("guess").build().chat("Hello?"))
                    .isInstanceOf(AuthenticationException.class);
            assertThat(client(served).build().chat("Hello?")).isEqualTo("yes");
        }
    }
}
