package io.langbridge.examples.webservice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.errors.UnauthorizedException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionContentPart;
import com.openai.models.chat.completions.ChatCompletionContentPartImage;
import com.openai.models.chat.completions.ChatCompletionContentPartText;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import io.langbridge.BusyException;
import io.langbridge.GenerationOptions;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** OpenAI's client for Java, {@code com.openai:openai-java}. */
class OpenAiJavaTest {
    private static OpenAIClient client(Served served, String key) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(served.address)
                .apiKey(key)
                .maxRetries(0)
                .build();
    }

    private static OpenAIClient client(Served served) {
        return client(served, Served.KEY);
    }

    private static ChatCompletionCreateParams.Builder asking(String question) {
        return ChatCompletionCreateParams.builder().model("mine").addUserMessage(question);
    }

    private static ChatCompletionCreateParams.Builder showing(String question, int pictures) throws IOException {
        List<ChatCompletionContentPart> parts = new ArrayList<>();
        for (int i = 0; i < pictures; i++) {
            parts.add(ChatCompletionContentPart.ofImageUrl(ChatCompletionContentPartImage.builder()
                    .imageUrl(ChatCompletionContentPartImage.ImageUrl.builder()
                            .url("data:image/png;base64," + Served.base64())
                            .build())
                    .build()));
        }
        parts.add(ChatCompletionContentPart.ofText(
                ChatCompletionContentPartText.builder().text(question).build()));
        return ChatCompletionCreateParams.builder().model("mine").addUserMessageOfArrayOfContentParts(parts);
    }

    private static String text(ChatCompletion completion) {
        return completion.choices().get(0).message().content().orElseThrow();
    }

    @Test
    void picturesAndOptionsReachTheModel() throws IOException {
        try (Served served = new Served(FakeModel.builder().otherwise("two hearts"))) {
            ChatCompletion completion = client(served)
                    .chat()
                    .completions()
                    .create(showing("What are they?", 2)
                            .maxCompletionTokens(20)
                            .temperature(0)
                            .topP(0.5)
                            .seed(7)
                            .stop("###")
                            .frequencyPenalty(0.5)
                            .build());

            assertThat(text(completion)).isEqualTo("two hearts");
            assertThat(completion.choices().get(0).finishReason().asString()).isEqualTo("stop");
            assertThat(completion.usage().orElseThrow().completionTokens()).isPositive();
            assertThat(served.fake.requests().get(0).messages().get(0).parts()).hasSize(3);
            GenerationOptions options = served.fake.requests().get(0).options();
            assertThat(options.maxNewTokens()).isEqualTo(20);
            assertThat(options.seed()).isEqualTo(7);
            assertThat(options.topP()).isEqualTo(0.5);
            assertThat(options.stopStrings()).containsExactly("###");
            assertThat(options.frequencyPenalty()).isEqualTo(0.5);
        }
    }

    @Test
    void streamsAddUpAndEndWithTheCounts() throws IOException {
        try (Served served = new Served(null)) {
            ChatCompletionAccumulator all = ChatCompletionAccumulator.create();
            List<ChatCompletionChunk> chunks = new ArrayList<>();
            try (StreamResponse<ChatCompletionChunk> stream = client(served)
                    .chat()
                    .completions()
                    .createStreaming(showing("What is on the right?", 1)
                            .streamOptions(ChatCompletionStreamOptions.builder()
                                    .includeUsage(true)
                                    .build())
                            .build())) {
                stream.stream().peek(all::accumulate).forEach(chunks::add);
            }
            assertThat(chunks).hasSizeGreaterThan(4);
            assertThat(text(all.chatCompletion())).isEqualTo("a purple crescent");
            assertThat(chunks.get(chunks.size() - 1).usage().orElseThrow().promptTokens())
                    .isGreaterThan(64);
        }
    }

    /** What the client makes a schema of. */
    public static class Thing {
        public Shape shape;
        public int count;

        public enum Shape {
            heart,
            crescent
        }
    }

    @Test
    void answersHaveTheFormOfAClass() throws IOException {
        try (Served served = new Served(null)) {
            Thing thing = client(served)
                    .chat()
                    .completions()
                    .create(showing("What is on the right?", 1)
                            .responseFormat(Thing.class)
                            .build())
                    .choices()
                    .get(0)
                    .message()
                    .content()
                    .orElseThrow();
            assertThat(thing.shape).isIn((Object[]) Thing.Shape.values());
        }
    }

    @Test
    void tokensHaveProbabilities() throws IOException {
        try (Served served = new Served(null)) {
            ChatCompletion completion = client(served)
                    .chat()
                    .completions()
                    .create(showing("What is on the right?", 1)
                            .logprobs(true)
                            .topLogprobs(2)
                            .build());
            var tokens = completion
                    .choices()
                    .get(0)
                    .logprobs()
                    .orElseThrow()
                    .content()
                    .orElseThrow();
            assertThat(tokens).isNotEmpty().allSatisfy(token -> {
                assertThat(token.logprob()).isNotPositive();
                assertThat(token.topLogprobs()).hasSize(2);
            });
        }
    }

    @Test
    void modelsAreListed() throws IOException {
        try (Served served = new Served(FakeModel.builder())) {
            assertThat(client(served).models().list().data())
                    .extracting(model -> model.id())
                    .containsExactly("mine");
        }
    }

    @Test
    void errorsAreTheClientsOwn() throws IOException {
        try (Served served = new Served(FakeModel.builder()
                .next(FakeAnswer.failure(new BusyException(2, 16)))
                .otherwise("yes"))) {
            var completions = client(served).chat().completions();
            assertThatThrownBy(() -> completions.create(asking("Hello?").build()))
                    .isInstanceOf(RateLimitException.class);
            BadRequestException refused = catchThrowableOfType(
                    BadRequestException.class,
                    () -> completions.create(asking("Hello?").n(2).build()));
            assertThat(refused.param()).contains("n");
            assertThat(refused).hasMessageContaining("n");
            assertThatThrownBy(() ->
                            completions.create(asking("Hello?").model("other").build()))
                    .isInstanceOf(NotFoundException.class);
            assertThatThrownBy(() -> client(served, "guess")
                            .chat()
                            .completions()
                            .create(asking("Hello?").build()))
                    .isInstanceOf(UnauthorizedException.class);
            assertThat(text(completions.create(asking("Hello?").build()))).isEqualTo("yes");
        }
    }
}
