package io.langbridge.runtime.core.model;

import io.langbridge.GenerationOptions;
import io.langbridge.runtime.core.constrain.Constraint;
import io.langbridge.runtime.core.family.GenerationDefaults;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.generate.TokenRules;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** A request's options with what it leaves open taken from the checkpoint, and the reference's defaults behind that. */
record ResolvedOptions(
        Sampler.Settings sampling,
        Set<Integer> stopTokens,
        List<String> stopStrings,
        int minNewTokens,
        int maxNewTokens,
        @Nullable Integer logProbabilities,
        GenerationDefaults checkpoint) {
    private static final int MAX_NEW_TOKENS = 512;
    /** The reference keeps 50 tokens when it samples and nothing else is said. */
    private static final int TOP_K = 50;

    static ResolvedOptions of(GenerationOptions asked, GenerationDefaults checkpoint) {
        double fromCheckpoint =
                Boolean.TRUE.equals(checkpoint.doSample()) ? or(checkpoint.temperature(), null, 1.0) : 0;
        Sampler.Settings sampling = new Sampler.Settings(
                or(asked.temperature(), null, fromCheckpoint),
                or(asked.topK(), checkpoint.topK(), TOP_K),
                or(asked.topP(), checkpoint.topP(), 1.0),
                or(asked.minP(), checkpoint.minP(), 0.0),
                or(asked.repetitionPenalty(), checkpoint.repetitionPenalty(), 1.0),
                or(asked.frequencyPenalty(), null, 0.0),
                or(asked.presencePenalty(), null, 0.0),
                or(asked.seed(), null, ThreadLocalRandom.current().nextLong()));
        Set<Integer> stopTokens = asked.stopTokens();
        return new ResolvedOptions(
                sampling,
                stopTokens != null ? stopTokens : checkpoint.eosTokenIds(),
                or(asked.stopStrings(), null, checkpoint.stopStrings()),
                or(asked.minNewTokens(), null, checkpoint.minNewTokens()),
                or(asked.maxNewTokens(), checkpoint.maxNewTokens(), MAX_NEW_TOKENS),
                asked.logProbabilities(),
                checkpoint);
    }

    /**
     * A sampler for one answer.
     *
     * @param constraint what the answer is held to, or null
     */
    Sampler sampler(@Nullable Constraint constraint) {
        Sampler sampler = new Sampler(
                sampling,
                new TokenRules(
                        minNewTokens,
                        checkpoint.minLength(),
                        stopTokens,
                        checkpoint.suppressTokens(),
                        checkpoint.beginSuppressTokens(),
                        checkpoint.badWords(),
                        checkpoint.noRepeatNgramSize()),
                constraint);
        if (logProbabilities != null) {
            sampler.noteLikelihoods(logProbabilities);
        }
        return sampler;
    }

    private static <T> T or(@Nullable T first, @Nullable T second, T last) {
        if (first != null) {
            return first;
        }
        return second != null ? second : last;
    }
}
