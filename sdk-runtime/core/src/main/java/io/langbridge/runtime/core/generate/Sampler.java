package io.langbridge.runtime.core.generate;

import io.langbridge.LangBridgeException;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Random;
import java.util.Set;

/** Chooses tokens for one answer. Remembers what it chose, for the repetition penalty; not thread-safe. */
public final class Sampler {
    private final Settings settings;
    private final Random random;
    private final Set<Integer> seen = new LinkedHashSet<>();
    private float[] scores = new float[0];

    /** Starts an answer. */
    public Sampler(Settings settings) {
        this.settings = settings;
        this.random = new Random(settings.seed());
    }

    /**
     * Options with every default filled in.
     *
     * @param temperature 0 for the likeliest token every time
     * @param topK 0 for all
     * @param topP 1 for all
     * @param minP 0 for all
     * @param repetitionPenalty 1 for none
     * @param seed of the draw
     */
    public record Settings(
            double temperature, int topK, double topP, double minP, double repetitionPenalty, long seed) {
        /** The likeliest token every time. */
        public static final Settings GREEDY = new Settings(0, 0, 1, 0, 1, 0);
    }

    /** Counts tokens of the prompt as seen. */
    public void see(int... ids) {
        for (int id : ids) {
            seen.add(id);
        }
    }

    /**
     * Chooses the next token.
     *
     * @param logits {@code [vocab]}, read from the start to the limit and left as they are
     * @throws LangBridgeException if the logits are not numbers
     */
    public int next(FloatBuffer logits) {
        boolean penalised = settings.repetitionPenalty() != 1;
        int id;
        if (settings.temperature() == 0 && !penalised) {
            id = likeliest(logits);
        } else {
            if (scores.length != logits.limit()) {
                scores = new float[logits.limit()];
            }
            Buffer copy = logits.duplicate();
            ((FloatBuffer) copy.rewind()).get(scores);
            id = choose(scores, penalised);
        }
        seen.add(id);
        return id;
    }

    private int choose(float[] scores, boolean penalised) {
        if (penalised) {
            Scores.repetitionPenalty(scores, seen, settings.repetitionPenalty());
        }
        if (settings.temperature() == 0) {
            return likeliest(FloatBuffer.wrap(scores));
        }
        process(scores, settings);
        return draw(Scores.probabilities(scores));
    }

    /** Temperature, top-k, top-p and min-p, in the reference's order, as far as they are on. */
    public static void process(float[] scores, Settings settings) {
        if (settings.temperature() != 1) {
            Scores.temperature(scores, settings.temperature());
        }
        if (settings.topK() > 0) {
            Scores.topK(scores, settings.topK());
        }
        if (settings.topP() < 1) {
            Scores.topP(scores, settings.topP());
        }
        if (settings.minP() > 0) {
            Scores.minP(scores, settings.minP());
        }
    }

    private int draw(float[] probabilities) {
        double sum = 0;
        for (float probability : probabilities) {
            sum += probability;
        }
        if (!(sum > 0)) {
            throw notNumbers(probabilities);
        }
        double point = random.nextDouble() * sum;
        int last = 0;
        for (int id = 0; id < probabilities.length; id++) {
            if (probabilities[id] > 0) {
                last = id;
                point -= probabilities[id];
                if (point < 0) {
                    return id;
                }
            }
        }
        return last; // rounding left a rest
    }

    private static int likeliest(FloatBuffer logits) {
        int best = -1;
        float largest = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < logits.limit(); id++) {
            if (logits.get(id) > largest) {
                largest = logits.get(id);
                best = id;
            }
        }
        if (best < 0) {
            float[] first = new float[Math.min(4, logits.limit())];
            logits.duplicate().get(first);
            throw notNumbers(first);
        }
        return best;
    }

    private static LangBridgeException notNumbers(float[] values) {
        return new LangBridgeException("The language model's scores are not numbers ("
                + Arrays.toString(Arrays.copyOf(values, Math.min(4, values.length)))
                + " ..): its weights or the picture's features hold NaN or infinity; check the checkpoint files");
    }
}
