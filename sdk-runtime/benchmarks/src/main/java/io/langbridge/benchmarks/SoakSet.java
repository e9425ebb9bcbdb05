package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import io.langbridge.AnswerStream;
import io.langbridge.Chat;
import io.langbridge.EncodedImage;
import io.langbridge.GenerationOptions;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.VisionLanguageModel;
import java.io.IOException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks thousands of questions of every kind, greedy and sampled, in chats, of pictures encoded before, and of streams
 * that are given up, and prints the resident memory on the way. {@code grown} is relative to the first line.
 */
final class SoakSet {
    private static final int FIRST = 200;
    private static final int LAST = 2000;

    private SoakSet() {}

    static void run(Setup setup, Consumer<JsonObject> out) throws IOException {
        Image picture = Image.of(Picture.in(setup.models()));
        try (VisionLanguageModel model = setup.model()) {
            Double first = null;
            for (int i = 1; i <= LAST; i++) {
                ask(model, picture, i);
                if (i % FIRST == 0) {
                    Double resident = Host.residentMb();
                    first = first == null ? resident : first;
                    out.accept(setup.line("soak", "llm")
                            .put("questions", i)
                            .rounded("rss_mb", resident)
                            .rounded("grown", grown(first, resident))
                            .json());
                }
            }
        }
    }

    private static @Nullable Double grown(@Nullable Double first, @Nullable Double now) {
        return first == null || now == null ? null : (Double) (now / first - 1);
    }

    private static void ask(VisionLanguageModel model, Image picture, int number) {
        GenerationOptions.Builder options =
                GenerationOptions.builder().stopTokens().maxNewTokens(8 + number % 9);
        if (number % 3 == 0) {
            options.temperature(1.2).topK(40).topP(0.9).repetitionPenalty(1.1).seed(number);
        } else {
            options.temperature(0).repetitionPenalty(1);
        }
        Request.Builder request =
                Request.builder().text("What is number " + number + "?").options(options.build());
        if (number % 5 == 0) {
            try (Chat chat = model.chat("Be brief.", options.build())) {
                chat.ask(picture, "What is number " + number + "?");
                chat.ask("Why?");
            }
        } else if (number % 7 == 0) {
            try (AnswerStream givenUp = model.stream(request.image(picture).build())) {
                givenUp.iterator().next();
            }
        } else if (number % 11 == 0) {
            EncodedImage seen = model.encode(picture);
            model.answer(request.image(seen).build());
        } else {
            model.answer(request.image(picture).build());
        }
    }
}
