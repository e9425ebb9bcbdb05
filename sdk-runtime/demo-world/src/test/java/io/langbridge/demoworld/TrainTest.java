package io.langbridge.demoworld;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.langbridge.Adapter;
import io.langbridge.AdapterWriter;
import io.langbridge.Encoder;
import io.langbridge.LangBridgeAdapter;
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
import java.util.function.DoubleUnaryOperator;
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
        layersAreThoseOfTheAdapter(model);
        adaptersMoveInEveryWay(model);
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

    private void layersAreThoseOfTheAdapter(Path model) throws IOException {
        LangBridgeAdapter adapter = Adapter.langBridge(model.resolve("adapter"));
        Llm llm = Llm.of(model.resolve("llm"));
        SharedTokens words = SharedTokens.of(
                llm, Llm.of(model.resolve("other-llm")), adapter.path().resolve("vocabulary.json"));
        AdapterLayers layers = AdapterLayers.read(adapter);
        Seen seen =
                new Seen(Recipe.asUsed(Encoder.of(model.resolve("encoder"))), adapter, 5, 1, folder.resolve("cache"));

        double[][] tokens =
                seen.through(layers.then(LinearMap.mixture(words.from())).write(folder.resolve("layers/tokens")));
        double[][] folded = seen.through(AdapterWriter.fold(adapter, llm, folder.resolve("layers/folded")));
        assertEquals(64, tokens.length);
        assertRows(folded, tokens);

        double[][] coefficients = seen.through(layers.write(folder.resolve("layers/coefficients")));
        double threshold = Math.abs(coefficients[0][0]) / 2;
        assertRows(
                each(coefficients, c -> Math.max(0, c - threshold)),
                seen.through(layers.above(threshold).write(folder.resolve("layers/above"))));
        assertRows(
                each(coefficients, c -> Math.copySign(Math.max(0, Math.abs(c) - threshold), c)),
                seen.through(layers.beyond(threshold).write(folder.resolve("layers/beyond"))));
        Adapter again =
                layers.write(folder.resolve("layers/again"), adapter.path().resolve("vocabulary.json"), false);
        assertRows(coefficients, seen.through(AdapterLayers.read(again).write(folder.resolve("layers/again-read"))));
    }

    private static double[][] each(double[][] rows, DoubleUnaryOperator function) {
        return Arrays.stream(rows)
                .map(row -> Arrays.stream(row).map(function).toArray())
                .toArray(double[][]::new);
    }

    private static void assertRows(double[][] expected, double[][] rows) {
        assertEquals(expected.length, rows.length);
        for (int i = 0; i < rows.length; i++) {
            assertArrayEquals(expected[i], rows[i], 3e-4); // a GELU is a little below zero before it rises
        }
    }

    private void adaptersMoveInEveryWay(Path model) throws IOException {
        Path moved = folder.resolve("move");
        List<String> command = new ArrayList<>(List.of("move", "--out", moved.toString(), "--model", model.toString()));
        command.addAll(List.of("--length", "0.0001", "--scenes", "1", "--seeds", "5"));
        command.addAll(List.of("--labelled", "8", "--steps", "2", "--updates", "4", "--pictures", "4"));
        move(command, new StringWriter());
        List<String> lines = Files.readAllLines(moved.resolve("move.jsonl"));
        assertEquals(lines.size(), lines.stream().distinct().count());
        for (String row : List.of(
                "B: told in words",
                "model's adapter, its words",
                "model's adapter, softmax of its words",
                "MLP, stage 1 in front of the model's, procrustes by counts",
                "words of notes, spelled, clear ones",
                "B: stage 1 in front of A, softmax, its words",
                "B: adapter alone, from its words, as long as words, 4 pictures",
                "B: tuned from ridge by counts, 4 updates",
                "B: in front of A and a third by turns, moved")) {
            assertEquals(
                    1,
                    lines.stream()
                            .filter(line -> line.startsWith("{\"row\":\"" + row + "\",\"seed\":5,"))
                            .count(),
                    row);
        }
        // Run again, only what is missing is asked, and the table has a line for each row.
        Files.write(moved.resolve("move.jsonl"), lines.subList(0, lines.size() - 1));
        command.addAll(List.of("--parts", "LABELS,JOINT"));
        StringWriter printed = new StringWriter();
        move(command, printed);
        assertEquals(lines, Files.readAllLines(moved.resolve("move.jsonl")));
        assertEquals(
                lines.size() + 2,
                printed.toString().lines().filter(line -> line.startsWith("|")).count());
    }

    private static void move(List<String> command, StringWriter printed) {
        assertEquals(0, Main.commandLine().setOut(new PrintWriter(printed)).execute(command.toArray(String[]::new)));
    }
}
