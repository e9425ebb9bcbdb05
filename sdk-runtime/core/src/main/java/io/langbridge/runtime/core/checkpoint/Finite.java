package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.util.Arrays;

/** Refuses weights that would turn every answer into nonsense without a word. */
public final class Finite {
    private static final int CHUNK = 1 << 16;

    private Finite() {}

    /** Whether all values are finite numbers. */
    public static boolean all(FloatBuffer values) {
        for (int i = 0; i < values.limit(); i++) {
            if (!Float.isFinite(values.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** Whether all values are finite numbers. */
    public static boolean all(float[] values) {
        for (float value : values) {
            if (!(Math.abs(value) <= Float.MAX_VALUE)) {
                return false;
            }
        }
        return true;
    }

    /** Checks all tensors, reading them once. */
    public static void require(Weights weights) {
        for (String name : weights.names()) {
            require(weights.get(name));
        }
    }

    /** Checks a tensor, reading it once. */
    public static void require(StoredTensor tensor) {
        long elements = tensor.elements();
        FloatBuffer chunk = FloatBuffer.allocate((int) Math.min(CHUNK, elements));
        for (long from = 0; from < elements; from += CHUNK) {
            ((Buffer) chunk).position(0).limit((int) Math.min(CHUNK, elements - from));
            tensor.read(from, chunk);
            require(tensor, from, chunk);
        }
    }

    /**
     * Checks values that were read from a tensor.
     *
     * @param from index of the first of them in the tensor
     * @throws CheckpointException if one is NaN or infinite; the message names file, tensor, place and value
     */
    public static void require(StoredTensor tensor, long from, FloatBuffer values) {
        for (int i = 0; i < values.limit(); i++) {
            if (!Float.isFinite(values.get(i))) {
                long at = from + i;
                long[] shape = tensor.shape();
                long width = shape.length == 0 ? 1 : shape[shape.length - 1];
                throw new CheckpointException("Tensor " + tensor.name() + " in " + tensor.file() + " holds "
                        + values.get(i) + " at " + (shape.length == 2 ? "row " + at / width + ", column " : "element ")
                        + at % width + " of " + Arrays.toString(shape)
                        + "; weights are finite numbers. Training went wrong or the file is damaged.");
            }
        }
    }
}
