package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.List;

/**
 * Sequences whose caches lie side by side. A step runs from the first that takes part to the last: one between them
 * that sits out runs along, and what that writes lies behind what it keeps, see {@link #SPARE}. The methods are
 * synchronized only so that closing from another thread waits for what runs.
 */
final class OnnxDecoderBatch implements DecoderBatch {
    /** Positions that a cache has beyond its capacity, so that a full one can run along. */
    static final int SPARE = 1;

    private final OnnxDecoder network;
    private final LoadedGraph graph;
    private final Kept cache;
    private final Rotation rotation;
    private final int angles;
    private final List<OnnxDecoderSession> sessions;
    private final FloatTensor tokens;
    private final FloatTensor logits;
    /** Of those that ran last, who mostly run again. */
    private Run run;

    /** Sequences beside each other with all that a step of them needs. */
    private final class Run {
        private final int first;
        private final int count;
        private final Inputs inputs;
        private final Bindings bindings = new Bindings();

        Run(int first, int count) {
            this.first = first;
            this.count = count;
            inputs = new Inputs(count, 1, network.config().opensPictures());
            cache.bind(bindings, first, count);
            rotation.bind(bindings);
            inputs.bind(bindings);
            int width = network.config().inputWidth();
            int vocab = network.config().vocabSize();
            bindings.input(OnnxNet.INPUTS_EMBEDS, tokens.rows(first, first + count), count, width);
            bindings.output(OnnxDecoder.LOGITS, logits.rows(first, first + count), count, vocab);
        }
    }

    /**
     * @param angles how many of {@code rotation} each sequence has of its own; 0 if all have the same
     * @param sessions one for each sequence in {@code cache}
     */
    OnnxDecoderBatch(
            OnnxDecoder network,
            LoadedGraph graph,
            Kept cache,
            Rotation rotation,
            int angles,
            List<OnnxDecoderSession> sessions) {
        this.network = network;
        this.graph = graph;
        this.cache = cache;
        this.rotation = rotation;
        this.angles = angles;
        this.sessions = sessions;
        tokens = FloatTensor.allocate(sessions.size(), network.config().inputWidth());
        logits = FloatTensor.allocate(sessions.size(), network.config().vocabSize());
        run = new Run(0, sessions.size());
    }

    @Override
    public int sequences() {
        return sessions.size();
    }

    @Override
    public DecoderSession sequence(int index) {
        return sessions.get(index);
    }

    @Override
    public synchronized FloatTensor step(int... tokenIds) {
        requireOneEach(tokenIds);
        int first = -1;
        int last = -1;
        for (int i = 0; i < tokenIds.length; i++) {
            if (tokenIds[i] == NONE) {
                continue;
            }
            first = first < 0 ? i : first;
            last = i;
            sessions.get(i).requireRoom(1);
            network.embed(tokenIds[i], tokens, i);
        }
        if (first >= 0) {
            run(tokenIds, first, last);
        }
        return logits;
    }

    private void run(int[] tokenIds, int first, int last) {
        int count = last - first + 1;
        if (run.first != first || run.count != count) {
            Run next = new Run(first, count);
            run.bindings.close();
            run = next;
        }
        for (int i = first; i <= last; i++) {
            OnnxDecoderSession session = sessions.get(i);
            session.reach(1);
            run.inputs.at(i - first, session.length(), i * angles);
            session.runBegins(tokenIds[i] != NONE);
        }
        boolean done = false;
        try {
            run.bindings.run(graph);
            done = true;
        } finally {
            for (int i = first; i <= last; i++) {
                sessions.get(i).runEnds(tokenIds[i] != NONE, done);
            }
        }
    }

    @Override
    public synchronized void close() {
        sessions.forEach(OnnxDecoderSession::close);
        run.bindings.close();
        cache.free();
    }
}
