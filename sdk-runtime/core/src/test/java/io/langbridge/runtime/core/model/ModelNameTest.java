package io.langbridge.runtime.core.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.nio.file.Paths;
import org.junit.jupiter.api.Test;

class ModelNameTest {
    @Test
    void a_folder_is_called_by_its_last_name_and_a_snapshot_as_on_the_hub() {
        assertThat(ModelName.of(Paths.get("models/Qwen2-0.5B"))).isEqualTo("Qwen2-0.5B");
        assertThat(ModelName.of(Paths.get("models/x/."))).isEqualTo("x");
        Path cache = Paths.get("cache/models--HuggingFaceTB--SmolVLM-256M-Instruct");
        assertThat(ModelName.of(cache.resolve("snapshots/0123456789abcdef")))
                .isEqualTo("HuggingFaceTB/SmolVLM-256M-Instruct@0123456");
        assertThat(ModelName.of(cache.resolve("snapshots/main"))).endsWith("Instruct@main");
        assertThat(ModelName.of(Paths.get("snapshots/main"))).isEqualTo("main");
        assertThat(ModelName.of(Paths.get("/"))).isEqualTo("/");
    }
}
