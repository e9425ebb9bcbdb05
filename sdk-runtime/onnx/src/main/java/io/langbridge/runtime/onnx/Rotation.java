package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.network.Rotary;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Cosines and sines of the angles of all positions, for each way of rotating that a decoder has. Immutable once made,
 * unless {@link #empty}.
 *
 * @param tables in the order in which the network's text names them
 */
record Rotation(List<Table> tables, int positions) {
    /** {@code [positions, width / 2]} each. */
    private record Table(FloatTensor cos, FloatTensor sin) {
        /** Angles are multiplied in float32, as the reference does: at high positions this is visible in the result. */
        static Table of(Rotary rotary, int positions) {
            float[] frequencies = rotary.inverseFrequencies();
            FloatTensor cos = FloatTensor.allocate(positions, frequencies.length);
            FloatTensor sin = FloatTensor.allocate(positions, frequencies.length);
            FloatBuffer cosines = cos.data();
            FloatBuffer sines = sin.data();
            for (int position = 0; position < positions; position++) {
                float factor = rotary.factor(position);
                for (float frequency : frequencies) {
                    float angle = position * frequency;
                    cosines.put((float) Math.cos(angle) * factor);
                    sines.put((float) Math.sin(angle) * factor);
                }
            }
            return new Table(cos, sin);
        }
    }

    static Rotation of(List<Rotary> rotaries, int positions) {
        List<Table> tables = new ArrayList<>();
        rotaries.forEach(rotary -> tables.add(Table.of(rotary, positions)));
        return new Rotation(tables, positions);
    }

    /** Room for as many places, which are to be filled. */
    static Rotation empty(List<Rotary> rotaries, int places) {
        List<Table> tables = new ArrayList<>();
        for (Rotary rotary : rotaries) {
            int pairs = rotary.width() / 2;
            tables.add(new Table(FloatTensor.allocate(places, pairs), FloatTensor.allocate(places, pairs)));
        }
        return new Rotation(tables, places);
    }

    /** A part, sharing the values. */
    Rotation rows(int from, int to) {
        List<Table> parts = new ArrayList<>();
        tables.forEach(table -> parts.add(new Table(table.cos.rows(from, to), table.sin.rows(from, to))));
        return new Rotation(parts, to - from);
    }

    /**
     * Fills places of the only table with the angles of positions.
     *
     * @param known has those of all positions
     * @param values position of each frequency, place after place
     */
    void fill(int first, int[] values, Rotation known) {
        Table table = tables.get(0);
        Table from = known.tables.get(0);
        int pairs = table.cos.size(1);
        FloatBuffer cos = table.cos.data();
        FloatBuffer sin = table.sin.data();
        FloatBuffer knownCos = from.cos.data();
        FloatBuffer knownSin = from.sin.data();
        for (int i = 0; i < values.length; i++) {
            int at = values[i] * pairs + i % pairs;
            cos.put(first * pairs + i, knownCos.get(at));
            sin.put(first * pairs + i, knownSin.get(at));
        }
    }

    void bind(Bindings bindings) {
        for (int i = 0; i < tables.size(); i++) {
            Table table = tables.get(i);
            bindings.input(OnnxNet.cos(i), table.cos, positions, table.cos.size(1));
            bindings.input(OnnxNet.sin(i), table.sin, positions, table.sin.size(1));
        }
    }
}
