package io.langbridge.runtime.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;

/** Relative L2 error, the measure in which tolerances are given. */
final class Errors {
    private Errors() {}

    static void assertClose(FloatBuffer actual, double[] expected) {
        float[] values = new float[actual.remaining()];
        actual.duplicate().get(values);
        assertClose(values, expected);
    }

    static void assertClose(float[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        assertThat(relative(actual, expected)).isLessThan(2e-5);
    }

    static double relative(float[] actual, double[] expected) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < actual.length; i++) {
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
        }
        return Math.sqrt(difference / norm);
    }
}
