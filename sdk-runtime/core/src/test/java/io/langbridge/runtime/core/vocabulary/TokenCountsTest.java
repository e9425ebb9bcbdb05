package io.langbridge.runtime.core.vocabulary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenCountsTest {
    private static Tokenizer tokenizer;

    @TempDir
    Path folder;

    @BeforeAll
    static void open() {
        tokenizer = Tokenizer.of(Paths.get("src/test/resources/qwen2-style"));
    }

    private Path file(String name, String text) throws Exception {
        return Files.write(folder.resolve(name), text.getBytes(StandardCharsets.UTF_8));
    }

    private static Map<String, Long> expected(String text) {
        Map<String, Long> counts = new LinkedHashMap<>();
        for (int id : tokenizer.encodeAsText(text)) {
            counts.merge(tokenizer.tokenOf(id), 1L, Long::sum);
        }
        return counts;
    }

    @Test
    void the_most_frequent_tokens_come_first_and_equal_ones_as_they_occurred() throws Exception {
        Map<String, Long> counts = TokenCounts.count(
                tokenizer, Collections.singletonList(file("text.txt", "b a the a")), (bytes, all, tokens) -> {});

        assertThat(counts).isEqualTo(expected("b a the a"));
        assertThat(counts.keySet()).containsExactly("\u0120a", "b", "\u0120the");
    }

    @Test
    void long_text_is_counted_in_parts_without_cutting_tokens() throws Exception {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 9_000; i++) {
            lines.append(i % 3 == 0 ? "The image is there.\n\n" : "  it seems \u00e9 <|im_end|>\r\n");
        }
        Path plain = file("plain.txt", lines.toString());
        Path packed = folder.resolve("packed.txt.gz");
        try (GZIPOutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write("one line of text without an end".getBytes(StandardCharsets.UTF_8));
        }
        List<long[]> calls = new ArrayList<>();

        Map<String, Long> counts = TokenCounts.count(
                tokenizer,
                Arrays.asList(plain, packed),
                (bytes, all, tokens) -> calls.add(new long[] {bytes, all, tokens}));

        Map<String, Long> whole = expected(lines.toString());
        expected("one line of text without an end").forEach((token, count) -> whole.merge(token, count, Long::sum));
        assertThat(counts).isEqualTo(whole);
        assertThat(calls).hasSizeGreaterThan(3);
        long[] last = calls.get(calls.size() - 1);
        assertThat(last[0]).isEqualTo(last[1]).isEqualTo(Files.size(plain) + Files.size(packed));
        assertThat(last[2])
                .isEqualTo(whole.values().stream().mapToLong(Long::longValue).sum());
    }

    @Test
    void saved_counts_build_a_vocabulary() throws Exception {
        Map<String, Long> counts = TokenCounts.count(
                tokenizer, Collections.singletonList(file("text.txt", "b a the a")), (bytes, all, tokens) -> {});
        Path saved = folder.resolve("counts.json");
        TokenCounts.save(counts, saved);

        Map<String, SharedVocabulary> built = SharedVocabulary.builder()
                .tokenizer("one", tokenizer)
                .tokenizer("two", tokenizer.vocabulary())
                .counts(saved)
                .size(2)
                .build();

        int[] ids = {tokenizer.encodeAsText(" a")[0], tokenizer.encodeAsText("b")[0]};
        SharedVocabulary expected = SharedVocabulary.of(Arrays.asList("\u0120a", "b"), ids);
        assertThat(built).containsOnly(Map.entry("one", expected), Map.entry("two", expected));
    }

    @Test
    void a_missing_file_other_encodings_and_no_text_are_refused() throws Exception {
        Path latin1 = Files.write(folder.resolve("latin1.txt"), new byte[] {'a', (byte) 0xE9, 'b'});
        for (Path wrong : Arrays.asList(latin1, folder.resolve("none.txt"), file("empty.txt", ""))) {
            assertThatThrownBy(() ->
                            TokenCounts.count(tokenizer, Collections.singletonList(wrong), (bytes, all, tokens) -> {}))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(wrong.getFileName().toString());
        }
    }
}
