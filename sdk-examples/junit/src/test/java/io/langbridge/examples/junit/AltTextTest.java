package io.langbridge.examples.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.BusyException;
import io.langbridge.FinishReason;
import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.Message;
import io.langbridge.Request;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Tests of what the application makes of answers. No model is loaded, and no picture decoded. */
class AltTextTest {
    private static final Image PICTURE = Image.ofArgb(new int[] {0xFFFF0000}, 1, 1);

    /** More than any machine takes, so that no answer is late by chance. */
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private static AltText altText(FakeModel model) {
        return new AltText(model, PATIENCE);
    }

    @Test
    void anAnswerBecomesOneLine() {
        try (FakeModel model =
                FakeModel.builder().when("in the picture", " A red\n bicycle. ").build()) {
            assertThat(altText(model).of(PICTURE)).contains("A red bicycle.");
            assertThat(model.openStreams()).as("what was opened is closed").isZero();
        }
    }

    @Test
    void theModelIsAskedForOneShortSentence() {
        try (FakeModel model = FakeModel.builder().otherwise("yes").build()) {
            altText(model).of(PICTURE);

            Request request = model.requests().get(0);
            assertThat(request.messages())
                    .extracting(Message::role)
                    .containsExactly(Message.Role.SYSTEM, Message.Role.USER);
            assertThat(request.messages().get(1).parts()).hasSize(2);
            assertThat(request.options().maxNewTokens()).isEqualTo(40);
            assertThat(request.options().timeout()).isEqualTo(PATIENCE);
        }
    }

    @Test
    void anAnswerThatIsCutOffSaysSo() {
        FakeAnswer cut = FakeAnswer.of("A red bicycle in").endingWith(FinishReason.MAX_NEW_TOKENS);
        try (FakeModel model = FakeModel.builder().next(cut).build()) {
            assertThat(altText(model).of(PICTURE)).contains("A red bicycle in ..");
        }
    }

    @Test
    void anAnswerThatTakesTooLongIsNone() {
        FakeAnswer slow = FakeAnswer.of("A red bicycle.").stallingAfter(1);
        try (FakeModel model = FakeModel.builder().next(slow).build()) {
            assertThat(new AltText(model, Duration.ofMillis(50)).of(PICTURE)).isEmpty();
        }
    }

    @Test
    void aFullQueueAndABadPictureAreNoneAndTheNextAnswerIsOne() {
        try (FakeModel model = FakeModel.builder()
                .next(FakeAnswer.failure(new BusyException(2, 16)))
                .next(FakeAnswer.failure(new ImageException("no picture")))
                .next("", "A red bicycle.")
                .build()) {
            assertThat(altText(model).of(PICTURE)).isEmpty();
            assertThat(altText(model).of(PICTURE)).isEmpty();
            assertThat(altText(model).of(PICTURE)).as("it said nothing").isEmpty();
            assertThat(altText(model).of(PICTURE)).contains("A red bicycle.");
        }
    }

    @Test
    void otherFailuresAreNotHidden() {
        FakeAnswer broken = FakeAnswer.of("A red").failingAfter(1, new IllegalStateException("The model is closed"));
        try (FakeModel model = FakeModel.builder().next(broken).build()) {
            assertThatThrownBy(() -> altText(model).of(PICTURE)).hasMessage("The model is closed");
        }
    }
}
