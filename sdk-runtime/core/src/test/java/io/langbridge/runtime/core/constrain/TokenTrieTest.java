package io.langbridge.runtime.core.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenTrieTest {
    /** A vocabulary of these words, with their places as ids. */
    static TokenTrie of(String... words) {
        return TokenTrie.of(Arrays.stream(words)
                .map(word -> word.getBytes(StandardCharsets.UTF_8))
                .toArray(byte[][]::new));
    }

    @Test
    void has_every_token_that_writes_something_at_the_end_of_its_bytes() {
        Tokenizer tokenizer = Tokenizer.of(Paths.get("src/test/resources/qwen2-style"));
        TokenTrie trie = TokenTrie.of(tokenizer);
        int found = 0;
        for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            int node = -1;
            byte[] bytes = tokenizer.bytesOf(id);
            for (byte b : bytes) {
                node = trie.child(node, b);
            }
            boolean there = false;
            for (int token = node < 0 ? -1 : trie.tokens[node]; token >= 0; token = trie.same[token]) {
                there |= token == id;
            }
            assertThat(there).isEqualTo(!tokenizer.isSpecial(id));
            found += there ? 1 : 0;
        }
        assertThat(found).isGreaterThan(500);
    }

    @Test
    void tokens_of_the_same_bytes_are_all_there() {
        TokenTrie trie = of("ab", "a", "ab", "", "b");
        int node = trie.child(trie.child(-1, (byte) 'a'), (byte) 'b');
        TreeMap<Integer, Boolean> ids = new TreeMap<>();
        for (int id = trie.tokens[node]; id >= 0; id = trie.same[id]) {
            ids.put(id, true);
        }
        assertThat(ids.keySet()).containsExactly(0, 2);
        assertThat(trie.ends[trie.child(-1, (byte) 'a')]).isEqualTo(trie.child(-1, (byte) 'b'));
        assertThat(trie.child(-1, (byte) 'c')).isEqualTo(-1);
    }

    @Test
    void a_tokenizer_that_writes_blanks_between_tokens_is_refused(@TempDir Path folder) throws IOException {
        JsonObject json = JsonParser.parseString(new String(
                        Files.readAllBytes(Paths.get("src/test/resources/qwen2-style/tokenizer.json")),
                        StandardCharsets.UTF_8))
                .getAsJsonObject();
        json.add("decoder", JsonNull.INSTANCE);
        Files.write(folder.resolve("tokenizer.json"), json.toString().getBytes(StandardCharsets.UTF_8));
        Tokenizer tokenizer = Tokenizer.of(folder);
        assertThatThrownBy(() -> TokenTrie.of(tokenizer)).isInstanceOf(UnsupportedModelException.class);
    }
}
