package io.langbridge.runtime.core.prompt;

import io.langbridge.LangBridgeException;
import io.langbridge.Message;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a chat template takes the content of a message. Found out by rendering, because templates that take a list of
 * parts need not write anything for a picture in it, or write the placeholder of another model.
 */
enum MessageForm {
    /** A list of parts; the template writes the placeholder itself, as those of multimodal models do. */
    PARTS,
    /** One text in which we write the placeholders. */
    TEXT,
    /** A list with one part, a text in which we write the placeholders. */
    TEXT_PART;

    private static final String PROBE = "langbridge-probe-2b9d";

    /**
     * The form that shows the template a picture.
     *
     * @param image the placeholder
     */
    static MessageForm of(ChatTemplate template, String image) {
        if (!template.takesContentParts()) {
            return TEXT;
        }
        for (MessageForm form : values()) {
            if (form.shows(template, image)) {
                return form;
            }
        }
        return PARTS;
    }

    /** Whether a question about a picture is written with one placeholder, before its words. */
    private boolean shows(ChatTemplate template, String image) {
        Object content = this == PARTS ? Arrays.asList(picture(), text(PROBE)) : content(image + "\n" + PROBE);
        try {
            String prompt =
                    template.render(Collections.singletonList(turn("user", content)), true, Collections.emptyMap());
            int at = prompt.indexOf(image);
            return at >= 0 && prompt.indexOf(image, at + 1) < 0 && prompt.indexOf(PROBE) > at;
        } catch (LangBridgeException e) {
            return false;
        }
    }

    /** Whether the template writes pictures itself. */
    boolean isNative() {
        return this == PARTS;
    }

    /** A message of words alone. */
    Map<String, Object> message(String role, String words) {
        return turn(role, content(words));
    }

    /** A message of the user that has a picture between words; for templates that write pictures. */
    Map<String, Object> around(String before, String after) {
        return turn("user", Arrays.asList(text(before), picture(), text(after)));
    }

    /**
     * A message.
     *
     * @param words the texts of the message, marked; as many as it has parts that are no pictures
     * @param image the placeholder
     */
    Map<String, Object> message(String role, Message message, List<String> words, String image) {
        if (this == PARTS) {
            List<Map<String, Object>> parts = new ArrayList<>();
            int next = 0;
            for (Message.Part part : message.parts()) {
                parts.add(PromptAssembler.isPicture(part) ? picture() : text(words.get(next++)));
            }
            return turn(role, parts);
        }
        // LLaVA puts pictures and a line break before the question.
        StringBuilder content = new StringBuilder();
        int next = 0;
        for (Message.Part part : message.parts()) {
            if (PromptAssembler.isPicture(part)) {
                content.append(image).append(next == 0 ? "\n" : "");
            } else {
                content.append(words.get(next++));
            }
        }
        return turn(role, content(content.toString()));
    }

    private Object content(String words) {
        return this == TEXT ? words : Collections.singletonList(text(words));
    }

    private static Map<String, Object> turn(String role, Object content) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }

    private static Map<String, Object> text(String words) {
        Map<String, Object> part = new LinkedHashMap<>();
        part.put("type", "text");
        part.put("text", words);
        return part;
    }

    private static Map<String, Object> picture() {
        return Collections.singletonMap("type", "image");
    }
}
