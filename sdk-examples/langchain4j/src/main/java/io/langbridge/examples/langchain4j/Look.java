package io.langbridge.examples.langchain4j;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.UserMessage;
import io.langbridge.VisionLanguageModel;
import io.langbridge.langchain4j.LangBridgeChatModel;
import io.langbridge.runtime.demo.DemoModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** Asks a picture in words and makes a record of it: {@code Look [MODEL_FOLDER [PICTURE]]}. */
public final class Look {
    enum Colour {
        RED,
        YELLOW,
        GREEN,
        BLUE,
        PURPLE,
        BROWN,
        OTHER
    }

    enum Kind {
        SHAPE,
        LETTER,
        DIGIT,
        OTHER
    }

    /** What is not required, a model may leave out. */
    record Thing(
            @JsonProperty(required = true) Colour colour,
            @JsonProperty(required = true) Kind kind) {}

    interface Viewer {
        @UserMessage("What is on the right?")
        String describe(@UserMessage ImageContent picture);

        @UserMessage("Which colour has the thing on the right, and is it a shape, a letter or a digit?")
        Thing look(@UserMessage ImageContent picture);
    }

    private Look() {}

    public static void main(String... args) throws IOException {
        try (DemoModel demo = DemoModel.open();
                VisionLanguageModel model = args.length > 0
                        ? VisionLanguageModel.load(Path.of(args[0]))
                        : VisionLanguageModel.builder()
                                .encoder(demo.encoder())
                                .adapter(demo.adapter())
                                .llm(demo.llm())
                                .build()) {
            ChatModel chat = LangBridgeChatModel.of(model);
            Viewer viewer = AiServices.create(Viewer.class, chat);
            ImageContent picture = ImageContent.from(Base64.getEncoder().encodeToString(picture(args)), "image/png");
            System.out.println(viewer.describe(picture));
            System.out.println(viewer.look(picture));
        }
    }

    private static byte[] picture(String... args) throws IOException {
        if (args.length > 1) {
            return Files.readAllBytes(Path.of(args[1]));
        }
        try (InputStream bundled = Look.class.getResourceAsStream("/picture.png")) {
            return bundled.readAllBytes();
        }
    }
}
