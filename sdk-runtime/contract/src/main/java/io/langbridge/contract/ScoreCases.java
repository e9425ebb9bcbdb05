package io.langbridge.contract;

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

    static void check(Check check) {
        double tolerance = check.tolerance("");
        for (Entry vector : check.json().objects("cases")) {
            String processor = vector.text("processor");
            double value = vector.number("value");
            String what = processor + " " + value + " of " + vector.text("vector");
            int[] seen = vector.has("seen") ? vector.integers("seen") : new int[0];
            float[] scores = vector.floats("scores");
            apply(processor, value, scores, seen);
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
        Set<Integer> distinct = Arrays.stream(seen).boxed().collect(Collectors.toCollection(LinkedHashSet::new));
        switch (processor) {
            case "repetition_penalty", "penalty" -> Scores.repetitionPenalty(scores, distinct, value);
            case "temperature" -> Scores.temperature(scores, value);
            case "top_k" -> Scores.topK(scores, (int) value);
            case "top_p" -> Scores.topP(scores, value);
            case "min_p" -> Scores.minP(scores, value);
            default -> throw new AssertionError("An unknown score processor: " + processor);
        }
    }
}
