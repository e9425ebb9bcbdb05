package io.langbridge.runtime.onnx;

import ai.onnxruntime.OnnxJavaType;
import io.langbridge.InsufficientMemoryException;
import io.langbridge.runtime.core.network.State;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Keys and values in native memory, which graphs update in place: per layer {@code [sequences, kv_heads, positions,
 * head_dim]} each, so that those of neighbouring sequences are a tensor as well.
 */
final class KeyValues {
    private final int positions;
    private final OnnxJavaType type;
    private final List<Layer> layers = new ArrayList<>();

    /** Of all sequences, one after the other. */
    private record Layer(State.Keys shape, ByteBuffer keys, ByteBuffer values) {}

    /** @param half whether in float16 */
    KeyValues(List<State> states, int sequences, int positions, boolean half) {
        this.positions = positions;
        type = half ? OnnxJavaType.FLOAT16 : OnnxJavaType.FLOAT;
        try {
            for (State state : states) {
                State.Keys keys = (State.Keys) state;
                int bytes = Math.multiplyExact(sequences, bytes(keys));
                layers.add(new Layer(keys, direct(bytes), direct(bytes)));
            }
        } catch (OutOfMemoryError | ArithmeticException e) {
            long values = 0;
            for (State state : states) {
                values += state.values(positions);
            }
            layers.clear();
            throw new InsufficientMemoryException(
                    (sequences == 1 ? "A KV cache" : sequences + " KV caches") + " of " + positions
                            + " positions needs " + (sequences * values * type.size >> 20)
                            + " MB of native memory, which the JVM does not give (" + e
                            + "). Open a smaller cache, or raise -XX:MaxDirectMemorySize, which is the size of the"
                            + " heap unless it is set.",
                    e);
        }
    }

    /** Of the keys, and as many of the values, of one sequence in one layer. */
    private int bytes(State.Keys keys) {
        int row = Math.multiplyExact(keys.kvHeads(), keys.headDim()) * type.size;
        return Math.multiplyExact(row, positions);
    }

    /** Native memory as graphs read and write it. */
    static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** Binds those of sequences {@code first} to {@code first + count - 1}. */
    void bind(Bindings bindings, int first, int count) {
        for (int i = 0; i < layers.size(); i++) {
            Layer layer = layers.get(i);
            State.Keys shape = layer.shape;
            long[] dims = {count, shape.kvHeads(), positions, shape.headDim()};
            int from = first * bytes(shape);
            int bytes = count * bytes(shape);
            ByteBuffer keys = part(layer.keys, from, bytes);
            ByteBuffer values = part(layer.values, from, bytes);
            bindings.updated(OnnxNet.pastKey(i), OnnxNet.presentKey(i), keys, type, dims);
            bindings.updated(OnnxNet.pastValue(i), OnnxNet.presentValue(i), values, type, dims);
        }
    }

    private static ByteBuffer part(ByteBuffer whole, int from, int bytes) {
        return whole.slice(from, bytes).order(ByteOrder.nativeOrder());
    }

    /** A copy of the only sequence's in float32, {@code [layers, kv_heads, positions, head_dim]}. */
    FloatTensor keys() {
        return stack(Layer::keys);
    }

    /** A copy of the only sequence's in float32, {@code [layers, kv_heads, positions, head_dim]}. */
    FloatTensor values() {
        return stack(Layer::values);
    }

    private FloatTensor stack(Function<Layer, ByteBuffer> part) {
        State.Keys shape = layers.get(0).shape;
        FloatTensor all = FloatTensor.allocate(layers.size(), shape.kvHeads(), positions, shape.headDim());
        FloatBuffer target = all.data();
        layers.forEach(layer -> target.put(part.apply(layer).asFloatBuffer()));
        return all;
    }

    /** Lets the memory go. */
    void free() {
        layers.clear();
    }
}
