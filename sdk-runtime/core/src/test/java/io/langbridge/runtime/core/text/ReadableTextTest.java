package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ReadableTextTest {
    private static String of(String text) {
        return ReadableText.of(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String of(int... bytes) {
        byte[] values = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            values[i] = (byte) bytes[i];
        }
        return ReadableText.of(values);
    }

    @Test
    void the_space_in_front_is_left_out() {
        assertThat(of(" dog")).isEqualTo("dog");
        assertThat(of("dog")).isEqualTo("dog");
        assertThat(of(" a b")).isEqualTo("a b");
    }

    @Test
    void other_spaces_are_seen() {
        assertThat(of(" ")).isEqualTo("\u2423");
        assertThat(of("   ")).isEqualTo("\u2423\u2423\u2423");
        assertThat(of("  a")).isEqualTo("\u2423\u2423a");
        assertThat(of("a ")).isEqualTo("a\u2423");
    }

    @Test
    void what_cannot_be_seen_is_written_out() {
        assertThat(of("\n\r\t")).isEqualTo("\\n\\r\\t");
        assertThat(of("\\n")).isEqualTo("\\\\n");
        assertThat(of("a\u200bb\u00a0\u0000\ue000")).isEqualTo("a\\{U+200B}b\\{U+00A0}\\{U+0000}\\{U+E000}");
        assertThat(of("\u202e")).isEqualTo("\\{U+202E}"); // would turn what follows around
        assertThat(of("\u0301e")).isEqualTo("\u25cc\u0301e");
    }

    @Test
    void markup_and_other_scripts_stay_as_they_are() {
        assertThat(of("<|im_end|>&\"'")).isEqualTo("<|im_end|>&\"'");
        assertThat(of(" \u56fe\ud83d\ude00\u00e9")).isEqualTo("\u56fe\ud83d\ude00\u00e9");
        assertThat(of("\ufffd")).isEqualTo("\ufffd");
    }

    @Test
    void bytes_that_are_no_character_are_written_as_numbers() {
        assertThat(of(0xE4, 0xB8)).isEqualTo("\\xE4\\xB8");
        assertThat(of(' ', 0xC3)).isEqualTo("\\xC3");
        assertThat(of('a', 0x80, 0xC3, 0xA9, 0xFF)).isEqualTo("a\\x80\u00e9\\xFF");
        assertThat(of(0xED, 0xA0, 0x80)).isEqualTo("\\xED\\xA0\\x80"); // a surrogate
        assertThat(of(0xC0, 0x80)).isEqualTo("\\xC0\\x80"); // longer than needed
        assertThat(of()).isEmpty();
    }
}
