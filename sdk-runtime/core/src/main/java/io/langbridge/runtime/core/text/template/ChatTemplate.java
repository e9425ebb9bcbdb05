package io.langbridge.runtime.core.text.template;

import io.langbridge.CheckpointException;
import io.langbridge.LangBridgeException;
import io.langbridge.runtime.core.text.TokenizerConfigFile;
import io.langbridge.runtime.core.text.template.Nodes.Statement;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The chat template of a checkpoint: turns messages into the text the model was trained on.
 *
 * <p>Templates are written for Jinja2 as transformers sets it up. They are run by a small interpreter of their own
 * kind: jinjava, the one maintained Jinja for Java, renders half of the constructs that published templates use
 * differently ({@code True} as {@code true}, JSON without blanks, white space control) and cannot read a slice with a
 * step, and it brings 26 further libraries. Values are Python's as far as templates show it; nothing of Java can be
 * reached from a template, and its time, memory and depth are bounded.
 *
 * <p>Immutable and thread-safe; holds no resources.
 *
 * @since 0.1
 */
public final class ChatTemplate {
    /** A text that no template writes by itself. */
    private static final String PROBE = "langbridge-probe-7f3a";

    private final String source;
    private final List<Statement> statements;
    private final String where;
    private final Map<String, Object> defaults;

    private ChatTemplate(String source, String where, Map<String, ?> defaults) {
        this.source = source;
        this.statements = Parser.parse(source, where);
        this.where = where;
        this.defaults = Collections.unmodifiableMap(new LinkedHashMap<>(defaults));
    }

    /**
     * Reads the template of a Hugging Face folder, in the order of transformers: the entry {@code chat_template} of
     * {@code processor_config.json}, {@code chat_template.json}, {@code chat_template.jinja} (beside which
     * {@code additional_chat_templates} may hold others), the entry {@code chat_template} of
     * {@code tokenizer_config.json}. Of several named templates the one called {@code default} is taken.
     *
     * @param folder a checkpoint; its named tokens ({@code bos_token}, {@code eos_token}, ...) become variables
     * @return null if the folder has no template
     * @throws CheckpointException if a file or the template is damaged, or none of several templates is called
     *     {@code default}
     * @throws io.langbridge.UnsupportedModelException if the template has a tag, filter or test that is not supported
     */
    public static @Nullable ChatTemplate of(Path folder) {
        TemplateFiles.Found found = TemplateFiles.find(folder);
        return found == null ? null : of(found.source(), found.where(), folder);
    }

    /**
     * A template that is at hand as text, for a checkpoint.
     *
     * @param source Jinja2
     * @param where named in errors
     * @param folder whose named tokens become variables
     * @throws CheckpointException if the template or a file with tokens is damaged
     * @throws io.langbridge.UnsupportedModelException if the template has a tag, filter or test that is not supported
     */
    public static ChatTemplate of(String source, String where, Path folder) {
        return new ChatTemplate(source, where, TokenizerConfigFile.namedTokens(folder));
    }

    /**
     * A template that is at hand as text.
     *
     * @param source Jinja2
     * @param where named in errors, usually a path
     * @return the template, without variables of its own
     * @throws CheckpointException if the template is damaged
     * @throws io.langbridge.UnsupportedModelException if it has a tag, filter or test that is not supported
     */
    public static ChatTemplate parse(String source, String where) {
        return new ChatTemplate(source, where, Collections.emptyMap());
    }

    /** Whether the template has these words, as a text or as the name of a variable. */
    public boolean mentions(String words) {
        return source.contains(words);
    }

    /** Where the template is, for messages. */
    public String where() {
        return where;
    }

    /**
     * Renders a conversation.
     *
     * @param messages maps with {@code role} and {@code content}; values are String, Boolean, numbers, List and Map
     * @param addGenerationPrompt whether to end with the words that begin the assistant's answer
     * @param extra further variables, for example {@code enable_thinking} or {@code tools}; they win over all others
     * @return the prompt, to be encoded without adding special tokens
     * @throws io.langbridge.PromptException if the template refuses the messages (with its own words) or cannot make
     *     sense of them
     * @throws io.langbridge.UnsupportedModelException if the template comes to a filter, test or method that is not
     *     supported
     */
    public String render(List<Map<String, Object>> messages, boolean addGenerationPrompt, Map<String, Object> extra) {
        Map<String, Object> variables = new LinkedHashMap<>();
        // Templates ask both "tools is defined" and "tools is not none"; the reference passes none.
        variables.put("tools", Values.None.NONE);
        variables.put("documents", Values.None.NONE);
        variables.put("messages", messages);
        variables.put("add_generation_prompt", addGenerationPrompt);
        variables.putAll(extra);
        return render(variables);
    }

    /**
     * Renders with exactly these variables, besides the named tokens of the checkpoint.
     *
     * @param variables String, Boolean, numbers, List, Map and null
     * @return the text
     * @throws io.langbridge.PromptException as for {@link #render(List, boolean, Map)}
     * @throws io.langbridge.UnsupportedModelException as for {@link #render(List, boolean, Map)}
     */
    public String render(Map<String, Object> variables) {
        Map<String, Object> all = new LinkedHashMap<>(defaults);
        all.putAll(variables);
        return Run.render(statements, all, where, new Budget());
    }

    /**
     * Whether a message's content may be a list of parts ({@code {"type": "image"}}, {@code {"type": "text", "text":
     * ...}}), as templates of native LLaVA models expect, rather than a string. Found out by rendering such a message.
     * A template that takes parts need not write anything for a picture.
     *
     * @return false if the template fails on parts or prints them as a list
     */
    public boolean takesContentParts() {
        Map<String, Object> text = new LinkedHashMap<>();
        text.put("type", "text");
        text.put("text", PROBE);
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("role", "user");
        message.put("content", Arrays.asList(Collections.singletonMap("type", "image"), text));
        try {
            String prompt = render(Collections.singletonList(message), true, Collections.emptyMap());
            return prompt.contains(PROBE)
                    && !prompt.contains("'" + PROBE + "'")
                    && !prompt.contains("\"" + PROBE + "\"");
        } catch (LangBridgeException e) {
            return false;
        }
    }
}
