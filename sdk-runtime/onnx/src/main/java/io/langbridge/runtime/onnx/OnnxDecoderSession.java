package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.LookAhead;
import io.langbridge.runtime.core.engine.Places;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A sequence, with its part of the caches in native memory that the graph updates in place. The methods are
 * synchronized only so that closing from another thread waits for what runs.
 */
final class OnnxDecoderSession implements DecoderSession {
    private final OnnxDecoder network;
    private final DecoderConfig config;
    /** Fewer positions than this do not fill the arithmetic units of {@link #fillingGraph}. */
    private static final int LEAST_FILLED = 8;

    private final LoadedGraph graph;
    /** Runs all of a prompt but the last position, where that is faster; or null. */
    private final @Nullable LoadedGraph fillingGraph;

    private final int capacity;
    /** Where positions have several axes; otherwise null. */
    private final @Nullable Places places;

    private final FloatTensor token;
    private final FloatTensor logits;
    /** Keys, values and rotation. */
    private final Bindings kept = new Bindings();
    /** All that a step needs. */
    private final Bindings step = new Bindings();

    private final Inputs place;
    /** Where tokens may see some behind them; otherwise null. */
    private final @Nullable LookAhead ahead;

    private final Kept cache;
    /** Of this sequence in {@link #cache}. */
    private final int index;
    /** In the order of their positions; only where something cannot be cut. */
    private final List<Mark> marks = new ArrayList<>();

    private int length;
    /** Whether a run failed, so that what cannot be cut is of no known position. */
    private boolean lost;

    private boolean closed;

    /** What cannot be cut while others run and this one sits out; null before that happens. */
    private @Nullable List<ByteBuffer> aside;

    /** A copy of what cannot be cut as it was at a position. */
    private record Mark(int length, List<ByteBuffer> copies) {}

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
        this.fillingGraph = network.prefillChunk < LEAST_FILLED ? null : fillingGraph;
        this.network = network;
        this.graph = graph;
        this.cache = cache;
        this.index = index;
        this.capacity = capacity;
        this.places = places;
        config = network.config();
        place = new Inputs(1, 1, config.opensPictures());
        ahead = config.opensPictures() ? new LookAhead(capacity) : null;
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
    public synchronized int length() {
        return length;
    }

    @Override
    public int capacity() {
        return capacity;
    }

    @Override
    public int chunk() {
        return network.prefillChunk;
    }

    @Override
    public synchronized void place(int[][] positions) {
        requireOpen();
        if (places == null) {
            DecoderSession.super.place(positions);
        } else {
            places.place(length, positions);
        }
    }

    @Override
    public synchronized void lookAhead(int... of) {
        requireOpen();
        if (ahead == null) {
            DecoderSession.super.lookAhead(of);
        } else {
            ahead.say(length, of);
        }
    }

    @Override
    public synchronized int portion(int tokens) {
        int portion = possiblePortion(tokens);
        return portion == 0 ? tokens : portion;
    }

    /** 0 if they do not begin with tokens that can run alone. */
    private int possiblePortion(int tokens) {
        return ahead == null
                ? Math.min(tokens, network.prefillChunk)
                : ahead.portion(length, tokens, network.prefillChunk);
    }

    /** Before so many more tokens run. */
    synchronized void reach(int tokens) {
        if (places != null) {
            places.reach(Math.min(capacity, length + tokens));
        }
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
        place.at(0, length, 0);
        run(step, graph);
        length++;
        return logits.data();
    }

    /** Runs a prompt with the graph that keeps intermediate results. */
    synchronized void trace(FloatTensor inputsEmbeds, List<FloatTensor> hiddenStates, FloatTensor allLogits) {
        int tokens = inputsEmbeds.size(0);
        requireRoom(tokens);
        try (Bindings bindings = new Bindings().share(kept)) {
            bindings.input(OnnxNet.INPUTS_EMBEDS, inputsEmbeds, tokens, config.inputWidth());
            for (int i = 1; i < hiddenStates.size(); i++) {
                bindings.output("hidden_states." + i, hiddenStates.get(i), tokens, config.hiddenSize());
            }
            bindings.output(OnnxDecoder.LOGITS, allLogits, tokens, config.vocabSize());
            append(bindings, graph, tokens);
        }
    }

    private void append(Bindings bindings, LoadedGraph loaded, int tokens) {
        reach(tokens);
        Inputs inputs = new Inputs(1, tokens, ahead != null);
        inputs.at(0, length, 0);
        if (ahead != null) {
            inputs.ahead(ahead.of(length, tokens));
        }
        inputs.bind(bindings);
        run(bindings, loaded);
        length += tokens;
    }

    private void run(Bindings bindings, LoadedGraph loaded) {
        lost = cache.isSummedUp();
        bindings.run(loaded);
        lost = false;
    }

    /** Notes that a run with others begins, in which this one takes part or only runs along. */
    synchronized void runBegins(boolean takesPart) {
        if (takesPart) {
            lost = cache.isSummedUp();
        } else if (cache.isSummedUp()) {
            aside = cache.copy(index, aside);
        }
    }

    /** Notes that it ended; {@code done} if it did not fail. */
    synchronized void runEnds(boolean tookPart, boolean done) {
        if (tookPart && done) {
            lost = false;
            length++;
        } else if (!tookPart && aside != null) {
            cache.restore(index, aside);
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("The decoder session is closed");
        }
    }

    synchronized void requireRoom(int tokens) {
        requireOpen();
        if (lost) {
            throw new IllegalStateException("A run of this sequence failed; rewind it before the next");
        }
        if (tokens > capacity - length) {
            throw new IllegalStateException("The cache holds " + length + " of at most " + capacity
                    + " positions; there is no room for " + tokens + " more");
        }
    }

    @Override
    public synchronized int rewind(int position) {
        requireOpen();
        if (position < 0 || position > length) {
            throw new IllegalArgumentException(
                    "The cache holds " + length + " positions and cannot go back to " + position);
        }
        int wanted = ahead == null ? position : ahead.rewind(position);
        boolean restores = cache.isSummedUp() && (lost || wanted < length);
        length = restores ? restored(wanted) : wanted;
        if (places != null) {
            places.rewind(length);
        }
        return length;
    }

    private Mark last() {
        return marks.get(marks.size() - 1);
    }

    /** Goes to the latest mark up to there. */
    private int restored(int position) {
        while (!marks.isEmpty() && last().length > position) {
            marks.remove(marks.size() - 1);
        }
        lost = false;
        if (marks.isEmpty()) {
            cache.clear(index);
            return 0;
        }
        cache.restore(index, last().copies);
        return last().length;
    }

    @Override
    public boolean cutsAnywhere() {
        return !cache.isSummedUp();
    }

    @Override
    public synchronized void mark() {
        requireRoom(0);
        if (cache.isSummedUp() && (marks.isEmpty() || last().length < length)) {
            // The first is often behind the pictures, which all that follows is about.
            Mark oldest = marks.size() == MARKS ? marks.remove(1) : null;
            marks.add(new Mark(length, cache.copy(index, oldest == null ? null : oldest.copies)));
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        marks.clear();
        step.close();
        kept.close();
    }
}
