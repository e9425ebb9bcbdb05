package io.langbridge.examples.chat;

import io.langbridge.AnswerStream;
import io.langbridge.Chat;
import io.langbridge.Image;
import io.langbridge.LangBridgeException;
import io.langbridge.VisionLanguageModel;
import io.langbridge.hub.Hub;
import io.langbridge.runtime.demo.DemoModel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;

/** A chat about a picture in a terminal: {@code chat PICTURE [MODEL]}. An empty line ends it. */
public final class PictureChat {
    private PictureChat() {}

    /**
     * Runs.
     *
     * @param args a picture; a folder or a name on Hugging Face, or nothing for the bundled model
     * @throws IOException if the terminal cannot be read
     */
    public static void main(String[] args) throws IOException {
        if (args.length != 1 && args.length != 2) {
            System.err.println("chat PICTURE [FOLDER or ORG/NAME]");
            System.exit(2);
        }
        try (DemoModel demo = args.length == 1 ? DemoModel.open() : null;
                VisionLanguageModel model = demo != null ? open(demo) : open(args[1]);
                Chat chat = model.chat()) {
            talk(chat, Image.of(Path.of(args[0])));
        } catch (LangBridgeException | IllegalArgumentException e) { // the second for no name of a model
            System.err.println("chat: " + e.getMessage());
            System.exit(1);
        }
    }

    private static VisionLanguageModel open(String model) {
        Path folder = Path.of(model);
        return VisionLanguageModel.load(Files.isDirectory(folder) ? folder : Hub.get(model));
    }

    private static VisionLanguageModel open(DemoModel demo) {
        return VisionLanguageModel.builder()
                .encoder(demo.encoder())
                .adapter(demo.adapter())
                .llm(demo.llm())
                .withoutCache()
                .build();
    }

    private static void talk(Chat chat, Image image) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        System.out.print("> ");
        String question = lines.readLine();
        while (question != null && !question.isBlank()) {
            // The picture goes with the first question; the chat keeps it, and all that was said.
            boolean first = chat.messages().isEmpty();
            try (AnswerStream answer = first ? chat.stream(image, question) : chat.stream(question)) {
                for (AnswerStream.Piece piece : answer) {
                    System.out.print(piece.text());
                    System.out.flush();
                }
            }
            System.out.print("\n> ");
            question = lines.readLine();
        }
        System.out.println();
    }
}
