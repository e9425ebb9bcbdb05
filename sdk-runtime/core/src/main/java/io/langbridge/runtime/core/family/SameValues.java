package io.langbridge.runtime.core.family;

import io.langbridge.runtime.core.checkpoint.StoredTensor;
import java.nio.Buffer;
import java.nio.FloatBuffer;
import java.util.Arrays;

/** Compares tensors that may be larger than the memory. */
final class SameValues {
    private static final int CHUNK = 1 << 18;

    private SameValues() {}

    /** Whether two tensors have the same shape and equal values; reading ends at the first difference. */
    static boolean in(StoredTensor a, StoredTensor b) {
        if (!Arrays.equals(a.shape(), b.shape())) {
            return false;
        }
        // torch.save writes what is tied once, under both names.
        Long offset = a.offset();
        if (offset != null
                && offset.equals(b.offset())
                && a.dtype() == b.dtype()
                && a.file().equals(b.file())) {
            return true;
        }
        FloatBuffer ofA = FloatBuffer.allocate((int) Math.min(CHUNK, a.elements()));
        FloatBuffer ofB = FloatBuffer.allocate(ofA.capacity());
        long elements = a.elements();
        for (long from = 0; from < elements; from += CHUNK) {
            read(a, from, ofA);
            read(b, from, ofB);
            for (int i = 0; i < ofA.limit(); i++) {
                if (ofA.get(i) != ofB.get(i)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static void read(StoredTensor tensor, long from, FloatBuffer chunk) {
        ((Buffer) chunk).position(0).limit((int) Math.min(CHUNK, tensor.elements() - from));
        tensor.read(from, chunk);
    }
}
