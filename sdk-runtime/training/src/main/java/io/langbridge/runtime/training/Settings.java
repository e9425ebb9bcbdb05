package io.langbridge.runtime.training;

import io.langbridge.Device;
import io.langbridge.runtime.pytorch.PyTorchTraining.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Numbers of a training; {@link Training.Builder} documents and checks them.
 *
 * @param trainAdapter otherwise it stays as it is
 * @param conversations in the chat template; otherwise captions alone
 * @param encoderLearningRate null if the encoder is not trained
 * @param averagedUpdates null if weights are not averaged
 * @param steps null if they follow from epochs
 */
record Settings(
        Stage stage,
        boolean trainAdapter,
        boolean conversations,
        double learningRate,
        double llmLearningRate,
        @Nullable Double encoderLearningRate,
        double warmupRatio,
        Optimizer optimizer,
        double weightDecay,
        double maxGradientNorm,
        @Nullable Integer averagedUpdates,
        int batchSize,
        int microBatchSize,
        double epochs,
        @Nullable Integer steps,
        int maxLength,
        long seed,
        int evaluateEvery,
        int saveEvery,
        int keptCheckpoints,
        int maxBadRecords,
        int threads,
        Device device) {
    /** What is learnt. */
    enum Stage {
        /** The adapter learns captions. */
        PRETRAINING("pretraining"),
        /** Adapter and language model learn answers. */
        INSTRUCTION_TUNING("instruction tuning"),
        /** A language model alone learns answers. */
        TEXT("text"),
        /** An encoder alone learns what lies on each patch. */
        PATCHES("patches");

        private final String text;

        Stage(String text) {
            this.text = text;
        }

        boolean hasEncoder() {
            return this != TEXT;
        }

        boolean hasLlm() {
            return this != PATCHES;
        }

        boolean hasAdapter() {
            return hasEncoder() && hasLlm();
        }

        boolean trainsLlm() {
            return this == INSTRUCTION_TUNING || this == TEXT;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** What the result is made of. */
    Kind result() {
        return averagedUpdates == null ? Kind.PARAMETER : Kind.AVERAGE;
    }

    /** What is kept in a checkpoint. */
    List<Kind> kept() {
        List<Kind> kept = new ArrayList<>(List.of(Kind.PARAMETER, Kind.FIRST_MOMENT, Kind.SECOND_MOMENT));
        if (averagedUpdates != null) {
            kept.add(Kind.AVERAGE);
        }
        return kept;
    }

    /** What decides the numbers of a training; a checkpoint can only be continued with the same. */
    Map<String, String> deciding() {
        Map<String, String> deciding = new LinkedHashMap<>();
        deciding.put("stage", stage.toString());
        deciding.put("trainAdapter", String.valueOf(trainAdapter));
        deciding.put("conversations", String.valueOf(conversations));
        deciding.put("learningRate", String.valueOf(learningRate));
        deciding.put("llmLearningRate", String.valueOf(llmLearningRate));
        deciding.put("encoderLearningRate", String.valueOf(encoderLearningRate));
        deciding.put("warmupRatio", String.valueOf(warmupRatio));
        deciding.put("optimizer", optimizer.toString());
        deciding.put("weightDecay", String.valueOf(weightDecay));
        deciding.put("maxGradientNorm", String.valueOf(maxGradientNorm));
        deciding.put("averageWeights", String.valueOf(averagedUpdates));
        deciding.put("batchSize", String.valueOf(batchSize));
        deciding.put("microBatchSize", String.valueOf(microBatchSize));
        deciding.put("maxLength", String.valueOf(maxLength));
        deciding.put("seed", String.valueOf(seed));
        return deciding;
    }
}
