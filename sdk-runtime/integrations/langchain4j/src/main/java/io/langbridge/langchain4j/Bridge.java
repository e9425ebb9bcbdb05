package io.langbridge.langchain4j;

import static dev.langchain4j.model.chat.Capability.RESPONSE_FORMAT_JSON_SCHEMA;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import io.langbridge.Answer;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.ImageLimits;
import io.langbridge.Message;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.net.URI;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** From LangChain4j's requests to ours and from our answers to its responses. Immutable. */
final class Bridge {
    static final Set<Capability> CAPABILITIES = Set.of(RESPONSE_FORMAT_JSON_SCHEMA);

    private final VisionLanguageModel model;
    private final String modelName;
    private final LangBridgeChatRequestParameters defaults;
    private final List<ChatModelListener> listeners;
    private final @Nullable Function<URI, Image> imageFetcher;
    private final ImageLimits imageLimits;
    private final boolean keepOrder;

    Bridge(
            VisionLanguageModel model,
            String modelName,
            @Nullable ChatRequestParameters defaults,
            List<ChatModelListener> listeners,
            @Nullable Function<URI, Image> imageFetcher,
            ImageLimits imageLimits,
            boolean keepOrder) {
        this.model = model;
        this.modelName = modelName;
        this.listeners = listeners;
        this.imageFetcher = imageFetcher;
        this.imageLimits = imageLimits;
        this.keepOrder = keepOrder;
        LangBridgeChatRequestParameters.Builder all =
                LangBridgeChatRequestParameters.builder().modelName(modelName);
        this.defaults = (defaults == null ? all : all.overrideWith(defaults)).build();
        GenerationOptions unused = options(this.defaults);
    }

    VisionLanguageModel model() {
        return model;
    }

    LangBridgeChatRequestParameters defaults() {
        return defaults;
    }

    List<ChatModelListener> listeners() {
        return listeners;
    }

    private static UnsupportedFeatureException unsupported(String what, String next) {
        return new UnsupportedFeatureException(what + " is not supported by LangBridge; " + next);
    }

    /**
     * Refuses what cannot be done, without reading a picture.
     *
     * @throws UnsupportedFeatureException names it
     */
    void check(List<ChatMessage> messages, ChatRequestParameters parameters) {
        GenerationOptions unused = options(parameters);
        for (int i = 0; i < messages.size(); i++) {
            ChatMessage message = messages.get(i);
            if (message instanceof UserMessage user) {
                check(user);
            } else if (message instanceof AiMessage answer) {
                check(answer);
            } else if (!(message instanceof SystemMessage)) {
                throw unsupported(
                        "A message of the type " + message.type() + " (tools included)",
                        "give system messages, user messages and answers");
            } else if (i > 0) {
                throw unsupported(
                        "A system message that is not the first message", "put later instructions into a user message");
            }
        }
        if (!(messages.get(messages.size() - 1) instanceof UserMessage)) {
            throw unsupported("A conversation that does not end with a user message", "let the user speak last");
        }
    }

    private void check(UserMessage message) {
        if (message.name() != null) {
            throw unsupported("The name of a user message ('" + message.name() + "')", "put it into the text");
        }
        for (Content content : message.contents()) {
            if (content instanceof ImageContent image) {
                check(image);
            } else if (!(content instanceof TextContent)) {
                throw unsupported(
                        "Content of the type " + content.type().toString().toLowerCase(Locale.ROOT),
                        "give texts and pictures");
            }
        }
    }

    private void check(ImageContent content) {
        ImageContent.DetailLevel level = content.detailLevel();
        // LOW is what a picture has whose level nobody chose.
        if (level != ImageContent.DetailLevel.LOW && level != ImageContent.DetailLevel.AUTO) {
            throw unsupported(
                    "The detail level " + level + " of an image",
                    "how finely pictures are looked at is said where the model is loaded, with maxVisualTokens(..)");
        }
        URI address = content.image().url();
        if (content.image().base64Data() == null && address == null) {
            throw unsupported("An image without data and without an address", "give one of them");
        }
        if (content.image().base64Data() == null && !isData(address) && imageFetcher == null && !isFile(address)) {
            throw unsupported(
                    "The address of an image, " + shown(address) + ",",
                    "nothing is fetched from a network unless the model is built with imageFetcher(..). Give the"
                            + " picture as Base64, as a data: or a file: address");
        }
    }

    private static boolean isData(URI address) {
        return "data".equalsIgnoreCase(address.getScheme());
    }

    private static boolean isFile(URI address) {
        return "file".equalsIgnoreCase(address.getScheme());
    }

    /** Without what may be a secret. */
    private static String shown(URI address) {
        return address.getHost() == null
                ? address.getScheme() + ":.."
                : address.getScheme() + "://" + address.getHost() + "/..";
    }

    private static void check(AiMessage message) {
        if (message.hasToolExecutionRequests()) {
            throw unsupported("A message that calls tools", "answer without them");
        }
        if (!message.images().isEmpty()) {
            throw unsupported("A picture in an answer", "show it in a user message");
        }
    }

    private GenerationOptions options(ChatRequestParameters parameters) {
        if (parameters.modelName() != null && !parameters.modelName().equals(modelName)) {
            throw unsupported(
                    "The parameter modelName = '" + parameters.modelName() + "'",
                    "this is the model '" + modelName + "' and no other");
        }
        if (parameters.toolChoice() == ToolChoice.REQUIRED) {
            throw unsupported("ToolChoice.REQUIRED", "ask without tools");
        }
        if (!parameters.toolSpecifications().isEmpty()) {
            throw unsupported(
                    parameters.toolSpecifications().stream()
                            .map(tool -> tool.name())
                            .collect(Collectors.joining(", ", "The use of tools (", ")")),
                    "ask without them");
        }
        GenerationOptions base = parameters instanceof LangBridgeChatRequestParameters own ? own.options() : null;
        GenerationOptions.Builder options = (base == null ? GenerationOptions.defaults() : base).toBuilder();
        try {
            set(parameters, options);
        } catch (IllegalArgumentException e) {
            throw new InvalidRequestException("A parameter of the request cannot be used: " + e.getMessage(), e);
        }
        return options.build();
    }

    private static void set(ChatRequestParameters parameters, GenerationOptions.Builder options) {
        if (parameters.temperature() != null) {
            options.temperature(parameters.temperature());
        }
        if (parameters.topP() != null) {
            options.topP(parameters.topP());
        }
        if (parameters.topK() != null) {
            options.topK(parameters.topK());
        }
        if (parameters.frequencyPenalty() != null) {
            options.frequencyPenalty(parameters.frequencyPenalty());
        }
        if (parameters.presencePenalty() != null) {
            options.presencePenalty(parameters.presencePenalty());
        }
        if (parameters.maxOutputTokens() != null) {
            options.maxNewTokens(parameters.maxOutputTokens());
        }
        if (!parameters.stopSequences().isEmpty()) {
            options.stopStrings(parameters.stopSequences().toArray(new String[0]));
        }
        ResponseFormat format = parameters.responseFormat();
        if (format != null && format.type() == ResponseFormatType.JSON) {
            if (format.jsonSchema() == null) {
                throw unsupported("The JSON response format without a schema", "give a JSON Schema");
            }
            options.jsonSchema(SchemaText.of(format.jsonSchema()));
        }
    }

    /** The request; pictures at addresses are fetched here. */
    Request request(ChatRequest chat) {
        List<Message> messages = new ArrayList<>();
        for (ChatMessage message : chat.messages()) {
            if (message instanceof SystemMessage system) {
                messages.add(new Message(Message.Role.SYSTEM, List.of(new Message.Text(system.text()))));
            } else if (message instanceof AiMessage answer) {
                messages.add(Message.assistant(Objects.requireNonNullElse(answer.text(), "")));
            } else {
                messages.add(turn((UserMessage) message));
            }
        }
        return Request.builder()
                .messages(messages)
                .options(options(chat.parameters()))
                .build();
    }

    private Message turn(UserMessage message) {
        List<Message.Part> pictures = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        List<Message.Part> inOrder = new ArrayList<>();
        for (Content content : message.contents()) {
            if (content instanceof ImageContent image) {
                Message.Part picture = new Message.ImagePart(image(image.image()));
                pictures.add(picture);
                inOrder.add(picture);
            } else {
                String text = ((TextContent) content).text();
                texts.add(text);
                inOrder.add(new Message.Text(text));
            }
        }
        if (!keepOrder && !texts.isEmpty()) {
            pictures.add(new Message.Text(String.join("\n", texts)));
        }
        try {
            return new Message(Message.Role.USER, keepOrder ? inOrder : pictures);
        } catch (IllegalArgumentException e) {
            throw new InvalidRequestException(e.getMessage(), e);
        }
    }

    private Image image(dev.langchain4j.data.image.Image image) {
        if (image.base64Data() != null) {
            return Image.ofDataUri("data:;base64," + image.base64Data(), imageLimits);
        }
        URI address = image.url();
        if (isData(address)) {
            return Image.ofDataUri(address.toString(), imageLimits);
        }
        if (imageFetcher != null) {
            return Objects.requireNonNull(imageFetcher.apply(address), "what imageFetcher(..) gives");
        }
        try {
            return Image.of(Path.of(address), imageLimits);
        } catch (IllegalArgumentException | FileSystemNotFoundException e) {
            throw new InvalidRequestException("The image address " + address + " names no file: " + e.getMessage(), e);
        }
    }

    /**
     * A response.
     *
     * @throws dev.langchain4j.exception.LangChain4jException if the answer was ended before its time
     */
    ChatResponse response(Answer answer) {
        Failures.requireWhole(answer);
        AiMessage message = AiMessage.builder()
                .text(answer.text())
                .thinking(answer.thinking().isEmpty() ? null : answer.thinking())
                .build();
        Answer.Usage usage = answer.usage();
        return ChatResponse.builder()
                .aiMessage(message)
                .metadata(LangBridgeChatResponseMetadata.builder()
                        .id(UUID.randomUUID().toString())
                        .modelName(modelName)
                        .tokenUsage(new TokenUsage(usage.promptTokens(), usage.newTokens()))
                        .finishReason(reason(answer.finishReason()))
                        .answer(answer)
                        .build())
                .build();
    }

    private static FinishReason reason(io.langbridge.FinishReason reason) {
        return switch (reason) {
            case STOP_TOKEN, STOP_STRING -> FinishReason.STOP;
            case MAX_NEW_TOKENS, CONTEXT_FULL -> FinishReason.LENGTH;
            case CANCELLED, TIMED_OUT -> FinishReason.OTHER;
        };
    }
}
