package io.langbridge.spring.ai;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.EngineName;
import io.langbridge.VisionLanguageModel;
import io.langbridge.runtime.demo.DemoModel;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.converter.BeanOutputConverter;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.core.io.FileSystemResource;
import org.springframework.util.MimeTypeUtils;

/** The bundled model answers through Spring AI: nothing here is scripted. */
class DemoModelAnswersTest {
    /** A brown letter E, a purple crescent, a purple 7 and a yellow heart. */
    private static final Path PICTURE = Path.of("../../../sdk-examples/quickstart/src/main/resources/picture.png");

    private static DemoModel demo;
    private static VisionLanguageModel model;
    private static ChatClient client;

    @BeforeAll
    static void open() {
        demo = DemoModel.open();
        model = VisionLanguageModel.builder()
                .encoder(demo.encoder())
                .adapter(demo.adapter())
                .llm(demo.llm())
                .engine(EngineName.ONNX)
                .build();
        client = ChatClient.create(LangBridgeChatModel.of(model));
    }

    @AfterAll
    static void close() {
        model.close();
        demo.close();
    }

    private static ChatClient.ChatClientRequestSpec asked(String question) {
        return client.prompt()
                .user(user -> user.text(question).media(MimeTypeUtils.IMAGE_PNG, new FileSystemResource(PICTURE)));
    }

    @Test
    void answersRight() {
        assertThat(asked("What is on the right?").call().content()).isEqualTo("a purple crescent");
    }

    @Test
    void piecesAreTheWholeAnswer() {
        List<String> pieces =
                asked("Describe the picture.").stream().content().collectList().block();
        assertThat(pieces).hasSizeGreaterThan(5);
        assertThat(String.join("", pieces)).contains("letter E").contains("yellow heart");
    }

    enum Colour {
        brown,
        purple,
        yellow
    }

    record Place(boolean left, boolean above) {}

    record Thing(Colour colour, Place place, boolean sure) {}

    /** The model has not learnt JSON: a record has its form, and values that are guesses. */
    @Test
    void anEntityHasItsForm() {
        Thing thing = asked("What is on the right?")
                .call()
                .entity(Thing.class, ChatClient.EntityParamSpec::useProviderStructuredOutput);
        assertThat(thing).isNotNull();
        assertThat(thing.colour()).isNotNull();
        assertThat(thing.place()).isNotNull();
    }

    record Everything(
            int count,
            long many,
            double share,
            String name,
            List<Colour> colours,
            LocalDate day,
            Place place,
            List<Place> places) {}

    /** What Spring AI writes for a class is understood: a keyword that is not would be refused before anything runs. */
    @Test
    void schemasOfSpringAreUnderstood() {
        for (BeanOutputConverter<?> converter : List.of(
                new BeanOutputConverter<>(Everything.class),
                new BeanOutputConverter<>(new ParameterizedTypeReference<List<Thing>>() {}))) {
            String answer = asked("What is on the right?")
                    .options(LangBridgeChatOptions.builder()
                            .outputSchema(converter.getJsonSchema())
                            .maxTokens(20))
                    .call()
                    .content();
            assertThat(answer).matches("(?s)[{\\[].*");
        }
    }
}
