package io.langbridge.runtime.core.network;

/**
 * Qwen2, Qwen3, Llama, SmolLM2 and Mistral: one network, {@link Decoder}; what differs is here.
 *
 * @param qkvBias whether {@code q_proj}, {@code k_proj} and {@code v_proj} have a bias (Qwen2)
 * @param outputBias whether {@code o_proj} has a bias ({@code attention_bias} of Llama)
 * @param mlpBias whether the MLP's projections have a bias ({@code mlp_bias} of Llama)
 * @param qkNorm whether queries and keys go through an RMS norm per head before rotation (Qwen3)
 * @param slidingWindow position i sees i - window + 1 .. i; 0 if there is no window
 * @param slidingLayer per layer, whether the window applies
 * @param deepstack behind how many layers, from the first on, something is added to visual tokens (Qwen3-VL)
 */
@SuppressWarnings("ArrayRecordComponent")
public record LlamaConfig(
        String modelType,
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        int numKeyValueHeads,
        int headDim,
        int vocabSize,
        int maxPositionEmbeddings,
        float rmsNormEps,
        Rope rope,
        boolean qkvBias,
        boolean outputBias,
        boolean mlpBias,
        boolean qkNorm,
        int slidingWindow,
        boolean[] slidingLayer,
        int deepstack,
        boolean tieWordEmbeddings)
        implements DecoderConfig {

    @Override
    public int inputWidth() {
        return hiddenSize * (1 + deepstack);
    }

    /** The same decoder with something added to visual tokens behind so many layers. */
    public LlamaConfig deepstack(int layers) {
        return with(layers, tieWordEmbeddings);
    }

    @Override
    public Network network() {
        return Decoder.network(this);
    }

    @Override
    public LlamaConfig tied(boolean tied) {
        return with(deepstack, tied);
    }

    private LlamaConfig with(int layers, boolean tied) {
        return new LlamaConfig(
                modelType,
                hiddenSize,
                intermediateSize,
                numHiddenLayers,
                numAttentionHeads,
                numKeyValueHeads,
                headDim,
                vocabSize,
                maxPositionEmbeddings,
                rmsNormEps,
                rope,
                qkvBias,
                outputBias,
                mlpBias,
                qkNorm,
                slidingWindow,
                slidingLayer,
                layers,
                tied);
    }
}
