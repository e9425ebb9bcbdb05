package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import java.util.Arrays;

/** {@code median}, {@code min}, {@code max} and {@code n}, as every line has them. */
final class Statistics {
    private Statistics() {}

    /** Of at least one value, in any order. */
    static JsonObject of(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        JsonObject statistics = new JsonObject();
        statistics.addProperty("median", rounded(median(sorted)));
        statistics.addProperty("min", rounded(sorted[0]));
        statistics.addProperty("max", rounded(sorted[sorted.length - 1]));
        statistics.addProperty("n", sorted.length);
        return statistics;
    }

    static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** To three digits after the point; nobody reads more. */
    static double rounded(double value) {
        return Math.round(value * 1e3) / 1e3;
    }
}
