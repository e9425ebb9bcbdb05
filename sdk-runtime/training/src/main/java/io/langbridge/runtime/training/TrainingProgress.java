package io.langbridge.runtime.training;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where a training stands after an update.
 *
 * @param step updates made, from 1
 * @param steps updates in all
 * @param epoch passes through the data, with the fraction of the current one
 * @param loss mean over the batch's learnt tokens, before the update
 * @param evaluationLoss the same over the evaluation data after the update, or null if it was not evaluated here
 * @param learningRate of the adapter in this update
 * @param gradientNorm L2, before clipping
 * @param tokens positions that went through the language model in this run
 * @param examplesPerSecond mean of this run, without evaluation and saving
 * @param elapsed time of this run
 * @param remaining estimate from the mean of this run
 * @param badRecords left out so far
 * @since 0.1
 */
public record TrainingProgress(
        int step,
        int steps,
        double epoch,
        double loss,
        @Nullable Double evaluationLoss,
        double learningRate,
        double gradientNorm,
        long tokens,
        double examplesPerSecond,
        Duration elapsed,
        Duration remaining,
        int badRecords) {}
