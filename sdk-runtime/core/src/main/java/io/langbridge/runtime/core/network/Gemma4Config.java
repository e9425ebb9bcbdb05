package io.langbridge.runtime.core.network;

import org.jspecify.annotations.Nullable;

/**
 * The language model of Gemma 4; its last layers may look at keys and values of earlier ones, and tokens may have rows
 * for each layer beside their embedding.
 *
 * @param sliding heads of layers with a window
 * @param full heads of layers that see everything
 * @param slidingWindow position i of a sliding layer sees i - window + 1 .. i
 * @param slidingLayer per layer, whether the window applies
 * @param attentionBias whether the projections of attention have a bias
 * @param attentionKEqV whether full layers have no {@code v_proj}: values are made of what {@code k_proj} gives
 * @param numKvSharedLayers how many of the last layers have no keys and values of their own
 * @param useDoubleWideMlp whether these have an MLP that is twice as wide
 * @param hiddenSizePerLayerInput width of a token's row for one layer; 0 if there are none
 * @param vocabSizePerLayerInput tokens with such rows
 * @param padTokenId whose rows visual tokens have
 * @param finalLogitSoftcapping 0 if logits have no cap
 * @param opensPictures whether visual tokens of a picture see those behind them too, in sliding layers
 */
@SuppressWarnings("ArrayRecordComponent")
public record Gemma4Config(
        int hiddenSize,
        int intermediateSize,
        int numHiddenLayers,
        int numAttentionHeads,
        Heads sliding,
        Heads full,
        int slidingWindow,
        boolean[] slidingLayer,
        boolean attentionBias,
        boolean attentionKEqV,
        int numKvSharedLayers,
        boolean useDoubleWideMlp,
        int hiddenSizePerLayerInput,
        int vocabSizePerLayerInput,
        int padTokenId,
        int vocabSize,
        int maxPositionEmbeddings,
        float rmsNormEps,
        float finalLogitSoftcapping,
        boolean opensPictures,
        boolean tieWordEmbeddings)
        implements DecoderConfig {

    /** What differs between the two kinds of layers. */
    public record Heads(int numKeyValueHeads, int headDim, Rope rope) {}

    /** Heads of a layer. */
    Heads heads(int layer) {
        return slidingLayer[layer] ? sliding : full;
    }

    /** The first layer without keys and values of its own. */
    int firstShared() {
        return numHiddenLayers - numKvSharedLayers;
    }

    @Override
    public String modelType() {
        return "gemma4";
    }

    @Override
    public float embeddingScale() {
        return (float) Math.sqrt(hiddenSize);
    }

    @Override
    public Net.@Nullable Table secondTable() {
        int width = numHiddenLayers * hiddenSizePerLayerInput;
        return width == 0
                ? null
                : new Net.Table("model.embed_tokens_per_layer.weight", vocabSizePerLayerInput, width, (float)
                        Math.sqrt(hiddenSizePerLayerInput));
    }

    @Override
    public int inputWidth() {
        return hiddenSize + numHiddenLayers * hiddenSizePerLayerInput;
    }

    @Override
    public Network network() {
        return Gemma4.network(this);
    }

    @Override
    public Gemma4Config tied(boolean tied) {
        return with(opensPictures, tied);
    }

    /** The same decoder with visual tokens of a picture seeing each other. */
    public Gemma4Config openingPictures() {
        return with(true, tieWordEmbeddings);
    }

    private Gemma4Config with(boolean opens, boolean tied) {
        return new Gemma4Config(
                hiddenSize,
                intermediateSize,
                numHiddenLayers,
                numAttentionHeads,
                sliding,
                full,
                slidingWindow,
                slidingLayer,
                attentionBias,
                attentionKEqV,
                numKvSharedLayers,
                useDoubleWideMlp,
                hiddenSizePerLayerInput,
                vocabSizePerLayerInput,
                padTokenId,
                vocabSize,
                maxPositionEmbeddings,
                rmsNormEps,
                finalLogitSoftcapping,
                opens,
                tied);
    }
}
