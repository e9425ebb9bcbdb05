package io.langbridge.examples.demoworld;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainTest {
    @TempDir
    private Path folder;

    /** Two updates of every step: enough to see that they fit each other, not to learn anything. */
    @Test
    void allStepsLeadToAModelThatMovesToTheOtherLanguageModel() throws IOException {
        assertEquals(0, Main.commandLine().execute("train", "--out", folder.toString(), "--length", "0.0001"));
        Path model = folder.resolve("model");
        try (VisionLanguageModel first = VisionLanguageModel.builder()
                        .encoder(Encoder.of(model.resolve("encoder")))
                        .adapter(Adapter.langBridge(model.resolve("adapter")))
                        .llm(Llm.of(model.resolve("llm")))
                        .withoutCache()
                        .build();
                VisionLanguageModel other = first.withLlm(Llm.of(model.resolve("other-llm")))) {
            assertTrue(Evaluation.of(first, 7, 2, done -> {}).overall().of() > 0);
            assertTrue(Evaluation.of(other, 7, 2, done -> {}).overall().of() > 0);
        }
        // Run again, there is nothing left to do, and the result is the same.
        byte[] before = Files.readAllBytes(model.resolve("other-llm/model.safetensors"));
        assertEquals(0, Main.commandLine().execute("train", "--out", folder.toString(), "--length", "0.0001"));
        assertEquals(-1, Arrays.mismatch(before, Files.readAllBytes(model.resolve("other-llm/model.safetensors"))));
        assertNotEquals(
                Files.size(model.resolve("llm/tokenizer.json")), Files.size(model.resolve("other-llm/tokenizer.json")));
    }
}
