package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tokenizers put together by chance from all parts that files have, with what the Python package tokenizers 0.23 makes
 * of ten texts and of random ids.
 */
class ReferenceTokenizerTest {
    private static final Path CASES = Paths.get("src/test/resources/tokenizers/reference.json");

    @TempDir
    Path folder;

    @Test
    void every_part_does_what_the_reference_does() throws Exception {
        JsonObject all;
        try (Reader in = Files.newBufferedReader(CASES, StandardCharsets.UTF_8)) {
            all = JsonParser.parseReader(in).getAsJsonObject();
        }
        List<String> wrong = new ArrayList<>();
        int number = 0;
        for (JsonElement element : all.getAsJsonArray("cases")) {
            JsonObject one = element.getAsJsonObject();
            JsonObject json = new JsonObject();
            json.add("model", all.getAsJsonObject("models").get(one.get("model").getAsString()));
            for (String part :
                    new String[] {"normalizer", "pre_tokenizer", "post_processor", "decoder", "added_tokens"}) {
                json.add(part, one.get(part));
            }
            Files.write(folder.resolve("tokenizer.json"), json.toString().getBytes(StandardCharsets.UTF_8));
            Tokenizer tokenizer = Tokenizer.of(folder);
            String where = "case " + number++ + ", ";
            for (JsonElement text : one.getAsJsonArray("texts")) {
                check(where, text.getAsJsonObject(), tokenizer, wrong);
            }
            for (JsonElement sequence : one.getAsJsonArray("sequences")) {
                int[] ids = ids(sequence.getAsJsonObject());
                String decoded = sequence.getAsJsonObject().get("decoded").getAsString();
                if (!tokenizer.decode(ids, false).equals(decoded)) {
                    wrong.add(where + "decoding " + sequence);
                }
            }
        }

        assertThat(wrong).isEmpty();
        assertThat(number).isGreaterThan(60);
    }

    private static void check(String where, JsonObject text, Tokenizer tokenizer, List<String> wrong) {
        int[] ids = tokenizer.encode(text.get("text").getAsString(), false);
        if (!Arrays.equals(ids, ids(text))) {
            wrong.add(where + "ids of " + text + " are " + Arrays.toString(ids));
        } else if (!tokenizer.decode(ids, false).equals(text.get("decoded").getAsString())) {
            wrong.add(where + "decoding " + text);
        }
    }

    private static int[] ids(JsonObject json) {
        int[] ids = new int[json.getAsJsonArray("ids").size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = json.getAsJsonArray("ids").get(i).getAsInt();
        }
        return ids;
    }
}
