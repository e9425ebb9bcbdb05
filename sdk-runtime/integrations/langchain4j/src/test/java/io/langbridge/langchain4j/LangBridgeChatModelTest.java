package io.langbridge.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.image.Image;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.AudioContent;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.PdfFileContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.message.VideoContent;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.TokenUsage;
import dev.langchain4j.service.AiServices;
import io.langbridge.AnswerException;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import io.langbridge.Message;
import io.langbridge.PromptException;
import io.langbridge.Request;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class LangBridgeChatModelTest {
    /** One red pixel. */
    private static final String PNG =
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

    private final FakeModel model =
            FakeModel.builder().otherwise("A red bicycle.").build();

    @AfterEach
    void nothingIsLeftOpen() {
        assertThat(model.openStreams()).isZero();
        model.close();
    }

    private static ChatRequest request(UnaryOperator<ChatRequest.Builder> settings) {
        return settings.apply(ChatRequest.builder().messages(UserMessage.from("What is it?")))
                .build();
    }

    private static ImageContent picture(String address) {
        return ImageContent.from(URI.create(address));
    }

    /** What the last request said and showed, with a picture's size in place of the picture. */
    private List<Object> shown() {
        List<Object> all = new ArrayList<>();
        for (Message message : model.requests().get(model.requests().size() - 1).messages()) {
            all.add(message.role());
            for (Message.Part part : message.parts()) {
                if (part instanceof Message.ImagePart image) {
                    all.add(image.image().pixels().width() + " x "
                            + image.image().pixels().height());
                } else {
                    all.add(((Message.Text) part).text());
                }
            }
        }
        return all;
    }

    private GenerationOptions options() {
        return model.requests().get(model.requests().size() - 1).options();
    }

    @Test
    void readsPicturesAsBase64AndDataAndFile(@TempDir Path folder) throws Exception {
        Path file =
                Files.write(folder.resolve("a picture.png"), Base64.getDecoder().decode(PNG));
        LangBridgeChatModel.of(model)
                .chat(UserMessage.from(
                        ImageContent.from(PNG, "image/png"),
                        picture("data:image/png;base64," + PNG),
                        picture(file.toUri().toString()),
                        ImageContent.from(file, "image/png"),
                        TextContent.from("What is it?")));
        assertThat(shown()).containsExactly(Message.Role.USER, "1 x 1", "1 x 1", "1 x 1", "1 x 1", "What is it?");
    }

    @Test
    void picturesGoFirstAndTextsStandOnLinesOfTheirOwn() {
        UserMessage message = UserMessage.from(
                TextContent.from("Before:"),
                ImageContent.from(PNG, "image/png"),
                TextContent.from("After:"),
                picture("data:image/png;base64," + PNG),
                TextContent.from("What has changed?"));
        LangBridgeChatModel.of(model).chat(message);
        assertThat(shown()).containsExactly(Message.Role.USER, "1 x 1", "1 x 1", "Before:\nAfter:\nWhat has changed?");
        LangBridgeChatModel.builder(model).keepOrder().build().chat(message);
        assertThat(shown())
                .containsExactly(Message.Role.USER, "Before:", "1 x 1", "After:", "1 x 1", "What has changed?");
    }

    @Test
    void wholeConversationsArrive() {
        LangBridgeChatModel.of(model)
                .chat(
                        SystemMessage.from("Be brief."),
                        UserMessage.from(TextContent.from("What is it?"), ImageContent.from(PNG, "image/png")),
                        AiMessage.from("A bicycle."),
                        UserMessage.from(ImageContent.from(PNG, "image/png")),
                        AiMessage.from("A car."),
                        UserMessage.from("Which is larger?"));
        assertThat(shown())
                .containsExactly(
                        Message.Role.SYSTEM,
                        "Be brief.",
                        Message.Role.USER,
                        "1 x 1",
                        "What is it?",
                        Message.Role.ASSISTANT,
                        "A bicycle.",
                        Message.Role.USER,
                        "1 x 1",
                        Message.Role.ASSISTANT,
                        "A car.",
                        Message.Role.USER,
                        "Which is larger?");
    }

    @Test
    void addressesInTheNetNeedAFetcherAndKeepTheirSecrets() {
        UserMessage message =
                UserMessage.from(TextContent.from("What is it?"), picture("https://example.com/a.png?key=secret"));
        assertThatThrownBy(() -> LangBridgeChatModel.of(model).chat(message))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("https://example.com/..")
                .hasMessageContaining("imageFetcher(..)")
                .hasMessageNotContaining("secret");
        assertThat(model.requests()).isEmpty();

        List<URI> asked = new ArrayList<>();
        LangBridgeChatModel fetching = LangBridgeChatModel.builder(model)
                .imageFetcher(address -> {
                    asked.add(address);
                    return io.langbridge.Image.of(Base64.getDecoder().decode(PNG));
                })
                .build();
        fetching.chat(message);
        fetching.chat(UserMessage.from(picture("file:///etc/passwd"), picture("data:image/png;base64," + PNG)));
        assertThat(asked)
                .containsExactly(URI.create("https://example.com/a.png?key=secret"), URI.create("file:///etc/passwd"));
    }

    @Test
    void whatTheFetcherThrowsFailsTheRequest() {
        LangBridgeChatModel fetching = LangBridgeChatModel.builder(model)
                .imageFetcher(address -> {
                    throw new InvalidRequestException("Not from there");
                })
                .build();
        assertThatThrownBy(() -> fetching.chat(UserMessage.from(picture("http://10.0.0.1/a.png"))))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessage("Not from there");
    }

    @Test
    void picturesHaveLimits(@TempDir Path folder) throws Exception {
        Path file = Files.write(folder.resolve("a.png"), Base64.getDecoder().decode(PNG));
        LangBridgeChatModel small = LangBridgeChatModel.builder(model)
                .imageLimits(ImageLimits.defaults().withMaxFileBytes(10))
                .build();
        for (ImageContent picture :
                List.of(ImageContent.from(PNG, "image/png"), picture("data:image/png;base64," + PNG))) {
            assertThatThrownBy(() -> small.chat(UserMessage.from(picture)))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasMessageContaining("more than the limit of 10")
                    .hasCauseInstanceOf(ImageException.class);
        }
        small.chat(UserMessage.from(picture(file.toUri().toString())));
        Message.ImagePart read = (Message.ImagePart)
                model.requests().get(0).messages().get(0).parts().get(0);
        assertThatThrownBy(() -> read.image().pixels()).hasMessageContaining("more than the limit of 10");
    }

    @Test
    void damagedPicturesAreTheCallersFault() {
        assertThatThrownBy(() ->
                        LangBridgeChatModel.of(model).chat(UserMessage.from(ImageContent.from("%%%", "image/png"))))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("damaged Base64");
    }

    static Stream<Arguments> refusedMessages() {
        UserMessage question = UserMessage.from("What is it?");
        ImageContent picture = ImageContent.from(PNG, "image/png");
        return Stream.of(
                Arguments.of("audio", List.of(UserMessage.from(AudioContent.from("http://example.com/a.mp3")))),
                Arguments.of("video", List.of(UserMessage.from(VideoContent.from("http://example.com/a.mp4")))),
                Arguments.of("pdf", List.of(UserMessage.from(PdfFileContent.from("http://example.com/a.pdf")))),
                Arguments.of("name of a user message ('Ann')", List.of(UserMessage.from("Ann", "What is it?"))),
                Arguments.of(
                        "detail level HIGH",
                        List.of(UserMessage.from(ImageContent.from(PNG, "image/png", ImageContent.DetailLevel.HIGH)))),
                Arguments.of(
                        "without data and without an address",
                        List.of(UserMessage.from(
                                ImageContent.from(Image.builder().build())))),
                Arguments.of("address of an image, null:..", List.of(UserMessage.from(picture("a.png")))),
                Arguments.of("not the first message", List.of(question, SystemMessage.from("Be brief."), question)),
                Arguments.of("does not end with a user message", List.of(question, AiMessage.from("It"))),
                Arguments.of(
                        "calls tools",
                        List.of(
                                question,
                                AiMessage.from(ToolExecutionRequest.builder()
                                        .name("weather")
                                        .build()),
                                question)),
                Arguments.of(
                        "TOOL_EXECUTION_RESULT",
                        List.of(question, ToolExecutionResultMessage.from("1", "weather", "rain"), question)),
                Arguments.of(
                        "picture in an answer",
                        List.of(
                                question,
                                AiMessage.builder()
                                        .text("Here")
                                        .attributes(Map.of(AiMessage.GENERATED_IMAGES_KEY, List.of(picture.image())))
                                        .build(),
                                question)));
    }

    @ParameterizedTest
    @MethodSource("refusedMessages")
    void messagesThatCannotBeShownAreRefusedByName(String name, List<ChatMessage> messages) {
        assertThatThrownBy(() -> LangBridgeChatModel.of(model).chat(messages))
                .isExactlyInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining(name)
                .hasMessageContaining("not supported by LangBridge");
        assertThat(model.requests()).isEmpty();
    }

    @Test
    void aMessageThatSaysNothingIsTheCallersFault() {
        assertThatThrownBy(() -> LangBridgeChatModel.of(model).chat(UserMessage.from(" ")))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("The user's turn is empty");
    }

    /** Another provider's. */
    private static final class OtherParameters extends DefaultChatRequestParameters {
        OtherParameters() {
            super(DefaultChatRequestParameters.builder());
        }
    }

    static Stream<Arguments> refusedParameters() {
        return Stream.of(
                Arguments.of("modelName = 'other'", parameters(p -> p.modelName("other"))),
                Arguments.of(
                        "tools (weather)",
                        parameters(p -> p.toolSpecifications(
                                ToolSpecification.builder().name("weather").build()))),
                Arguments.of("ToolChoice.REQUIRED", parameters(p -> p.toolChoice(ToolChoice.REQUIRED))),
                Arguments.of(
                        "JSON response format without a schema",
                        parameters(p -> p.responseFormat(ResponseFormat.JSON))),
                Arguments.of("OtherParameters", new OtherParameters()));
    }

    private static ChatRequestParameters parameters(UnaryOperator<DefaultChatRequestParameters.Builder<?>> settings) {
        return settings.apply(ChatRequestParameters.builder()).build();
    }

    @ParameterizedTest
    @MethodSource("refusedParameters")
    void parametersThatHaveNoEffectAreRefusedByName(String name, ChatRequestParameters parameters) {
        assertThatThrownBy(() -> LangBridgeChatModel.of(model).chat(request(r -> r.parameters(parameters))))
                .isExactlyInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining(name)
                .hasMessageContaining("not supported by LangBridge");
        assertThatThrownBy(() -> LangBridgeChatModel.builder(model)
                        .defaultRequestParameters(parameters)
                        .build())
                .isExactlyInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining(name);
        assertThat(model.requests()).isEmpty();
    }

    @Test
    void parametersThatCannotBeAreTheCallersFault() {
        assertThatThrownBy(() -> LangBridgeChatModel.of(model).chat(request(r -> r.temperature(-1.0))))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("temperature must be 0 (greedy) or positive, not -1.0");
    }

    @Test
    void neutralParametersChangeNothing() {
        LangBridgeChatModel.of(model)
                .chat(request(r -> r.modelName("langbridge")
                        .toolChoice(ToolChoice.AUTO)
                        .toolSpecifications(List.of())
                        .stopSequences(List.of())
                        .responseFormat(ResponseFormat.TEXT)));
        assertThat(options()).usingRecursiveComparison().isEqualTo(GenerationOptions.defaults());
    }

    @Test
    void parametersArriveAndThoseOfTheRequestWin() {
        LangBridgeChatModel chat = LangBridgeChatModel.builder(model)
                .defaultRequestParameters(LangBridgeChatRequestParameters.builder()
                        .temperature(0.5)
                        .topP(0.9)
                        .topK(40)
                        .frequencyPenalty(0.1)
                        .presencePenalty(0.2)
                        .maxOutputTokens(50)
                        .stopSequences("END")
                        .options(GenerationOptions.builder()
                                .seed(7)
                                .temperature(2)
                                .build())
                        .build())
                .build();
        chat.chat(request(r -> r.temperature(0.0).maxOutputTokens(5)));
        assertThat(options())
                .usingRecursiveComparison()
                .isEqualTo(GenerationOptions.builder()
                        .seed(7)
                        .temperature(0)
                        .topP(0.9)
                        .topK(40)
                        .frequencyPenalty(0.1)
                        .presencePenalty(0.2)
                        .maxNewTokens(5)
                        .stopStrings("END")
                        .build());
        chat.chat(request(r -> r.parameters(LangBridgeChatRequestParameters.builder()
                .options(GenerationOptions.builder().thinking(true).build())
                .build())));
        assertThat(options().seed()).isNull();
        assertThat(options().thinking()).isTrue();
        assertThat(options().temperature()).isEqualTo(0.5);
    }

    @Test
    void ownParametersAreMergedBothWays() {
        LangBridgeChatRequestParameters own = LangBridgeChatRequestParameters.builder()
                .options(GenerationOptions.greedy())
                .topK(3)
                .build();
        ChatRequestParameters plain = parameters(p -> p.topK(4).topP(0.5));
        // LangChain4j's own merge the more special into the more general.
        for (ChatRequestParameters merged : List.of(
                own.overrideWith(plain), plain.defaultedBy(own), plain.overrideWith(own), own.defaultedBy(plain))) {
            assertThat(((LangBridgeChatRequestParameters) merged).options()).isSameAs(own.options());
            assertThat(merged.topP()).isEqualTo(0.5);
        }
        assertThat(own.overrideWith(plain).topK()).isEqualTo(4);
        assertThat(own.defaultedBy(plain).topK()).isEqualTo(3);
        assertThat(plain.overrideWith(own).topK()).isEqualTo(3);
        assertThat(own.overrideWith(DefaultChatRequestParameters.EMPTY))
                .isEqualTo(own)
                .hasSameHashCodeAs(own);
        assertThat(own).isNotEqualTo(plain);
    }

    @ParameterizedTest
    @CsvSource({"STOP_TOKEN, STOP", "STOP_STRING, STOP", "MAX_NEW_TOKENS, LENGTH", "CONTEXT_FULL, LENGTH"})
    void saysWhyAnAnswerEndedAndWhatItCost(FinishReason reason, dev.langchain4j.model.output.FinishReason told) {
        try (FakeModel ending = FakeModel.builder()
                .next(FakeAnswer.of("A bicycle.").endingWith(reason))
                .build()) {
            ChatResponse response = LangBridgeChatModel.builder(ending)
                    .modelName("fake")
                    .build()
                    .chat(UserMessage.from(TextContent.from("What is it?"), ImageContent.from(PNG, "image/png")));
            LangBridgeChatResponseMetadata metadata = (LangBridgeChatResponseMetadata) response.metadata();
            assertThat(response.aiMessage().text()).isEqualTo("A bicycle.");
            assertThat(response.aiMessage().thinking()).isNull();
            assertThat(metadata.finishReason()).isEqualTo(told);
            assertThat(metadata.modelName()).isEqualTo("fake");
            assertThat(metadata.answer().usage().visualTokens()).isEqualTo(576);
            int newTokens = metadata.answer().usage().newTokens();
            assertThat(metadata.tokenUsage()).isEqualTo(new TokenUsage(576 + 4 + 3, newTokens));
            assertThat(metadata.toBuilder().build()).isEqualTo(metadata).hasSameHashCodeAs(metadata);
        }
    }

    @Test
    void aPartOfAnAnswerDoesNotPassForOne() {
        try (FakeModel stalling = FakeModel.builder()
                .otherwise(any -> FakeAnswer.of("A red bicycle.").stallingAfter(2))
                .build()) {
            LangBridgeChatModel chat = LangBridgeChatModel.builder(stalling)
                    .defaultRequestParameters(LangBridgeChatRequestParameters.builder()
                            .options(GenerationOptions.builder()
                                    .timeout(Duration.ofMillis(20))
                                    .build())
                            .build())
                    .build();
            assertThatThrownBy(() -> chat.chat("What is it?"))
                    .isInstanceOf(TimeoutException.class)
                    .hasMessageContaining("over after 2 tokens")
                    .cause()
                    .isInstanceOfSatisfying(
                            AnswerException.class,
                            e -> assertThat(e.answer().text()).isEqualTo("A red"));

            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> LangBridgeChatModel.of(stalling).chat("What is it?"))
                    .isInstanceOf(NonRetriableException.class)
                    .hasMessageContaining("interrupted");
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void aPromptThatDoesNotFitIsTheCallersFault() {
        try (FakeModel small =
                FakeModel.builder().otherwise("A").contextLength(5).build()) {
            assertThatThrownBy(() -> LangBridgeChatModel.of(small).chat("What is it?"))
                    .isInstanceOf(InvalidRequestException.class)
                    .hasCauseInstanceOf(PromptException.class);
        }
    }

    record Thing(String colour, int wheels) {}

    interface Viewer {
        @dev.langchain4j.service.SystemMessage("Look twice.")
        @dev.langchain4j.service.UserMessage("What is it?")
        Thing look(@dev.langchain4j.service.UserMessage ImageContent picture);
    }

    @Test
    void aServiceAsksForARecordByItsSchema() {
        try (FakeModel json =
                FakeModel.builder().next("{\"colour\": \"red\", \"wheels\": 2}").build()) {
            Viewer viewer = AiServices.create(Viewer.class, LangBridgeChatModel.of(json));
            assertThat(viewer.look(ImageContent.from(PNG, "image/png"))).isEqualTo(new Thing("red", 2));
            Request asked = json.requests().get(0);
            assertThat(asked.options().jsonSchema())
                    .isEqualTo("{\"type\":\"object\",\"properties\":{\"colour\":{\"type\":\"string\"},"
                            + "\"wheels\":{\"type\":\"integer\"}}}");
            assertThat(asked.messages()).extracting(Message::text).containsExactly("Look twice.", "What is it?");
        }
    }

    @Test
    void aClosedModelSaysSo() {
        model.close();
        assertThatThrownBy(() -> LangBridgeChatModel.of(model).chat("What is it?"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }
}
