package io.langbridge.langchain4j;

import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import io.langbridge.Image;
import io.langbridge.Message;
import io.langbridge.Request;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A fake that knows what LangChain4j's suites ask, and which of their pictures it was shown: it compares pixels, so
 * that a picture that did not arrive has no name here.
 */
final class ScriptedModel {
    /** Their pictures lie beside them in their jar. */
    private static final Map<String, Image> PICTURES = pictures();

    private ScriptedModel() {}

    static FakeModel open() {
        return FakeModel.builder()
                .otherwise(request -> FakeAnswer.of(answer(request)))
                .build();
    }

    private static String answer(Request request) {
        String question = request.messages().get(request.messages().size() - 1).text();
        String conversation = request.messages().stream().map(Message::text).reduce("", (a, b) -> a + "\n" + b);
        if (question.contains("see")) {
            return "I see " + seen(request) + ".";
        } else if (request.options().jsonSchema() != null) {
            return request.options().jsonSchema().contains("city") ? "{\"city\": \"Berlin\"}" : "null";
        } else if (question.contains("How much is 2 + 2")) {
            return "The capital of Germany is Berlin, and 2 + 2 are 4.";
        } else if (question.contains("capital of Germany")) {
            return "It is Berlin.";
        } else if (question.contains("Hello World")) {
            return "Hello World";
        } else if (conversation.contains("into German")) {
            return "Ich liebe dich";
        } else if (question.contains("favorite color")) {
            return conversation.contains("color is green\nHi, nice to meet you") ? "It is green." : "I do not know.";
        } else if (question.contains("long story")) {
            return "Once upon a time there was a fox who lived in a wood with a hare.";
        }
        return "Hello to you, whoever you may be.";
    }

    private static String seen(Request request) {
        StringBuilder seen = new StringBuilder();
        for (Message message : request.messages()) {
            for (Message.Part part : message.parts()) {
                if (part instanceof Message.ImagePart picture) {
                    seen.append(seen.isEmpty() ? "a " : " and a ").append(name(picture.image()));
                }
            }
        }
        return seen.isEmpty() ? "nothing" : seen.toString();
    }

    private static String name(Image shown) {
        byte[] pixels = shown.pixels().toByteArray();
        return PICTURES.entrySet().stream()
                .filter(known -> Arrays.equals(pixels, known.getValue().pixels().toByteArray()))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElse("picture that nobody knows");
    }

    private static Map<String, Image> pictures() {
        Map<String, Image> pictures = new LinkedHashMap<>();
        for (String name : new String[] {"cat", "dice"}) {
            pictures.put(name, Image.of(bytes(name)));
        }
        return pictures;
    }

    private static byte[] bytes(String name) {
        try (InputStream in = AbstractChatModelIT.class.getResourceAsStream("/images/" + name + ".jpg")) {
            return Objects.requireNonNull(in, name).readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** In place of the address of a picture in the net, which the suites would have fetched. */
    static String fileAddress(Path folder, String name) {
        try {
            return Files.write(folder.resolve(name + ".jpg"), bytes(name))
                    .toUri()
                    .toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
