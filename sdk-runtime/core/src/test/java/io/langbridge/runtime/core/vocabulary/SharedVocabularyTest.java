package io.langbridge.runtime.core.vocabulary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SharedVocabularyTest {
    @TempDir
    Path folder;

    private Path file(String json) throws Exception {
        return Files.write(folder.resolve("vocabulary.json"), json.getBytes(StandardCharsets.UTF_8));
    }

    private static <T> Map<String, T> map(T a, T b, T c) {
        Map<String, T> map = new LinkedHashMap<>();
        map.put("a", a);
        map.put("b", b);
        map.put("c", c);
        return map;
    }

    @Test
    void the_order_of_the_file_is_kept() throws Exception {
        SharedVocabulary vocabulary = SharedVocabulary.read(file("{\"\u0120the\": 279,\r\n \",\": 11, \"a\": 64}\r\n"));

        assertThat(vocabulary.tokens()).containsExactly("\u0120the", ",", "a");
        assertThat(vocabulary.ids()).containsExactly(279, 11, 64);
        assertThat(vocabulary.size()).isEqualTo(3);
    }

    @Test
    void the_list_form_says_the_same() throws Exception {
        SharedVocabulary list = SharedVocabulary.read(file("[{\"b\": [7, 0]}, {\"a\": [3, 1]}]"));

        assertThat(list).isEqualTo(SharedVocabulary.of(Arrays.asList("b", "a"), new int[] {7, 3}));
    }

    @Test
    void gzip_is_recognised_by_its_content() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write("{\"a\": 1}".getBytes(StandardCharsets.UTF_8));
        }
        Path file = Files.write(folder.resolve("named.json"), bytes.toByteArray());

        assertThat(SharedVocabulary.read(file).tokens()).containsExactly("a");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "{};holds no tokens",
                "[];holds no tokens",
                "{\"a\": 1, \"a\": 2};'a' stands there twice",
                "{\"a\": 1, \"b\": 1};'a' and 'b' have the same id 1",
                "{\"a\": -1};'a' has the id -1",
                "{\"a\": 3000000000};'a' has the id 3000000000",
                "{\"a\": 1.5};'a' has the id 1.5",
                "{\"a\": \"1\"};'a' has the id STRING",
                "{\"a\": 1;cannot be read",
                "3;cannot be read",
                "{\"a\": 1} {};cannot be read",
                "[{\"a\": [1, 5]}, {\"b\": [2, 4]}];'b' has the index 4 after 5"
            })
    void a_wrong_file_is_named_with_its_token(String json, String expected) throws Exception {
        Path file = file(json);

        assertThatThrownBy(() -> SharedVocabulary.read(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("vocabulary.json")
                .hasMessageContaining(expected);
    }

    @Test
    void a_missing_file_and_malformed_utf_8_are_refused() throws Exception {
        assertThatThrownBy(() -> SharedVocabulary.read(folder.resolve("none.json")))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("none.json");
        Path latin1 =
                Files.write(folder.resolve("latin1.json"), new byte[] {'{', '"', (byte) 0xE9, '"', ':', '1', '}'});
        assertThatThrownBy(() -> SharedVocabulary.read(latin1)).isInstanceOf(CheckpointException.class);
    }

    @Test
    void ids_beyond_the_embeddings_are_refused() {
        SharedVocabulary vocabulary = SharedVocabulary.of(Arrays.asList("a", "b"), new int[] {0, 9});

        assertThat(vocabulary.requireRows(10)).isSameAs(vocabulary);
        assertThatThrownBy(() -> vocabulary.requireRows(9))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("'b' has the id 9")
                .hasMessageContaining("9 rows");
    }

    @Test
    void saving_and_reading_gives_the_same() {
        SharedVocabulary vocabulary = SharedVocabulary.of(Arrays.asList("\u010a\"", "\u0120<"), new int[] {5, 2});
        Path file = folder.resolve("saved.json");

        vocabulary.save(file);
        vocabulary.save(file);

        assertThat(SharedVocabulary.read(file)).isEqualTo(vocabulary);
        assertThat(folder.toFile().list()).containsExactly("saved.json");
    }

    @Test
    void another_tokenizer_gives_other_ids_for_the_same_tokens() {
        SharedVocabulary vocabulary = SharedVocabulary.of(Arrays.asList("\u0120the", "<|im_end|>"), new int[] {1, 2});
        Tokenizer tokenizer = Tokenizer.of(Paths.get("src/test/resources/qwen2-style"));
        SharedVocabulary moved = vocabulary.forTokenizer(tokenizer).complete();

        assertThat(moved.tokens()).isEqualTo(vocabulary.tokens());
        assertThat(moved.ids()).containsExactly(258, 622);
    }

    @Test
    void missing_tokens_are_listed_and_refused() {
        SharedVocabulary.Transfer transfer =
                SharedVocabulary.of(Arrays.asList("x", "b"), new int[] {1, 2}).forVocabulary(map(4, 5, 6));

        assertThat(transfer.missing()).containsExactly("x");
        assertThat(transfer.idsOrMinusOne()).containsExactly(-1, 5);
        assertThatThrownBy(transfer::complete)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("1 of 2")
                .hasMessageContaining("[x]");
    }

    @Test
    void the_most_frequent_shared_tokens_are_chosen_and_ties_keep_their_order() {
        Map<String, Integer> left = map(10, 11, 12);
        Map<String, Integer> right = map(20, 21, 22);
        right.put("z", 23);
        Map<String, Long> counts = new LinkedHashMap<>();
        counts.put("z", 9L);
        counts.put("c", 5L);
        counts.put("b", 7L);
        counts.put("a", 5L);

        Map<String, SharedVocabulary> shared = SharedVocabulary.builder()
                .tokenizer("left", left)
                .tokenizer("right", right)
                .counts(counts)
                .size(2)
                .build();

        assertThat(shared.get("left")).isEqualTo(SharedVocabulary.of(Arrays.asList("b", "c"), new int[] {11, 12}));
        assertThat(shared.get("right")).isEqualTo(SharedVocabulary.of(Arrays.asList("b", "c"), new int[] {21, 22}));
    }

    @Test
    void too_few_shared_tokens_are_an_error() throws Exception {
        SharedVocabulary.Builder builder = SharedVocabulary.builder()
                .tokenizer("left", map(1, 2, 3))
                .tokenizer("right", map(1, 2, 3))
                .counts(file("{\"a\": 3, \"x\": 2}"))
                .size(2);

        assertThatThrownBy(builder::build)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("share 1 of the 2")
                .hasMessageContaining("2 wanted");
        assertThatThrownBy(() -> SharedVocabulary.builder().build()).isInstanceOf(IllegalStateException.class);
    }

    /** A tokenizer as Llama 2 has it: U+2581 for the space, byte tokens, and two tokens that decode to "s". */
    private Tokenizer pieces() throws Exception {
        String json = "{\"added_tokens\":[],\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\u2581\","
                + "\"prepend_scheme\":\"first\",\"split\":false},\"decoder\":{\"type\":\"Sequence\",\"decoders\":["
                + "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\u2581\"},\"content\":\" \"},"
                + "{\"type\":\"Replace\",\"pattern\":{\"String\":\"$\"},\"content\":\"s\"},"
                + "{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}]},"
                + "\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"unk_token\":\"a\",\"vocab\":{\"a\":0,"
                + "\"\u2581\":1,\"\u2581the\":2,\"<0x61>\":3,\"<0xC3>\":4,\"\u00e9\":5,\"s\":6,\"$\":7,"
                + "\"\u00c3\u00a9\":8},\"merges\":[]}}";
        Path home = Files.createDirectories(folder.resolve("pieces"));
        Files.write(home.resolve("tokenizer.json"), json.getBytes(StandardCharsets.UTF_8));
        return Tokenizer.of(home);
    }

    @Test
    void a_tokenizer_of_another_spelling_is_matched_by_the_bytes_of_text() throws Exception {
        // Byte level: " the", "a", the two bytes of e acute, the first of them alone, "s", " the" with a capital T.
        SharedVocabulary byteLevel = SharedVocabulary.of(
                Arrays.asList("\u0120the", "a", "\u00c3\u00a9", "\u00c3", "s", "\u0120The"),
                new int[] {1, 2, 3, 4, 5, 6});
        Tokenizer pieces = pieces();
        SharedVocabulary.Transfer transfer = byteLevel.forTokenizer(pieces);

        // A piece wins over the byte token of the same byte, and id 8 only looks like the third token.
        assertThat(transfer.idsOrMinusOne()).containsExactly(2, 0, 5, 4, -1, -1);
        assertThat(transfer).hasToString("Transfer[0 exact, 4 by text, 1 ambiguous, 1 missing]");
        assertThat(transfer.match(4)).isEqualTo(SharedVocabulary.Match.AMBIGUOUS);
        assertThat(transfer.match(5)).isEqualTo(SharedVocabulary.Match.MISSING);
        assertThat(transfer.missing()).containsExactly("s", "\u0120The");
        assertThatThrownBy(transfer::complete)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("2 of 6")
                .hasMessageContaining("several of its tokens (1)");
    }

    @Test
    void pieces_move_to_a_byte_level_tokenizer_too() {
        SharedVocabulary pieces = SharedVocabulary.of(Arrays.asList("\u2581the", "<0x0A>"), new int[] {7, 8});
        Tokenizer tokenizer = Tokenizer.of(Paths.get("src/test/resources/qwen2-style"));
        SharedVocabulary moved = pieces.forTokenizer(tokenizer).complete();

        assertThat(moved.tokens()).isEqualTo(pieces.tokens());
        assertThat(Arrays.stream(moved.ids()).mapToObj(tokenizer::tokenOf)).containsExactly("\u0120the", "\u010a");
    }

    @Test
    void tokenizers_of_both_spellings_share_what_stands_for_the_same_text() throws Exception {
        Map<String, Long> counts = new LinkedHashMap<>();
        counts.put("s", 9L);
        counts.put("\u0120the", 7L);
        counts.put("\u0120a", 6L);
        counts.put("a", 5L);
        Tokenizer pieces = pieces();
        Tokenizer byteLevel = Tokenizer.of(Paths.get("src/test/resources/qwen2-style"));
        SharedVocabulary.Builder builder = SharedVocabulary.builder()
                .tokenizer("bytes", byteLevel)
                .tokenizer("pieces", pieces)
                .counts(counts)
                .size(2);

        assertThat(builder.build().get("pieces"))
                .isEqualTo(SharedVocabulary.of(Arrays.asList("\u0120the", "a"), new int[] {2, 0}));
        assertThat(builder.build().get("bytes"))
                .isEqualTo(SharedVocabulary.of(Arrays.asList("\u0120the", "a"), new int[] {258, byteLevel.idOf("a")}));
        assertThat(builder.lookUp())
                .extractingByKey("pieces")
                .hasToString("Transfer[0 exact, 2 by text, 1 ambiguous, 1 missing]");
        assertThatThrownBy(() -> builder.size(3).build())
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("share 2 of the 4")
                .hasMessageContaining("1 ambiguous");
    }
}
