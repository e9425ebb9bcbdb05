package io.langbridge.examples.observation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.langbridge.AnswerStream;
import io.langbridge.BusyException;
import io.langbridge.CheckpointException;
import io.langbridge.Image;
import io.langbridge.Request;
import io.langbridge.testing.FakeAnswer;
import io.langbridge.testing.FakeModel;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerObservationsTest {
    private static final Request ASKING = Request.of(Image.ofArgb(new int[] {0}, 1, 1), "Well?");

    private final List<String> events = new ArrayList<>();
    private final List<Observation.Context> ended = new ArrayList<>();
    private final ObservationRegistry registry = ObservationRegistry.create();

    private FakeModel model(FakeModel.Builder fake) {
        registry.observationConfig().observationHandler(new ObservationHandler<>() {
            @Override
            public void onEvent(Observation.Event event, Observation.Context context) {
                events.add(event.getName());
            }

            @Override
            public void onStop(Observation.Context context) {
                ended.add(context);
            }

            @Override
            public boolean supportsContext(Observation.Context context) {
                return true;
            }
        });
        return fake.listener(new AnswerObservations(registry, "mine")).build();
    }

    private String value(String key) {
        return ended.get(0).getAllKeyValues().stream()
                .filter(each -> each.getKey().equals(key))
                .map(each -> each.getValue())
                .findFirst()
                .orElse(null);
    }

    @Test
    void anAnswerIsObserved() {
        try (FakeModel model = model(FakeModel.builder().otherwise("It is red."))) {
            int tokens = model.answer(ASKING).usage().newTokens();
            assertThat(ended).hasSize(1);
            assertThat(ended.get(0).getName()).isEqualTo("gen_ai.client.operation");
            assertThat(events).containsExactly("picture encoded", "prompt read", "first token");
            assertThat(value("gen_ai.request.model")).isEqualTo("mine");
            assertThat(value("gen_ai.response.finish_reasons")).isEqualTo("stop_token");
            assertThat(value("gen_ai.usage.output_tokens")).isEqualTo("" + tokens);
        }
    }

    @Test
    void soAreAnswersThatFailAreRefusedOrCancelled() {
        FakeModel.Builder fake = FakeModel.builder()
                .next(FakeAnswer.of("It").failingAfter(1, new CheckpointException("The disk is gone")))
                .next(FakeAnswer.failure(new BusyException(2, 16)))
                .next(FakeAnswer.of("It is red.").stallingAfter(1));
        try (FakeModel model = model(fake)) {
            assertThatThrownBy(() -> model.answer(ASKING)).isInstanceOf(CheckpointException.class);
            assertThatThrownBy(() -> model.answer(ASKING)).isInstanceOf(BusyException.class);
            try (AnswerStream stream = model.stream(ASKING)) {
                stream.iterator().next();
            }
            assertThat(ended).hasSize(3);
            assertThat(ended.get(0).getError()).isInstanceOf(CheckpointException.class);
            assertThat(ended.get(1).getError()).isInstanceOf(BusyException.class);
            assertThat(ended.get(2).getError()).isNull();
            assertThat(ended.get(2)
                            .getLowCardinalityKeyValue("gen_ai.response.finish_reasons")
                            .getValue())
                    .isEqualTo("cancelled");
        }
    }

    @Test
    void aPictureThatIsEncodedByItselfIsNone() {
        try (FakeModel model = model(FakeModel.builder())) {
            model.encode(Image.ofArgb(new int[] {0}, 1, 1));
            assertThat(ended).isEmpty();
            assertThat(events).isEmpty();
        }
    }
}
