package io.langbridge.runtime.onnx;

import io.langbridge.Precision;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Closing;
import io.langbridge.runtime.core.checkpoint.Opening;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.network.DecoderConfig;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A decoder with its weights. The embedding table stays in its file; rows are read as they are needed. */
final class OnnxDecoder implements DecoderNetwork {
    private final DecoderConfig config;
    private final StoredTensor embedTokens;
    private final LoadedGraph graph;
    /** Faster over many positions; null where {@link #graph} is as fast. */
    private final @Nullable LoadedGraph fillingGraph;

    private final LazyGraph traceGraph;
    /** Most positions of a prompt that run at a time. */
    final int prefillChunk;

    private final boolean halfKvCache;

    private @Nullable Rotation rotation;

    OnnxDecoder(DecoderConfig config, Weights weights, EngineOptions options) {
        check(config);
        this.config = config;
        embedTokens = weights.get(DecoderGraph.EMBED_TOKENS, config.vocabSize(), config.hiddenSize());
        Precision precision = options.precision();
        prefillChunk = options.prefillChunk();
        halfKvCache = options.halfKvCache();
        Opening<LoadedGraph> filling = precision == Precision.INT8
                ? Opening.of(() -> DecoderGraph.buildFilling(config, weights, precision, halfKvCache)
                        .load(options))
                : null;
        Closing opened = new Closing();
        try {
            if (filling != null) {
                opened.add(filling);
            }
            graph = opened.add(
                    DecoderGraph.build(config, weights, precision, halfKvCache).load(options));
            fillingGraph = filling == null ? null : filling.get();
        } catch (RuntimeException | Error e) {
            opened.closeAfter(e);
            throw e;
        }
        traceGraph = new LazyGraph(
                "decoder",
                () -> DecoderGraph.buildTrace(config, weights, precision).load(options));
    }

    /** What the attention kernel takes for granted or refuses only when it runs. */
    private static void check(DecoderConfig config) {
        if (config.headDim() % 8 != 0) {
            throw new UnsupportedModelException("The " + config.modelType() + " decoder has head_dim "
                    + config.headDim() + "; the ONNX engine runs multiples of 8");
        }
        if (config.numKeyValueHeads() < 1 || config.numAttentionHeads() % config.numKeyValueHeads() != 0) {
            throw new UnsupportedModelException("The " + config.modelType() + " decoder has "
                    + config.numAttentionHeads() + " attention heads, which " + config.numKeyValueHeads()
                    + " key-value heads do not divide");
        }
    }

    @Override
    public DecoderConfig config() {
        return config;
    }

    @Override
    public FloatTensor embed(int... ids) {
        graph.requireOpen();
        FloatTensor rows = FloatTensor.allocate(ids.length, config.hiddenSize());
        FloatBuffer target = rows.data();
        for (int i = 0; i < ids.length; i++) {
            target.limit((i + 1) * config.hiddenSize());
            embed(ids[i], target);
        }
        return rows;
    }

    /** Reads one row of the table into the rest of {@code target}. */
    void embed(int id, FloatBuffer target) {
        if (id < 0 || id >= config.vocabSize()) {
            throw new IndexOutOfBoundsException(
                    "Token id " + id + " is not in the vocabulary of " + config.vocabSize() + " entries");
        }
        embedTokens.read((long) id * config.hiddenSize(), target);
    }

    @Override
    public DecoderSession open(int capacity) {
        graph.requireOpen();
        return open(capacity, graph);
    }

    private OnnxDecoderSession open(int capacity, LoadedGraph loaded) {
        if (capacity < 1 || capacity > config.maxPositionEmbeddings()) {
            throw new IllegalArgumentException("capacity must be 1 to " + config.maxPositionEmbeddings()
                    + " (max_position_embeddings), not " + capacity);
        }
        boolean answers = loaded == graph;
        return new OnnxDecoderSession(
                this, loaded, answers ? fillingGraph : null, rotation(capacity), capacity, answers && halfKvCache);
    }

    /** At least {@code positions} rows, shared by all sessions. */
    private synchronized Rotation rotation(int positions) {
        Rotation known = rotation;
        if (known == null || known.positions() < positions) {
            known = Rotation.of(config, positions);
            rotation = known;
        }
        return known;
    }

    @Override
    public Trace trace(FloatTensor inputsEmbeds) {
        int tokens = OnnxDecoderSession.tokens(inputsEmbeds, config.hiddenSize());
        List<FloatTensor> hiddenStates = new ArrayList<>();
        hiddenStates.add(FloatTensor.of(inputsEmbeds.toArray(), tokens, config.hiddenSize()));
        FloatTensor logits = FloatTensor.allocate(tokens, config.vocabSize());
        try (OnnxDecoderSession session = open(tokens, traceGraph.get())) {
            for (int i = 0; i < config.numHiddenLayers(); i++) {
                hiddenStates.add(FloatTensor.allocate(tokens, config.hiddenSize()));
            }
            session.trace(inputsEmbeds, hiddenStates, logits);
            return new Trace(hiddenStates, logits, session.keys(), session.values());
        }
    }

    @Override
    public void close() {
        try {
            graph.close();
        } finally {
            if (fillingGraph != null) {
                fillingGraph.close();
            }
            traceGraph.close();
        }
    }
}
