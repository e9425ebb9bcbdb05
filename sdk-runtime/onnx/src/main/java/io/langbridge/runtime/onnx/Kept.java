package io.langbridge.runtime.onnx;

import ai.onnxruntime.OnnxJavaType;
import io.langbridge.InsufficientMemoryException;
import io.langbridge.runtime.core.network.State;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What layers keep, in native memory that graphs update in place. Each tensor has a first dimension of sequences, so
 * that those of neighbouring sequences are a tensor as well.
 */
final class Kept {
    final int sequences;
    private final int positions;
    private final List<Part> parts = new ArrayList<>();

    /**
     * A tensor of all sequences, one after the other.
     *
     * @param presents names of what updates it: each layer that looks at it
     * @param dims of one sequence
     * @param grows whether it has a row for each position, and not the sum of all
     */
    private record Part(
            String past,
            List<String> presents,
            OnnxJavaType type,
            boolean grows,
            long[] dims,
            int bytes,
            ByteBuffer all) {
        /** Of sequences {@code first} to {@code first + count - 1}. */
        ByteBuffer of(int first, int count) {
            ByteBuffer these = all.duplicate();
            ((Buffer) these).limit((first + count) * bytes).position(first * bytes);
            return these.slice().order(ByteOrder.nativeOrder());
        }
    }

    /** @param half whether keys and values are in float16 */
    Kept(List<State> states, int sequences, int positions, boolean half) {
        this.sequences = sequences;
        this.positions = positions;
        OnnxJavaType type = half ? OnnxJavaType.FLOAT16 : OnnxJavaType.FLOAT;
        try {
            int keys = 0;
            int windows = 0;
            int matrices = 0;
            for (State state : states) {
                if (state instanceof State.Keys of) {
                    long[] dims = {of.kvHeads(), positions, of.headDim()};
                    add(sequences, keys, OnnxNet.KEY, of.layers(), type, true, dims);
                    add(sequences, keys, OnnxNet.VALUE, of.layers(), type, true, dims);
                    keys++;
                } else if (state instanceof State.Window of) {
                    long[] dims = {of.width(), of.rows()};
                    add(sequences, windows, OnnxNet.WINDOW, 1, OnnxJavaType.FLOAT, false, dims);
                    windows++;
                } else if (state instanceof State.Matrix of) {
                    long[] dims = {of.heads(), of.keys(), of.values()};
                    add(sequences, matrices, OnnxNet.MATRIX, 1, OnnxJavaType.FLOAT, false, dims);
                    matrices++;
                }
            }
        } catch (OutOfMemoryError | ArithmeticException e) {
            long bytes = 0;
            for (State state : states) {
                bytes += state.values(positions) * (state instanceof State.Keys ? type.size : Float.BYTES);
            }
            parts.clear();
            throw new InsufficientMemoryException(
                    (sequences == 1 ? "A KV cache" : sequences + " KV caches") + " of " + positions
                            + " positions needs " + (sequences * bytes >> 20)
                            + " MB of native memory, which the JVM does not give (" + e
                            + "). Open a smaller cache, or raise -XX:MaxDirectMemorySize, which is the size of the"
                            + " heap unless it is set.",
                    e);
        }
    }

    private void add(
            int sequences, int layer, String what, int layers, OnnxJavaType type, boolean grows, long... dims) {
        int bytes = type.size;
        for (long dim : dims) {
            bytes = Math.multiplyExact(bytes, Math.toIntExact(dim));
        }
        ByteBuffer all = direct(Math.multiplyExact(sequences, bytes));
        List<String> presents = IntStream.range(0, layers)
                .mapToObj(i -> OnnxNet.present(layer, what, i))
                .collect(Collectors.toList());
        parts.add(new Part(OnnxNet.past(layer, what), presents, type, grows, dims, bytes, all));
    }

    /** Native memory as graphs read and write it. */
    static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    /** Binds those of sequences {@code first} to {@code first + count - 1}. */
    void bind(Bindings bindings, int first, int count) {
        for (Part part : parts) {
            long[] dims = new long[part.dims.length + 1];
            dims[0] = count;
            System.arraycopy(part.dims, 0, dims, 1, part.dims.length);
            bindings.updated(part.past, part.presents, part.of(first, count), part.type, dims);
        }
    }

    /** Whether there is anything that cannot be cut. */
    boolean isSummedUp() {
        return parts.stream().anyMatch(part -> !part.grows);
    }

    /**
     * A copy of what cannot be cut of a sequence.
     *
     * @param old one that is not needed any more and may be written over, or null
     */
    List<ByteBuffer> copy(int sequence, @Nullable List<ByteBuffer> old) {
        List<ByteBuffer> copies = old == null ? new ArrayList<>() : old;
        int i = 0;
        for (Part part : parts) {
            if (!part.grows) {
                if (i == copies.size()) {
                    copies.add(direct(part.bytes));
                }
                ByteBuffer copy = copies.get(i++);
                ((Buffer) copy).clear();
                copy.put(part.of(sequence, 1));
            }
        }
        return copies;
    }

    /** Puts a copy back. */
    void restore(int sequence, List<ByteBuffer> copies) {
        int i = 0;
        for (Part part : parts) {
            if (!part.grows) {
                ByteBuffer copy = copies.get(i++);
                ((Buffer) copy).clear();
                part.of(sequence, 1).put(copy);
            }
        }
    }

    /**
     * Copies what another keeps of one of its sequences: positions {@code first} to {@code end - 1}, and all that
     * cannot be cut.
     */
    void copy(int sequence, Kept other, int of, int first, int end) {
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            Part from = other.parts.get(i);
            ByteBuffer target = part.of(sequence, 1);
            ByteBuffer source = from.of(of, 1);
            if (!part.grows) {
                target.put(source);
                continue;
            }
            int heads = (int) part.dims[0];
            int row = part.bytes / heads / positions;
            for (int head = 0; head < heads; head++) {
                int at = (head * other.positions + first) * row;
                ((Buffer) source).limit(at + (end - first) * row).position(at);
                ((Buffer) target).position((head * positions + first) * row);
                target.put(source);
            }
        }
    }

    /** Begins a sequence anew. */
    void clear(int sequence) {
        for (Part part : parts) {
            if (!part.grows) {
                ByteBuffer values = part.of(sequence, 1);
                while (values.remaining() >= Long.BYTES) {
                    values.putLong(0);
                }
                while (values.hasRemaining()) {
                    values.put((byte) 0);
                }
            }
        }
    }

    /**
     * A copy of the only sequence's keys in float32, {@code [layers, kv_heads, positions, head_dim]}; empty where
     * layers have different heads.
     */
    FloatTensor keys() {
        return stack(0);
    }

    /** The same of its values. */
    FloatTensor values() {
        return stack(1);
    }

    private FloatTensor stack(int first) {
        List<Part> growing = parts.stream().filter(Part::grows).collect(Collectors.toList());
        if (growing.isEmpty()) {
            return FloatTensor.allocate(0);
        }
        long[] dims = growing.get(0).dims;
        if (!growing.stream().allMatch(part -> Arrays.equals(part.dims, dims))) {
            return FloatTensor.allocate(0);
        }
        FloatTensor all = FloatTensor.allocate(growing.size() / 2, (int) dims[0], positions, (int) dims[2]);
        FloatBuffer target = all.data();
        for (int i = first; i < growing.size(); i += 2) {
            target.put(growing.get(i).all.asFloatBuffer());
        }
        return all;
    }

    /** Lets the memory go. */
    void free() {
        parts.clear();
    }
}
