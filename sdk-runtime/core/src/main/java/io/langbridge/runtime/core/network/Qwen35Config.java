package io.langbridge.runtime.core.network;

/**
 * The language model of Qwen3.5: layers of linear attention, and among them some of full attention.
 *
 * @param linearLayer per layer, whether it is one of linear attention
 * @param attentionBias whether the projections of full attention have a bias
 * @param rotary of full attention, whose heads rotate in part
 */
@SuppressWarnings("ArrayRecordComponent")
public record Qwen35Config(
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        boolean[] linearLayer,
        int numAttentionHeads,
        int numKeyValueHeads,
        int headDim,
        boolean attentionBias,
        Rotary rotary,
        int linearNumKeyHeads,
        int linearNumValueHeads,
        int linearKeyHeadDim,
        int linearValueHeadDim,
        int linearConvKernelDim,
        int vocabSize,
        int maxPositionEmbeddings,
        float rmsNormEps,
        boolean tieWordEmbeddings)
        implements DecoderConfig {

    @Override
    public String modelType() {
        return "qwen3_5";
    }

    /** Norms of the stream and of queries and keys are. */
    @Override
    public boolean isBeyondOne(String tensor) {
        return tensor.endsWith("norm.weight") && !tensor.contains(".linear_attn.");
    }

    @Override
    public Network network() {
        return Qwen35.network(this);
    }

    @Override
    public Qwen35Config tied(boolean tied) {
        return new Qwen35Config(
                hiddenSize,
                intermediateSize,
                numHiddenLayers,
                linearLayer,
                numAttentionHeads,
                numKeyValueHeads,
                headDim,
                attentionBias,
                rotary,
                linearNumKeyHeads,
                linearNumValueHeads,
                linearKeyHeadDim,
                linearValueHeadDim,
                linearConvKernelDim,
                vocabSize,
                maxPositionEmbeddings,
                rmsNormEps,
                tied);
    }
}
