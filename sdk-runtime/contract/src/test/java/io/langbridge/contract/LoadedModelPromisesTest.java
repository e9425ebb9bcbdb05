package io.langbridge.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.langbridge.Answer;
import io.langbridge.AnswerStream;
import io.langbridge.FinishReason;
import io.langbridge.ModelListener;
import io.langbridge.VisionLanguageModel;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real model, on an engine that computes nothing. */
class LoadedModelPromisesTest extends ModelPromises {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path scratch;

    private final CountingEngine engine = new CountingEngine();

    @Override
    VisionLanguageModel open(ModelListener... listeners) {
        return engine.load(scratch, null, null, listeners);
    }

    @AfterEach
    void nothingIsLeft() {
        closeAll();
        assertThat(engine.openSessions).hasValue(0);
    }

    @Test
    void whoIsToldTheEndMayAskThoughOneRequestMayRun() throws Exception {
        VisionLanguageModel model = closing(engine.load(scratch, 1, 0));
        CompletableFuture<Answer> second = new CompletableFuture<>();
        var unused = model.stream(question(), others, new Told() {
            @Override
            public void onComplete(Answer answer) {
                second.complete(model.answer(question()));
            }
        });
        assertThat(second.get().finishReason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
    }

    @Test
    void aFutureThatIsCancelledWhileItWaitsForItsTurnGivesItsThreadBack() throws Exception {
        VisionLanguageModel model = closing(engine.load(scratch, 1, null));
        ExecutorService one = Executors.newSingleThreadExecutor();
        try (AnswerStream running = model.stream(question())) {
            running.iterator().next();
            CompletableFuture<Answer> waiting = model.answerAsync(question(), one);
            assertThat(waiting.cancel(true)).isTrue();
            assertThat(one.submit(() -> "free").get()).isEqualTo("free");
            assertThat(engine.count("prefill")).isEqualTo(1);
        }
        one.shutdown();
    }
}
