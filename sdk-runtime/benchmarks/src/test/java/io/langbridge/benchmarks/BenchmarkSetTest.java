package io.langbridge.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.runtime.core.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the sets as the command does, on tiny shapes; that they run and agree with themselves, not how fast. */
class BenchmarkSetTest {
    @TempDir
    private static Path folder;

    @Test
    void everyPhaseHasItsLine() throws IOException {
        List<JsonObject> lines = run("encoder", "adapter", "answer", "explain");

        assertThat(lines)
                .extracting(line -> line.get("phase").getAsString())
                .containsExactly(
                        "picture",
                        "encode",
                        "adapter",
                        "coefficients",
                        "answer.encode",
                        "answer.adapter",
                        "answer.prefill",
                        "first_token",
                        "answer.decode",
                        "second_question",
                        "explain.coefficient",
                        "explain.cosine",
                        "explain.sparse");
        assertThat(lines).allSatisfy(line -> {
            assertThat(line.getAsJsonObject("ms").get("median").getAsDouble()).isPositive();
            assertThat(line.getAsJsonObject("ms").get("n").getAsInt()).isPositive();
        });
        JsonObject answer = lines.get(7);
        assertThat(answer.get("prompt").getAsInt()).isEqualTo(60);
        assertThat(answer.get("visual_tokens").getAsInt()).isEqualTo(16);
        assertThat(lines.get(9).get("cached_tokens").getAsInt()).isGreaterThan(16);
    }

    @Test
    void foldingIsExact() throws IOException {
        List<JsonObject> lines = run("fold");

        assertThat(lines)
                .filteredOn(line -> line.get("llm_hidden").getAsInt() == 4096)
                .extracting(line -> line.get("phase").getAsString())
                .containsExactly("fold", "fold_cached", "folded", "gemms", "unfolded");
        assertThat(lines)
                .filteredOn(line -> line.has("rel_err"))
                .hasSize(4)
                .allSatisfy(
                        line -> assertThat(line.get("rel_err").getAsDouble()).isLessThan(1e-5));
    }

    @Test
    void aRunComparesItsLogitsAndItsTimesWithAnotherRun() throws IOException {
        Path logits = folder.resolve("logits.npy");
        run("decoder", "--save", logits.toString());
        Path before = folder.resolve("before.jsonl");
        Files.writeString(
                before, "{\"bench\":\"llama.cpp\",\"model\":\"x\",\"prompt\":60,\"prefill_tok_s\":{\"median\":1}}\n");

        List<JsonObject> lines = run("decoder", "--check", logits.toString(), "--compare", before.toString());

        assertThat(lines.get(0).get("rel_err").getAsDouble()).isLessThan(1e-6);
        assertThat(lines)
                .filteredOn(line -> line.get("phase").getAsString().equals("compare"))
                .extracting(line -> line.get("figure").getAsString())
                .containsExactly("prefill_tok_s", "prefill.ms");
    }

    @Test
    void loadsWithAndWithoutCache() throws IOException {
        List<JsonObject> lines = run("load");

        assertThat(lines)
                .extracting(line -> line.get("phase").getAsString())
                .containsExactly("load_cold", "load_cached");
        assertThat(lines)
                .allSatisfy(line -> assertThat(
                                line.getAsJsonObject("ready_s").get("min").getAsDouble())
                        .isPositive());
        // Little of it is the model's, and what Java itself takes differs between machines.
        assertThat(lines).filteredOn(line -> line.has("peak_rss_mb")).allSatisfy(line -> {
            double peak = line.getAsJsonObject("peak_rss_mb").get("median").getAsDouble();
            assertThat(line.get("estimate_mb").getAsDouble()).isCloseTo(peak, withinPercentage(50));
        });
    }

    @Test
    void aTokenizerIsOpenedAndTurnsTextIntoTokensAndBack() throws IOException {
        List<JsonObject> lines = run("tokenizer");

        assertThat(lines)
                .extracting(line -> line.get("phase").getAsString())
                .contains("tokenizer.open", "tokenizer.encode.prose", "tokenizer.decode.code")
                .hasSize(1 + 2 * 7);
        assertThat(lines.subList(1, lines.size()))
                .allSatisfy(line -> assertThat(line.get("tokens").getAsInt()).isPositive());
        assertThat(folder.resolve("texts").resolve("prose.txt")).isRegularFile();
    }

    @Test
    void holdingAnswersToASchemaIsMeasuredOnceAndByTheToken() throws IOException {
        List<JsonObject> lines = run("constrain");

        assertThat(lines)
                .extracting(line -> line.get("phase").getAsString())
                .contains("constrain.vocabulary", "constrain.schema.receipt", "constrain.step.enum1000")
                .hasSize(1 + 2 * 8);
        assertThat(lines.subList(1, lines.size()))
                .allSatisfy(line -> assertThat(line.get("tokens").getAsInt()).isPositive());
    }

    @Test
    void severalDecodeAtATimeAndArePutBesideAPeer() throws IOException {
        Path peer = folder.resolve("peer.jsonl");
        Files.writeString(peer, "{\"bench\":\"concurrency.8\",\"total_tok_s\":{\"median\":1}}\n");
        List<JsonObject> lines = run("concurrency", "--compare", peer.toString());

        assertThat(lines.subList(0, 5)).allSatisfy(line -> {
            assertThat(line.get("phase").getAsString())
                    .isEqualTo("concurrency." + line.get("chats").getAsInt());
            for (String figure : List.of("total_tok_s", "first_token_ms")) {
                assertThat(line.getAsJsonObject(figure).get("median").getAsDouble())
                        .isPositive();
            }
        });
        assertThat(lines.subList(5, lines.size()))
                .extracting(line -> line.get("figure").getAsString())
                .containsExactly("concurrency.8.total_tok_s");
    }

    @Test
    void aPeersCommandRunsInTurn() throws IOException {
        List<JsonObject> lines = run(
                "decoder",
                "--rounds",
                "2",
                "--versus",
                "echo {\"bench\":\"peer\",\"decode_tok_s\":{\"median\":2}}".replace("\"", "\\\""));

        assertThat(lines)
                .extracting(line -> line.has("phase") ? line.get("phase").getAsString() : "peer")
                .containsExactly("prefill", "decode", "peer", "peer", "prefill", "decode", "compare");
        assertThat(lines.get(6).getAsJsonObject("ratio").get("n").getAsInt()).isEqualTo(2);
    }

    @Test
    void longerPromptsAreComparedLengthByLength() throws IOException {
        String peer = "echo {\"bench\":\"peer\",\"prompt\":40,\"prefill_tok_s\":{\"median\":2}}";
        List<JsonObject> lines =
                run("context", "--lengths", "20,40", "--rounds", "1", "--versus", peer.replace("\"", "\\\""));

        assertThat(lines.subList(0, 2)).allSatisfy(line -> {
            assertThat(line.get("phase").getAsString()).isEqualTo("context");
            assertThat(line.get("token_to_first_length").getAsDouble()).isPositive();
        });
        assertThat(lines.get(0).get("token_to_first_length").getAsDouble()).isEqualTo(1);
        assertThat(lines.subList(3, lines.size()))
                .extracting(line -> line.get("figure").getAsString())
                .containsExactly("prefill_tok_s at 40");
    }

    @Test
    void aNeighbourTakesSomeOfTheSpeed() throws IOException {
        JsonObject line = run("neighbour").get(0);

        double alone = line.getAsJsonObject("alone_tok_s").get("median").getAsDouble();
        double kept = line.getAsJsonObject("kept").get("median").getAsDouble();
        assertThat(line.getAsJsonObject("decode_tok_s").get("median").getAsDouble())
                .isCloseTo(alone * kept, withinPercentage(1));
        assertThat(line.getAsJsonObject("worst_step_ms").get("median").getAsDouble())
                .isGreaterThanOrEqualTo(
                        1e3 / line.getAsJsonObject("decode_tok_s").get("median").getAsDouble() * 0.99);
    }

    @Test
    void whatIsNotThereIsAnError() {
        assertThat(Benchmarks.run("decoder", "--llm", "no-such-model", "--models", folder.toString()))
                .isNotZero();
    }

    @Test
    void generatedTokenizerSplitsAndJoinsText() throws IOException {
        Path folderOfTokenizer = folder.resolve("tokenizer");
        RandomModels.tokenizer("tiny-llm", folderOfTokenizer);
        Tokenizer tokenizer = Tokenizer.of(folderOfTokenizer);
        String text = "the end of (\u00e4) 12\n";
        int[] ids = tokenizer.encode(text, false);

        assertThat(tokenizer.decode(ids, false)).isEqualTo(text);
        assertThat(ids).hasSizeLessThan(text.length());
        assertThat(tokenizer.vocabularySize()).isEqualTo(1003);
        assertThat(tokenizer.encode("<|im_end|>", false)).containsExactly(1002);
    }

    private static List<JsonObject> run(String... more) throws IOException {
        Path out = Files.createTempFile(folder, "lines", ".jsonl");
        List<String> arguments = new ArrayList<>(List.of(more));
        arguments.addAll(List.of("--models", folder.toString(), "--llm", "tiny-llm", "--encoder", "tiny-clip"));
        arguments.addAll(List.of("--adapter", "tiny-langbridge", "--prompt", "60", "--gen", "8", "--reps", "1"));
        arguments.addAll(List.of("--patience", "0", "--out", out.toString()));

        assertThat(Benchmarks.run(arguments.toArray(new String[0]))).isZero();

        List<JsonObject> lines = new ArrayList<>();
        for (String line : Files.readAllLines(out)) {
            lines.add(JsonParser.parseString(line).getAsJsonObject());
        }
        return lines;
    }
}
