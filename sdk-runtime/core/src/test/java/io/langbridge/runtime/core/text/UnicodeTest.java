package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Objects;
import java.util.function.IntConsumer;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The hashes are those of what the Python package tokenizers 0.23.2 does with every code point but the surrogates: one
 * digit each for a class, one line each for a mapping.
 */
class UnicodeTest {
    private static String hashOfClass(IntPredicate property) {
        StringBuilder digits = new StringBuilder(CodePoints.LIMIT);
        forEach(c -> digits.append(property.test(c) ? '1' : '0'));
        return hash(digits);
    }

    private static String hashOfMapping(UnaryOperator<String> mapping) {
        StringBuilder lines = new StringBuilder(4 * CodePoints.LIMIT);
        forEach(c ->
                lines.append(mapping.apply(new String(Character.toChars(c)))).append('\n'));
        return hash(lines);
    }

    private static void forEach(IntConsumer action) {
        for (int c = 0; c < CodePoints.LIMIT; c++) {
            if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
                action.accept(c);
            }
        }
    }

    static String hash(CharSequence text) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256").digest(text.toString().getBytes(StandardCharsets.UTF_8));
            StringBuilder hex = new StringBuilder();
            for (int i = 0; i < 8; i++) {
                hex.append(Character.forDigit(digest[i] >> 4 & 15, 16)).append(Character.forDigit(digest[i] & 15, 16));
            }
            return hex.toString();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
            L, e35406f1fac810b8
            Lu, 9af5f444f4a4c73e
            Ll, 6f7ea733bf590559
            Lt, 59f651132105f7d6
            Lm, a469e6d89678a2b4
            Lo, 22283f4ada487876
            M, 10742687cdf2be8d
            Mn, a757ee0d94e0081e
            Mc, fb9a7814a32444eb
            Me, f9b39d3b8799461a
            N, 29e0afbf92cac2cc
            Nd, 184257ae64493754
            Nl, 5aa583a54d2887fb
            No, 3ab0fcd103f068f0
            P, 7011eee2e9ec8085
            Pc, dce035513378fbbe
            Pd, b66d2ef4cc20effb
            Ps, 8824cb1f3062533f
            Pe, 78041cb32caa10fa
            Pi, e67df5daf3b96412
            Pf, 26eac1727d248bcf
            Po, e6c97acec842bfda
            S, e9f8a9e519ed125e
            Sm, 33e2fb6c49777c9e
            Sc, 6c687cb22b898f7c
            Sk, 02f1eda8a0087792
            So, eb00cb89b3c613c6
            Z, 08456fa32eab6559
            Zs, 81951cf19dba29e5
            Zl, 81e7ac8f8c49e6a4
            Zp, f24e88b3526042d7
            C, 2f4158750c522dd5
            Cc, f43a2c40e6a5f73e
            Cf, 031d1db061923c45
            Cs, 1f3beeb3e1cf9c64
            Co, 4199a98a7873f20f
            Cn, 8adea2f3a848b964
            Han, 3386ad987018923f
            Hiragana, b91a613fb3a498b4
            Katakana, baae119b0af53258
            Hangul, a8f5abe1addbed59
            Thai, 14507c3c9873b6c5
            Latin, 2610316e5cce9f3f
            Cyrillic, c8c48e4f3221a028
            Alphabetic, a7cf0fd45ae12e00
            Arabic, 770915370a320e09
            Greek, 160bba1bbf187da8
            Hebrew, 6be5e53658a1c026
            Devanagari, 0913817afaf27e1c
            Lao, 7a6e65acf1a182d6
            Khmer, bd48f5b547b7e08f
            Myanmar, 4937bad39ff20156
            Bopomofo, 270fdb1964b38dbe
            Alpha, a7cf0fd45ae12e00
            Space, fbbbce4e4bea8806
            White_Space, fbbbce4e4bea8806
            Punct, 7011eee2e9ec8085
            """)
    void a_class_in_a_pattern_holds_what_it_does_in_the_reference(String name, String expected) {
        CodePoints set = Objects.requireNonNull(Unicode.property(name));

        assertThat(hashOfClass(set::contains)).isEqualTo(expected);
    }

    @Test
    void white_space_numbers_punctuation_accents_and_words_are_the_reference_s() {
        assertThat(hashOfClass(Unicode::isWhiteSpace)).isEqualTo("fbbbce4e4bea8806");
        assertThat(hashOfClass(Unicode::isNumeric)).isEqualTo("aafa54736b98a891");
        assertThat(hashOfClass(Unicode::isPunctuationToSplit)).isEqualTo("e73812ee9af3262b");
        assertThat(hashOfClass(Unicode::isAccent)).isEqualTo("a2cbd3b6118761eb");
        assertThat(hashOfClass(Unicode::isWord)).isEqualTo("a311b60aead90cd4");
    }

    @Test
    void masks_are_the_classes_of_patterns() {
        assertThat(hashOfClass(Unicode::isLetter)).isEqualTo("e35406f1fac810b8");
        assertThat(hashOfClass(Unicode::isMark)).isEqualTo("10742687cdf2be8d");
        assertThat(hashOfClass(Unicode::isNumber)).isEqualTo("29e0afbf92cac2cc");
        assertThat(hashOfClass(Unicode::isPunctuation)).isEqualTo("7011eee2e9ec8085");
        assertThat(hashOfClass(Unicode::isSymbol)).isEqualTo("e9f8a9e519ed125e");
        for (String[] pair : new String[][] {{"lu", "lt", "lm", "lo", "m"}, {"ll", "lm", "lo", "m"}}) {
            CodePoints set = CodePoints.NONE;
            for (String name : pair) {
                set = set.or(Objects.requireNonNull(Unicode.property(name)));
            }
            assertThat(Unicode.ofKinds(pair.length == 5 ? Unicode.BEFORE_LOWER : Unicode.LOWER_OR_CASELESS))
                    .isEqualTo(set);
        }
    }

    @Test
    void every_character_has_the_normal_forms_and_the_lower_case_of_the_reference() {
        assertThat(hashOfMapping(Unicode::nfc)).isEqualTo("9cc65524a9d8082b");
        assertThat(hashOfMapping(Unicode::nfd)).isEqualTo("34c986f61cb6f6d6");
        assertThat(hashOfMapping(Unicode::nfkc)).isEqualTo("6a3e30f0f9aef6e6");
        assertThat(hashOfMapping(Unicode::nfkd)).isEqualTo("b13d7cf200216bf8");
        assertThat(hashOfMapping(Unicode::lower)).isEqualTo("62a955092f4341ca");
    }

    @Test
    void texts_of_letters_marks_and_jamo_have_the_normal_forms_of_the_reference() {
        int[][] ranges = {
            {0x41, 0x17F}, {0x300, 0x36F}, {0x5B0, 0x5CF}, {0x900, 0x9FF}, {0x1100, 0x11FF}, {0x1E00, 0x1FFF},
            {0x2100, 0x21FF}, {0x3040, 0x30FF}, {0xAC00, 0xACFF}, {0xF900, 0xF9FF}, {0xFB00, 0xFBFF}, {0xFF00, 0xFFEF},
            {0x11300, 0x113FF}, {0x1D150, 0x1D1FF}
        };
        StringBuilder nfc = new StringBuilder();
        StringBuilder nfd = new StringBuilder();
        StringBuilder nfkc = new StringBuilder();
        StringBuilder nfkd = new StringBuilder();
        Dice dice = new Dice();
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = 1 + dice.next(12); n > 0; n--) {
                int[] range = ranges[dice.next(ranges.length)];
                text.appendCodePoint(range[0] + dice.next(range[1] - range[0] + 1));
            }
            nfc.append(Unicode.nfc(text.toString())).append('\n');
            nfd.append(Unicode.nfd(text.toString())).append('\n');
            nfkc.append(Unicode.nfkc(text.toString())).append('\n');
            nfkd.append(Unicode.nfkd(text.toString())).append('\n');
        }
        assertThat(hash(nfc)).isEqualTo("ad703d4aecac3833");
        assertThat(hash(nfd)).isEqualTo("13df2018bddc6b22");
        assertThat(hash(nfkc)).isEqualTo("5d5177e336214bbf");
        assertThat(hash(nfkd)).isEqualTo("0b5691cd8801bd6e");
    }

    @Test
    void a_text_that_is_in_its_form_is_not_copied() {
        String text = "Gr\u00fc\u00dfe, \uac00 \ud83d\ude00";

        assertThat(Unicode.nfc(text)).isSameAs(text);
        assertThat(Unicode.nfkd("plain")).isEqualTo("plain");
        assertThat(Unicode.lower("plain \u00fc")).isEqualTo("plain \u00fc");
    }

    @Test
    void a_million_marks_out_of_order_are_put_in_order() {
        StringBuilder text = new StringBuilder("a");
        for (int i = 0; i < 500_000; i++) {
            text.append('\u0345').append('\u0334');
        }

        String ordered = Unicode.nfd(text.toString());

        assertThat(ordered.indexOf('\u0345')).isEqualTo(500_001);
        assertThat(ordered).hasSameSizeAs(text);
    }

    @Test
    void half_of_a_surrogate_pair_stays_what_it_is() {
        assertThat(Unicode.nfc("e\ud800\u0301")).isEqualTo("e\ud800\u0301");
        assertThat(Unicode.lower("A\udc00")).isEqualTo("a\udc00");
        assertThat(Unicode.isLetter(0xD800)).isFalse();
    }

    @Test
    void sets_join_meet_and_turn_around() {
        CodePoints digits = CodePoints.range('0', '9');
        CodePoints low = CodePoints.range('0', '4').or(CodePoints.range(0, 2));

        assertThat(digits.or(low).bounds()).containsExactly(0, 3, '0', ':');
        assertThat(digits.and(low).bounds()).containsExactly('0', '5');
        assertThat(digits.not().bounds()).containsExactly(0, '0', ':', CodePoints.LIMIT);
        assertThat(low.not().bounds()).containsExactly(3, '0', '5', CodePoints.LIMIT);
        assertThat(low.not().not()).isEqualTo(low);
        assertThat(CodePoints.NONE.not().not()).isEqualTo(CodePoints.NONE);
        assertThat(digits.disjoint(digits.not())).isTrue();
        assertThat(digits.not().contains(0x10FFFF)).isTrue();
        assertThat(digits.not().contains('5')).isFalse();
    }

    @Test
    void a_property_that_is_not_known_is_none() {
        assertThat(Unicode.property("Klingon")).isNull();
        assertThat(Unicode.property("numeric")).isNull();
        assertThat(Unicode.property("white_space")).isEqualTo(Unicode.property("Space"));
    }
}
