package io.langbridge.runtime.core.model;

import io.langbridge.Message;
import io.langbridge.PromptException;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Turns a conversation into the pieces of a prompt. Words are taken literally wherever they come from a user: neither
 * placeholders nor a special token in them has an effect. Thread-safe.
 */
public final class PromptAssembler {
    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    private final String image;

    /**
     * Creates an assembler.
     *
     * @param image stands for a picture in the rendered text, usually {@code <image>}
     */
    public PromptAssembler(Tokenizer tokenizer, ChatTemplate template, String image) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.image = image;
    }

    /**
     * Token ids between the pictures.
     *
     * @return one entry more than there are pictures; an entry may be empty
     */
    List<int[]> assemble(List<Message> messages) {
        int pictures = 0;
        for (Message message : messages) {
            for (Message.Part part : message.parts()) {
                pictures += part instanceof Message.Text ? 0 : 1;
            }
        }
        List<int[]> pieces = split(render(messages, true), false);
        if (pieces.size() - 1 != pictures) {
            throw new PromptException(
                    "The request has " + pictures + " picture(s), but the chat template gives place to "
                            + (pieces.size() - 1) + "; "
                            + (template.takesContentParts()
                                    ? "it may allow fewer pictures per turn, ask about them one by one"
                                    : "it may drop or rewrite messages, put the pictures into the last turn"));
        }
        return pieces;
    }

    /**
     * The conversation in the words of the chat template, with a placeholder for every picture and the users' words
     * guarded, see {@link #split}.
     *
     * @param addGenerationPrompt whether to end with the words that begin the assistant's answer
     */
    public String render(List<Message> messages, boolean addGenerationPrompt) {
        List<Map<String, Object>> rendered = new ArrayList<>();
        for (Message message : messages) {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("role", message.role().name().toLowerCase(Locale.ROOT));
            map.put("content", template.takesContentParts() ? contentParts(message) : contentText(message));
            rendered.add(map);
        }
        return template.render(rendered, addGenerationPrompt, Collections.emptyMap());
    }

    /**
     * Splits a rendered prompt at the placeholders and tokenizes the pieces one by one, so that no token spans a
     * picture; a begin token is added only at the start.
     *
     * @param addSpecialTokens whether the tokenizer's post-processor adds its tokens; false for a rendered chat
     *     template, which writes them itself
     * @return one entry more than there are pictures; an entry may be empty
     */
    public List<int[]> split(String text, boolean addSpecialTokens) {
        List<int[]> pieces = new ArrayList<>();
        int from = 0;
        while (true) {
            int at = text.indexOf(image, from);
            String piece = text.substring(from, at < 0 ? text.length() : at);
            boolean first = from == 0;
            pieces.add(piece.isEmpty() && !first ? new int[0] : tokenizer.encode(piece, addSpecialTokens && first));
            if (at < 0) {
                return pieces;
            }
            from = at + image.length();
        }
    }

    /** For templates of transformers' multimodal models, which place the pictures themselves. */
    private List<Map<String, Object>> contentParts(Message message) {
        List<Map<String, Object>> parts = new ArrayList<>();
        for (Message.Part part : message.parts()) {
            Map<String, Object> map = new LinkedHashMap<>();
            if (part instanceof Message.Text text) {
                map.put("type", "text");
                map.put("text", guard(text));
            } else {
                map.put("type", "image");
            }
            parts.add(map);
        }
        return parts;
    }

    /** For templates of plain language models: LLaVA puts pictures and a line break before the question. */
    private String contentText(Message message) {
        StringBuilder content = new StringBuilder();
        boolean leading = true;
        for (Message.Part part : message.parts()) {
            if (part instanceof Message.Text text) {
                content.append(guard(text));
                leading = false;
            } else {
                content.append(image).append(leading ? "\n" : "");
            }
        }
        return content.toString();
    }

    private String guard(Message.Text text) {
        return tokenizer.guard(text.text(), Collections.singleton(image));
    }
}
