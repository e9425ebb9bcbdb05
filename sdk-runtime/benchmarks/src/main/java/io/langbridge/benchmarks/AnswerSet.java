package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.Answer;
import io.langbridge.EncodedImage;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A picture file and a question in, an answer out, through the public API, with the phases as it reports them:
 * {@code answer.encode}, {@code answer.adapter}, {@code answer.prefill}, {@code first_token}, {@code answer.decode};
 * then {@code second_question}, the time to its first token.
 */
final class AnswerSet {
    private static final int NEW_TOKENS = 32;
    private static final double NANOS_PER_MILLI = 1e6;

    private AnswerSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        Path picture = Picture.in(setup.models());
        try (VisionLanguageModel model = setup.model()) {
            int words = 1 + setup.prompt - ask(model, picture, 1, 1).usage().promptTokens();
            ask(model, picture, Math.max(1, words), 4);
            Host.resetPeak();
            Map<String, Measure> phases = new LinkedHashMap<>();
            Measure second = new Measure(setup.reps, setup.patience);
            Answer.Usage usage = null;
            Answer.Usage secondUsage = null;
            while (!second.enough()) {
                Host.awaitQuiet(setup.patience);
                Host.Noise noise = new Host.Noise();
                Answer answer = ask(model, picture, Math.max(1, words), NEW_TOKENS);
                usage = answer.usage();
                double share = noise.share();
                Answer.Timings timings = answer.timings();
                add(phases, "answer.encode", setup, share, millis(timings.encode()));
                add(phases, "answer.adapter", setup, share, millis(timings.adapter()));
                add(phases, "answer.prefill", setup, share, millis(timings.prefill()));
                add(phases, "first_token", setup, share, millis(timings.timeToFirstToken()));
                add(phases, "answer.decode", setup, share, millis(timings.decode()) / (usage.newTokens() - 1));

                EncodedImage seen = model.encode(Image.of(picture));
                ask(model, seen, "What", Math.max(1, words));
                Host.Noise noiseOfSecond = new Host.Noise();
                Answer next = ask(model, seen, "Who", Math.max(1, words));
                secondUsage = next.usage();
                second.add(
                        Math.max(share, noiseOfSecond.share()),
                        millis(next.timings().timeToFirstToken()));
            }
            Answer.Usage counted = usage == null ? new Answer.Usage(0, 0, 0, 0) : usage;
            phases.forEach((phase, measure) -> out.accept(setup.line(phase, "model")
                    .put("prompt", counted.promptTokens())
                    .put("visual_tokens", counted.visualTokens())
                    .put("ms", measure)
                    .rounded("peak_rss_mb", Host.peakMb())
                    .json()));
            out.accept(setup.line("second_question", "model")
                    .put("prompt", secondUsage == null ? 0 : secondUsage.promptTokens())
                    .put("cached_tokens", secondUsage == null ? 0 : secondUsage.cachedTokens())
                    .put("ms", second)
                    .rounded("peak_rss_mb", Host.peakMb())
                    .json());
        }
    }

    private static void add(Map<String, Measure> phases, String phase, Setup setup, double share, double value) {
        phases.computeIfAbsent(phase, p -> new Measure(setup.reps, setup.patience))
                .add(share, value);
    }

    private static Answer ask(VisionLanguageModel model, Path picture, int words, int newTokens) {
        return model.answer(Request.builder()
                .image(Image.of(picture))
                .text("What" + " a".repeat(words))
                .options(options(newTokens))
                .build());
    }

    private static Answer ask(VisionLanguageModel model, EncodedImage seen, String first, int words) {
        return model.answer(Request.builder()
                .image(seen)
                .text(first + " a".repeat(words))
                .options(options(1))
                .build());
    }

    /** Random weights end an answer by chance; here every answer has the same length. */
    private static GenerationOptions options(int newTokens) {
        return GenerationOptions.greedy().toBuilder()
                .maxNewTokens(newTokens)
                .stopTokens()
                .build();
    }

    private static double millis(Duration duration) {
        return duration.toNanos() / NANOS_PER_MILLI;
    }
}
