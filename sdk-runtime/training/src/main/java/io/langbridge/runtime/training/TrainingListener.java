package io.langbridge.runtime.training;

/**
 * Hears of every update, on the training's own thread; what it does, the training waits for. An exception it throws
 * ends the training, which goes on from its last checkpoint when it is run again.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface TrainingListener {
    /**
     * An update was made.
     *
     * @param progress where the training stands
     */
    void onStep(TrainingProgress progress);
}
