package io.langbridge.runtime.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.CheckpointException;
import io.langbridge.LangBridgeException;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.text.SentencePieceModel.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The models are made by SentencePiece 0.2; what is expected of them is what it and transformers 5.18 say. */
class SentencePieceModelTest {
    private static final Path FOLDER = Path.of("src", "test", "resources", "sentencepiece");
    private static final Path FILE = Path.of("model", "tokenizer.model");

    private static SentencePieceModel read(String name) {
        return SentencePieceModel.read(FOLDER.resolve(name).resolve("tokenizer.model"));
    }

    @Test
    void a_bpe_model_is_read() {
        SentencePieceModel model = read("bpe");

        assertThat(model.kind()).isEqualTo(Kind.BPE);
        assertThat(model.size()).isEqualTo(700);
        assertThat(model.piece(4)).isEqualTo("<image>");
        assertThat(model.type(4)).isEqualTo(SentencePieceModel.Type.USER_DEFINED);
        assertThat(model.type(0)).isEqualTo(SentencePieceModel.Type.UNKNOWN);
        assertThat(model.type(1)).isEqualTo(SentencePieceModel.Type.CONTROL);
        assertThat(model.id("<0x0A>")).isEqualTo(15);
        assertThat(model.type(15)).isEqualTo(SentencePieceModel.Type.BYTE);
        assertThat(model.piece(300)).isEqualTo("un");
        assertThat(model.score(300)).isEqualTo(-39);
        assertThat(model.type(300)).isEqualTo(SentencePieceModel.Type.NORMAL);
        assertThat(model.id("nowhere")).isEqualTo(-1);
        assertThat(model.byteFallback()).isTrue();
        assertThat(model.unknownId()).isZero();
        assertThat(model.beginningId()).isEqualTo(1);
        assertThat(model.endId()).isEqualTo(2);
        assertThat(model.paddingId()).isEqualTo(3);
        assertThat(model.normalization()).isEqualTo("identity");
        assertThat(model.charsmap()).isEmpty();
        assertThat(model.spaceInFront()).isTrue();
        assertThat(model.singleSpaces()).isFalse();
        assertThat(model.escapedSpaces()).isTrue();
        assertThat(model.whiteSpaceBehind()).isFalse();
    }

    @Test
    void its_merges_are_those_of_the_reference_in_the_same_order() {
        SentencePieceModel model = read("bpe");
        int[] merges = model.merges();
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < merges.length; i += 2) {
            lines.append(model.piece(merges[i]))
                    .append(' ')
                    .append(model.piece(merges[i + 1]))
                    .append('\n');
        }

        assertThat(merges).hasSize(2 * 458);
        assertThat(UnicodeTest.hash(lines)).isEqualTo("c0abe1834ce3da5a");
    }

    @Test
    void a_unigram_model_is_read() {
        SentencePieceModel model = read("unigram");

        assertThat(model.kind()).isEqualTo(Kind.UNIGRAM);
        assertThat(model.size()).isEqualTo(220);
        assertThat(model.piece(3)).isEqualTo("\u2581");
        assertThat(model.score(3)).isEqualTo(-3.0856078f);
        assertThat(model.piece(100)).isEqualTo("\u767d");
        assertThat(model.score(219)).isEqualTo(-12.519007f);
        assertThat(model.byteFallback()).isFalse();
        assertThat(model.unknownId()).isEqualTo(2);
        assertThat(model.beginningId()).isEqualTo(-1);
        assertThat(model.endId()).isEqualTo(1);
        assertThat(model.paddingId()).isZero();
        assertThat(model.charsmap()).isNotEmpty();
        assertThat(model.singleSpaces()).isTrue();
    }

    @Test
    void what_is_not_written_has_the_defaults_of_the_format() {
        SentencePieceModel model =
                SentencePieceModel.parse(join(piece("<unk>", 2), piece("<s>", 3), piece("</s>", 3)), FILE);

        assertThat(model.kind()).isEqualTo(Kind.UNIGRAM);
        assertThat(model.score(1)).isZero();
        assertThat(model.endId()).isEqualTo(2);
        assertThat(model.paddingId()).isNegative();
        assertThat(model.spaceInFront()).isTrue();
        assertThat(model.singleSpaces()).isTrue();
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.write(part, 0, part.length);
        }
        return out.toByteArray();
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static byte[] piece(String text, int type) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return join(bytes(0x0A, utf8.length + 4, 0x0A, utf8.length), utf8, bytes(0x18, type));
    }

    private static void refused(String what, byte[]... parts) {
        assertThatThrownBy(() -> SentencePieceModel.parse(join(parts), FILE))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(FILE.toString())
                .hasMessageContaining(what);
    }

    private static final byte[] UNKNOWN = piece("<unk>", 2);

    @Test
    void lengths_that_lie_are_named() {
        refused("claims 100 bytes for field 1, but 2 are left", UNKNOWN, bytes(0x0A, 100, 1, 2));
        refused("claims 9 bytes for field 1, but 1 are left", UNKNOWN, bytes(0x0A, 3, 0x0A, 9, 'a'));
        refused("claims 4294967296 bytes", UNKNOWN, bytes(0x0A, 0x80, 0x80, 0x80, 0x80, 0x10));
        refused(
                "claims 18446744073709551615 bytes",
                UNKNOWN,
                bytes(0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1));
        refused("more than ten bytes", bytes(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1));
        refused("ends within a number", UNKNOWN, bytes(0x0A));
        refused("ends within field 2", UNKNOWN, bytes(0x0A, 6, 0x0A, 1, 'a', 0x15, 0, 0));
    }

    @Test
    void fields_of_the_wrong_kind_are_named() {
        refused("piece 1 has field 1 of wire type 0 instead of 2", UNKNOWN, bytes(0x0A, 2, 0x08, 1));
        refused("piece 1 has field 2 of wire type 0 instead of 5", UNKNOWN, bytes(0x0A, 2, 0x10, 1));
        refused("has field 1 of wire type 0 instead of 2", bytes(0x08, 1));
        refused("field 7 of wire type 3", bytes(0x3B));
        refused("a field of number 0", bytes(0x00));
    }

    @Test
    void pieces_that_cannot_be_are_named() {
        refused("piece 1 has 0 characters", UNKNOWN, bytes(0x0A, 0));
        refused("piece 1 has the type 9", UNKNOWN, piece("a", 9));
        refused("piece 1 is the same as one before", UNKNOWN, piece("<unk>", 1));
        refused("piece 1 has field 1, which is not UTF-8", UNKNOWN, bytes(0x0A, 3, 0x0A, 1, 0xFF));
        refused("has the score NaN", UNKNOWN, bytes(0x0A, 8, 0x0A, 1, 'a', 0x15, 0, 0, 0xC0, 0x7F));
        refused("513 characters", UNKNOWN, longPiece(513));
    }

    private static byte[] longPiece(int length) {
        byte[] text = new byte[length];
        Arrays.fill(text, (byte) 'a');
        int outer = length + 3;
        return join(bytes(0x0A, outer & 0x7F | 0x80, outer >> 7, 0x0A, length & 0x7F | 0x80, length >> 7), text);
    }

    @Test
    void special_pieces_must_be_there() {
        refused("has no pieces", new byte[0]);
        refused("names piece 0 as the unknown one, which is of another type", piece("a", 1));
        refused("names piece 7 as the unknown one, which is not there", UNKNOWN, bytes(0x12, 3, 0xC0, 2, 7));
        refused("names piece 9 as a special one", UNKNOWN, piece("a", 1), piece("b", 1), bytes(0x12, 3, 0xD8, 2, 9));
    }

    @Test
    void models_of_words_are_refused_by_name() {
        assertThatThrownBy(() -> SentencePieceModel.parse(join(UNKNOWN, bytes(0x12, 2, 0x18, 3)), FILE))
                .isInstanceOf(UnsupportedModelException.class)
                .hasMessageContaining("of type 3");
    }

    @Test
    void a_file_that_is_another_is_named(@TempDir Path folder) throws IOException {
        assertThatThrownBy(() -> SentencePieceModel.read(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("no file " + folder);
        Path file = folder.resolve("tokenizer.model");
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
        assertThatThrownBy(() -> SentencePieceModel.read(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("git lfs pull");
    }

    @Test
    void a_damaged_file_is_read_or_named_and_nothing_else() throws IOException {
        byte[] good = Files.readAllBytes(FOLDER.resolve("unigram").resolve("tokenizer.model"));
        Random random = new Random(1);
        int read = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] damaged =
                    Arrays.copyOf(good, random.nextInt(4) == 0 ? 1 + random.nextInt(good.length) : good.length);
            for (int n = 1 + random.nextInt(3); n > 0; n--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            try {
                SentencePieceModel.parse(damaged, FILE).merges();
                read++;
            } catch (LangBridgeException e) {
                assertThat(e).hasMessageContaining(FILE.toString());
            }
        }
        assertThat(read).isBetween(1, 19_999);
    }
}
