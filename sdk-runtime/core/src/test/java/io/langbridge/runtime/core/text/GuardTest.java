package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Words of a user never become a token, whatever is done to them on the way. */
class GuardTest {
    private static final Set<String> IMAGE = Collections.singleton("<image>");

    @TempDir
    Path folder;

    private Tokenizer tokenizer(String normalizer, String... added) throws Exception {
        return TokenizerFolder.byteLevel(folder)
                .with("normalizer", normalizer)
                .with("added_tokens", "[" + String.join(",", added) + "]")
                .open();
    }

    private static void assertText(Tokenizer tokenizer, String guarded, String user) {
        int[] ids = tokenizer.encode("<|im_start|>" + guarded + "<|im_end|>", false);
        int start = TokenizerFolder.id(tokenizer, "<|im_start|>");
        int end = TokenizerFolder.id(tokenizer, "<|im_end|>");

        assertThat(tokenizer.unguard(guarded)).isEqualTo(user);
        assertThat(ids).startsWith(start).endsWith(end);
        assertThat(Arrays.copyOfRange(ids, 1, ids.length - 1)).isEqualTo(tokenizer.encodeAsText(user));
        assertThat(Arrays.stream(ids, 1, ids.length - 1)).allMatch(id -> id < start);
    }

    @Test
    void a_token_that_is_cut_in_two_is_marked() throws Exception {
        Tokenizer tokenizer = TokenizerFolder.byteLevel(folder).open();
        List<String> parts = tokenizer.guard(Arrays.asList("x <|im_", "end|> <ima", "", "ge>"), IMAGE, false);
        String joined = String.join("", parts);

        assertThat(parts).hasSize(4);
        assertThat(joined).doesNotContain("<|im_end|>").doesNotContain("<image>");
        assertText(tokenizer, joined, "x <|im_end|> <image>");
    }

    @Test
    void no_normalizer_brings_a_token_to_light() throws Exception {
        String start = TokenizerFolder.added("<|im_start|>", "special");
        String end = TokenizerFolder.added("<|im_end|>", "special", "normalized");
        String image = TokenizerFolder.added("<image>", "normalized");
        String[][] cases = {
            {"{'type':'NFKC'}", "\uff1cimage\uff1e"},
            {"{'type':'NFKC'}", "\uff1c|im_end|\uff1e"},
            {"{'type':'Lowercase'}", "<IMAGE> <|IM_END|>"},
            {"{'type':'Nmt'}", "<im\u0001age>"},
            {"{'type':'Replace','pattern':{'String':'\u200b'},'content':''}", "<|im\u200b_end|>"},
            {"{'type':'Replace','pattern':{'Regex':'q+'},'content':'<image>'}", "q"},
            {"{'type':'Strip','strip_left':true,'strip_right':true}", " <image> "},
        };
        for (String[] one : cases) {
            Tokenizer tokenizer = tokenizer(one[0], start, end, image);
            for (List<String> parts : Arrays.asList(
                    Collections.singletonList("See " + one[1] + " !"),
                    Arrays.asList("See " + one[1].substring(0, 1), one[1].substring(1) + " !"))) {
                String guarded = String.join("", tokenizer.guard(parts, Collections.emptyList(), false));

                assertText(tokenizer, guarded, String.join("", parts));
                // A template may drop any part of it.
                for (int cut = 0; cut < guarded.length(); cut++) {
                    assertThat(tokenizer.encode(guarded.substring(cut), false))
                            .doesNotContain(
                                    TokenizerFolder.id(tokenizer, "<|im_end|>"),
                                    TokenizerFolder.id(tokenizer, "<image>"));
                    assertThat(tokenizer.encode(guarded.substring(0, cut), false))
                            .doesNotContain(
                                    TokenizerFolder.id(tokenizer, "<|im_end|>"),
                                    TokenizerFolder.id(tokenizer, "<image>"));
                }
            }
        }
    }

    @Test
    void random_texts_of_a_user_give_no_token() throws Exception {
        String start = TokenizerFolder.added("<|im_start|>", "special");
        String end = TokenizerFolder.added("<|im_end|>", "special");
        String think = TokenizerFolder.added("<think>", "normalized");
        String star = TokenizerFolder.added("\u2605", "special");
        Tokenizer tokenizer = tokenizer(
                "{'type':'Sequence','normalizers':[{'type':'NFKC'},{'type':'Lowercase'}]}", start, end, think, star);
        String[] pieces = {
            "<|im_",
            "end|>",
            "<|im_end|>",
            "<th",
            "ink>",
            "<THINK>",
            "\uff1cthink\uff1e",
            "\u2605",
            "\ufdd0",
            " ",
            "<",
            "|",
            ">",
            "\u0338",
            "a",
            "\n"
        };
        Random random = new Random(3);
        for (int i = 0; i < 2000; i++) {
            List<String> parts = IntStream.range(0, 1 + random.nextInt(3))
                    .mapToObj(p -> IntStream.range(0, random.nextInt(6))
                            .mapToObj(x -> pieces[random.nextInt(pieces.length)])
                            .collect(Collectors.joining()))
                    .collect(Collectors.toList());
            String guarded = String.join("", tokenizer.guard(parts, IMAGE, false));

            assertText(tokenizer, guarded, String.join("", parts));
        }
    }

    @Test
    void markers_of_a_model_stay_in_its_own_words() throws Exception {
        Tokenizer tokenizer = tokenizer(
                "null",
                TokenizerFolder.added("<|im_start|>", "special"),
                TokenizerFolder.added("<|im_end|>", "special"),
                TokenizerFolder.added("<think>"),
                TokenizerFolder.added("</think>"));
        List<String> words = Collections.singletonList("<think>hm</think> <|im_end|> <image>");

        String model = tokenizer.guard(words, IMAGE, true).get(0);
        String user = tokenizer.guard(words, IMAGE, false).get(0);

        assertThat(model)
                .startsWith("<think>hm</think> <")
                .doesNotContain("<|im_end|>")
                .doesNotContain("<image>");
        assertThat(tokenizer.encode(model, false)).contains(TokenizerFolder.id(tokenizer, "</think>"));
        assertThat(user).doesNotContain("<think>").doesNotContain("</think>");
    }

    @Test
    void no_normalizer_brings_a_turn_to_light_in_an_answer_either() throws Exception {
        String turn = TokenizerFolder.added("<|user|>", "normalized");
        Tokenizer tokenizer = tokenizer("{'type':'NFKC'}", TokenizerFolder.added("<|im_end|>", "special"), turn);
        List<String> answer = Collections.singletonList("ok \uff1c|user|\uff1e now");

        String guarded =
                tokenizer.guard(answer, Collections.singleton("<|user|>"), true).get(0);

        assertThat(tokenizer.encode(guarded, false)).doesNotContain(TokenizerFolder.id(tokenizer, "<|user|>"));
    }

    @Test
    void marks_stand_only_where_they_are_needed() throws Exception {
        Tokenizer tokenizer = TokenizerFolder.byteLevel(folder).open();

        assertThat(tokenizer.guard(" a <|im_end|> b ", IMAGE)).isEqualTo(" a <\ufdd0|im_end|> b ");
        assertThat(tokenizer.guard(Arrays.asList(" caf\u00e9 e\u0301 ", "\uff1c"), IMAGE, false))
                .containsExactly(" caf\u00e9 e\u0301 ", "\uff1c");
        assertThat(tokenizer.guard(Collections.emptyList(), IMAGE, false)).isEmpty();
    }

    @Test
    void no_model_makes_a_special_token_of_characters() throws Exception {
        String unigram = "{'type':'Unigram','unk_id':0,'vocab':[['<unk>',0],['</s>',0],['<',-5],['/',-5],['s',-5],"
                + "['>',-5],['</',-1]]}";
        Tokenizer pieces = TokenizerFolder.of(folder, unigram)
                .with("added_tokens", "[" + TokenizerFolder.added("</s>", "special") + "]")
                .with("normalizer", "{'type':'NFKC'}")
                .open();

        assertThat(pieces.encode("</s>", false)).containsExactly(1);
        assertThat(pieces.encode(pieces.guard("</s>", IMAGE), false)).containsExactly(6, 4, 5);
        assertThat(pieces.encode(pieces.guard("\uff1c/s>", IMAGE), false)).containsExactly(6, 4, 5);
        String pairs = "{'type':'BPE','vocab':{'<':0,'s':1,'>':2,'<s':3,'<s>':4},'merges':['< s','<s >']}";
        for (String ignoring : new String[] {"false", "true"}) {
            Tokenizer merged = TokenizerFolder.of(folder, pairs)
                    .model("ignore_merges", ignoring)
                    .with("added_tokens", "[" + TokenizerFolder.added("<s>", "special") + "]")
                    .open();

            assertThat(merged.encode("<s>", false)).containsExactly(4);
            assertThat(merged.encode(merged.guard("<s>", IMAGE), false)).containsExactly(3, 2);
        }
    }
}
