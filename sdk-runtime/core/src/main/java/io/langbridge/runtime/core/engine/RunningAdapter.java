package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** An adapter on any engine; what gives coefficients is opened when it is first asked for. */
final class RunningAdapter implements AdapterNetwork {
    private final AdapterConfig config;
    /** Null for a LangBridge adapter without a vocabulary matrix, which only gives coefficients. */
    private final @Nullable Running visualTokens;

    private final Supplier<Running> opener;
    /** Held by who uses {@link #coefficients}, and alone by who closes it early. */
    private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();

    private @Nullable Running coefficients;
    private boolean closed;

    RunningAdapter(
            Engine engine,
            AdapterConfig config,
            Weights weights,
            @Nullable FloatTensor vocabularyMatrix,
            EngineOptions options) {
        this.config = config;
        Integer llmHidden = llmHidden(config, vocabularyMatrix);
        Map<String, FloatTensor> constants = vocabularyMatrix == null
                ? Collections.emptyMap()
                : Collections.singletonMap(Projector.VOCABULARY_MATRIX, vocabularyMatrix);
        visualTokens = llmHidden == null
                ? null
                : engine.open(Projector.network(config, llmHidden), weights, constants, options);
        opener = () -> {
            if (config instanceof AdapterConfig.LangBridge langBridge) {
                return engine.open(Projector.coefficients(langBridge), weights, Collections.emptyMap(), options);
            }
            throw new UnsupportedOperationException(
                    "An adapter of type " + config.type() + " has no coefficients; only LangBridge adapters have");
        };
    }

    private static @Nullable Integer llmHidden(AdapterConfig config, @Nullable FloatTensor matrix) {
        if (config instanceof AdapterConfig.LangBridge langBridge) {
            if (matrix == null) {
                return null;
            }
            int[] shape = matrix.shape();
            if (shape.length != 2 || shape[0] != langBridge.mmVocabSize()) {
                throw new IllegalArgumentException("The vocabulary matrix must have the shape ["
                        + langBridge.mmVocabSize() + ", llm_hidden], not " + Arrays.toString(shape));
            }
            return shape[1];
        }
        if (matrix != null) {
            throw new IllegalArgumentException(
                    "Only LangBridge adapters take a vocabulary matrix, not " + config.type());
        }
        return config.outputWidth();
    }

    @Override
    public AdapterConfig config() {
        return config;
    }

    @Override
    public FloatTensor visualTokens(FloatTensor features) {
        if (visualTokens == null) {
            throw new UnsupportedOperationException(
                    "This adapter was opened without a vocabulary matrix; it only gives coefficients");
        }
        return visualTokens.run(Collections.singletonMap(Projector.FEATURES, features));
    }

    @Override
    public FloatTensor coefficients(FloatTensor features) {
        use.readLock().lock();
        try {
            return opened().run(Collections.singletonMap(Projector.FEATURES, features));
        } finally {
            use.readLock().unlock();
        }
    }

    private synchronized Running opened() {
        if (closed) {
            throw new IllegalStateException("The " + config.type() + " adapter is closed");
        }
        if (coefficients == null) {
            coefficients = opener.get();
        }
        return coefficients;
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
        Running open = coefficients;
        coefficients = null;
        if (open != null) {
            open.close();
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        try {
            if (visualTokens != null) {
                visualTokens.close();
            }
        } finally {
            if (coefficients != null) {
                coefficients.close();
            }
        }
    }
}
