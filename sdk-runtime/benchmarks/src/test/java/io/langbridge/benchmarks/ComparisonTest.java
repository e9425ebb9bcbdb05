package io.langbridge.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ComparisonTest {
    @Test
    void tokensPerSecondAndMillisecondsBothGiveMoreThanOneWhereWeAreBetter() {
        List<JsonObject> lines = Comparison.of(
                lines(
                        "{'bench':'langbridge-jvm','phase':'prefill','model':'m','prompt':100,'prefill_tok_s':{'median':200},'rel_err':0.01}",
                        "{'bench':'langbridge-jvm','phase':'encode','model':'c','ms':{'median':500}}"),
                lines(
                        "{'bench':'llama.cpp','model':'m.gguf','prompt':100,'prefill_tok_s':{'median':100},'rel_err_vs_hf':0.02,'load_s':1}",
                        "{'bench':'clip','kind':'torch','ms':{'median':1000}}",
                        "{'bench':'langbridge','what':'fold time fp32','ms':{'median':800}}"));

        assertThat(lines)
                .extracting(line -> line.get("figure").getAsString() + " "
                        + line.getAsJsonObject("ratio").get("median").getAsDouble())
                .containsExactlyInAnyOrder(
                        "prefill_tok_s 2.0", "prefill.ms 2.0", "prefill.rel_err 2.0", "encode.ms 2.0");
        assertThat(lines)
                .filteredOn(line -> line.get("figure").getAsString().equals("encode.ms"))
                .extracting(line -> line.get("peer").getAsString())
                .containsExactly("clip torch");
    }

    @Test
    void roundsAreComparedOneByOne() {
        String ours = "{'bench':'langbridge-jvm','phase':'decode','decode_tok_s':{'median':%d}}";
        String theirs = "{'bench':'llama.cpp','decode_tok_s':{'median':%d}}";

        JsonObject line = Comparison.of(
                        lines(String.format(ours, 10), String.format(ours, 20), String.format(ours, 90)),
                        lines(String.format(theirs, 10), String.format(theirs, 10), String.format(theirs, 30)))
                .get(0);

        assertThat(line.getAsJsonObject("ratio"))
                .isEqualTo(JsonParser.parseString("{'median':2.0,'min':1.0,'max':3.0,'n':3}"));
    }

    @Test
    void peersFirstTokenIsTheirEncoderAndTheirPrefillAddedUp() {
        List<JsonObject> lines = Comparison.of(
                lines("{'bench':'langbridge-jvm','phase':'first_token','ms':{'median':1000}}"),
                lines(
                        "{'bench':'clip','kind':'torch','ms':{'median':1500}}",
                        "{'bench':'llama.cpp','prompt':100,'prefill_tok_s':{'median':200}}"));

        assertThat(lines).hasSize(1);
        assertThat(lines.get(0).get("peer").getAsString()).isEqualTo("clip torch + llama.cpp");
        assertThat(lines.get(0).get("theirs").getAsDouble()).isEqualTo(2000);
        assertThat(lines.get(0).getAsJsonObject("ratio").get("median").getAsDouble())
                .isEqualTo(2);
    }

    private static List<JsonObject> lines(String... lines) {
        return Stream.of(lines)
                .map(line -> JsonParser.parseString(line).getAsJsonObject())
                .toList();
    }
}
