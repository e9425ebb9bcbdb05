package io.langbridge.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.memory.chat.MessageWindowChatMemory;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonAnyOfSchema;
import dev.langchain4j.model.chat.request.json.JsonArraySchema;
import dev.langchain4j.model.chat.request.json.JsonBooleanSchema;
import dev.langchain4j.model.chat.request.json.JsonEnumSchema;
import dev.langchain4j.model.chat.request.json.JsonIntegerSchema;
import dev.langchain4j.model.chat.request.json.JsonNullSchema;
import dev.langchain4j.model.chat.request.json.JsonNumberSchema;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonReferenceSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.langchain4j.model.chat.request.json.JsonStringSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.Result;
import dev.langchain4j.service.TokenStream;
import io.langbridge.Answer;
import io.langbridge.EngineName;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.PromptException;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The bundled model answers through LangChain4j: nothing here is scripted. */
class DemoModelAnswersTest {
    /** A brown letter E, a purple crescent, a purple 7 and a yellow heart. */
    private static final Path PICTURE = Path.of("../../../sdk-examples/quickstart/src/main/resources/picture.png");

    private static DemoModel demo;
    private static VisionLanguageModel model;

    @BeforeAll
    static void open() {
        demo = DemoModel.open();
        model = VisionLanguageModel.builder()
                .encoder(demo.encoder())
                .adapter(demo.adapter())
                .llm(demo.llm())
                .engine(EngineName.ONNX)
                .build();
    }

    @AfterAll
    static void close() {
        model.close();
        demo.close();
    }

    private static ImageContent picture() {
        return ImageContent.from(PICTURE, "image/png");
    }

    enum Colour {
        brown,
        purple,
        yellow
    }

    enum Shape {
        letter,
        crescent,
        heart
    }

    record Thing(
            @JsonProperty(required = true) Colour colour,
            @JsonProperty(required = true) Shape shape) {}

    interface Viewer {
        @dev.langchain4j.service.UserMessage("What is on the right?")
        Result<Thing> onTheRight(@dev.langchain4j.service.UserMessage ImageContent picture);

        String ask(
                @dev.langchain4j.service.UserMessage String question,
                @dev.langchain4j.service.UserMessage ImageContent picture);

        String ask(@dev.langchain4j.service.UserMessage String question);

        TokenStream stream(
                @dev.langchain4j.service.UserMessage String question,
                @dev.langchain4j.service.UserMessage ImageContent picture);
    }

    /**
     * The model has not learnt JSON: the record has its form, and the values that the model gives without LangChain4j.
     */
    @Test
    void aRecordComesOutOfAPictureAndSaysHowLikelyItsValuesAre() {
        Viewer viewer = AiServices.create(
                Viewer.class,
                LangBridgeChatModel.builder(model)
                        .defaultRequestParameters(LangBridgeChatRequestParameters.builder()
                                .options(GenerationOptions.builder()
                                        .logProbabilities(0)
                                        .build())
                                .build())
                        .build());
        Result<Thing> result = viewer.onTheRight(picture());
        Answer direct = model.answer(Request.builder()
                .image(Image.of(PICTURE))
                .text("What is on the right?")
                .options(GenerationOptions.builder().jsonSchema("""
                                {"type": "object", "required": ["colour", "shape"],
                                 "properties": {"colour": {"enum": ["brown", "purple", "yellow"]},
                                                "shape": {"enum": ["letter", "crescent", "heart"]}}}""").build())
                .build());
        assertThat(direct.json())
                .isEqualTo(Map.of(
                        "colour", result.content().colour().name(),
                        "shape", result.content().shape().name()));
        Answer answer = ((LangBridgeChatResponseMetadata) result.finalResponse().metadata()).answer();
        assertThat(answer.probability("/colour")).isBetween(0.1, 0.99);
        assertThat(result.tokenUsage().outputTokenCount())
                .isEqualTo(answer.usage().newTokens());
        assertThat(result.tokenUsage().inputTokenCount())
                .isEqualTo(direct.usage().promptTokens());
        assertThat(result.finishReason()).isEqualTo(FinishReason.STOP);
    }

    @Test
    void servicesAnswerRight() {
        Viewer viewer = AiServices.create(Viewer.class, LangBridgeChatModel.of(model));
        assertThat(viewer.ask("What is on the right?", picture()))
                .contains("purple")
                .contains("crescent");
        assertThat(viewer.ask("What color is the heart?", picture())).isEqualTo("yellow");
    }

    @Test
    void aMemoryKeepsThePicture() {
        Viewer viewer = AiServices.builder(Viewer.class)
                .chatModel(LangBridgeChatModel.of(model))
                .chatMemory(MessageWindowChatMemory.withMaxMessages(10))
                .build();
        viewer.ask("What is on the right?", picture());
        assertThat(viewer.ask("What color is the heart?")).isEqualTo("yellow");
    }

    @Test
    void piecesOfAStreamAreTheWholeAnswer() throws Exception {
        Viewer viewer = AiServices.builder(Viewer.class)
                .streamingChatModel(LangBridgeStreamingChatModel.of(model))
                .build();
        List<String> pieces = new ArrayList<>();
        CompletableFuture<ChatResponse> response = new CompletableFuture<>();
        viewer.stream("Describe the picture.", picture())
                .onPartialResponse(pieces::add)
                .onCompleteResponse(response::complete)
                .onError(response::completeExceptionally)
                .start();
        String text = response.get(60, TimeUnit.SECONDS).aiMessage().text();
        assertThat(text).contains("letter E").contains("yellow heart");
        assertThat(pieces).hasSizeGreaterThan(5);
        assertThat(String.join("", pieces)).isEqualTo(text);
    }

    @Test
    void severalPicturesCostTheirTokens() {
        LangBridgeChatModel chat = LangBridgeChatModel.of(model);
        ChatResponse two = chat.chat(UserMessage.from(picture(), picture(), TextContent.from("What is on the right?")));
        assertThat(((LangBridgeChatResponseMetadata) two.metadata())
                        .answer()
                        .usage()
                        .visualTokens())
                .isEqualTo(2 * 64);
    }

    private static String held(JsonSchemaElement root) {
        return LangBridgeChatModel.of(model)
                .chat(ChatRequest.builder()
                        .messages(UserMessage.from(picture(), TextContent.from("What is on the right?")))
                        .maxOutputTokens(120)
                        .responseFormat(ResponseFormat.builder()
                                .type(ResponseFormatType.JSON)
                                .jsonSchema(JsonSchema.builder()
                                        .name("Answer")
                                        .rootElement(root)
                                        .build())
                                .build())
                        .build())
                .aiMessage()
                .text();
    }

    @Test
    void everyElementOfASchemaIsUnderstood() {
        JsonObjectSchema schema = JsonObjectSchema.builder()
                .addProperty(
                        "kind",
                        JsonEnumSchema.builder().enumValues("a \"b\"\\\n").build())
                .addProperty("none", new JsonNullSchema())
                .addProperty("sure", new JsonBooleanSchema())
                .addProperty("raw", JsonRawSchema.from("{\"const\": 3}"))
                .addProperty(
                        "way",
                        JsonAnyOfSchema.builder()
                                .anyOf(JsonReferenceSchema.builder()
                                        .reference("one/two")
                                        .build())
                                .build())
                .required("kind", "none", "sure", "raw", "way")
                .additionalProperties(false)
                .definitions(Map.of(
                        "one/two", JsonEnumSchema.builder().enumValues("x").build()))
                .build();
        assertThat(held(schema))
                .matches("\\Q{\"kind\": \"a \\\"b\\\"\\\\\\n\", \"none\": null, \"sure\": \\E(true|false)"
                        + "\\Q, \"raw\": 3, \"way\": \"x\"}\\E");
        assertThat(held(JsonArraySchema.builder()
                        .items(JsonObjectSchema.builder()
                                .addProperty("shape", new JsonStringSchema())
                                .addProperty("count", new JsonIntegerSchema())
                                .addProperty("size", new JsonNumberSchema())
                                .build())
                        .build()))
                .startsWith("[");
    }

    @Test
    void aSchemaThatCannotBeHeldIsRefusedByItsKeyword() {
        assertThatThrownBy(() -> held(JsonRawSchema.from("{\"type\": \"object\", \"minProperties\": 1}")))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("minProperties")
                .hasCauseInstanceOf(PromptException.class);
        assertThatThrownBy(() -> held(JsonArraySchema.builder().build()))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("items");
    }
}
