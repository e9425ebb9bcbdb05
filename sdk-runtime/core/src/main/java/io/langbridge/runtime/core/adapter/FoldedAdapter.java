package io.langbridge.runtime.core.adapter;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.WeightFile;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;

/** A LangBridge adapter folded for one language model; what gives coefficients is opened when it is first asked for. */
final class FoldedAdapter implements AdapterNetwork {
    private final AdapterConfig.LangBridge config;
    private final Weights weights;
    private final AdapterNetwork folded;
    /** Only gives coefficients. */
    private final AdapterNetwork unfolded;

    private FoldedAdapter(
            AdapterConfig.LangBridge config, Weights weights, AdapterNetwork folded, AdapterNetwork unfolded) {
        this.config = config;
        this.weights = weights;
        this.folded = folded;
        this.unfolded = unfolded;
    }

    static FoldedAdapter open(
            Engine engine,
            AdapterConfig.LangBridge config,
            Weights projector,
            VocabularyMatrix matrix,
            EngineOptions options) {
        for (int tries = 1; ; tries++) {
            Weights weights = Adapters.fold(engine, config, projector, matrix, options);
            try {
                AdapterNetwork folded =
                        engine.adapter(Adapters.running(config, matrix.width()), weights, null, options);
                return new FoldedAdapter(config, weights, folded, engine.adapter(config, projector, null, options));
            } catch (RuntimeException | Error e) {
                boolean deleted = isDeleted(weights);
                weights.close();
                if (!deleted || tries == WeightFile.TRIES) {
                    throw e;
                }
            }
        }
    }

    /** Whether another process cleared the cache meanwhile. */
    private static boolean isDeleted(Weights weights) {
        try {
            weights.names().forEach(name -> weights.get(name).requireInPlace());
            return false;
        } catch (CheckpointException e) {
            return true;
        }
    }

    @Override
    public AdapterConfig config() {
        return config;
    }

    @Override
    public FloatTensor visualTokens(FloatTensor features) {
        return folded.visualTokens(features);
    }

    @Override
    public FloatTensor coefficients(FloatTensor features) {
        return unfolded.coefficients(features);
    }

    @Override
    public void releaseCoefficients() {
        unfolded.releaseCoefficients();
    }

    @Override
    public void close() {
        Closing.all(Arrays.asList(weights, unfolded, folded));
    }
}
