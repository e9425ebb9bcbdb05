package io.langbridge;

import java.util.Optional;

/**
 * What only a model with a LangBridge adapter can do; from {@link VisionLanguageModel#langBridge()}. Belongs to that
 * model: nothing to close, and refuses when the model is closed. Safe for use by several threads. Not meant to be
 * implemented by users.
 *
 * @since 0.1
 */
public interface LangBridgeModel {
    /**
     * Moves the adapter to another language model, without training: same encoder, same projector; only the shared
     * tokens are looked up again. The options are this model's. Encoder and files are shared, not loaded twice; both
     * models are used and closed independently of each other, and an {@link EncodedImage} of the one can be asked of
     * the other.
     *
     * <p>What the authors of LangBridge measured is such a move followed by tuning the language model; do not expect
     * the same quality without it.
     *
     * @param llm the language model
     * @return a model of its own; the caller closes it
     * @throws UnsupportedModelException if tiles are merged with an {@code image_newline}, which belongs to one
     *     language model
     * @throws CheckpointException if a file is missing or damaged, the language model lacks tokens of the vocabulary
     *     and {@link LangBridgeAdapter#missingTokens} does not say what to do, or it has fewer positions than the
     *     {@code contextLength(..)} that was asked for
     * @throws InsufficientMemoryException if it would not fit into memory
     */
    VisionLanguageModel withLlm(Llm llm);

    /**
     * Measures what {@link LangBridgeAdapter#softmax(int)} costs in a picture. Runs the adapter twice.
     *
     * @param image made by {@link VisionLanguageModel#encode}, by this model or by one with the same encoder
     * @return how much of the softmax is kept, and how far that moves the visual tokens; empty if it is not cut
     */
    Optional<SoftmaxCut> softmaxCut(EncodedImage image);

    /**
     * Lets go of what {@link VisionLanguageModel#explain} loads for coefficients: the adapter as it is in its file,
     * which answers do not need. {@link VisionLanguageModel.Builder#check()} says how much that is. The next
     * explanation loads it again. Waits for explanations under way.
     */
    void releaseExplanation();
}
