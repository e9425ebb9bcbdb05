package io.langbridge.runtime.onnx;

import ai.onnxruntime.OnnxJavaType;
import io.langbridge.InsufficientMemoryException;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Net;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A KV cache in native memory that the graph updates in place. The methods are synchronized only so that closing from
 * another thread waits for what runs.
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
    /** Per layer {@code [kv_heads, capacity, head_dim]}. */
    private final List<ByteBuffer> keys = new ArrayList<>();

    private final List<ByteBuffer> values = new ArrayList<>();
    private final LongBuffer firstPosition = direct(Long.BYTES).asLongBuffer();
    private final IntBuffer lastPosition = direct(Integer.BYTES).asIntBuffer();
    private final IntBuffer totalLength = direct(Integer.BYTES).asIntBuffer();
    private final FloatTensor token;
    private final FloatTensor logits;
    /** The cache and the position in it. */
    private final Bindings cache = new Bindings();
    /** All that a step needs. */
    private final Bindings step = new Bindings();

    private int length;
    private boolean closed;

    OnnxDecoderSession(
            OnnxDecoder network,
            LoadedGraph graph,
            @Nullable LoadedGraph fillingGraph,
            Rotation rotation,
            int capacity,
            boolean half) {
        this.fillingGraph = network.prefillChunk < LEAST_FILLED ? null : fillingGraph;
        this.network = network;
        this.graph = graph;
        this.capacity = capacity;
        config = network.config();
        token = FloatTensor.allocate(1, config.hiddenSize());
        logits = FloatTensor.allocate(config.vocabSize());
        boolean complete = false;
        try {
            OnnxJavaType type = half ? OnnxJavaType.FLOAT16 : OnnxJavaType.FLOAT;
            int angles = rotation.cos().size(1);
            cache.input(OnnxNet.COS, rotation.cos(), rotation.positions(), angles);
            cache.input(OnnxNet.SIN, rotation.sin(), rotation.positions(), angles);
            cache.input(OnnxNet.FIRST_POSITION, firstPosition, 1);
            cache.input(OnnxNet.LAST_POSITION, lastPosition, 1);
            cache.input(OnnxNet.TOTAL_LENGTH, totalLength, 1);
            List<Net.Attention> cached = network.cached();
            for (int i = 0; i < cached.size(); i++) {
                Net.Attention layer = cached.get(i);
                long[] shape = {1, layer.kvHeads(), capacity, layer.headDim()};
                List<String> past = OnnxNet.past(i);
                List<String> present = OnnxNet.present(i);
                for (int k = 0; k < 2; k++) {
                    ByteBuffer kept = allocateCache(layer, half ? Short.BYTES : Float.BYTES);
                    (k == 0 ? keys : values).add(kept);
                    cache.updated(past.get(k), present.get(k), kept, type, shape);
                }
            }
            step.share(cache);
            step.input(OnnxNet.INPUTS_EMBEDS, token, 1, config.hiddenSize());
            step.output(OnnxDecoder.LOGITS, logits, 1, config.vocabSize());
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    /** Keys or values of one layer. */
    private ByteBuffer allocateCache(Net.Attention layer, int bytes) {
        try {
            return direct(Math.multiplyExact(Math.multiplyExact(layer.kvWidth(), capacity), bytes));
        } catch (OutOfMemoryError | ArithmeticException e) {
            long layerBytes = 2L * bytes * capacity * layer.kvWidth();
            throw new InsufficientMemoryException(
                    "A KV cache of " + capacity + " positions needs "
                            + network.cached().size() + " x "
                            + (layerBytes >> 20) + " MB of native memory, which the JVM does not give (" + e
                            + "). Open a smaller cache, or raise -XX:MaxDirectMemorySize, which is the size of the"
                            + " heap unless it is set.",
                    e);
        }
    }

    /** Checks the shape {@code [tokens, hidden]} and returns the number of tokens. */
    static int tokens(FloatTensor inputsEmbeds, int hidden) {
        int[] shape = inputsEmbeds.shape();
        if (shape.length != 2 || shape[0] < 1 || shape[1] != hidden) {
            throw new IllegalArgumentException("Input embeddings must have the shape [tokens, " + hidden
                    + "] with at least one token, not " + Arrays.toString(shape));
        }
        return shape[0];
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
    public synchronized void fill(FloatTensor inputsEmbeds) {
        LoadedGraph filling = fillingGraph;
        if (filling == null) {
            prefill(inputsEmbeds);
            return;
        }
        int tokens = tokens(inputsEmbeds, config.hiddenSize());
        requireRoom(tokens);
        for (int first = 0; first < tokens; first += network.prefillChunk) {
            fill(filling, inputsEmbeds, first, Math.min(network.prefillChunk, tokens - first));
        }
    }

    private void fill(LoadedGraph filling, FloatTensor inputsEmbeds, int first, int count) {
        try (Bindings bindings = new Bindings().share(cache)) {
            bindings.input(OnnxNet.INPUTS_EMBEDS, inputsEmbeds.rows(first, first + count), count, config.hiddenSize());
            append(bindings, filling, count);
        }
    }

    @Override
    public synchronized FloatBuffer prefill(FloatTensor inputsEmbeds) {
        int tokens = tokens(inputsEmbeds, config.hiddenSize());
        requireRoom(tokens);
        int first = 0;
        LoadedGraph filling = fillingGraph;
        while (filling != null && tokens - first > LEAST_FILLED) {
            int count = Math.min(network.prefillChunk, tokens - first - 1);
            fill(filling, inputsEmbeds, first, count);
            first += count;
        }
        for (int from = first; from < tokens; from += network.prefillChunk) {
            int count = Math.min(network.prefillChunk, tokens - from);
            try (Bindings bindings = new Bindings().share(cache)) {
                bindings.input(
                        OnnxNet.INPUTS_EMBEDS, inputsEmbeds.rows(from, from + count), count, config.hiddenSize());
                bindings.output(OnnxDecoder.LOGITS, logits, 1, config.vocabSize());
                append(bindings, graph, count);
            }
        }
        return logits.data();
    }

    @Override
    public synchronized FloatBuffer step(int tokenId) {
        requireRoom(1);
        network.embed(tokenId, token.data());
        append(step, graph, 1);
        return logits.data();
    }

    /** Runs a prompt with the graph that keeps intermediate results. */
    synchronized void trace(FloatTensor inputsEmbeds, List<FloatTensor> hiddenStates, FloatTensor allLogits) {
        int tokens = inputsEmbeds.size(0);
        requireRoom(tokens);
        try (Bindings bindings = new Bindings().share(cache)) {
            bindings.input(OnnxNet.INPUTS_EMBEDS, inputsEmbeds, tokens, config.hiddenSize());
            for (int i = 1; i < hiddenStates.size(); i++) {
                bindings.output("hidden_states." + i, hiddenStates.get(i), tokens, config.hiddenSize());
            }
            bindings.output(OnnxDecoder.LOGITS, allLogits, tokens, config.vocabSize());
            append(bindings, graph, tokens);
        }
    }

    /** The kernel trusts these numbers: wrong ones would make it write beyond the cache. */
    private void append(Bindings bindings, LoadedGraph loaded, int tokens) {
        firstPosition.put(0, length);
        lastPosition.put(0, length + tokens - 1);
        totalLength.put(0, length + tokens);
        bindings.run(loaded);
        length += tokens;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("The decoder session is closed");
        }
    }

    private void requireRoom(int tokens) {
        requireOpen();
        if (tokens > capacity - length) {
            throw new IllegalStateException("The cache holds " + length + " of at most " + capacity
                    + " positions; there is no room for " + tokens + " more");
        }
    }

    @Override
    public synchronized void truncate(int newLength) {
        requireOpen();
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException(
                    "The cache holds " + length + " positions and cannot be cut to " + newLength);
        }
        length = newLength;
    }

    /** A copy of a cache in float32, {@code [layers, kv_heads, capacity, head_dim]}. */
    FloatTensor keys() {
        return stack(keys);
    }

    /** A copy of a cache in float32, {@code [layers, kv_heads, capacity, head_dim]}. */
    FloatTensor values() {
        return stack(values);
    }

    private FloatTensor stack(List<ByteBuffer> layers) {
        FloatTensor all = FloatTensor.allocate(layers.size(), config.numKeyValueHeads(), capacity, config.headDim());
        FloatBuffer target = all.data();
        for (ByteBuffer layer : layers) {
            target.put(layer.asFloatBuffer());
        }
        return all;
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public synchronized void close() {
        closed = true;
        step.close();
        cache.close();
        keys.clear();
        values.clear();
    }
}
