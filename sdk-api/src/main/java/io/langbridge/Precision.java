package io.langbridge;

/**
 * How the weights of a part are stored and multiplied. Fewer bits need less memory and compute faster; the answer moves
 * a little away from the one in full precision.
 *
 * <p>Weights are quantised from the checkpoint as it lies on disk, once, into the cache directory. Embeddings, norms
 * and biases keep full precision.
 *
 * @since 0.1
 */
public enum Precision {
    /** float32 on the CPU; what the checkpoint has on CUDA. The default. */
    FULL,
    /**
     * 8-bit weights, 8-bit activations: the fastest. A language model's layers are in memory twice, in the form that is
     * fast for a prompt and in the one that is fast for a token. ONNX Runtime on the CPU only.
     */
    INT8,
    /**
     * 4-bit weights, 8-bit activations: the smallest; a language model's first layer, where rounding costs most, has 8
     * bits. ONNX Runtime on the CPU only. Asked of a whole model, encoder and adapter have {@link #INT8}: they are
     * small beside it, run over many rows at a time, which is faster in 8 bits, and lose more than it does.
     */
    INT4;

    /** {@return that of encoder and adapter where this is asked of a whole model} */
    public Precision ofEncoder() {
        return this == INT4 ? INT8 : this;
    }
}
