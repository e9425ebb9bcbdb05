package io.langbridge.demoworld;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
                VisionLanguageModel other =
                        first.langBridge().orElseThrow().withLlm(Llm.of(model.resolve("other-llm")))) {
            assertTrue(Evaluation.of(first, 7, 2, done -> {}).overall().of() > 0);
            assertTrue(Evaluation.of(other, 7, 2, done -> {}).overall().of() > 0);
        }
        // Run again, there is nothing left to do, and the result is the same.
        byte[] before = Files.readAllBytes(model.resolve("other-llm/model.safetensors"));
        assertEquals(0, Main.commandLine().execute("train", "--out", folder.toString(), "--length", "0.0001"));
        assertEquals(-1, Arrays.mismatch(before, Files.readAllBytes(model.resolve("other-llm/model.safetensors"))));
        assertNotEquals(
                Files.size(model.resolve("llm/tokenizer.json")), Files.size(model.resolve("other-llm/tokenizer.json")));
        itIsTunedOnAndMixedWithWhatItWas(model);
        theTableGoesOnWithWhatIsMissing();
    }

    private void itIsTunedOnAndMixedWithWhatItWas(Path model) throws IOException {
        List<String> parts = List.of(
                "encoder/model.safetensors",
                "adapter/mm_projector.safetensors",
                "llm/model.safetensors",
                "other-llm/model.safetensors");
        Path out = folder.resolve("tuned");
        for (String keep : List.of("0", "1")) {
            assertEquals(
                    0,
                    Main.commandLine()
                            .execute(
                                    "tune",
                                    "--model",
                                    model.toString(),
                                    "--out",
                                    out.toString(),
                                    "--steps",
                                    "2",
                                    "--other-steps",
                                    "2",
                                    "--keep",
                                    keep,
                                    "--keep-other",
                                    keep));
            for (String part : parts) {
                boolean same =
                        Files.mismatch(model.resolve(part), out.resolve("model").resolve(part)) < 0;
                assertEquals(keep.equals("1"), same, part + " with " + keep);
            }
        }
    }

    private void theTableGoesOnWithWhatIsMissing() throws IOException {
        List<String> known = new ArrayList<>();
        for (String arm : List.of(
                "mlp_both_stages_on_b",
                "langbridge_both_stages_on_b",
                "langbridge_stage_1_on_a",
                "mlp_without_stage_1",
                "langbridge_tuned_on_a_no_training_on_b")) {
            for (int steps : new int[] {10, 20, 40}) {
                known.add("{\"arm\":\"" + arm + "\",\"seed\":1,\"steps\":" + steps
                        + ",\"accuracy\":0.25,\"seconds\":3.0}");
            }
        }
        known.remove(8); // an adapter that moves, all steps
        Path file = Files.write(folder.resolve("table.jsonl"), known);
        StringWriter printed = new StringWriter();
        assertEquals(
                0,
                Main.commandLine()
                        .setOut(new PrintWriter(printed))
                        .execute(
                                "table",
                                "--out",
                                folder.toString(),
                                "--length",
                                "0.0001",
                                "--steps",
                                "40",
                                "--seeds",
                                "1",
                                "--scenes",
                                "2"));
        List<String> lines = Files.readAllLines(file);
        assertEquals(known, lines.subList(0, 14));
        assertEquals(15, lines.size());
        assertTrue(lines.get(14).startsWith("{\"arm\":\"langbridge_stage_1_on_a\",\"seed\":1,\"steps\":40,"));
        assertTrue(printed.toString().contains("| mlp_without_stage_1 |     20 | 25.00 % | 25.00 | 25.00 | 3 |"));
        assertEquals(17, printed.toString().lines().count());
    }
}
