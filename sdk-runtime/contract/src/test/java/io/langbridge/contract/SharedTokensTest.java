package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.Llm;
import io.langbridge.tools.SharedVocabularies;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many tokens of a vocabulary language models know, from their tokenizers alone. */
class SharedTokensTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    @Test
    void eachTwoLanguageModelsAreCompared() throws Exception {
        Path tokenizers = Fixtures.bundled(scratch).resolve("tokenizers");
        Map<String, Llm> llms = new LinkedHashMap<>();
        llms.put("qwen", Llm.of(tokenizers.resolve("qwen2-style")));
        llms.put("llama", Llm.of(tokenizers.resolve("llama3-style")));
        Path shared = tokenizers.resolve("shared-vocabulary/160_qwen2.json");

        assertThat(SharedVocabularies.known(shared, llms))
                .isEqualTo(
                        Map.of("qwen", Map.of("qwen", 160, "llama", 160), "llama", Map.of("qwen", 160, "llama", 160)));

        // One that nobody knows, and one that is a special token of one of them.
        Path more = scratch.resolve("more.json");
        Files.writeString(
                more,
                Files.readString(shared).stripTrailing().replaceFirst("}$", "")
                        + ", \"no such token\": 9000, \"<|begin_of_text|>\": 9001}");
        assertThat(SharedVocabularies.known(more, llms))
                .isEqualTo(
                        Map.of("qwen", Map.of("qwen", 160, "llama", 160), "llama", Map.of("qwen", 160, "llama", 161)));
    }
}
