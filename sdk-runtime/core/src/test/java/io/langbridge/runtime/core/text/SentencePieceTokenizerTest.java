package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.UnsupportedModelException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders with a tokenizer.model and no tokenizer.json; expected values from transformers 5.18. */
class SentencePieceTokenizerTest {
    private static final Path FOLDER = Paths.get("src/test/resources/sentencepiece");

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"bpe", "unigram", "llama", "llama-legacy"})
    void a_model_of_pieces_gives_the_ids_of_the_reference(String name) throws Exception {
        Tokenizer tokenizer = Tokenizer.of(FOLDER.resolve(name));
        JsonArray cases;
        try (Reader in =
                Files.newBufferedReader(FOLDER.resolve(name).resolve("expected.json"), StandardCharsets.UTF_8)) {
            cases = JsonParser.parseReader(in).getAsJsonArray();
        }

        assertThat(cases.size()).isGreaterThan(5);
        for (JsonElement element : cases) {
            JsonObject one = element.getAsJsonObject();
            String text = one.get("text").getAsString();
            int[] ids = tokenizer.encode(text, false);

            assertThat(ids).as(text).isEqualTo(ids(one, "ids"));
            assertThat(tokenizer.encode(text, true)).as(text).isEqualTo(ids(one, "special"));
            assertThat(tokenizer.decode(ids, false))
                    .as(text)
                    .isEqualTo(one.get("decoded").getAsString());
        }
    }

    private static int[] ids(JsonObject one, String key) {
        JsonArray ids = one.getAsJsonArray(key);
        return IntStream.range(0, ids.size()).map(i -> ids.get(i).getAsInt()).toArray();
    }

    private Tokenizer open(String config) throws Exception {
        Files.deleteIfExists(folder.resolve("tokenizer.model"));
        Files.copy(FOLDER.resolve("bpe/tokenizer.model"), folder.resolve("tokenizer.model"));
        Files.write(
                folder.resolve("tokenizer_config.json"),
                config.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
        return Tokenizer.of(folder);
    }

    @Test
    void the_class_in_the_config_says_what_the_model_does_not() throws Exception {
        Tokenizer llama = open("{'tokenizer_class':'LlamaTokenizer','add_bos_token':true,'add_eos_token':true}");
        Tokenizer legacy = open("{'tokenizer_class':'LlamaTokenizerFast','legacy':true}");
        Tokenizer plain = open("{}");
        int space = TokenizerFolder.id(llama, "\u2581");

        assertThat(llama.bosToken()).isEqualTo("<s>");
        assertThat(llama.eosId()).isEqualTo(2);
        assertThat(llama.specialsBefore()).containsExactly(1);
        assertThat(llama.specialsAfter()).containsExactly(2);
        assertThat(llama.encode("</s>-", false)).containsExactly(2, TokenizerFolder.id(llama, "-"));
        assertThat(legacy.encode("</s>-", false)).containsExactly(2, space, TokenizerFolder.id(llama, "-"));
        assertThat(legacy.specialsBefore()).isEmpty();
        assertThat(plain.encode("-", true)).containsExactly(TokenizerFolder.id(llama, "-"));
        assertThat(plain.decode(plain.encode(" - ", true), true)).isEqualTo(" - ");
        assertThat(plain.isSpecial(1)).isTrue();
        assertThat(plain.isSpecial(TokenizerFolder.id(plain, "<image>"))).isFalse();
    }

    @Test
    void an_unknown_class_is_named() {
        assertThatThrownBy(() -> open("{'tokenizer_class':'XlnetTokenizer'}"))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("'XlnetTokenizer'")
                .hasMessageContaining("save_pretrained");
    }

    @Test
    void tokenizer_json_wins() throws Exception {
        Files.copy(TokenizerTest.FOLDER.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));

        assertThat(open("{}").vocabularySize()).isEqualTo(623);
    }
}
