package io.langbridge.benchmarks;

import com.google.gson.JsonObject;
import org.jspecify.annotations.Nullable;

/** One line of the report: a phase, its conditions and its figures. */
final class Line {
    static final String BENCH = "langbridge-jvm";

    private final JsonObject json = new JsonObject();

    Line(String phase) {
        put("bench", BENCH).put("phase", phase);
    }

    Line put(String key, String value) {
        json.addProperty(key, value);
        return this;
    }

    Line put(String key, boolean value) {
        json.addProperty(key, value);
        return this;
    }

    Line put(String key, @Nullable Number value) {
        json.addProperty(key, value);
        return this;
    }

    /** A number that needs no more than three digits after the point. */
    Line rounded(String key, @Nullable Double value) {
        return put(key, value == null ? null : (Number) Statistics.rounded(value));
    }

    Line put(String key, Measure measure) {
        json.add(key, measure.statistics());
        measure.noise().entrySet().forEach(entry -> json.add(entry.getKey(), entry.getValue()));
        return this;
    }

    Line put(String key, double[] values) {
        json.add(key, Statistics.of(values));
        return this;
    }

    JsonObject json() {
        return json;
    }
}
