package io.langbridge.runtime.onnx;

import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Places;
import io.langbridge.runtime.core.lifecycle.Closing;
import io.langbridge.runtime.core.lifecycle.Opening;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.network.Rotary;
import io.langbridge.runtime.core.network.State;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A decoder with its weights. The embedding table stays in its file; rows are read as they are needed. */
final class OnnxDecoder implements DecoderNetwork {
    static final String LOGITS = "logits";

    private static final String FIRST_LAYER = "model.layers.0.";

    private static final Set<String> HEADS = Set.of(DecoderConfig.EMBED_TOKENS, "lm_head.weight");

    private final DecoderConfig config;
    private final List<State> states;
    private final List<Rotary> rotaries;
    /** How positions of several axes are shared among the frequencies; null if they have one. */
    private final Rope.@Nullable Sections sections;

    private final StoredTensor embedTokens;
    private final @Nullable StoredTensor secondEmbeddings;
    private final LoadedGraph graph;
    /** Faster over many positions; null where {@link #graph} is as fast. */
    private final @Nullable LoadedGraph fillingGraph;

    private final LazyGraph traceGraph;
    /** Most positions of a prompt that run at a time. */
    final int prefillChunk;

    private final boolean halfKvCache;

    private @Nullable Rotation rotation;

    OnnxDecoder(DecoderConfig config, Weights weights, EngineOptions options) {
        this.config = config;
        Network network = config.network();
        Inventory inventory = Inventory.of(network);
        states = inventory.states();
        rotaries = inventory.rotaries();
        sections = Places.sections(rotaries);
        embedTokens = config.embeddings(weights);
        secondEmbeddings = config.secondEmbeddings(weights);
        prefillChunk = options.prefillChunk();
        halfKvCache = options.halfKvCache();
        Scratch scratch = new Scratch();
        Opening<LoadedGraph> filling =
                options.inTwoForms() ? Opening.of(() -> load(network, weights, options, Use.FILLING, scratch)) : null;
        Closing opened = new Closing();
        try {
            if (filling != null) {
                opened.add(filling);
            }
            graph = opened.add(load(network, weights, options, Use.ANSWERING, scratch));
            fillingGraph = filling == null ? null : filling.get();
        } catch (RuntimeException | Error e) {
            opened.closeAfter(e);
            throw e;
        }
        traceGraph = new LazyGraph("decoder", () -> load(network, weights, options, Use.TRACING, new Scratch()));
    }

    /** Whether a weight has 8 bits in finer blocks where others have 4. */
    static boolean isFine(String weight) {
        return weight.startsWith(FIRST_LAYER);
    }

    /** What a graph gives beside the keys and values that it caches. */
    private enum Use {
        /** The logits of the last position. */
        ANSWERING,
        /** Nothing: it runs over what comes before the last position of a prompt. */
        FILLING,
        /** The logits of all positions, and the hidden states. */
        TRACING
    }

    private LoadedGraph load(Network network, Weights weights, EngineOptions options, Use use, Scratch scratch) {
        // Many positions at a time are fastest in 8 bits, whatever else there is.
        Precision precision = use == Use.FILLING ? Precision.INT8 : options.precision();
        boolean oneForm = precision == Precision.INT8 && !options.inTwoForms();
        // The stream is still small when the first layer writes to it, so what that rounds weighs most, as measured.
        // Rounding with care is slower by far for many positions, so there only what weighs most of it.
        String fine = oneForm || use == Use.FILLING ? FIRST_LAYER + "mlp.down_proj." : FIRST_LAYER;
        StoredWeights stored = new StoredWeights(network.name(), weights, precision);
        // The head runs over one position in any graph, and each form of it would be large.
        Predicate<String> manyRows = weight -> use == Use.FILLING || oneForm && !HEADS.contains(weight);
        Products products = new Products(stored, manyRows, weight -> weight.startsWith(fine), scratch);
        boolean shows = use == Use.TRACING;
        OnnxGraph.Type cacheType = halfKvCache && !shows ? OnnxGraph.Type.FLOAT16 : OnnxGraph.Type.FLOAT;
        OnnxNet net = precision == Precision.FULL
                ? new OnnxNet(stored, products, shows, cacheType)
                : new RoundedNet(
                        stored,
                        products,
                        shows,
                        cacheType,
                        !Inventory.of(network).addsNorms());
        Net.Value logits = (shows ? network.trace() : network.text()).apply(net);
        if (use != Use.FILLING) {
            net.output(LOGITS, logits);
        }
        if (use == Use.ANSWERING && precision != Precision.FULL && !config.tieWordEmbeddings()) {
            // Rows of it are read as they are needed.
            stored.requireFinite(DecoderConfig.EMBED_TOKENS, config.vocabSize(), config.hiddenSize());
        }
        return net.load(options);
    }

    @Override
    public DecoderConfig config() {
        return config;
    }

    @Override
    public FloatTensor embed(int... ids) {
        graph.requireOpen();
        FloatTensor rows = FloatTensor.allocate(ids.length, config.inputWidth());
        for (int i = 0; i < ids.length; i++) {
            embed(ids[i], rows, i);
        }
        return rows;
    }

    /** Reads a token's rows of the tables into one of {@code rows}; what they have nothing for stays as it is. */
    void embed(int id, FloatTensor rows, int row) {
        DecoderNetwork.requireToken(id, config);
        FloatBuffer target = rows.rows(row, row + 1).data();
        ((Buffer) target).limit(config.hiddenSize());
        embedTokens.read((long) id * config.hiddenSize(), target);
        Net.Table second = config.secondTable();
        if (second != null && secondEmbeddings != null) {
            ((Buffer) target).limit(target.position() + second.width());
            secondEmbeddings.read((long) id * second.width(), target);
        }
    }

    @Override
    public DecoderSession open(int capacity) {
        graph.requireOpen();
        DecoderNetwork.requireCapacity(1, capacity, config);
        Kept cache = new Kept(states, 1, capacity, halfKvCache);
        Rotation angles = angles(1, capacity);
        return new OnnxDecoderSession(this, graph, fillingGraph, angles, places(angles, capacity), cache, 0, capacity);
    }

    @Override
    public DecoderBatch open(int sequences, int capacity) {
        graph.requireOpen();
        DecoderNetwork.requireCapacity(sequences, capacity, config);
        int positions = capacity + OnnxDecoderBatch.SPARE;
        Rotation angles = angles(sequences, positions);
        Kept cache = new Kept(states, sequences, positions, halfKvCache);
        List<OnnxDecoderSession> sessions = new ArrayList<>();
        for (int i = 0; i < sequences; i++) {
            Rotation own = sections == null ? angles : angles.rows(i * positions, (i + 1) * positions);
            sessions.add(
                    new OnnxDecoderSession(this, graph, fillingGraph, own, places(own, capacity), cache, i, capacity));
        }
        return new OnnxDecoderBatch(this, graph, cache, angles, sections == null ? 0 : positions, sessions);
    }

    /**
     * For sequences one after the other: of their own where positions have several axes, otherwise of all positions.
     */
    private Rotation angles(int sequences, int positions) {
        return sections == null ? rotation(positions) : Rotation.empty(rotaries, sequences * positions);
    }

    /** Fills the angles of a sequence; null if they are those of all positions. */
    private @Nullable Places places(Rotation own, int capacity) {
        if (sections == null) {
            return null;
        }
        Rotation known = rotation(capacity);
        return new Places(
                sections,
                rotaries.get(0).width() / 2,
                capacity,
                (first, positions) -> own.fill(first, positions, known));
    }

    /** At least {@code positions} rows, shared by all sessions. */
    private synchronized Rotation rotation(int positions) {
        Rotation known = rotation;
        if (known == null || known.positions() < positions) {
            known = Rotation.of(rotaries, positions);
            rotation = known;
        }
        return known;
    }

    @Override
    public Trace trace(FloatTensor inputsEmbeds, int @Nullable [][] positions, int @Nullable [] ahead) {
        int tokens = DecoderNetwork.tokens(inputsEmbeds, config);
        List<FloatTensor> hiddenStates = new ArrayList<>();
        FloatTensor logits = FloatTensor.allocate(tokens, config.vocabSize());
        DecoderNetwork.requireCapacity(1, tokens, config);
        Kept cache = new Kept(states, 1, tokens, false);
        Rotation angles = angles(1, tokens);
        try (OnnxDecoderSession session = new OnnxDecoderSession(
                this, traceGraph.get(), null, angles, places(angles, tokens), cache, 0, tokens)) {
            if (positions != null) {
                session.place(positions);
            }
            if (ahead != null) {
                session.lookAhead(ahead);
            }
            for (int i = 0; i <= config.numHiddenLayers(); i++) {
                hiddenStates.add(FloatTensor.allocate(tokens, config.hiddenSize()));
            }
            session.trace(inputsEmbeds, hiddenStates, logits);
            return new Trace(hiddenStates, logits, cache.keys(), cache.values());
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
