package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What hostile texts cost, in steps: looks at characters, merges, comparisons. */
class TokenizerStepsTest {
    private static final int LENGTH = 1_000_000;

    @TempDir
    Path folder;

    private Tokenizer bytes;
    private Tokenizer pieces;
    private Tokenizer unigram;

    @BeforeEach
    void open() throws Exception {
        String added = "[" + TokenizerFolder.added("<|im_end|>", "special") + ","
                + TokenizerFolder.added("<|im_end|>>", "normalized") + ","
                + TokenizerFolder.added("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab") + ","
                + TokenizerFolder.added("<a>", "lstrip", "rstrip") + "]";
        bytes = TokenizerFolder.byteLevel(folder).with("added_tokens", added).open();
        pieces = TokenizerFolder.of(
                        folder,
                        "{'type':'BPE','unk_token':'u','fuse_unk':true,'vocab':{'u':0,'a':1,'aa':2,'aaaa':3,'\u2581':4,"
                                + "'\u2581\u2581':5,'<':6,'|':7},'merges':['a a','aa aa','\u2581 \u2581']}")
                .with("normalizer", "{'type':'Replace','pattern':{'String':' '},'content':'\u2581'}")
                .with("added_tokens", added)
                .open();
        unigram = TokenizerFolder.of(
                        folder,
                        "{'type':'Unigram','unk_id':0,'vocab':[['u',0],['a',-1],['aa',-1.5],['aaaa',-2],['\u2581',-1]]}")
                .with("pre_tokenizer", "{'type':'Metaspace','replacement':'\u2581','split':false}")
                .with("added_tokens", added)
                .open();
    }

    private static String repeat(String text) {
        return String.join("", Collections.nCopies(LENGTH / text.length(), text));
    }

    @Test
    void no_text_costs_more_than_its_length_times_a_logarithm() {
        for (String text : new String[] {
            "a",
            " ",
            "\n",
            "\ud83d\ude00",
            "<|im_end|",
            "<|im_end|>",
            "<",
            "ab",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa<",
            "\u0301",
            " <a",
            "<a> ",
            "e\u0301",
            "'s"
        }) {
            String whole = repeat(text);
            for (Tokenizer tokenizer : Arrays.asList(bytes, pieces, unigram)) {
                Ids ids = new Ids(Integer.MAX_VALUE);
                tokenizer.encode(whole, ids);

                assertThat(ids.steps()).as(text).isBetween(1L, 16L * LENGTH);
                assertThat(ids.toArray()).as(text).isNotEmpty();
            }
        }
    }

    @Test
    void counting_stops_soon_after_the_limit() {
        String text = repeat("a b c ");
        Ids all = new Ids(Integer.MAX_VALUE);
        bytes.encode(text, all);
        Ids some = new Ids(1000);
        bytes.encode(text, some);

        assertThat(bytes.encode(text, false, 1000)).hasSizeBetween(1001, 1100);
        assertThat(bytes.encode("a b c", false, 1000)).isEqualTo(bytes.encode("a b c", false));
        assertThat(bytes.encode(text, false, 1000)).startsWith(bytes.encode("a b c ", false)[0]);
        // The text is still looked at once for added tokens, but nothing is merged any more.
        assertThat(some.steps()).isLessThan(all.steps() * 3 / 4);
    }

    @Test
    void ten_million_blanks_are_a_text_like_others() {
        char[] blanks = new char[10_500_000];
        Arrays.fill(blanks, ' ');

        assertThat(bytes.encode(new String(blanks), false, 4096)).isNotEmpty();
    }

    @Test
    void the_longest_token_tells_how_short_an_answer_can_be() throws Exception {
        Tokenizer plain = TokenizerFolder.byteLevel(folder).open();
        String text = repeat("the ");

        assertThat(plain.longestToken()).isBetween(3 * 12, 3 * 40);
        assertThat(plain.encode(text, false).length).isGreaterThanOrEqualTo(text.length() / plain.longestToken());
        // These take white space along or lose what they do not know.
        assertThat(bytes.longestToken()).isEqualTo(Integer.MAX_VALUE);
        assertThat(unigram.longestToken()).isEqualTo(Integer.MAX_VALUE);
    }
}
