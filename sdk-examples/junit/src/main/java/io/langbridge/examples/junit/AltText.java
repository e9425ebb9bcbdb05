package io.langbridge.examples.junit;

import io.langbridge.Answer;
import io.langbridge.BusyException;
import io.langbridge.FinishReason;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.ImageException;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.time.Duration;
import java.util.Optional;

/** What an application may do with a model: the words that stand for a picture where it cannot be seen. */
public final class AltText {
    private final VisionLanguageModel model;
    private final Duration patience;

    /**
     * Takes the model from outside, so that a test can give another one.
     *
     * @param model is asked
     * @param patience how long an answer may take
     */
    public AltText(VisionLanguageModel model, Duration patience) {
        this.model = model;
        this.patience = patience;
    }

    /**
     * Describes a picture.
     *
     * @param picture any
     * @return one line; nothing if the picture is none, or there is no time now
     */
    public Optional<String> of(Image picture) {
        Request request = Request.builder()
                .system("Answer in one short sentence.")
                .image(picture)
                .text("What is in the picture?")
                .options(GenerationOptions.builder()
                        .temperature(0)
                        .maxNewTokens(40)
                        .timeout(patience)
                        .build())
                .build();
        try {
            Answer answer = model.answer(request);
            if (answer.finishReason() == FinishReason.TIMED_OUT) {
                return Optional.empty();
            }
            String line = answer.text().strip().replaceAll("\\s+", " ");
            boolean cut = answer.finishReason() == FinishReason.MAX_NEW_TOKENS;
            return line.isEmpty() ? Optional.empty() : Optional.of(cut ? line + " .." : line);
        } catch (BusyException | ImageException e) {
            return Optional.empty();
        }
    }
}
