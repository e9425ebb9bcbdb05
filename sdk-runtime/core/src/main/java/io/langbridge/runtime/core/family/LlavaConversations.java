package io.langbridge.runtime.core.family;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The conversation forms of LLaVA's authors, who keep them in their code and choose one by the model's name: here as
 * chat templates, under the names that they have there. The words of a system message are those that the models saw in
 * training.
 */
final class LlavaConversations {
    private static final String VICUNA = "vicuna_v1";
    private static final String LLAVA = "llava_v1";
    private static final String MISTRAL = "mistral_instruct";
    private static final String CHATML = "chatml_direct";
    private static final String LLAMA_2 = "llava_llama_2";
    private static final String LLAMA_3 = "llava_llama_3";
    private static final String PLAIN = "plain";

    private static final String POLITE =
            " and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the ";

    private static final String VISUAL = "You are a helpful language and vision assistant. You are able to understand"
            + " the visual content that the user provides, and assist the user with a variety of tasks using natural"
            + " language.";

    private static final Map<String, String> TEMPLATES = templates();

    private LlavaConversations() {}

    private static Map<String, String> templates() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put(VICUNA, vicuna("A chat between a curious user" + POLITE + "user's questions."));
        all.put(LLAVA, vicuna("A chat between a curious human" + POLITE + "human's questions."));
        all.put(MISTRAL, bracketed("", ""));
        all.put(CHATML, chatml("Answer the questions."));
        all.put(LLAMA_2, bracketed(VISUAL, "<s>"));
        all.put(LLAMA_3, headers(VISUAL));
        all.put(PLAIN, "{% for message in messages %}{{ message.content + '\n' }}{% endfor %}");
        return Collections.unmodifiableMap(all);
    }

    /** Takes the system message out of the turns, or the form's own where there is none. */
    private static String turns(String system, String template) {
        return "{% if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set turns = messages[1:] %}"
                + "{% else %}{% set system = \"" + system + "\" %}{% set turns = messages %}{% endif %}" + template;
    }

    /** Names in front of the turns; a blank behind a question, the end token behind an answer. */
    private static String vicuna(String system) {
        return turns(
                system,
                "{{ system + ' ' }}{% for turn in turns %}"
                        + "{% if turn.role == 'user' %}{{ 'USER: ' + turn.content + ' ' }}"
                        + "{% else %}{{ 'ASSISTANT: ' + turn.content + '</s>' }}{% endif %}{% endfor %}"
                        + "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}");
    }

    /**
     * Questions in brackets, the system message within the first.
     *
     * @param between in front of every question but the first, whose begin token the tokenizer writes
     */
    private static String bracketed(String system, String between) {
        return turns(
                system,
                "{% for turn in turns %}{% if turn.role == 'user' %}"
                        + "{{ ('' if loop.first else '" + between + "') + '[INST] ' }}"
                        + "{% if loop.first and system %}{{ '<<SYS>>\n' + system + '\n<</SYS>>\n\n' }}{% endif %}"
                        + "{{ turn.content + ' [/INST]' }}"
                        + "{% else %}{{ ' ' + turn.content + ' </s>' }}{% endif %}{% endfor %}");
    }

    /** ChatML without line breaks between turns. */
    private static String chatml(String system) {
        return turns(
                system,
                "{{ '<|im_start|>system\n' + system + '<|im_end|>' }}{% for turn in turns %}"
                        + "{{ '<|im_start|>' + turn.role + '\n' + turn.content + '<|im_end|>' }}{% endfor %}"
                        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}");
    }

    /** As Llama 3 writes turns; its begin token is the tokenizer's. */
    private static String headers(String system) {
        String head = "'<|start_header_id|>' + %s + '<|end_header_id|>\n\n'";
        return turns(
                system,
                "{{ " + String.format(head, "'system'") + " + system + '<|eot_id|>' }}{% for turn in turns %}"
                        + "{{ " + String.format(head, "turn.role") + " + turn.content | trim + '<|eot_id|>' }}"
                        + "{% endfor %}{% if add_generation_prompt %}{{ " + String.format(head, "'assistant'")
                        + " }}{% endif %}");
    }

    /**
     * The form of a name.
     *
     * @param folder whose named tokens templates may use
     * @return null if it is none of them
     * @throws UnsupportedModelException if it is one of LLaVA's that is not among them
     */
    static @Nullable ChatTemplate named(String name, Path folder) {
        String known = switch (name) {
            case "v1" -> VICUNA;
            case "mistral_direct" -> CHATML;
            case "v0_plain" -> PLAIN;
            default -> name;
        };
        String template = TEMPLATES.get(known);
        return template == null ? null : ChatTemplate.of(template, "LLaVA's conversation form " + known, folder);
    }

    /** What there is, for messages. */
    static String names() {
        return String.join(", ", TEMPLATES.keySet());
    }

    /**
     * The form that LLaVA's code chooses for the model in a folder.
     *
     * @throws UnsupportedModelException if its name says none, or one that is not among these
     */
    static ChatTemplate of(Path folder) {
        String name = modelName(folder);
        String form = chosen(name.toLowerCase(Locale.ROOT));
        ChatTemplate template = form == null ? null : named(form, folder);
        if (template == null) {
            throw new UnsupportedModelException("The model in " + folder + " has no chat template, and LLaVA's authors"
                    + " choose how questions are put by the model's name, which here is '" + name + "' and "
                    + (form == null
                            ? "names none of their forms"
                            : "asks for their form " + form + ", which is not read")
                    + ". Say which one: builder().chatTemplate(..) with one of " + names()
                    + ", or with a template of your own; or add chat_template.jinja.");
        }
        return template;
    }

    /** The last name of the path; of a training's checkpoint and of a snapshot in a cache that of the model. */
    private static String modelName(Path folder) {
        Path path = folder.toAbsolutePath().normalize();
        String repository = Folders.repository(path);
        if (repository != null) {
            return repository.substring(repository.indexOf('/') + 1);
        }
        String last = Folders.last(path);
        Path parent = path.getParent();
        return last.startsWith("checkpoint-") && parent != null ? Folders.last(parent) + "_" + last : last;
    }

    /** Their rules in their order; null where they would take a form that only models before LLaVA 1.5 know. */
    private static @Nullable String chosen(String name) {
        if (name.contains("llama-2")) {
            return LLAMA_2;
        }
        if (name.contains("llama3") || name.contains("llama-3")) {
            return LLAMA_3;
        }
        if (name.contains("mistral") || name.contains("mixtral")) {
            return name.contains("orca") ? "mistral_orca" : name.contains("hermes") ? CHATML : MISTRAL;
        }
        if (name.contains("v1.6-34b")) {
            return CHATML;
        }
        if (name.contains("mmtag")) {
            return "v1_mmtag";
        }
        if (name.contains("bakllava")) {
            return VICUNA; // what its training script says; its name does not
        }
        return name.contains("v1") ? LLAVA : null;
    }
}
