package io.langbridge.runtime.core.network;

/**
 * Gemma 2 and Gemma 3: one network, {@link Gemma}; what differs is here.
 *
 * @param attentionBias whether the four projections of attention have a bias
 * @param qkNorm whether queries and keys go through an RMS norm per head before rotation (Gemma 3)
 * @param queryPreAttnScalar scores are divided by its square root
 * @param slidingWindow position i of a sliding layer sees i - window + 1 .. i
 * @param slidingLayer per layer, whether the window applies
 * @param rope of layers that see everything
 * @param slidingRope of layers with a window
 * @param attnLogitSoftcapping 0 if scores have no cap
 * @param finalLogitSoftcapping 0 if logits have no cap
 * @param opensPictures whether visual tokens of a picture see those behind them too (Gemma 3 in its own family)
 */
@SuppressWarnings("ArrayRecordComponent")
public record GemmaConfig(
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
        boolean attentionBias,
        boolean qkNorm,
        double queryPreAttnScalar,
        int slidingWindow,
        boolean[] slidingLayer,
        Rope rope,
        Rope slidingRope,
        float attnLogitSoftcapping,
        float finalLogitSoftcapping,
        boolean opensPictures,
        boolean tieWordEmbeddings)
        implements DecoderConfig {

    @Override
    public float embeddingScale() {
        return (float) Math.sqrt(hiddenSize);
    }

    /** All norms are. */
    @Override
    public boolean isBeyondOne(String tensor) {
        return tensor.endsWith("norm.weight");
    }

    @Override
    public Network network() {
        return Gemma.network(this);
    }

    @Override
    public GemmaConfig tied(boolean tied) {
        return with(opensPictures, tied);
    }

    /** The same decoder with visual tokens of a picture seeing each other. */
    public GemmaConfig openingPictures() {
        return with(true, tieWordEmbeddings);
    }

    private GemmaConfig with(boolean opens, boolean tied) {
        return new GemmaConfig(
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
                attentionBias,
                qkNorm,
                queryPreAttnScalar,
                slidingWindow,
                slidingLayer,
                rope,
                slidingRope,
                attnLogitSoftcapping,
                finalLogitSoftcapping,
                opens,
                tied);
    }
}
