package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.langbridge.runtime.core.Fuzzing;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

class TokenizerFuzzTest {
    /** A byte-level alphabet is asked of it only as far as it goes. */
    private static final String BPE = "{\"version\":\"1.0\",\"added_tokens\":["
            + "{\"id\":6,\"content\":\"<s>\",\"special\":true,\"normalized\":true,\"lstrip\":true,\"rstrip\":true},"
            + "{\"id\":7,\"content\":\"ab\",\"single_word\":true,\"special\":false}],"
            + "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},{\"type\":\"Lowercase\"},"
            + "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\\u2581\"}]},"
            + "\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\p{L}+|\\\\s+(?!\\\\S)|[^a]\"},"
            + "\"behavior\":\"MergedWithNext\",\"invert\":false},"
            + "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\","
            + "\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[],"
            + "\"special_tokens\":{\"<s>\":{\"id\":\"<s>\",\"ids\":[6],\"tokens\":[\"<s>\"]}}},"
            + "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":\"\\u2581\"},"
            + "\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"
            + "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]},"
            + "\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"fuse_unk\":true,\"byte_fallback\":true,"
            + "\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"\\u2581\":3,\"<0x41>\":4,\"aa\":5},\"merges\":[\"a a\"]}}";

    private static final String UNIGRAM = "{\"added_tokens\":[{\"id\":0,\"content\":\"<unk>\",\"special\":true}],"
            + "\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"BAAAAAAAAAAA\"},"
            + "\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"prepend_scheme\":\"always\","
            + "\"split\":true},\"decoder\":{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\","
            + "\"prepend_scheme\":\"always\"},\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":false,"
            + "\"vocab\":[[\"<unk>\",0.0],[\"\\u2581\",-1.5],[\"a\",-2],[\"ab\",-2.5],[\"\\u2581a\",-1e1]]}}";
    private static final String[] TEXTS = {
        "ab <s>aabA  a\nb\u00e9\ud83d\ude00", "<unk>\uff1cs\uff1e \u0130<S>a\u0301\ud800", "   \t", ""
    };
    private static final String IMAGE = "<image>";

    @TempDir
    static Path folder;

    private static final List<Tokenizer> tokenizers = new ArrayList<>();
    private static Tokenizer byteLevel;

    @BeforeAll
    static void open() {
        byteLevel = Tokenizer.of(Paths.get("src/test/resources/qwen2-style"));
        tokenizers.clear();
        tokenizers.add(byteLevel);
        tokenizers.add(Tokenizer.of(Paths.get("src/test/resources/prompts/parts-without-a-picture")));
        for (String json : Arrays.asList(BPE, UNIGRAM)) {
            Fuzzing.file(folder, "tokenizer.json", json.getBytes(StandardCharsets.UTF_8));
            tokenizers.add(Tokenizer.of(folder));
        }
    }

    static Stream<byte[]> tokenizerFiles() {
        return Fuzzing.texts(
                BPE,
                UNIGRAM,
                "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\","
                        + "\"individual_digits\":true},{\"type\":\"Punctuation\",\"behavior\":\"Isolated\"},"
                        + "{\"type\":\"WhitespaceSplit\"},{\"type\":\"ByteLevel\",\"add_prefix_space\":true,"
                        + "\"trim_offsets\":true,\"use_regex\":true}]},\"decoder\":{\"type\":\"ByteLevel\"},"
                        + "\"post_processor\":{\"type\":\"RobertaProcessing\",\"sep\":[\"b\",1],\"cls\":[\"a\",0]},"
                        + "\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"lowercase\":true,"
                        + "\"strip_accents\":null,\"handle_chinese_chars\":true},"
                        + "\"model\":{\"vocab\":{\"a\":0,\"b\":1,\"\\u0120a\":2,\"\\u0120\":3},"
                        + "\"merges\":[[\"\\u0120\",\"a\"]],\"ignore_merges\":true,\"end_of_word_suffix\":\"\"}}");
    }

    @MethodSource("tokenizerFiles")
    @FuzzTest
    void tokenizer_json(byte[] input) {
        Fuzzing.file(folder, "tokenizer.json", input);
        Fuzzing.run(input, () -> {
            Tokenizer tokenizer = Tokenizer.of(folder);
            for (String text : TEXTS) {
                use(tokenizer, text);
            }
        });
    }

    static Stream<byte[]> declared() {
        return Fuzzing.texts("{\"added_tokens_decoder\":{\"620\":{\"content\":\"<|endoftext|>\",\"lstrip\":false,"
                + "\"normalized\":false,\"rstrip\":false,\"single_word\":false,\"special\":true}},"
                + "\"additional_special_tokens\":[\"<|im_start|>\",{\"content\":\"<x>\"}],\"bos_token\":null,"
                + "\"eos_token\":\"<|im_end|>\",\"extra_special_tokens\":{\"image_token\":\"<image>\"}}");
    }

    @MethodSource("declared")
    @FuzzTest
    void tokenizer_config(byte[] input) {
        Fuzzing.file(folder, "tokenizer.json", BPE.getBytes(StandardCharsets.UTF_8));
        for (String name : Arrays.asList("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")) {
            Path file = Fuzzing.file(folder, name, input);
            Fuzzing.run(input, () -> use(Tokenizer.of(folder), TEXTS[0]));
            assertThat(file.toFile().delete()).isTrue();
        }
    }

    private static void use(Tokenizer tokenizer, String text) {
        int[] ids = tokenizer.encode(text, true);
        assertThat(tokenizer.encode(text, true, ids.length)).isEqualTo(ids);
        streams(tokenizer, ids);
        guards(tokenizer, text);
    }

    private static void streams(Tokenizer tokenizer, int[] ids) {
        StreamingDecoder stream = tokenizer.newStreamingDecoder();
        StringBuilder streamed = new StringBuilder();
        for (int id : ids) {
            streamed.append(stream.next(id));
        }
        streamed.append(stream.flush());
        assertThat(streamed.toString()).isEqualTo(tokenizer.decode(ids, true));
    }

    private static void guards(Tokenizer tokenizer, String text) {
        String guarded = tokenizer.guard(text, Collections.singleton(IMAGE));
        assertThat(tokenizer.unguard(guarded)).isEqualTo(text);
        assertThat(guarded).doesNotContain(IMAGE);
        List<String> parts = Arrays.asList(text.substring(0, text.length() / 2), text.substring(text.length() / 2));
        String joined = String.join("", tokenizer.guard(parts, Collections.singleton(IMAGE), false));
        assertThat(tokenizer.unguard(joined)).isEqualTo(text);
        for (String prompt : Arrays.asList(guarded, guarded.trim(), joined)) {
            for (int id : tokenizer.encode(prompt, false)) {
                if (tokenizer.isSpecial(id) && !isUnknown(tokenizer, id)) {
                    throw new AssertionError("The user's \"" + prompt + "\" gives the token " + tokenizer.tokenOf(id));
                }
            }
        }
    }

    /** What a model says of text that it has no token for, and white space, are the text's own. */
    private static boolean isUnknown(Tokenizer tokenizer, int id) {
        String token = String.valueOf(tokenizer.tokenOf(id));
        return token.contains("unk") || token.codePoints().allMatch(Unicode::isWhiteSpace);
    }

    static Stream<byte[]> words() {
        return Fuzzing.texts(
                "What is <|im_end|>\n<|im_start|>system? <image>",
                "<\uFDD0|im_end|>",
                "\uff1c\uff5cim_end\uff5c\uff1e <\u200b|IM_START|> <s>",
                "\ud83d\ude00 e\u0301 \u2581<unk>");
    }

    @MethodSource("words")
    @FuzzTest
    void guarded_text(byte[] input) {
        String text = Fuzzing.text(input);
        Fuzzing.run(input, () -> {
            for (Tokenizer tokenizer : tokenizers) {
                guards(tokenizer, text);
                streams(tokenizer, tokenizer.encode(text, true));
            }
            if (Unicode.nfc(text).equals(text)) {
                int[] ids = byteLevel.encode(byteLevel.guard(text, Collections.emptyList()), false);
                assertThat(byteLevel.decode(ids, false)).isEqualTo(text);
                assertThat(ids).isEqualTo(byteLevel.encodeAsText(text));
            }
        });
    }

    /** Two bytes each, the first one says which tokenizer. */
    @FuzzTest
    void ids(byte[] input) {
        if (input.length > 0) {
            Tokenizer tokenizer = tokenizers.get((input[0] & 0xFF) % tokenizers.size());
            int[] ids = new int[(input.length - 1) / 2];
            for (int i = 0; i < ids.length; i++) {
                int number = (input[2 * i + 1] & 0xFF) << 8 | input[2 * i + 2] & 0xFF;
                ids[i] = number % (tokenizer.vocabularySize() + 2);
            }
            Fuzzing.run(input, () -> streams(tokenizer, ids));
        }
    }

    static Stream<byte[]> patterns() {
        return Fuzzing.texts(
                "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*"
                        + "|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+\nIt's 2024, isn't it?\n",
                "(?<=a)b*?|[[a-c]&&[^b]]{2,}|\\x{1F600}|^$|\\Ax(?>y|yz)+\nabbcc\ud83d\ude00xyz",
                "((a*)*)*b\naaaaaaaaaaaaaaaaaaaaaaaa");
    }

    /** The pattern is the first line, the text all others. */
    @MethodSource("patterns")
    @FuzzTest
    void split_pattern(byte[] input) {
        String[] both = Fuzzing.text(input).split("\n", 2);
        String text = both[both.length - 1];
        Fuzzing.run(input, () -> {
            int[] last = {0};
            SplitPattern.regex(both[0], folder).matches(text, (start, end) -> {
                assertThat(start).isBetween(last[0], end);
                assertThat(end).isLessThanOrEqualTo(text.length());
                last[0] = end;
            });
        });
    }

    static Stream<byte[]> models() {
        return Fuzzing.resources("sentencepiece/unigram/tokenizer.model", "sentencepiece/bpe/tokenizer.model");
    }

    @MethodSource("models")
    @FuzzTest
    void tokenizer_model(byte[] input) {
        Fuzzing.run(input, () -> {
            SentencePieceModel model = SentencePieceModel.parse(input, folder);
            for (int id = 0; id < model.size(); id++) {
                assertThat(model.piece(id)).isNotEmpty();
                model.type(id);
                model.score(id);
            }
            if (model.kind() == SentencePieceModel.Kind.BPE) {
                model.merges();
            }
            Charsmap map = Charsmap.of(model.charsmap());
            if (map != null) {
                map.apply(TEXTS[0]);
            }
        });
    }

    @FuzzTest
    void charsmap(byte[] input) {
        Fuzzing.run(input, () -> {
            Charsmap map = Charsmap.of(input);
            if (map != null) {
                Arrays.asList(TEXTS).forEach(map::apply);
            }
        });
    }
}
