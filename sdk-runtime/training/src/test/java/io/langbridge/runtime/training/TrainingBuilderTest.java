package io.langbridge.runtime.training;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.langbridge.Encoder;
import io.langbridge.Llm;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TrainingBuilderTest {
    private static Training.Builder complete(Training.Builder builder) {
        return builder.encoder(Encoder.of(Path.of("encoder")))
                .llm(Llm.of(Path.of("llm")))
                .newAdapter(NewAdapter.mlp(2))
                .data(Tiny.colours())
                .output(Path.of("output"));
    }

    static Stream<Arguments> impossible() {
        return Stream.of(
                setting(b -> b.learningRate(0), "learningRate must be more than 0 and less than 1, not 0.0"),
                setting(
                        b -> b.encoderLearningRate(-1),
                        "encoderLearningRate must be more than 0 and less than 1, not -1.0"),
                setting(b -> b.warmupRatio(1.5), "warmupRatio must be 0 to 1, not 1.5"),
                setting(b -> b.weightDecay(-1), "weightDecay must be 0 or more, below 1, not -1.0"),
                setting(b -> b.maxGradientNorm(0), "maxGradientNorm must be more than 0, not 0.0"),
                setting(b -> b.averageWeights(0), "averageWeights must be at least 1, not 0"),
                setting(b -> b.batchSize(0), "batchSize must be at least 1, not 0"),
                setting(b -> b.epochs(Double.NaN), "epochs must be more than 0 and below a million, not NaN"),
                setting(b -> b.maxLength(1), "maxLength must be at least 2, not 1"),
                setting(b -> b.maxBadRecords(-1), "maxBadRecords must be at least 0, not -1"));
    }

    private static Arguments setting(Consumer<Training.Builder> setting, String message) {
        return Arguments.of(setting, message);
    }

    @ParameterizedTest
    @MethodSource("impossible")
    void anImpossibleSettingIsRefusedAtOnce(Consumer<Training.Builder> setting, String message) {
        Training.Builder builder = Training.instructionTuning();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> setting.accept(builder))
                .withMessage(message);
    }

    @Test
    void whatIsMissingOrContradictoryIsNamed() {
        assertThatIllegalStateException()
                .isThrownBy(() -> Training.pretraining().build())
                .withMessage("A training needs an encoder: encoder(..)");
        assertThatIllegalStateException()
                .isThrownBy(() -> complete(Training.pretraining())
                        .adapter(io.langbridge.Adapter.projector(Path.of("x")))
                        .build())
                .withMessage("A training needs either adapter(..), to go on with one, or newAdapter(..), not both");
        assertThatIllegalStateException()
                .isThrownBy(() -> complete(Training.pretraining())
                        .encoderLearningRate(1e-6)
                        .build())
                .withMessageStartingWith(
                        "llmLearningRate and encoderLearningRate belong to Training.instructionTuning()");
        assertThatIllegalStateException()
                .isThrownBy(() -> complete(Training.textPretraining()).build())
                .withMessage("Training on text has no encoder; leave out encoder(..)");
        assertThatIllegalStateException()
                .isThrownBy(
                        () -> complete(Training.pretraining()).freezeAdapter().build())
                .withMessage("freezeAdapter() belongs to Training.instructionTuning()");
        assertThatIllegalStateException()
                .isThrownBy(() ->
                        complete(Training.pretraining()).labels(List.of("red")).build())
                .withMessageStartingWith("labels(..) are what an encoder learns to tell");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Training.encoderPretraining().labels(List.of("red", "red")))
                .withMessage("labels must be words without blanks, all different, not [red, red]");
        assertThatIllegalStateException()
                .isThrownBy(() -> complete(Training.pretraining()).batchSize(4).build())
                .withMessage("microBatchSize 8 is more than batchSize 4; a batch is made of micro-batches");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NewAdapter.mlp(0))
                .withMessage("layers must be 1 to 99, not 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NewAdapter.langBridge(Path.of("v.json")).hiddenSize(0))
                .withMessage("hiddenSize must be at least 1, not 0");
    }
}
