package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StreamingDecoderTest {
    private static Tokenizer tokenizer;
    private static final int[] ID_OF_BYTE = new int[256];

    @BeforeAll
    static void open() {
        tokenizer = Tokenizer.of(TokenizerTest.FOLDER);
        for (int id = tokenizer.vocabularySize() - 1; id >= 0; id--) {
            byte[] bytes = tokenizer.bytesOf(id);
            if (bytes.length == 1) {
                ID_OF_BYTE[bytes[0] & 0xFF] = id;
            }
        }
    }

    /** The pieces, separated by a bar; the last one is what is left at the end. */
    private static String pieces(int... bytes) {
        StreamingDecoder decoder = tokenizer.newStreamingDecoder();
        StringBuilder pieces = new StringBuilder();
        for (int b : bytes) {
            pieces.append(b < 0 ? decoder.next(622) : decoder.next(ID_OF_BYTE[b]))
                    .append('|');
        }
        return pieces.append(decoder.flush()).toString();
    }

    @Test
    void a_character_appears_with_its_last_byte() {
        assertThat(pieces('a', 0xC3, 0xA9, 'b')).isEqualTo("a||\u00e9|b|");
        assertThat(pieces(0xF0, 0x9F, 0x98, 0x80)).isEqualTo("|||\ud83d\ude00|");
    }

    @Test
    void a_special_token_does_not_interrupt_a_character() {
        assertThat(pieces(0xC3, -1, 0xA9)).isEqualTo("||\u00e9|");
    }

    @Test
    void each_maximal_subpart_becomes_one_replacement_character() {
        assertThat(pieces(0xE2, 0x82, 'a')).isEqualTo("||\ufffda|");
        assertThat(pieces(0xC0, 0x80)).isEqualTo("\ufffd|\ufffd|");
        assertThat(pieces(0xF0, 0x80, 'a')).isEqualTo("|\ufffd\ufffd|a|");
        assertThat(pieces(0xF5, 0xFF)).isEqualTo("\ufffd|\ufffd|");
    }

    @Test
    void a_surrogate_becomes_three_replacement_characters() {
        assertThat(pieces(0xED, 0xA0, 0x80)).isEqualTo("||\ufffd\ufffd\ufffd|");
        assertThat(pieces(0xED, 0xA0)).isEqualTo("||\ufffd\ufffd");
    }

    @Test
    void an_unfinished_character_is_given_up_at_the_end() {
        assertThat(pieces(0xE2, 0x82)).isEqualTo("||\ufffd");
    }

    /** Expected text from transformers 5.18. */
    @Test
    void a_run_of_byte_tokens_that_is_no_text_is_a_replacement_character_for_each() {
        Tokenizer pieces = Tokenizer.of(Paths.get("src/test/resources/tokenizers/stream-malformed-byte-fallback"));

        assertThat(streamed(pieces, 153, 117, 324)).isEqualTo("\ufffd\ufffdt");
        assertThat(streamed(pieces, 243, 162, 68, 229, 324)).isEqualTo("\ufffd\ufffd\ufffd\ufffdt");
    }

    private static String streamed(Tokenizer tokenizer, int... ids) {
        StreamingDecoder decoder = tokenizer.newStreamingDecoder();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.next(id));
        }
        return text.append(decoder.flush()).toString();
    }

    @Test
    void the_pieces_together_are_what_decode_gives(@TempDir Path folder) throws Exception {
        String fallback = "{'type':'ByteFallback'}";
        String fuse = "{'type':'Fuse'}";
        String block = "{'type':'Replace','pattern':{'String':'\u2581'},'content':' '}";
        String strip = "{'type':'Strip','content':' ','start':1,'stop':2}";
        String[] decoders = {
            "null",
            "{'type':'ByteLevel'}",
            fallback,
            strip,
            "{'type':'Metaspace','replacement':'\u2581'}",
            "{'type':'WordPiece','prefix':'\u2581','cleanup':true}",
            "{'type':'BPEDecoder','suffix':'a'}",
            "{'type':'Sequence','decoders':[" + block + "," + fallback + "," + fuse + "," + strip + "]}",
            "{'type':'Sequence','decoders':[" + fuse + ",{'type':'Replace','pattern':{'String':'aab'},'content':'!'}]}",
            "{'type':'Sequence','decoders':[" + fuse + ",{'type':'Replace','pattern':{'Regex':'a+b'},'content':'!'}]}",
        };
        String model = "{'type':'BPE','vocab':{'a':0,'b':1,'\u2581':2,'\u2581a':3,'aa':4,' ':5,'<0xC3>':6,'<0xA9>':7,"
                + "'<0xE2>':8,'<0x20>':9,'\u00c3':10,'\u00a9':11,'  .':12,'</s>':13},'merges':[]}";
        Random random = new Random(9);
        for (String each : decoders) {
            Tokenizer some = TokenizerFolder.of(folder, model)
                    .with("decoder", each)
                    .with("added_tokens", "[" + TokenizerFolder.added("</s>", "special") + "]")
                    .open();
            for (int i = 0; i < 500; i++) {
                int[] ids = random.ints(random.nextInt(12), 0, 16).toArray();

                assertThat(streamed(some, ids)).as(each).isEqualTo(some.decode(ids, true));
            }
        }
    }
}
