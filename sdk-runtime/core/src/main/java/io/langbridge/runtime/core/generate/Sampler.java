package io.langbridge.runtime.core.generate;

import io.langbridge.LangBridgeException;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Random;
import java.util.Set;

/** Chooses tokens for one answer. Remembers what it chose, for penalties and rules; not thread-safe. */
public final class Sampler {
    private final Settings settings;
    private final Random random;
    private final TokenRules rules;
    private final Set<Integer> seen = new LinkedHashSet<>();
    private int[] ids = new int[64];
    private int length;
    private int chosen;
    private int promptLength;
    private float[] scores = new float[0];

    /** Starts an answer in which every token may come. */
    public Sampler(Settings settings) {
        this(settings, TokenRules.NONE);
    }

    /** Starts an answer. */
    public Sampler(Settings settings, TokenRules rules) {
        this.settings = settings;
        this.random = new Random(settings.seed());
        this.rules = rules;
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

    /** Chooses where the scores are, by the same rules, so that they need not be brought here. */
    @FunctionalInterface
    public interface Elsewhere {
        /**
         * Chooses one token.
         *
         * @param seen ids that the repetition penalty counts, each once
         * @param point where the draw falls, from 0 to 1 (exclusive); 0 if the likeliest token is taken
         */
        int choose(Settings settings, Set<Integer> seen, double point);
    }

    /** Says how long the prompt is, with what entered in another form than as tokens. */
    public void promptIs(int positions) {
        promptLength = positions;
    }

    /** Counts tokens of the prompt as seen. */
    public void see(int... prompt) {
        for (int id : prompt) {
            note(id);
        }
    }

    private void note(int id) {
        seen.add(id);
        if (length == ids.length) {
            ids = Arrays.copyOf(ids, 2 * length);
        }
        ids[length++] = id;
    }

    private BitSet forbidden() {
        return rules.isEmpty() ? new BitSet() : rules.forbidden(ids, length, chosen, promptLength);
    }

    private int choose(int id) {
        note(id);
        chosen++;
        return id;
    }

    /** Whether some token may not come next; then all scores are needed here. */
    public boolean forbids() {
        return !forbidden().isEmpty();
    }

    /**
     * Chooses the next token.
     *
     * @param logits {@code [vocab]}, read from the start to the limit and left as they are
     * @throws LangBridgeException if the logits are not numbers
     */
    public int next(FloatBuffer logits) {
        boolean penalised = settings.repetitionPenalty() != 1;
        BitSet forbidden = forbidden();
        int id;
        if (settings.temperature() == 0 && !penalised && forbidden.isEmpty()) {
            id = likeliest(logits);
        } else {
            if (scores.length != logits.limit()) {
                scores = new float[logits.limit()];
            }
            Buffer copy = logits.duplicate();
            ((FloatBuffer) copy.rewind()).get(scores);
            id = choose(scores, penalised, forbidden);
        }
        return choose(id);
    }

    /** Has the next token chosen elsewhere; not where {@link #forbids()} is true. */
    public int next(Elsewhere elsewhere) {
        double point = settings.temperature() == 0 ? 0 : random.nextDouble();
        int id = elsewhere.choose(settings, Collections.unmodifiableSet(seen), point);
        return choose(id);
    }

    private int choose(float[] scores, boolean penalised, BitSet forbidden) {
        if (penalised) {
            Scores.repetitionPenalty(scores, seen, settings.repetitionPenalty());
        }
        if (forbidden.nextClearBit(0) >= scores.length) {
            throw new LangBridgeException("No token may come next: min_new_tokens, suppress_tokens, bad_words_ids or"
                    + " no_repeat_ngram_size of generation_config.json forbid the whole vocabulary; change the file");
        }
        Scores.forbid(scores, forbidden);
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
        double total = 0;
        for (float probability : probabilities) {
            total += probability;
        }
        if (!(total > 0)) {
            throw notNumbers(FloatBuffer.wrap(probabilities));
        }
        double point = random.nextDouble() * total;
        double sum = 0;
        int last = 0;
        for (int id = 0; id < probabilities.length; id++) {
            if (probabilities[id] > 0) {
                last = id;
                sum += probabilities[id];
                if (sum > point) {
                    return id;
                }
            }
        }
        return last; // the point was rounded to the total
    }

    private static int likeliest(FloatBuffer logits) {
        int best = -1;
        float largest = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < logits.limit(); id++) {
            float score = logits.get(id);
            if (score > largest) {
                largest = score;
                best = id;
            } else if (Float.isNaN(score)) {
                throw notNumbers(logits);
            }
        }
        if (best < 0) {
            throw notNumbers(logits);
        }
        return best;
    }

    /** What is thrown when no token can be chosen from {@code logits}. */
    public static LangBridgeException notNumbers(FloatBuffer logits) {
        float[] values = new float[Math.min(4, logits.limit())];
        for (int i = 0; i < values.length; i++) {
            values[i] = logits.get(i);
        }
        return new LangBridgeException("The language model's scores are not numbers ("
                + Arrays.toString(values)
                + " ..): its weights or the picture's features hold NaN or infinity; check the checkpoint files");
    }
}
