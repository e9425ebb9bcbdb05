package io.langbridge.runtime.core.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerationDefaultsTest {
    private static final Path CASES = Paths.get("src/test/resources/prompts");

    @TempDir
    private Path folder;

    @Test
    void fields_that_change_answers_are_read() throws Exception {
        GenerationDefaults first = read(Files.readString(CASES.resolve("generation-fields-ignored.json")));
        assertThat(first.noRepeatNgramSize()).isEqualTo(3);
        assertThat(first.suppressTokens()).containsExactly(7);
        assertThat(first.ignored()).isEmpty();
        GenerationDefaults second = read(Files.readString(CASES.resolve("generation-fields-ignored-2.json")));
        assertThat(second.stopStrings()).containsExactly("###");
        assertThat(second.minNewTokens()).isEqualTo(4);
        assertThat(second.eosTokenIds()).containsExactly(2);
        GenerationDefaults third = read("{\"bad_words_ids\": [[1, 2], [3]], \"begin_suppress_tokens\": [220, 50256],"
                + " \"min_length\": 9, \"stop_strings\": \"END\"}");
        assertThat(third.badWords()).containsExactly(List.of(1, 2), List.of(3));
        assertThat(third.beginSuppressTokens()).containsExactly(220, 50256);
        assertThat(third.minLength()).isEqualTo(9);
        assertThat(third.stopStrings()).containsExactly("END");
    }

    @Test
    void fields_that_are_not_followed_are_named_unless_they_have_no_effect() {
        assertThat(read("{\"num_beams\": 4, \"typical_p\": 0.9, \"penalty_alpha\": 0.6, \"epsilon_cutoff\": 3e-4,"
                                + " \"eta_cutoff\": 1e-3, \"diversity_penalty\": 0.5, \"guidance_scale\": 1.5,"
                                + " \"sequence_bias\": [[[1], -2.0]], \"forced_bos_token_id\": 0,"
                                + " \"forced_eos_token_id\": 2}")
                        .ignored())
                .containsExactlyInAnyOrder(
                        "num_beams",
                        "typical_p",
                        "penalty_alpha",
                        "epsilon_cutoff",
                        "eta_cutoff",
                        "diversity_penalty",
                        "guidance_scale",
                        "sequence_bias",
                        "forced_bos_token_id",
                        "forced_eos_token_id");
        assertThat(read("{\"num_beams\": 1, \"typical_p\": 1.0, \"penalty_alpha\": null, \"epsilon_cutoff\": 0.0,"
                                + " \"eta_cutoff\": 0, \"guidance_scale\": 1, \"forced_eos_token_id\": null,"
                                + " \"token_healing\": false, \"pad_token_id\": 0, \"use_cache\": true}")
                        .ignored())
                .isEmpty();
    }

    @Test
    void what_makes_no_sense_is_refused_by_name() {
        assertThatThrownBy(() -> read("{\"min_new_tokens\": -1}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("min_new_tokens");
        assertThatThrownBy(() -> read("{\"stop_strings\": [\"\"]}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("stop_strings");
        assertThatThrownBy(() -> read("{\"suppress_tokens\": [-1]}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("impossible id -1");
        assertThatThrownBy(() -> read("{\"eos_token_id\": [4000000000]}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("eos_token_id");
    }

    @Test
    void many_stop_ids_are_kept_once_each() {
        assertThat(read(stopIds(900_000)).eosTokenIds()).hasSize(1000);
    }

    @Test
    void two_million_stop_ids_are_refused() {
        assertThatThrownBy(() -> read(stopIds(2_000_000)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("generation_config.json");
    }

    private static String stopIds(int count) {
        StringBuilder json = new StringBuilder("{\"eos_token_id\": [0");
        for (int i = 1; i < count; i++) {
            json.append(',').append(i % 1000);
        }
        return json.append("]}").toString();
    }

    private GenerationDefaults read(String json) {
        try {
            Files.writeString(folder.resolve("generation_config.json"), json);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return GenerationDefaults.read(folder, TinyModel.json("\"eos_token_id\": 5"));
    }
}
