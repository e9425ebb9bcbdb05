package io.langbridge.runtime.core.generate;

import io.langbridge.LangBridgeException;
import io.langbridge.runtime.core.constrain.Constraint;
import io.langbridge.runtime.core.constrain.TokenSet;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Chooses tokens for one answer. Remembers what it chose, for penalties, rules and what the answer is held to; not
 * thread-safe.
 */
public final class Sampler {
    private final Settings settings;
    private final Random random;
    private final TokenRules rules;
    private final @Nullable Constraint constraint;
    /** Whether the model thinks, which nothing holds it to. */
    private boolean free;
    /** The token with which it may begin to, or -1. */
    private int thinkingToken = -1;

    private final Set<Integer> seen = new LinkedHashSet<>();
    private int[] ids = new int[64];
    private int length;
    private int chosen;
    private int promptLength;
    private float[] scores = new float[0];
    /** How often each was chosen; filled where somebody asks. */
    private final Map<Integer, Integer> counts = new LinkedHashMap<>();

    private final List<Likelihood> likelihoods = new ArrayList<>();
    /** How many others to note with each token, or -1 to note nothing. */
    private int noted = -1;

    /** Starts an answer in which every token may come. */
    public Sampler(Settings settings) {
        this(settings, TokenRules.NONE, null);
    }

    /**
     * Starts an answer.
     *
     * @param constraint what the answer is held to, or null; used up by it
     */
    public Sampler(Settings settings, TokenRules rules, @Nullable Constraint constraint) {
        this.settings = settings;
        this.random = new Random(settings.seed());
        this.rules = rules;
        this.constraint = constraint;
    }

    /**
     * Options with every default filled in.
     *
     * @param temperature 0 for the likeliest token every time
     * @param topK 0 for all
     * @param topP 1 for all
     * @param minP 0 for all
     * @param repetitionPenalty 1 for none
     * @param frequencyPenalty taken from the score of a token for each time it was chosen, 0 for none
     * @param presencePenalty taken from the score of a token that was chosen, 0 for none
     * @param seed of the draw
     */
    public record Settings(
            double temperature,
            int topK,
            double topP,
            double minP,
            double repetitionPenalty,
            double frequencyPenalty,
            double presencePenalty,
            long seed) {
        /** The likeliest token every time. */
        public static final Settings GREEDY = new Settings(0, 0, 1, 0, 1, 0);

        /** Without frequency and presence penalties. */
        public Settings(double temperature, int topK, double topP, double minP, double repetitionPenalty, long seed) {
            this(temperature, topK, topP, minP, repetitionPenalty, 0, 0, seed);
        }

        boolean counts() {
            return frequencyPenalty != 0 || presencePenalty != 0;
        }
    }

    /**
     * How likely a token was that was chosen, and others in its place, before penalties, at temperature 1; where an
     * answer is held to something, among the tokens that this allows.
     *
     * @param logProbability its natural logarithm
     * @param others ids of the likeliest, the likeliest first; the chosen one may be among them
     * @param theirs logarithms of their probabilities
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Likelihood(double logProbability, int[] others, double[] theirs) {
        /** Of a token that must come. */
        static final Likelihood SURE = new Likelihood(0, new int[0], new double[0]);
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

    /**
     * Says that the model may think before the answer begins that is held to something.
     *
     * @param already whether the prompt ends in a thought
     * @param begins the token with which the model begins one itself, or null if it is not to
     */
    public void mayThink(boolean already, @Nullable Integer begins) {
        free = already;
        thinkingToken = already || begins == null ? -1 : begins;
    }

    /** Whether the model thinks. */
    public boolean isFree() {
        return free;
    }

    /** Says that the thought has ended. */
    public void answers() {
        free = false;
    }

    /** What the next token is held to, or null. */
    private @Nullable Constraint held() {
        return free ? null : constraint;
    }

    private boolean mayBeginToThink() {
        return chosen == 0 && thinkingToken >= 0;
    }

    /** Notes from now on how likely the tokens are that are chosen, and so many others. */
    public void noteLikelihoods(int others) {
        noted = others;
    }

    /** What was noted, one entry for each token that was chosen. */
    public List<Likelihood> likelihoods() {
        return Collections.unmodifiableList(likelihoods);
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
        Constraint held = held();
        if (mayBeginToThink() && id == thinkingToken) {
            free = true;
        } else if (held != null && !rules.stopTokens().contains(id)) {
            held.accept(id);
        }
        note(id);
        chosen++;
        if (settings.counts()) {
            counts.merge(id, 1, Integer::sum);
        }
        return id;
    }

    /**
     * The tokens that come next whatever the scores are, because what the answer is held to leaves no choice. They
     * count as chosen.
     *
     * @return often none
     */
    public int[] forced() {
        Constraint held = held();
        int[] ids = held == null || mayBeginToThink() ? new int[0] : held.forced();
        for (int i = 0; i < ids.length; i++) {
            if (rules.stopTokens().contains(ids[i])) {
                return Arrays.copyOf(ids, i); // it would end the answer
            }
            choose(ids[i]);
            if (noted >= 0) {
                likelihoods.add(Likelihood.SURE);
            }
        }
        return ids;
    }

    /** Whether what the answer is held to lets nothing follow. */
    public boolean isComplete() {
        Constraint held = held();
        return held != null && held.isComplete();
    }

    /** Whether all scores are needed here, because some token may not come next, or somebody asks how likely it is. */
    public boolean needsScores() {
        return constraint != null
                || noted >= 0
                || settings.counts()
                || !forbidden().isEmpty();
    }

    /**
     * Chooses the next token.
     *
     * @param logits {@code [vocab]}, read from the start to the limit and left as they are
     * @throws LangBridgeException if the logits are not numbers
     */
    public int next(FloatBuffer logits) {
        boolean penalised = settings.repetitionPenalty() != 1 || settings.counts();
        BitSet forbidden = forbidden();
        int id;
        if (settings.temperature() == 0 && !penalised && forbidden.isEmpty() && held() == null) {
            id = likeliest(logits);
        } else {
            if (scores.length != logits.limit()) {
                scores = new float[logits.limit()];
            }
            Buffer copy = logits.duplicate();
            ((FloatBuffer) copy.rewind()).get(scores);
            id = choose(scores, penalised, forbidden);
        }
        if (noted >= 0) {
            likelihoods.add(likelihood(logits, id));
        }
        return choose(id);
    }

    /** Has the next token chosen elsewhere; not where {@link #needsScores()} is true. */
    public int next(Elsewhere elsewhere) {
        double point = settings.temperature() == 0 ? 0 : random.nextDouble();
        int id = elsewhere.choose(settings, Collections.unmodifiableSet(seen), point);
        return choose(id);
    }

    private int choose(float[] scores, boolean penalised, BitSet forbidden) {
        if (penalised) {
            Scores.repetitionPenalty(scores, seen, settings.repetitionPenalty());
            Scores.countPenalties(scores, counts, settings.frequencyPenalty(), settings.presencePenalty());
        }
        if (forbidden.nextClearBit(0) >= scores.length) {
            throw new LangBridgeException("No token may come next: min_new_tokens, suppress_tokens, bad_words_ids or"
                    + " no_repeat_ngram_size of generation_config.json forbid the whole vocabulary; change the file");
        }
        Constraint held = held();
        if (held == null) {
            Scores.forbid(scores, forbidden);
        } else {
            hold(scores, forbidden, held);
        }
        if (settings.temperature() == 0) {
            return likeliest(FloatBuffer.wrap(scores));
        }
        process(scores, settings);
        return draw(Scores.probabilities(scores));
    }

    private Likelihood likelihood(FloatBuffer logits, int id) {
        float[] plain = new float[logits.limit()];
        ((FloatBuffer) ((Buffer) logits.duplicate()).rewind()).get(plain);
        Constraint held = held();
        if (held != null) {
            hold(plain, new BitSet(), held);
        }
        double[] logarithms = Scores.logProbabilities(plain);
        int[] others = Scores.largest(plain, noted);
        double[] theirs = new double[others.length];
        for (int i = 0; i < others.length; i++) {
            theirs[i] = logarithms[others[i]];
        }
        return new Likelihood(logarithms[id], others, theirs);
    }

    /** Keeps what the answer is held to. Rules of the checkpoint that would leave nothing of it give way. */
    private void hold(float[] scores, BitSet forbidden, Constraint held) {
        TokenSet allowed = held.allowed();
        Map<Integer, Float> ends = new LinkedHashMap<>();
        for (int id : rules.stopTokens()) {
            if (id < scores.length) {
                ends.put(id, held.mayEnd() ? scores[id] : Float.NEGATIVE_INFINITY);
            }
        }
        if (mayBeginToThink() && thinkingToken < scores.length) {
            ends.put(thinkingToken, scores[thinkingToken]);
        }
        allowed.keepOnly(scores);
        ends.forEach((id, score) -> scores[id] = score);
        boolean some = false;
        for (int id = 0; id < scores.length && !some; id++) {
            some = scores[id] != Float.NEGATIVE_INFINITY && !forbidden.get(id);
        }
        if (some) {
            Scores.forbid(scores, forbidden);
        }
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
