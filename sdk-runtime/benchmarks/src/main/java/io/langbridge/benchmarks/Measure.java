package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.DoubleSupplier;

/**
 * Samples of one figure. Those during which other processes worked are taken again, as far as patience goes; what is
 * reported is the clean ones, or the least disturbed ones if there are too few.
 */
final class Measure {
    private static final int MOST_TRIES = 3;
    private static final double NANOS_PER_MILLI = 1e6;
    /** Processor time is counted in steps of 10 ms: in less than this nobody can tell whose it was. */
    private static final double SHORTEST_MILLIS = 200;

    private final int wanted;
    private final double patience;
    private final List<Sample> samples = new ArrayList<>();

    private record Sample(double otherShare, double value) {}

    /**
     * Starts without samples.
     *
     * @param patience seconds to wait for a quiet moment before each sample
     */
    Measure(int wanted, double patience) {
        this.wanted = wanted;
        this.patience = patience;
    }

    /** Takes one sample, in whatever unit {@code run} returns. */
    void take(DoubleSupplier run) {
        Host.awaitQuiet(patience);
        Host.Noise noise = new Host.Noise();
        double value = run.getAsDouble();
        add(noise.share(), value);
    }

    /** Adds a sample that was taken together with others. */
    void add(double otherShare, double value) {
        samples.add(new Sample(otherShare, value));
    }

    /** Takes samples in milliseconds per call until there are enough. */
    Measure millis(Runnable call) {
        call.run();
        int calls = (int) Math.max(1, Math.ceil(SHORTEST_MILLIS / time(call, 1)));
        while (!enough()) {
            take(() -> time(call, calls));
        }
        return this;
    }

    private static double time(Runnable call, int calls) {
        long start = System.nanoTime();
        for (int i = 0; i < calls; i++) {
            call.run();
        }
        return Math.max(1, System.nanoTime() - start) / NANOS_PER_MILLI / calls;
    }

    /** Whether there are as many clean samples as wanted, or no use in trying on. */
    boolean enough() {
        return clean() >= wanted || samples.size() >= MOST_TRIES * wanted;
    }

    private long clean() {
        return samples.stream().filter(s -> s.otherShare <= Host.CLEAN).count();
    }

    /** Median, min, max, n of the reported samples. */
    JsonObject statistics() {
        return Statistics.of(
                reported().stream().mapToDouble(Sample::value).sorted().toArray());
    }

    /** How quiet it was. */
    JsonObject noise() {
        JsonObject noise = new JsonObject();
        noise.addProperty("clean", clean());
        noise.addProperty("tries", samples.size());
        noise.addProperty(
                "worst_other_share",
                Statistics.rounded(reported().stream()
                        .mapToDouble(Sample::otherShare)
                        .max()
                        .orElse(0)));
        return noise;
    }

    private List<Sample> reported() {
        List<Sample> quietest = new ArrayList<>(samples);
        quietest.sort(Comparator.comparingDouble(Sample::otherShare));
        return quietest.subList(0, (int) Math.max(clean(), Math.min(wanted, samples.size())));
    }
}
