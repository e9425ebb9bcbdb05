package io.langbridge.runtime.training;

/**
 * Learning rate over a training, as a factor: rises in a line during warm-up, then falls along half a cosine to zero.
 * Equal to {@code get_cosine_schedule_with_warmup} of transformers, so the first update has a rate of zero unless there
 * is no warm-up.
 *
 * @param steps updates in all
 * @param warmup updates during which it rises
 */
record Schedule(int steps, int warmup) {
    static Schedule of(int steps, double warmupRatio) {
        return new Schedule(steps, (int) Math.ceil(steps * warmupRatio));
    }

    /** The factor for an update, counted from 0. */
    double factor(int step) {
        if (step < warmup) {
            return (double) step / warmup;
        }
        double progress = (double) (step - warmup) / Math.max(1, steps - warmup);
        return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
    }
}
