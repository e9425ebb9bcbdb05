package io.langbridge.runtime.core.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Expected texts follow from the rules in LLaVA's own code. */
class LlavaConversationsTest {
    private static final String POLITE =
            " and an artificial intelligence assistant. The assistant gives helpful, detailed, and polite answers to the ";
    private static final String VISUAL = "You are a helpful language and vision assistant. You are able to understand"
            + " the visual content that the user provides, and assist the user with a variety of tasks using natural"
            + " language.";

    @TempDir
    Path temp;

    private String prompt(String form, String... rolesAndTexts) {
        List<Map<String, Object>> messages = new ArrayList<>();
        for (int i = 0; i < rolesAndTexts.length; i += 2) {
            Map<String, Object> message = new LinkedHashMap<>();
            message.put("role", rolesAndTexts[i]);
            message.put("content", rolesAndTexts[i + 1]);
            messages.add(message);
        }
        ChatTemplate template = Objects.requireNonNull(LlavaConversations.named(form, temp), form);
        return template.render(messages, true, Collections.emptyMap());
    }

    private String chat(String form) {
        return prompt(form, "user", "<image>\nWhat?", "assistant", "A dog.", "user", "Where?");
    }

    private String told(String form) {
        return prompt(form, "system", "Be short.", "user", "What?");
    }

    @Test
    void each_form_writes_turns_as_the_code_does() {
        String turns = "USER: <image>\nWhat? ASSISTANT: A dog.</s>USER: Where? ASSISTANT:";
        assertThat(chat("vicuna_v1"))
                .isEqualTo("A chat between a curious user" + POLITE + "user's questions. " + turns);
        assertThat(chat("llava_v1"))
                .isEqualTo("A chat between a curious human" + POLITE + "human's questions. " + turns);
        assertThat(told("v1")).isEqualTo("Be short. USER: What? ASSISTANT:");

        assertThat(chat("mistral_instruct"))
                .isEqualTo("[INST] <image>\nWhat? [/INST] A dog. </s>[INST] Where? [/INST]");
        assertThat(told("mistral_instruct")).isEqualTo("[INST] <<SYS>>\nBe short.\n<</SYS>>\n\nWhat? [/INST]");

        assertThat(chat("llava_llama_2"))
                .isEqualTo("[INST] <<SYS>>\n" + VISUAL
                        + "\n<</SYS>>\n\n<image>\nWhat? [/INST] A dog. </s><s>[INST] Where? [/INST]");

        assertThat(chat("chatml_direct"))
                .isEqualTo(
                        "<|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\n<image>\nWhat?<|im_end|>"
                                + "<|im_start|>assistant\nA dog.<|im_end|><|im_start|>user\nWhere?<|im_end|><|im_start|>assistant\n");
        assertThat(told("mistral_direct"))
                .isEqualTo("<|im_start|>system\nBe short.<|im_end|><|im_start|>user\nWhat?<|im_end|>"
                        + "<|im_start|>assistant\n");

        String head = "<|start_header_id|>%s<|end_header_id|>\n\n";
        assertThat(prompt("llava_llama_3", "user", "<image>\nWhat? "))
                .isEqualTo(String.format(head, "system") + VISUAL + "<|eot_id|>" + String.format(head, "user")
                        + "<image>\nWhat?<|eot_id|>" + String.format(head, "assistant"));

        assertThat(prompt("plain", "user", "<image>")).isEqualTo("<image>\n");
    }

    @ParameterizedTest
    @CsvSource({
        "llava-v1.5-7b, llava_v1",
        "LLaVA-v1.5-13b-mine, llava_v1",
        "llava-v1.6-vicuna-7b, llava_v1",
        "llava-v1.6-mistral-7b, mistral_instruct",
        "my-llava-mixtral-hermes, chatml_direct",
        "llava-v1.6-34b, chatml_direct",
        "llava-llama-2-13b-chat, llava_llama_2",
        "llama3-llava-next-8b, llava_llama_3",
        "BakLLaVA-1, vicuna_v1",
        "models--liuhaotian--llava-v1.6-mistral-7b/snapshots/0123abc, mistral_instruct",
        "llava-v1.5-7b-mine/checkpoint-500, llava_v1"
    })
    void the_name_chooses_the_form(String name, String form) {
        assertThat(LlavaConversations.of(temp.resolve(name)).where()).endsWith(" " + form);
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "llava-7b", "llava-v1-mmtag", "llava-mistral-orca", "mpt-llava"})
    void a_name_that_says_nothing_is_an_error_that_says_what_to_do(String name) {
        assertThatThrownBy(() -> LlavaConversations.of(temp.resolve(name)))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("'" + name + "'")
                .hasMessageContaining("chatTemplate(..)")
                .hasMessageContaining("vicuna_v1");
    }
}
