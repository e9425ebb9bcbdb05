package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.network.Rotary;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Cosines and sines of the angles of all positions, for each way of rotating that a decoder has. Immutable once made.
 *
 * @param tables in the order in which the network's text names them
 */
record Rotation(List<Table> tables, int positions) {
    /** {@code [positions, width / 2]} each. */
    private record Table(FloatTensor cos, FloatTensor sin) {
        /** Angles are multiplied in float32, as the reference does: at high positions this is visible in the result. */
        static Table of(float[] frequencies, int positions) {
            FloatTensor cos = FloatTensor.allocate(positions, frequencies.length);
            FloatTensor sin = FloatTensor.allocate(positions, frequencies.length);
            FloatBuffer cosines = cos.data();
            FloatBuffer sines = sin.data();
            for (int position = 0; position < positions; position++) {
                for (float frequency : frequencies) {
                    float angle = position * frequency;
                    cosines.put((float) Math.cos(angle));
                    sines.put((float) Math.sin(angle));
                }
            }
            return new Table(cos, sin);
        }
    }

    static Rotation of(List<Rotary> rotaries, int positions) {
        List<Table> tables = new ArrayList<>();
        rotaries.forEach(rotary -> tables.add(Table.of(rotary.inverseFrequencies(), positions)));
        return new Rotation(tables, positions);
    }

    void bind(Bindings bindings) {
        for (int i = 0; i < tables.size(); i++) {
            Table table = tables.get(i);
            bindings.input(OnnxNet.cos(i), table.cos, positions, table.cos.size(1));
            bindings.input(OnnxNet.sin(i), table.sin, positions, table.sin.size(1));
        }
    }
}
