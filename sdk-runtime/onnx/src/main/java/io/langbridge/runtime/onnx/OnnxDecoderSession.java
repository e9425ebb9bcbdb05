package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.KeptSession;
import io.langbridge.runtime.core.engine.Places;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A sequence, with its part of the caches in native memory that the graph updates in place. The methods are
 * synchronized only so that closing from another thread waits for what runs.
 */
final class OnnxDecoderSession extends KeptSession<List<ByteBuffer>> {
    private final OnnxDecoder network;
    private final DecoderConfig config;
    /** Fewer positions than this do not fill the arithmetic units of {@link #fillingGraph}. */
    private static final int LEAST_FILLED = 8;

    private final LoadedGraph graph;
    /** Runs all of a prompt but the last position, where that is faster; or null. */
    private final @Nullable LoadedGraph fillingGraph;

    /** Where positions have several axes; otherwise null. */
    private final @Nullable Places places;

    private final FloatTensor token;
    private final FloatTensor logits;
    /** Keys, values and rotation. */
    private final Bindings kept = new Bindings();
    /** All that a step needs. */
    private final Bindings step = new Bindings();

    private final Inputs place;
    private final Kept cache;
    /** Of this sequence in {@link #cache}. */
    private final int index;
    /** What cannot be cut while others run and this one sits out; null before that happens. */
    private @Nullable List<ByteBuffer> aside;

    /** @param index of this sequence in {@code cache} */
    OnnxDecoderSession(
            OnnxDecoder network,
            LoadedGraph graph,
            @Nullable LoadedGraph fillingGraph,
            Rotation rotation,
            @Nullable Places places,
            Kept cache,
            int index,
            int capacity) {
        super(
                capacity,
                network.prefillChunk,
                cache.isSummedUp(),
                network.config().opensPictures());
        this.fillingGraph = network.prefillChunk < LEAST_FILLED ? null : fillingGraph;
        this.network = network;
        this.graph = graph;
        this.cache = cache;
        this.index = index;
        this.places = places;
        config = network.config();
        place = new Inputs(1, 1, config.opensPictures());
        token = FloatTensor.allocate(1, config.inputWidth());
        logits = FloatTensor.allocate(config.vocabSize());
        boolean complete = false;
        try {
            cache.bind(kept, index, 1);
            rotation.bind(kept);
            step.share(kept);
            place.bind(step);
            step.input(OnnxNet.INPUTS_EMBEDS, token, 1, config.inputWidth());
            step.output(OnnxDecoder.LOGITS, logits, 1, config.vocabSize());
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    @Override
    protected @Nullable Places places() {
        return places;
    }

    @Override
    protected List<ByteBuffer> copied(@Nullable List<ByteBuffer> old) {
        return cache.copy(index, old);
    }

    @Override
    protected void restore(List<ByteBuffer> copy) {
        cache.restore(index, copy);
    }

    @Override
    protected void clear() {
        cache.clear(index);
    }

    @Override
    protected void copy(KeptSession<List<ByteBuffer>> other, int first, int end) {
        OnnxDecoderSession from = (OnnxDecoderSession) other;
        cache.copy(index, from.cache, from.index, first, end);
    }

    @Override
    public synchronized void fill(FloatTensor inputsEmbeds) {
        LoadedGraph filling = fillingGraph;
        if (filling == null) {
            prefill(inputsEmbeds);
            return;
        }
        int tokens = DecoderNetwork.tokens(inputsEmbeds, config);
        requireRoom(tokens);
        int first = 0;
        while (first < tokens) {
            int count = portion(tokens - first);
            fill(filling, inputsEmbeds, first, count);
            first += count;
        }
    }

    private void fill(LoadedGraph filling, FloatTensor inputsEmbeds, int first, int count) {
        try (Bindings bindings = new Bindings().share(kept)) {
            bindings.input(OnnxNet.INPUTS_EMBEDS, inputsEmbeds.rows(first, first + count), count, config.inputWidth());
            append(bindings, filling, count);
        }
    }

    @Override
    public synchronized FloatBuffer prefill(FloatTensor inputsEmbeds) {
        int tokens = DecoderNetwork.tokens(inputsEmbeds, config);
        requireRoom(tokens);
        int first = 0;
        LoadedGraph filling = fillingGraph;
        while (filling != null && tokens - first > LEAST_FILLED) {
            int count = possiblePortion(tokens - first - 1);
            if (count == 0) {
                break;
            }
            fill(filling, inputsEmbeds, first, count);
            first += count;
        }
        while (first < tokens) {
            int count = portion(tokens - first);
            try (Bindings bindings = new Bindings().share(kept)) {
                bindings.input(
                        OnnxNet.INPUTS_EMBEDS, inputsEmbeds.rows(first, first + count), count, config.inputWidth());
                bindings.output(OnnxDecoder.LOGITS, logits, 1, config.vocabSize());
                append(bindings, graph, count);
            }
            first += count;
        }
        return logits.data();
    }

    @Override
    public synchronized FloatBuffer step(int tokenId) {
        requireRoom(1);
        network.embed(tokenId, token, 0);
        reach(1);
        place.at(0, length(), 0);
        run(step, graph, 1);
        return logits.data();
    }

    /** Runs a prompt with the graph that keeps intermediate results. */
    synchronized void trace(FloatTensor inputsEmbeds, List<FloatTensor> hiddenStates, FloatTensor allLogits) {
        int tokens = inputsEmbeds.size(0);
        requireRoom(tokens);
        try (Bindings bindings = new Bindings().share(kept)) {
            bindings.input(OnnxNet.INPUTS_EMBEDS, inputsEmbeds, tokens, config.inputWidth());
            for (int i = 0; i < hiddenStates.size(); i++) {
                bindings.output("hidden_states." + i, hiddenStates.get(i), tokens, config.hiddenSize());
            }
            bindings.output(OnnxDecoder.LOGITS, allLogits, tokens, config.vocabSize());
            append(bindings, graph, tokens);
        }
    }

    private void append(Bindings bindings, LoadedGraph loaded, int tokens) {
        reach(tokens);
        int[] seen = seenAhead(tokens);
        Inputs inputs = new Inputs(1, tokens, seen != null);
        inputs.at(0, length(), 0);
        if (seen != null) {
            inputs.ahead(seen);
        }
        inputs.bind(bindings);
        run(bindings, loaded, tokens);
    }

    private void run(Bindings bindings, LoadedGraph loaded, int tokens) {
        runBegins();
        bindings.run(loaded);
        appended(tokens);
    }

    /** Notes that a run with others begins, in which this one takes part or only runs along. */
    synchronized void runBegins(boolean takesPart) {
        if (takesPart) {
            runBegins();
        } else if (!cutsAnywhere()) {
            aside = cache.copy(index, aside);
        }
    }

    /** Notes that it ended; {@code done} if it did not fail. */
    synchronized void runEnds(boolean tookPart, boolean done) {
        if (tookPart && done) {
            appended(1);
        } else if (!tookPart && aside != null) {
            cache.restore(index, aside);
        }
    }

    @Override
    public synchronized void close() {
        super.close();
        step.close();
        kept.close();
        if (cache.sequences == 1) {
            cache.free(); // whoever still knows this session needs no memory for that
        }
    }
}
