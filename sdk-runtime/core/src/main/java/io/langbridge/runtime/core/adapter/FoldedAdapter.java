package io.langbridge.runtime.core.adapter;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.Engine;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A LangBridge adapter folded for one language model; the unfolded network is opened when it is first asked for. */
final class FoldedAdapter implements AdapterNetwork {
    private final AdapterConfig.LangBridge config;
    private final Weights weights;
    private final AdapterNetwork folded;
    private final Supplier<AdapterNetwork> opener;
    /** Held by who uses {@link #unfolded}. */
    private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();

    private @Nullable AdapterNetwork unfolded;
    private boolean closed;

    private FoldedAdapter(
            AdapterConfig.LangBridge config, Weights weights, AdapterNetwork folded, Supplier<AdapterNetwork> opener) {
        this.config = config;
        this.weights = weights;
        this.folded = folded;
        this.opener = opener;
    }

    static FoldedAdapter open(
            Engine engine,
            AdapterConfig.LangBridge config,
            Weights projector,
            VocabularyMatrix matrix,
            EngineOptions options) {
        Weights weights = Adapters.fold(engine, config, projector, matrix, options);
        try {
            AdapterNetwork folded = engine.adapter(Adapters.running(config, matrix.width()), weights, null, options);
            return new FoldedAdapter(config, weights, folded, () -> engine.adapter(config, projector, null, options));
        } catch (RuntimeException | Error e) {
            weights.close();
            throw e;
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
        use.readLock().lock();
        try {
            return unfolded().coefficients(features);
        } finally {
            use.readLock().unlock();
        }
    }

    @Override
    public void releaseCoefficients() {
        use.writeLock().lock();
        try {
            release();
        } finally {
            use.writeLock().unlock();
        }
    }

    private synchronized void release() {
        AdapterNetwork opened = unfolded;
        unfolded = null;
        if (opened != null) {
            opened.close();
        }
    }

    private synchronized AdapterNetwork unfolded() {
        if (closed) {
            throw new IllegalStateException("The " + config.type() + " adapter is closed");
        }
        if (unfolded == null) {
            unfolded = opener.get();
        }
        return unfolded;
    }

    @Override
    public synchronized void close() {
        closed = true;
        try {
            folded.close();
        } finally {
            try {
                if (unfolded != null) {
                    unfolded.close();
                }
            } finally {
                weights.close();
            }
        }
    }
}
