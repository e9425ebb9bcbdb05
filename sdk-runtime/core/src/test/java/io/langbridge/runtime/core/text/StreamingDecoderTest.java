package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

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
}
