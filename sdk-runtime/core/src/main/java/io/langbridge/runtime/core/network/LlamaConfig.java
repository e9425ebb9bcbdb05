package io.langbridge.runtime.core.network;

import io.langbridge.runtime.core.checkpoint.Checkpoints;
import io.langbridge.runtime.core.checkpoint.Weights;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Llama, Qwen2, Qwen3, Mistral and what is near them: one network, {@link Decoder}; what differs is here.
 *
 * @param qkvBias whether {@code q_proj}, {@code k_proj} and {@code v_proj} have a bias (Qwen2)
 * @param outputBias whether {@code o_proj} has a bias ({@code attention_bias} of Llama)
 * @param mlpBias whether the MLP's projections have a bias ({@code mlp_bias} of Llama)
 * @param qkNorm whether queries and keys go through an RMS norm per head before rotation (Qwen3)
 * @param slidingWindow position i sees i - window + 1 .. i; 0 if there is no window
 * @param slidingLayer per layer, whether the window applies
 * @param deepstack behind how many layers, from the first on, something is added to visual tokens (Qwen3-VL)
 * @param variant what only few of them have
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
        boolean tieWordEmbeddings,
        Variant variant)
        implements DecoderConfig {

    /**
     * What only few of these decoders have.
     *
     * @param normsBehind whether norms stand behind blocks and not before them, and those of queries and keys go over
     *     all heads together (OLMo 2)
     * @param stillLayer per layer, whether queries and keys are not rotated (SmolLM3); null if all are
     * @param rotatedPart of each head (Phi-3)
     * @param embeddingMultiplier what all that goes in is multiplied with, visual tokens too (Granite)
     * @param residualMultiplier what blocks give is multiplied with before it is added (Granite)
     * @param attentionMultiplier what scores are multiplied with; 0 for 1 over the root of {@code head_dim} (Granite)
     * @param logitsScaling what logits are divided by (Granite)
     * @param queryGrowth how queries grow by position, or null (Ministral 3)
     */
    public record Variant(
            boolean normsBehind,
            boolean @Nullable [] stillLayer,
            double rotatedPart,
            float embeddingMultiplier,
            float residualMultiplier,
            float attentionMultiplier,
            float logitsScaling,
            Rotary.@Nullable Growth queryGrowth) {
        /** None of it. */
        public static final Variant NONE = new Variant(false, null, 1, 1, 1, 0, 1, null);

        private Variant unscaledLogits() {
            return new Variant(
                    normsBehind,
                    stillLayer,
                    rotatedPart,
                    embeddingMultiplier,
                    residualMultiplier,
                    attentionMultiplier,
                    1,
                    queryGrowth);
        }
    }

    /** A decoder that has nothing of what only few have. */
    public LlamaConfig(
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
            boolean tieWordEmbeddings) {
        this(
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
                deepstack,
                tieWordEmbeddings,
                Variant.NONE);
    }

    /** How queries and keys of a layer are rotated. */
    Rotary rotary(int layer) {
        boolean[] still = variant.stillLayer();
        Rope turning = still != null && still[layer] ? Rope.STILL : rope;
        return new Rotary(turning, (int) (headDim * variant.rotatedPart()), variant.queryGrowth());
    }

    /** Some checkpoints have projections that read the same in one: {@code qkv_proj}, {@code gate_up_proj} (Phi-3). */
    @Override
    public Weights weights(Weights stored) {
        int queries = numAttentionHeads * headDim;
        int keys = numKeyValueHeads * headDim;
        Weights split = Checkpoints.split(
                stored, "qkv_proj.weight", Arrays.asList("q_proj", "k_proj", "v_proj"), queries, keys, keys);
        return Checkpoints.split(
                split,
                "gate_up_proj.weight",
                Arrays.asList("gate_proj", "up_proj"),
                intermediateSize,
                intermediateSize);
    }

    @Override
    public int inputWidth() {
        return hiddenSize * (1 + deepstack);
    }

    /** The same decoder with something added to visual tokens behind so many layers. */
    public LlamaConfig deepstack(int layers) {
        return with(layers, tieWordEmbeddings, variant);
    }

    /** The same decoder whose logits are not divided. */
    public LlamaConfig unscaledLogits() {
        return with(deepstack, tieWordEmbeddings, variant.unscaledLogits());
    }

    @Override
    public Network network() {
        return Decoder.network(this);
    }

    @Override
    public LlamaConfig tied(boolean tied) {
        return with(deepstack, tied, variant);
    }

    private LlamaConfig with(int layers, boolean tied, Variant other) {
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
                tied,
                other);
    }
}
