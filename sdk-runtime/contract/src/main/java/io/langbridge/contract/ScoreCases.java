package io.langbridge.contract;

import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.generate.Scores;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** Score processors, each on one vector. */
final class ScoreCases {
    /** Probabilities are written down with seven decimals. */
    private static final double PROBABILITY_ROUNDING = 1e-7;

    private ScoreCases() {}

    /** The score processors to check. */
    @FunctionalInterface
    interface Processors {
        float[] process(float[] scores, Set<Integer> seen, Sampler.Settings settings);
    }

    static void check(Check check, Processors processors) {
        double tolerance = check.tolerance("");
        for (Entry vector : check.json().objects("cases")) {
            String processor = vector.text("processor");
            double value = vector.number("value");
            String what = processor + " " + value + " of " + vector.text("vector");
            int[] seen = vector.has("seen") ? vector.integers("seen") : new int[0];
            float[] scores = processors.process(vector.floats("scores"), distinct(seen), only(processor, value));
            check.sameKept(what, scores, vector.floats("result"), tolerance);
            float[] probabilities = Scores.probabilities(scores);
            float[] expected = vector.floats("probabilities");
            for (int i = 0; i < expected.length; i++) {
                check.holds(
                        "probability " + i + ", " + what + ": " + probabilities[i] + ", not " + expected[i],
                        Math.abs(probabilities[i] - expected[i]) <= PROBABILITY_ROUNDING);
            }
        }
    }

    /** Applies the processor that the fixtures call so. */
    static void apply(String processor, double value, float[] scores, int[] seen) {
        switch (processor) {
            case "repetition_penalty", "penalty" -> Scores.repetitionPenalty(scores, distinct(seen), value);
            case "temperature" -> Scores.temperature(scores, value);
            case "top_k" -> Scores.topK(scores, (int) value);
            case "top_p" -> Scores.topP(scores, value);
            case "min_p" -> Scores.minP(scores, value);
            default -> throw new AssertionError("An unknown score processor: " + processor);
        }
    }

    private static Set<Integer> distinct(int[] seen) {
        return Arrays.stream(seen).boxed().collect(Collectors.toCollection(LinkedHashSet::new));
    }

    /** Settings that switch on this processor alone. */
    private static Sampler.Settings only(String processor, double value) {
        return switch (processor) {
            case "repetition_penalty", "penalty" -> new Sampler.Settings(1, 0, 1, 0, value, 0);
            case "temperature" -> new Sampler.Settings(value, 0, 1, 0, 1, 0);
            case "top_k" -> new Sampler.Settings(1, (int) value, 1, 0, 1, 0);
            case "top_p" -> new Sampler.Settings(1, 0, value, 0, 1, 0);
            case "min_p" -> new Sampler.Settings(1, 0, 1, value, 1, 0);
            default -> throw new AssertionError("An unknown score processor: " + processor);
        };
    }
}
