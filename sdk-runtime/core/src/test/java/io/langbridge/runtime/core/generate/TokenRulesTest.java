package io.langbridge.runtime.core.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.langbridge.LangBridgeException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TokenRulesTest {
    private static final Path REFERENCE = Paths.get("src/test/resources/prompts/token-rules.json");

    @Test
    void forbids_what_the_reference_forbids() throws Exception {
        JsonObject json = JsonParser.parseString(Files.readString(REFERENCE)).getAsJsonObject();
        int vocabulary = json.get("vocabulary").getAsInt();
        for (JsonElement element : json.getAsJsonArray("cases")) {
            JsonObject given = element.getAsJsonObject();
            List<Integer> prompt = ids(given, "prompt");
            List<Integer> chosen = ids(given, "chosen");
            int[] all = new int[64];
            int length = 0;
            for (int id : prompt) {
                all[length++] = id;
            }
            for (int id : chosen) {
                all[length++] = id;
            }
            assertThat(rules(given).forbidden(all, length, chosen.size(), number(given, "prompt_length")).stream()
                            .filter(id -> id < vocabulary)
                            .boxed())
                    .as("%s", given)
                    .containsExactlyElementsOf(ids(given, "forbidden"));
        }
    }

    @Test
    void the_sampler_takes_the_likeliest_token_that_may_come() {
        Set<Integer> stop = Collections.singleton(2);
        Sampler sampler = new Sampler(
                Sampler.Settings.GREEDY,
                new TokenRules(2, 0, stop, Collections.singleton(0), Collections.emptySet(), List.of(), 0),
                null);
        FloatBuffer logits = FloatBuffer.wrap(new float[] {9, 1, 8, 2});
        assertThat(sampler.needsScores()).isTrue();
        assertThat(List.of(sampler.next(logits), sampler.next(logits), sampler.next(logits)))
                .containsExactly(3, 3, 2);
        assertThat(logits.array()).containsExactly(9, 1, 8, 2);
    }

    @Test
    void a_forbidden_token_is_never_drawn_either() {
        Sampler sampler = new Sampler(
                new Sampler.Settings(5, 0, 1, 0, 1, 3),
                new TokenRules(
                        0, 0, Collections.emptySet(), Collections.singleton(1), Collections.emptySet(), List.of(), 0),
                null);
        FloatBuffer logits = FloatBuffer.wrap(new float[] {1, 9, 1});
        for (int i = 0; i < 200; i++) {
            assertThat(sampler.next(logits)).isNotEqualTo(1);
        }
    }

    @Test
    void a_vocabulary_that_is_used_up_is_an_error_that_names_the_fields() {
        Sampler sampler = new Sampler(
                Sampler.Settings.GREEDY,
                new TokenRules(
                        0,
                        0,
                        Collections.emptySet(),
                        Collections.emptySet(),
                        Collections.emptySet(),
                        Collections.emptyList(),
                        1),
                null);
        FloatBuffer logits = FloatBuffer.wrap(new float[] {1, 2});
        sampler.next(logits);
        sampler.next(logits);
        assertThatThrownBy(() -> sampler.next(logits))
                .isInstanceOf(LangBridgeException.class)
                .hasMessageContaining("no_repeat_ngram_size");
    }

    private static TokenRules rules(JsonObject given) {
        List<List<Integer>> words = new ArrayList<>();
        if (given.has("bad_words_ids")) {
            for (JsonElement word : given.getAsJsonArray("bad_words_ids")) {
                words.add(ids(word.getAsJsonArray()));
            }
        }
        return new TokenRules(
                number(given, "min_new_tokens"),
                number(given, "min_length"),
                new LinkedHashSet<>(ids(given, "stop_tokens")),
                ids(given, "suppress_tokens"),
                ids(given, "begin_suppress_tokens"),
                words,
                number(given, "no_repeat_ngram_size"));
    }

    private static int number(JsonObject given, String key) {
        return given.has(key) ? given.get(key).getAsInt() : 0;
    }

    private static List<Integer> ids(JsonObject given, String key) {
        return given.has(key) ? ids(given.getAsJsonArray(key)) : List.of();
    }

    private static List<Integer> ids(JsonArray array) {
        List<Integer> ids = new ArrayList<>();
        array.forEach(id -> ids.add(id.getAsInt()));
        return ids;
    }
}
