package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens of the files beside tokenizer.json; expected values from transformers 5.18. */
class DeclaredTokensTest {
    private static final Path CASES = Paths.get("src/test/resources/tokenizers");
    private static final String TEXT = "<|im_start|>red kite<|im_end|>";
    private static final int[] IDS = {1203, 305, 67, 220, 74, 72, 312, 1204};

    @TempDir
    Path folder;

    @BeforeEach
    void copy() throws Exception {
        Files.copy(CASES.resolve("tokens-in-added_tokens_decoder/tokenizer.json"), folder.resolve("tokenizer.json"));
    }

    private void write(String name, String json) throws Exception {
        Files.write(folder.resolve(name), json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void added_tokens_decoder_declares_tokens() {
        Tokenizer tokenizer = Tokenizer.of(CASES.resolve("tokens-in-added_tokens_decoder"));

        assertThat(tokenizer.encode(TEXT, false)).isEqualTo(IDS);
        assertThat(tokenizer.decode(IDS, true)).isEqualTo("red kite");
        assertThat(tokenizer.eosId()).isNull();
    }

    @Test
    void added_tokens_json_declares_tokens_that_are_not_special() {
        Tokenizer tokenizer = Tokenizer.of(CASES.resolve("tokens-in-added_tokens_json"));

        assertThat(tokenizer.encode(TEXT, false)).isEqualTo(IDS);
        assertThat(tokenizer.decode(IDS, true)).isEqualTo(TEXT);
    }

    @Test
    void the_special_flag_of_tokenizer_config_wins() {
        Tokenizer tokenizer = Tokenizer.of(CASES.resolve("special-flag-in-config"));

        assertThat(tokenizer.encode(TEXT, false)).isEqualTo(IDS);
        assertThat(tokenizer.decode(IDS, true)).isEqualTo("red kite");
    }

    @Test
    void named_tokens_are_tokens() throws Exception {
        write("tokenizer_config.json", "{'eos_token':'<|end|>','image_token':'<img>','model_max_length':NaN}");
        Tokenizer tokenizer = Tokenizer.of(folder);

        assertThat(tokenizer.eosId()).isEqualTo(1203);
        assertThat(tokenizer.idOf("<img>")).isEqualTo(1204);
        assertThat(tokenizer.isSpecial(1203)).isTrue();
        assertThat(tokenizer.isSpecial(1204)).isTrue();
        assertThat(tokenizer.encode("<|end|><img>", false)).containsExactly(1203, 1204);
        assertThat(tokenizer.vocabularySize()).isEqualTo(1205);
    }

    @Test
    void extra_and_additional_special_tokens_are_tokens() throws Exception {
        write("tokenizer_config.json", "{'extra_special_tokens':['<a1>',{'content':'<a2>','lstrip':true}]}");
        assertThat(Tokenizer.of(folder).encode("<a1> <a2>", false)).containsExactly(1203, 1204);

        write("tokenizer_config.json", "{'extra_special_tokens':{'image_token':'<a3>'}}");
        assertThat(Tokenizer.of(folder).encode("<a3>", false)).containsExactly(1203);

        write("tokenizer_config.json", "{'extra_special_tokens':[],'additional_special_tokens':['<a4>']}");
        assertThat(Tokenizer.of(folder).isSpecial(1203)).isTrue();
    }

    @Test
    void special_tokens_map_counts_where_the_config_declares_none() throws Exception {
        write("special_tokens_map.json", "{'eos_token':{'content':'<|im_end|>','lstrip':false}}");
        write("added_tokens.json", "{'<|im_start|>':1203,'<|im_end|>':1204}");
        Tokenizer tokenizer = Tokenizer.of(folder);

        assertThat(tokenizer.eosId()).isEqualTo(1204);
        assertThat(tokenizer.encode(TEXT, false)).isEqualTo(IDS);
        assertThat(tokenizer.decode(IDS, true)).isEqualTo("<|im_start|>red kite");
    }

    @Test
    void what_is_wrong_beside_tokenizer_json_is_named() throws Exception {
        String[][] wrong = {
            {"tokenizer_config.json", "{'eos_token':5}", "'eos_token' is not a text"},
            {"tokenizer_config.json", "{'added_tokens_decoder':{'x':{'content':'a'}}}", "'x', which is no id"},
            {"tokenizer_config.json", "{'added_tokens_decoder':{'7':{}}}", "'added_tokens_decoder.7.content' is missing"
            },
            {"tokenizer_config.json", "{'extra_special_tokens':[1]}", "'extra_special_tokens[0]' is not a text"},
            {"tokenizer_config.json", "[]", "not a JSON object"},
            {"tokenizer_config.json", "{'eos_token':'a'", "damaged"},
            {"added_tokens.json", "{'a':-1}", "'a' is not a whole number"},
            {"special_tokens_map.json", "{'pad_token':[]}", "'pad_token' is not a text"},
        };
        for (String[] one : wrong) {
            write("tokenizer_config.json", "{}");
            Files.deleteIfExists(folder.resolve("added_tokens.json"));
            write(one[0], one[1]);

            assertThatThrownBy(() -> Tokenizer.of(folder))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(one[0])
                    .hasMessageContaining(one[2]);
        }
    }
}
