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
 * @param opens which tokens see others behind them
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
        Opens opens,
        boolean tieWordEmbeddings)
        implements DecoderConfig {

    /** Which tokens see others behind them too. */
    public enum Opens {
        /** None, as in a language model alone. */
        NOTHING,
        /** Visual tokens of a picture those of the same (Gemma 3 in its own family). */
        PICTURES,
        /** All of a prompt all of it (PaliGemma). */
        PROMPTS
    }

    @Override
    public boolean opensPictures() {
        return opens != Opens.NOTHING;
    }

    @Override
    public boolean opensPrompts() {
        return opens == Opens.PROMPTS;
    }

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
        return with(opens, finalLogitSoftcapping, tied);
    }

    /** The same decoder with visual tokens of a picture seeing each other. */
    public GemmaConfig openingPictures() {
        return with(Opens.PICTURES, finalLogitSoftcapping, tieWordEmbeddings);
    }

    /**
     * The same decoder with all of a prompt seeing each other, and no cap of the logits, as in PaliGemma. What sees
     * each other does so beyond a window too, so contexts go no further than the window, where that makes no
     * difference.
     */
    public GemmaConfig openingPrompts() {
        return with(Opens.PROMPTS, 0, tieWordEmbeddings);
    }

    private int withinWindow() {
        for (boolean slides : slidingLayer) {
            if (slides) {
                return Math.min(maxPositionEmbeddings, slidingWindow);
            }
        }
        return maxPositionEmbeddings;
    }

    private GemmaConfig with(Opens tokens, float cap, boolean tied) {
        return new GemmaConfig(
                modelType,
                hiddenSize,
                intermediateSize,
                numHiddenLayers,
                numAttentionHeads,
                numKeyValueHeads,
                headDim,
                vocabSize,
                tokens == Opens.PROMPTS ? withinWindow() : maxPositionEmbeddings,
                rmsNormEps,
                attentionBias,
                qkNorm,
                queryPreAttnScalar,
                slidingWindow,
                slidingLayer,
                rope,
                slidingRope,
                attnLogitSoftcapping,
                cap,
                tokens,
                tied);
    }
}
