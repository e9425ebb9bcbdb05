package io.langbridge.runtime.core.adapter;

import io.langbridge.CheckpointException;
import io.langbridge.SoftmaxCut;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.explain.Strongest;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * A LangBridge adapter with softmax that keeps the strongest shared tokens of each patch and scales them up to sum to
 * one again. The coefficients of one tile are in memory at a time.
 */
public final class TopKAdapter implements AdapterNetwork {
    private final AdapterNetwork whole;
    private final FloatTensor matrix;
    private final int k;

    /**
     * Cuts an adapter, which is then closed with this one.
     *
     * @param whole with softmax and the same matrix
     * @param matrix {@code [mm_vocab, llm_hidden]}
     */
    TopKAdapter(AdapterNetwork whole, FloatTensor matrix, int k) {
        this.whole = whole;
        this.matrix = matrix;
        this.k = Math.min(k, matrix.size(0));
    }

    /** The strongest tokens of one patch. */
    private interface Patch {
        void accept(int patch, Strongest kept, float mass);
    }

    private void forEachPatch(FloatTensor features, Patch action) {
        int tokens = matrix.size(0);
        float[] row = new float[tokens];
        for (int tile = 0; tile < features.size(0); tile++) {
            FloatBuffer coefficients =
                    whole.coefficients(features.rows(tile, tile + 1)).data();
            for (int patch = 0; patch < features.size(1); patch++) {
                coefficients.get(row);
                Strongest kept = new Strongest(k, false);
                try {
                    kept.offer(row, tokens, 0);
                } catch (ArithmeticException e) {
                    throw new CheckpointException(
                            "The softmax of the " + config().type() + " adapter is not a number at patch " + patch
                                    + " of tile " + tile + "; its weights or the encoder's are damaged",
                            e);
                }
                float mass = 0;
                for (int rank = 0; rank < kept.size(); rank++) {
                    mass += kept.value(rank);
                }
                action.accept(tile * features.size(1) + patch, kept, mass);
            }
        }
    }

    @Override
    public AdapterConfig config() {
        return whole.config();
    }

    @Override
    public FloatTensor visualTokens(FloatTensor features) {
        int width = matrix.size(1);
        FloatTensor tokens = FloatTensor.allocate(features.size(0), features.size(1), width);
        FloatBuffer target = tokens.data();
        float[] embedding = new float[width];
        float[] sum = new float[width];
        forEachPatch(features, (patch, kept, mass) -> {
            Arrays.fill(sum, 0);
            for (int rank = 0; rank < kept.size(); rank++) {
                float weight = kept.value(rank) / mass;
                FloatBuffer row = matrix.data();
                ((Buffer) row).position(kept.index(rank) * width);
                row.get(embedding);
                for (int i = 0; i < width; i++) {
                    sum[i] += weight * embedding[i];
                }
            }
            target.put(sum);
        });
        return tokens;
    }

    @Override
    public FloatTensor coefficients(FloatTensor features) {
        int tokens = matrix.size(0);
        FloatTensor coefficients = FloatTensor.allocate(features.size(0), features.size(1), tokens);
        FloatBuffer target = coefficients.data();
        forEachPatch(features, (patch, kept, mass) -> {
            for (int rank = 0; rank < kept.size(); rank++) {
                target.put(patch * tokens + kept.index(rank), kept.value(rank) / mass);
            }
        });
        return coefficients;
    }

    /** What the cut costs in a picture. */
    public SoftmaxCut measure(FloatTensor features) {
        double[] mass = {0, 1};
        forEachPatch(features, (patch, kept, share) -> {
            mass[0] += share;
            mass[1] = Math.min(mass[1], share);
        });
        FloatBuffer expected = whole.visualTokens(features).data();
        FloatBuffer actual = visualTokens(features).data();
        double difference = 0;
        double length = 0;
        while (expected.hasRemaining()) {
            double value = expected.get();
            double distance = actual.get() - value;
            difference += distance * distance;
            length += value * value;
        }
        return new SoftmaxCut(
                k,
                Math.min(1, mass[0] / ((long) features.size(0) * features.size(1))),
                mass[1],
                length == 0 ? 0 : Math.sqrt(difference / length));
    }

    @Override
    public void close() {
        whole.close();
    }
}
