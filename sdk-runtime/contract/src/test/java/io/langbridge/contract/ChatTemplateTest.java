package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.FitReport;
import io.langbridge.Llm;
import io.langbridge.VisionLanguageModel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How questions are put to a model: as its folder says, as LLaVA's authors do, or as the user wants. */
class ChatTemplateTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    @SuppressWarnings("NullAway.Init")
    private Path endToEnd;

    @BeforeEach
    void unpack() {
        endToEnd = Fixtures.bundled(scratch).resolve("end-to-end");
    }

    private static String found(VisionLanguageModel.Builder builder) {
        return builder.check().findings().stream()
                .filter(finding -> finding.subject().equals("chat template"))
                .map(FitReport.Finding::text)
                .findFirst()
                .orElseThrow();
    }

    private static VisionLanguageModel.Builder folder(Path folder) {
        return VisionLanguageModel.builder().folder(folder);
    }

    @Test
    void aModelOfLlavasAuthorsIsAskedAsItsNameSays() throws Exception {
        Path named = endToEnd.resolve("llava-v1.5/llava-v1.5-tiny");
        Path unnamed = Files.move(named, named.resolveSibling("model"));

        assertThat(found(folder(unnamed))).contains("'model'").contains("chatTemplate(..)");
        assertThat(found(folder(unnamed).chatTemplate("vicuna_v1"))).contains("takes 39 tokens");
        assertThat(found(folder(unnamed).chatTemplate("plain"))).contains("takes 4 tokens");
        assertThat(found(folder(unnamed).chatTemplate("{{ messages[0].content }}")))
                .contains("takes 3 tokens");
        assertThat(found(folder(unnamed).chatTemplate("vicuna_v2")))
                .contains("\"vicuna_v2\"")
                .contains("vicuna_v1");
        assertThat(found(folder(unnamed).chatTemplate("{% for %}"))).contains("the template given to chatTemplate(..)");

        Files.move(unnamed, named);
        assertThat(found(folder(named))).contains("takes 39 tokens").contains("'<s>'");
    }

    @Test
    void theLanguageModelsOwnWishWinsOverTheBuilders() {
        Path model = endToEnd.resolve("langbridge-pad/checkpoint");
        VisionLanguageModel.Builder builder = VisionLanguageModel.builder()
                .encoder(Encoder.of(model.resolve("vision_tower")))
                .adapter(Adapter.langBridge(model));
        Llm llm = Llm.of(model);

        assertThat(found(builder.llm(llm))).contains("'<|im_start|>'");
        assertThat(found(builder.llm(llm.chatTemplate("{{ 'ab' }}")))).contains("takes 2 tokens");
        assertThat(found(builder.chatTemplate("{{ '?' }}"))).contains("takes 2 tokens");
        assertThat(found(builder.llm(llm))).contains("takes 1 tokens");
        assertThatIllegalArgumentException().isThrownBy(() -> llm.chatTemplate(" "));
        assertThatIllegalArgumentException().isThrownBy(() -> builder.chatTemplate(""));
    }
}
