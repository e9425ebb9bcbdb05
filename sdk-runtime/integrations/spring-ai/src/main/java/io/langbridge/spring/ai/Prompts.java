package io.langbridge.spring.ai;

import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.ImageLimits;
import io.langbridge.Message;
import io.langbridge.Request;
import java.net.URI;
import java.net.URL;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;

/**
 * From Spring AI's prompts to our requests.
 *
 * @param modelName the only one that a prompt may name
 * @param imageFetcher gets pictures at addresses that are no data, or null to read files and nothing else
 * @param imageLimits for all others
 */
record Prompts(String modelName, @Nullable Function<URI, Image> imageFetcher, ImageLimits imageLimits) {
    static UnsupportedOperationException unsupported(String what, String next) {
        return new UnsupportedOperationException(what + " is not supported by LangBridge; " + next);
    }

    /**
     * The request. Everything that cannot be done is refused before a picture is read or fetched.
     *
     * @throws UnsupportedOperationException names it
     */
    Request request(Prompt prompt) {
        GenerationOptions options = options(prompt);
        List<org.springframework.ai.chat.messages.Message> all = prompt.getInstructions();
        for (int i = 0; i < all.size(); i++) {
            check(all.get(i), i);
        }
        if (!(all.get(all.size() - 1) instanceof UserMessage)) {
            throw unsupported("A prompt that does not end with a user message", "let the user speak last");
        }
        List<Message> messages = new ArrayList<>();
        for (org.springframework.ai.chat.messages.Message message : all) {
            String text = Objects.requireNonNullElse(message.getText(), "");
            if (message instanceof UserMessage user) {
                messages.add(turn(user, text));
            } else if (message instanceof AssistantMessage) {
                messages.add(Message.assistant(text));
            } else {
                messages.add(new Message(Message.Role.SYSTEM, List.of(new Message.Text(text))));
            }
        }
        return Request.builder().messages(messages).options(options).build();
    }

    private void check(org.springframework.ai.chat.messages.Message message, int place) {
        if (message instanceof UserMessage user) {
            user.getMedia().forEach(this::check);
        } else if (message instanceof AssistantMessage answer) {
            if (answer.hasToolCalls()) {
                throw unsupported("An answer that calls tools", "answer without them");
            }
            if (!answer.getMedia().isEmpty()) {
                throw unsupported("A picture in an answer", "show it in a user message");
            }
        } else if (!(message instanceof SystemMessage)) {
            throw unsupported(
                    "A message of the type " + message.getMessageType() + " (tools included)",
                    "give system messages, user messages and answers");
        } else if (place > 0) {
            throw unsupported(
                    "A system message that is not the first message", "put later instructions into a user message");
        }
    }

    private void check(Media media) {
        String type = media.getMimeType().getType().toLowerCase(Locale.ROOT);
        if (!type.equals("image") && !type.equals("*")) {
            throw unsupported("Media of the type " + media.getMimeType(), "give pictures");
        }
        URI address = address(media);
        if (address != null && imageFetcher == null && !"file".equalsIgnoreCase(address.getScheme())) {
            throw unsupported(
                    "The address of an image, " + address.getScheme() + "://" + address.getHost() + "/..,",
                    "nothing is fetched from a network unless the model is built with imageFetcher(..). Give the"
                            + " picture as a resource, as bytes, as a data: or a file: address");
        }
    }

    /** Where the picture is, or null if it is here. A colon is none of Base64's characters. */
    private static @Nullable URI address(Media media) {
        Object data = media.getData();
        String text = data instanceof URL || data instanceof String ? data.toString() : "";
        if (text.indexOf(':') < 0 || text.regionMatches(true, 0, "data:", 0, "data:".length())) {
            return null;
        }
        try {
            return URI.create(text);
        } catch (IllegalArgumentException e) {
            throw new ImageException("The address of an image cannot be read: " + e.getMessage(), e);
        }
    }

    private Message turn(UserMessage message, String text) {
        List<Message.Part> parts = new ArrayList<>();
        for (Media media : message.getMedia()) {
            parts.add(new Message.ImagePart(image(media)));
        }
        if (!text.isEmpty()) {
            parts.add(new Message.Text(text));
        }
        return new Message(Message.Role.USER, parts);
    }

    private Image image(Media media) {
        URI address = address(media);
        if (address == null) {
            if (media.getData() instanceof byte[] bytes) {
                return Image.of(bytes, imageLimits);
            }
            String text = media.getData().toString();
            return Image.ofDataUri(text.indexOf(':') < 0 ? "data:;base64," + text : text, imageLimits);
        }
        if (imageFetcher != null) {
            return Objects.requireNonNull(imageFetcher.apply(address), "what imageFetcher(..) gives");
        }
        try {
            return Image.of(Path.of(address), imageLimits);
        } catch (IllegalArgumentException | FileSystemNotFoundException e) {
            throw new ImageException("The address of an image, " + address + ", names no file: " + e.getMessage(), e);
        }
    }

    private GenerationOptions options(Prompt prompt) {
        LangBridgeChatOptions given = prompt.getOptions() == null
                ? LangBridgeChatOptions.builder().build()
                : LangBridgeChatOptions.builder()
                        .combineWith(prompt.getOptions())
                        .build();
        if (given.getModel() != null && !given.getModel().equals(modelName)) {
            throw unsupported(
                    "The option model = '" + given.getModel() + "'",
                    "this is the model '" + modelName + "' and no other");
        }
        GenerationOptions.Builder options =
                Objects.requireNonNullElse(given.getOptions(), GenerationOptions.defaults()).toBuilder();
        if (given.getTemperature() != null) {
            options.temperature(given.getTemperature());
        }
        if (given.getTopP() != null) {
            options.topP(given.getTopP());
        }
        if (given.getTopK() != null) {
            options.topK(given.getTopK());
        }
        if (given.getFrequencyPenalty() != null) {
            options.frequencyPenalty(given.getFrequencyPenalty());
        }
        if (given.getPresencePenalty() != null) {
            options.presencePenalty(given.getPresencePenalty());
        }
        if (given.getMaxTokens() != null) {
            options.maxNewTokens(given.getMaxTokens());
        }
        if (given.getStopSequences() != null && !given.getStopSequences().isEmpty()) {
            options.stopStrings(given.getStopSequences().toArray(new String[0]));
        }
        if (given.getOutputSchema() != null) {
            options.jsonSchema(given.getOutputSchema());
        }
        return options.build();
    }
}
