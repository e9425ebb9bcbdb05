package io.langbridge.runtime.core.model;

import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import org.jspecify.annotations.Nullable;

/** A decoder without weights, whose tokens are embedded as their ids; a test says what its sequences do. */
abstract class UnweightedNetwork implements DecoderNetwork {
    @Override
    public DecoderConfig config() {
        throw new UnsupportedOperationException();
    }

    @Override
    public FloatTensor embed(int... ids) {
        FloatTensor rows = FloatTensor.allocate(ids.length, 1);
        for (int i = 0; i < ids.length; i++) {
            rows.data().put(i, ids[i]);
        }
        return rows;
    }

    @Override
    public DecoderBatch open(int sequences, int capacity) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Trace trace(FloatTensor inputsEmbeds, int @Nullable [][] positions, int @Nullable [] ahead) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
