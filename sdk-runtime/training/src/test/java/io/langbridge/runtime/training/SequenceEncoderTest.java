package io.langbridge.runtime.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.langbridge.Message;
import io.langbridge.Message.Role;
import io.langbridge.runtime.core.family.ImagePrompt;
import io.langbridge.runtime.core.family.TileGrid;
import io.langbridge.runtime.core.image.Size;
import io.langbridge.runtime.core.image.TokenLayout;
import io.langbridge.runtime.core.prompt.PromptAssembler;
import io.langbridge.runtime.core.text.Tokenizer;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SequenceEncoderTest {
    private static final TokenLayout PICTURE = TileGrid.whole(new Size(28, 28)).layout(4);

    @TempDir
    private static Path scratch;

    private static Tiny tiny;

    @BeforeAll
    static void unpack() {
        tiny = new Tiny(scratch);
    }

    private Tokenizer tokenizer(String llm) {
        return Tokenizer.of(tiny.llm(llm).folder());
    }

    private SequenceEncoder encoder(String llm, Tokenizer tokenizer, int longest) {
        ChatTemplate template =
                Objects.requireNonNull(ChatTemplate.of(tiny.llm(llm).folder()));
        return new SequenceEncoder(
                tokenizer,
                new PromptAssembler(tokenizer, template, new ImagePrompt.Splice(), Collections.emptySet()),
                "llm",
                longest);
    }

    private static String learnt(Tokenizer tokenizer, TokenSequence sequence) {
        return tokenizer.decode(
                IntStream.range(0, sequence.ids().length)
                        .filter(i -> sequence.learnt()[i])
                        .map(i -> sequence.ids()[i])
                        .toArray(),
                false);
    }

    private static String text(Tokenizer tokenizer, TokenSequence sequence) {
        return tokenizer.decode(
                Arrays.stream(sequence.ids())
                        .filter(id -> id != TokenSequence.VISUAL)
                        .toArray(),
                false);
    }

    private static TrainingExample talk() {
        List<Message> messages = new ArrayList<>(Tiny.colours().get(0).messages());
        messages.add(new Message(Role.USER, List.of(new Message.Text("Really <|im_end|>?"))));
        messages.add(new Message(Role.ASSISTANT, List.of(new Message.Text("Yes."))));
        return new TrainingExample("talk", messages);
    }

    @Test
    void answersAreLearntWithTheTokenThatEndsThem() {
        Tokenizer tokenizer = tokenizer("qwen2");
        List<TokenSequence> sequences = encoder("qwen2", tokenizer, 512).conversation(talk(), List.of(PICTURE));
        assertThat(sequences).hasSize(1);
        TokenSequence sequence = sequences.get(0);
        assertThat(learnt(tokenizer, sequence)).isEqualTo("It is red.<|im_end|>Yes.<|im_end|>");
        assertThat(text(tokenizer, sequence)).endsWith("""
                        user

                        Which colour?<|im_end|>
                        <|im_start|>assistant
                        It is red.<|im_end|>
                        <|im_start|>user
                        Really <|im_end|>?<|im_end|>
                        <|im_start|>assistant
                        Yes.<|im_end|>
                        """);
        assertThat(sequence.sources()).containsExactly(0, 1, 2, 3);
        // What the user wrote is no token that ends a turn: there are five of those, one per turn.
        int end = Objects.requireNonNull(tokenizer.idOf("<|im_end|>"));
        assertThat(Arrays.stream(sequence.ids()).filter(id -> id == end)).hasSize(5);
    }

    @Test
    void whereATemplateRewritesTheHistoryEveryAnswerHasASequenceOfItsOwn() {
        Tokenizer tokenizer = tokenizer("qwen3");
        List<TokenSequence> sequences = encoder("qwen3", tokenizer, 512).conversation(talk(), List.of(PICTURE));
        StringBuilder all = new StringBuilder();
        sequences.forEach(sequence -> all.append(learnt(tokenizer, sequence)));
        assertThat(all.toString().replaceAll("<think>\\s*</think>\\s*", ""))
                .isEqualTo("It is red.<|im_end|>Yes.<|im_end|>");
    }

    @Test
    void aCaptionFollowsThePictureAlone() {
        Tokenizer tokenizer = tokenizer("qwen2");
        TokenSequence sequence = encoder("qwen2", tokenizer, 512)
                .caption(Tiny.colours().get(0), List.of(PICTURE))
                .get(0);
        assertThat(text(tokenizer, sequence)).isEqualTo("It is red.\n");
        assertThat(learnt(tokenizer, sequence)).isEqualTo("It is red.\n");
        assertThat(Arrays.copyOf(sequence.ids(), 4)).containsOnly(TokenSequence.VISUAL);
        assertThat(sequence.answers()).isEqualTo(sequence.ids().length - 4);

        Tokenizer llama = tokenizer("llama3");
        TokenSequence begun = encoder("llama3", llama, 512)
                .caption(Tiny.colours().get(0), List.of(PICTURE))
                .get(0);
        assertThat(begun.ids()[0]).isEqualTo(Objects.requireNonNull(llama.bosId()));
        assertThat(begun.learnt()[0]).isFalse();
    }

    @Test
    void whatIsTooLongIsCutAndWithoutAnAnswerRefused() {
        Tokenizer tokenizer = tokenizer("qwen2");
        TokenSequence whole = encoder("qwen2", tokenizer, 512)
                .caption(Tiny.colours().get(0), List.of(PICTURE))
                .get(0);
        TokenSequence cut = encoder("qwen2", tokenizer, 6)
                .caption(Tiny.colours().get(0), List.of(PICTURE))
                .get(0);
        assertThat(cut.ids()).isEqualTo(Arrays.copyOf(whole.ids(), 6));
        assertThat(cut.answers()).isEqualTo(2);
        assertThatExceptionOfType(TrainingDataException.class)
                .isThrownBy(() ->
                        encoder("qwen2", tokenizer, 4).caption(Tiny.colours().get(0), List.of(PICTURE)))
                .withMessage("Record red has no answer within the first 4 positions (maxLength); raise maxLength or"
                        + " shorten the record");
    }

    @Test
    void theNumberOfPicturesMustBeTheTemplates() {
        Tokenizer tokenizer = tokenizer("qwen2");
        assertThatExceptionOfType(TrainingDataException.class)
                .isThrownBy(() -> encoder("qwen2", tokenizer, 512).conversation(talk(), List.of(PICTURE, PICTURE)))
                .withMessageContaining("has 2 pictures, but the chat template in llm gives place to another number");
    }
}
