package io.langbridge.spring.ai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.Answer;
import io.langbridge.AnswerException;
import io.langbridge.AnswerStream;
import io.langbridge.BusyException;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import io.langbridge.Message;
import io.langbridge.ModelListener;
import io.langbridge.VisionLanguageModel;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.DefaultChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.core.io.FileSystemResource;
import org.springframework.util.MimeTypeUtils;
import reactor.core.Disposable;

class LangBridgeChatModelTest {
    /** One red pixel. */
    private static final String PNG =
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

    private static final byte[] BYTES = Base64.getDecoder().decode(PNG);

    private final FakeModel model =
            FakeModel.builder().otherwise("A red bicycle.").build();

    @AfterEach
    void nothingIsLeftOpen() {
        assertThat(model.openStreams()).isZero();
        model.close();
    }

    private static Media.Builder png() {
        return Media.builder().mimeType(MimeTypeUtils.IMAGE_PNG);
    }

    private static UserMessage asked(Media... media) {
        return UserMessage.builder().text("What is it?").media(media).build();
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

    private static Generation generation(ChatResponse response) {
        return Objects.requireNonNull(response.getResult());
    }

    private static AssistantMessage output(ChatResponse response) {
        return generation(response).getOutput();
    }

    private static List<ChatResponse> all(LangBridgeChatModel chat, Prompt prompt) {
        return Objects.requireNonNull(chat.stream(prompt).collectList().block());
    }

    private GenerationOptions options() {
        return model.requests().get(model.requests().size() - 1).options();
    }

    @Test
    void readsPicturesInAllTheirForms(@TempDir Path folder) throws Exception {
        Path file = Files.write(folder.resolve("a picture.png"), BYTES);
        URL url = file.toUri().toURL();
        LangBridgeChatModel.of(model)
                .call(new Prompt(asked(
                        png().data(BYTES).build(),
                        png().data(PNG).build(),
                        png().data("data:image/png;base64," + PNG).build(),
                        png().data(new FileSystemResource(file)).build(),
                        png().data(file.toUri()).build(),
                        png().data(url).build())));
        assertThat(shown())
                .containsExactly(
                        Message.Role.USER, "1 x 1", "1 x 1", "1 x 1", "1 x 1", "1 x 1", "1 x 1", "What is it?");
    }

    @Test
    void wholeConversationsArrive() {
        LangBridgeChatModel.of(model)
                .call(
                        new SystemMessage("Be brief."),
                        asked(png().data(BYTES).build()),
                        new AssistantMessage("A bicycle."),
                        new UserMessage("Which colour?"));
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
                        "Which colour?");
    }

    @Test
    void addressesInTheNetNeedAFetcherAndKeepTheirSecrets() {
        Prompt prompt = new Prompt(asked(
                png().data(URI.create("https://example.com/a.png?key=secret")).build()));
        assertThatThrownBy(() -> LangBridgeChatModel.of(model).call(prompt))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("https://example.com/..")
                .hasMessageContaining("imageFetcher(..)")
                .hasMessageNotContaining("secret");
        List<URI> asked = new ArrayList<>();
        LangBridgeChatModel fetching = LangBridgeChatModel.builder(model)
                .imageFetcher(address -> {
                    asked.add(address);
                    return Image.of(BYTES);
                })
                .build();
        fetching.call(prompt);
        fetching.call(new Prompt(asked(
                png().data(URI.create("file:///etc/passwd")).build(),
                png().data(PNG).build())));
        assertThat(asked)
                .containsExactly(URI.create("https://example.com/a.png?key=secret"), URI.create("file:///etc/passwd"));
    }

    @Test
    void picturesHaveLimits() {
        LangBridgeChatModel small = LangBridgeChatModel.builder(model)
                .imageLimits(ImageLimits.defaults().withMaxFileBytes(10))
                .build();
        small.call(new Prompt(asked(png().data(BYTES).build())));
        assertThatThrownBy(this::shown).isInstanceOf(ImageException.class).hasMessageContaining("limit of 10");
        assertThatThrownBy(() -> small.call(new Prompt(asked(png().data(PNG).build()))))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("limit of 10");
    }

    /** Another provider's. */
    private static final class OtherOptions extends DefaultChatOptions {
        OtherOptions() {
            super(null, null, null, null, null, null, null, null);
        }
    }

    static Stream<Arguments> refused() {
        UserMessage question = new UserMessage("What is it?");
        Media picture = png().data(BYTES).build();
        return Stream.of(
                Arguments.of(
                        "Media of the type audio/mpeg",
                        new Prompt(asked(Media.builder()
                                .mimeType(MimeTypeUtils.parseMimeType("audio/mpeg"))
                                .data(BYTES)
                                .build()))),
                Arguments.of("not the first message", new Prompt(question, new SystemMessage("Be brief."), question)),
                Arguments.of("does not end with a user message", new Prompt(question, new AssistantMessage("It"))),
                Arguments.of(
                        "calls tools",
                        new Prompt(
                                question,
                                AssistantMessage.builder()
                                        .toolCalls(List.of(
                                                new AssistantMessage.ToolCall("1", "function", "weather", "{}")))
                                        .build(),
                                question)),
                Arguments.of(
                        "picture in an answer",
                        new Prompt(
                                question,
                                AssistantMessage.builder()
                                        .media(List.of(picture))
                                        .build(),
                                question)),
                Arguments.of(
                        "type TOOL",
                        new Prompt(
                                question,
                                ToolResponseMessage.builder()
                                        .responses(List.of())
                                        .build(),
                                question)),
                Arguments.of(
                        "model = 'other'",
                        new Prompt(
                                question, ChatOptions.builder().model("other").build())),
                Arguments.of("OtherOptions", new Prompt(question, new OtherOptions())));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatCannotBeDoneIsRefusedByName(String name, Prompt prompt) {
        LangBridgeChatModel chat = LangBridgeChatModel.of(model);
        assertThatThrownBy(() -> chat.call(prompt))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining(name)
                .hasMessageContaining("not supported by LangBridge");
        assertThatThrownBy(() -> chat.stream(prompt).blockLast())
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining(name);
        assertThat(model.requests()).isEmpty();
    }

    /** Spring AI finds it by its annotation. */
    public static final class Weather {
        @Tool(name = "weather", description = "tells the weather")
        public String weather() {
            return "rain";
        }
    }

    @Test
    void toolsOfAClientAreRefusedAndNotDropped() {
        ChatClient client = ChatClient.create(LangBridgeChatModel.of(model));
        assertThatThrownBy(() -> client.prompt("Does it rain?")
                        .tools(new Weather())
                        .call()
                        .content())
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("The tool 'weather' is not supported by LangBridge");
        assertThatThrownBy(() -> LangBridgeChatOptions.builder().toolContext("user", "Ann"))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("[user]");
        assertThat(model.requests()).isEmpty();
    }

    @Test
    void optionsOfAClientAreMergedAndThoseOfAPromptAreTheirOwn() {
        LangBridgeChatModel chat = LangBridgeChatModel.builder(model)
                .options(LangBridgeChatOptions.builder()
                        .temperature(0.5)
                        .topP(0.9)
                        .topK(40)
                        .frequencyPenalty(0.1)
                        .presencePenalty(0.2)
                        .maxTokens(50)
                        .stopSequences(List.of("END"))
                        .options(GenerationOptions.builder()
                                .seed(7)
                                .temperature(2)
                                .build())
                        .build())
                .build();
        GenerationOptions defaults = GenerationOptions.builder()
                .seed(7)
                .temperature(0.5)
                .topP(0.9)
                .topK(40)
                .frequencyPenalty(0.1)
                .presencePenalty(0.2)
                .maxNewTokens(50)
                .stopStrings("END")
                .build();
        chat.call("What is it?");
        assertThat(options()).usingRecursiveComparison().isEqualTo(defaults);

        ChatClient.create(chat)
                .prompt("What is it?")
                .options(ChatOptions.builder().temperature(0.0).maxTokens(5))
                .call()
                .content();
        assertThat(options())
                .usingRecursiveComparison()
                .isEqualTo(defaults.toBuilder().temperature(0).maxNewTokens(5).build());

        chat.call(new Prompt("What is it?", ChatOptions.builder().topK(3).build()));
        assertThat(options())
                .usingRecursiveComparison()
                .isEqualTo(GenerationOptions.builder().topK(3).build());

        chat.call(new Prompt(
                "What is it?",
                StructuredOutputChatOptions.builder()
                        .outputSchema("{\"type\": \"null\"}")
                        .build()));
        assertThat(options().jsonSchema()).isEqualTo("{\"type\": \"null\"}");
        assertThat(chat.getOptions().mutate().build())
                .isEqualTo(chat.getOptions())
                .hasSameHashCodeAs(chat.getOptions());
        assertThatThrownBy(() -> LangBridgeChatModel.builder(model)
                        .options(LangBridgeChatOptions.builder().model("other").build())
                        .build())
                .hasMessageContaining("model = 'other'");
    }

    record Thing(String colour, int wheels) {}

    @Test
    void anEntityHoldsTheAnswerToItsSchema() {
        try (FakeModel json =
                FakeModel.builder().next("{\"colour\": \"red\", \"wheels\": 2}").build()) {
            Thing thing = ChatClient.create(LangBridgeChatModel.of(json))
                    .prompt("What is it?")
                    .call()
                    .entity(Thing.class, ChatClient.EntityParamSpec::useProviderStructuredOutput);
            assertThat(thing).isEqualTo(new Thing("red", 2));
            assertThat(json.requests().get(0).options().jsonSchema())
                    .contains("colour")
                    .contains("wheels");
            assertThat(json.requests().get(0).messages().get(0).text()).isEqualTo("What is it?");
        }
    }

    @ParameterizedTest
    @CsvSource({"STOP_TOKEN, STOP", "STOP_STRING, STOP", "MAX_NEW_TOKENS, LENGTH", "CONTEXT_FULL, LENGTH"})
    void saysWhyAnAnswerEndedAndWhatItCost(FinishReason reason, String told) {
        try (FakeModel ending = FakeModel.builder()
                .otherwise(any -> FakeAnswer.of("A bicycle.").endingWith(reason))
                .build()) {
            LangBridgeChatModel chat =
                    LangBridgeChatModel.builder(ending).modelName("fake").build();
            Prompt prompt = new Prompt(asked(png().data(BYTES).build()));
            ChatResponse whole = chat.call(prompt);
            assertThat(output(whole).getText()).isEqualTo("A bicycle.");
            List<ChatResponse> pieces = all(chat, prompt);
            assertThat(pieces).extracting(piece -> output(piece).getText()).containsExactly("A", " bicycle.", "");
            assertThat(pieces)
                    .extracting(piece -> piece.getMetadata().getId())
                    .containsOnly(pieces.get(0).getMetadata().getId());
            for (ChatResponse response : List.of(whole, pieces.get(2))) {
                Answer answer = Objects.requireNonNull(response.getMetadata().get(LangBridgeChatModel.ANSWER));
                assertThat(generation(response).getMetadata().getFinishReason()).isEqualTo(told);
                assertThat(response.getMetadata().getModel()).isEqualTo("fake");
                assertThat(response.getMetadata().getUsage().getPromptTokens()).isEqualTo(576 + 4 + 3);
                assertThat(response.getMetadata().getUsage().getCompletionTokens())
                        .isEqualTo(answer.usage().newTokens());
                assertThat(answer.text()).isEqualTo("A bicycle.");
            }
        }
    }

    @Test
    void failuresAreThoseOfTheModelAndAPartOfAnAnswerDoesNotPassForOne() {
        try (FakeModel busy = FakeModel.builder()
                .otherwise(any -> FakeAnswer.failure(new BusyException(1, 0)))
                .build()) {
            assertThatThrownBy(() -> LangBridgeChatModel.of(busy).call("?")).isInstanceOf(BusyException.class);
            assertThatThrownBy(() -> LangBridgeChatModel.of(busy).stream("?").blockLast())
                    .isInstanceOf(BusyException.class);
        }
        try (FakeModel stalling = FakeModel.builder()
                .otherwise(any -> FakeAnswer.of("A red bicycle.").stallingAfter(2))
                .build()) {
            LangBridgeChatModel chat = LangBridgeChatModel.builder(stalling)
                    .options(LangBridgeChatOptions.builder()
                            .options(GenerationOptions.builder()
                                    .timeout(Duration.ofMillis(20))
                                    .build())
                            .build())
                    .build();
            assertThatThrownBy(() -> chat.call("?"))
                    .isInstanceOfSatisfying(
                            AnswerException.class,
                            e -> assertThat(e.answer().text()).isEqualTo("A red"))
                    .hasMessageContaining("its time was over");
            List<String> pieces = new ArrayList<>();
            assertThatThrownBy(() -> chat.stream("?").doOnNext(pieces::add).blockLast())
                    .isInstanceOf(AnswerException.class);
            assertThat(pieces).containsExactly("A", " red");
            assertThat(stalling.openStreams()).isZero();
        }
    }

    @Test
    void aSubscriptionThatIsCancelledEndsTheGeneration() throws Exception {
        CountDownLatch second = new CountDownLatch(2);
        CountDownLatch observed = new CountDownLatch(1);
        CompletableFuture<FinishReason> ended = new CompletableFuture<>();
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        try (FakeModel stalling = FakeModel.builder()
                .otherwise(any -> FakeAnswer.of("A red bicycle.").stallingAfter(2))
                .listener(new ModelListener() {
                    @Override
                    public void finished(
                            long request, FinishReason reason, Answer.Usage usage, Answer.Timings timings) {
                        ended.complete(reason);
                    }
                })
                .build()) {
            Disposable subscription = LangBridgeChatModel.builder(stalling)
                    .observationRegistry(observed(new CopyOnWriteArrayList<>(), observed))
                    .build()
                    .stream("?")
                    .subscribe(piece -> second.countDown(), failures::add);
            assertThat(second.await(2, TimeUnit.MINUTES)).isTrue();
            subscription.dispose();
            assertThat(ended.get(2, TimeUnit.MINUTES)).isEqualTo(FinishReason.CANCELLED);
            assertThat(observed.await(2, TimeUnit.MINUTES)).isTrue();
            assertThat(stalling.openStreams()).isZero();
            assertThat(failures).isEmpty();
        }
    }

    @Test
    void nothingBeginsBeforeASubscriptionAndNothingRunsFarAhead() {
        try (FakeModel several =
                FakeModel.builder().otherwise("One two three four five six.").build()) {
            var stream = LangBridgeChatModel.of(several).stream("?");
            assertThat(several.requests()).isEmpty();
            assertThat(stream.take(1).collectList().block()).containsExactly("One");
            assertThat(several.openStreams()).isZero();
            assertThat(stream.blockFirst()).isEqualTo("One");
            assertThat(several.requests()).hasSize(2);
        }
    }

    private static ObservationRegistry observed(List<ChatModelObservationContext> stopped, CountDownLatch ended) {
        ObservationRegistry registry = ObservationRegistry.create();
        registry.observationConfig().observationHandler(new ObservationHandler<ChatModelObservationContext>() {
            @Override
            public void onStop(ChatModelObservationContext context) {
                stopped.add(context);
                ended.countDown();
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return context instanceof ChatModelObservationContext;
            }
        });
        return registry;
    }

    @Test
    void callsAndStreamsAreObserved() throws Exception {
        List<ChatModelObservationContext> stopped = new CopyOnWriteArrayList<>();
        CountDownLatch both = new CountDownLatch(2);
        LangBridgeChatModel chat = LangBridgeChatModel.builder(model)
                .modelName("fake")
                .observationRegistry(observed(stopped, both))
                .build();
        chat.call("?");
        chat.stream("?").blockLast();
        assertThat(both.await(2, TimeUnit.MINUTES)).isTrue();
        assertThat(stopped).hasSize(2).allSatisfy(context -> {
            ChatResponse response = Objects.requireNonNull(context.getResponse());
            assertThat(context.getName()).isEqualTo("gen_ai.client.operation");
            assertThat(context.getLowCardinalityKeyValue("gen_ai.response.model"))
                    .isEqualTo(KeyValue.of("gen_ai.response.model", "fake"));
            assertThat(output(response).getText()).isEqualTo("A red bicycle.");
            assertThat(response.getMetadata().getUsage().getTotalTokens()).isPositive();
        });
        assertThat(stopped).extracting(ChatModelObservationContext::isStreaming).containsExactly(false, true);
    }

    @Test
    void thoughtsAreNoPartOfTheText() {
        Answer answer = new Answer(
                "Hm.",
                "A bicycle.",
                new int[] {1, 2, 3},
                FinishReason.STOP_TOKEN,
                new Answer.Usage(1, 0, 0, 3),
                new Answer.Timings(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO));
        LangBridgeChatModel chat = LangBridgeChatModel.of(thinking(answer));
        assertThat(output(chat.call(new Prompt("?"))).getMetadata()).containsEntry(LangBridgeChatModel.THINKING, "Hm.");
        List<ChatResponse> pieces = all(chat, new Prompt("?"));
        assertThat(pieces).extracting(piece -> output(piece).getText()).containsExactly("", "A bicycle.", "");
        assertThat(output(pieces.get(0)).getMetadata())
                .containsAllEntriesOf(Map.of(LangBridgeChatModel.THINKING, "Hm."));
    }

    /** A model that streams one answer, as the fake does not think. */
    private static VisionLanguageModel thinking(Answer answer) {
        List<AnswerStream.Piece> pieces = List.of(
                new AnswerStream.Piece("Hm.", 1, true),
                new AnswerStream.Piece("A bicycle.", 2, false),
                new AnswerStream.Piece("", 3, false));
        AnswerStream stream = new AnswerStream() {
            @Override
            public Iterator<Piece> iterator() {
                return pieces.iterator();
            }

            @Override
            public void cancel() {}

            @Override
            public boolean isCancelled() {
                return false;
            }

            @Override
            public Answer answer() {
                return answer;
            }

            @Override
            public void close() {}
        };
        return (VisionLanguageModel) Proxy.newProxyInstance(
                VisionLanguageModel.class.getClassLoader(),
                new Class<?>[] {VisionLanguageModel.class},
                (proxy, method, arguments) -> method.getName().equals("stream") ? stream : answer);
    }
}
