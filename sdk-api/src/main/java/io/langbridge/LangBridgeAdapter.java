package io.langbridge;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A LangBridge adapter: coefficients over a shared vocabulary, times the language model's embeddings of its tokens.
 * Made by {@link Adapter#langBridge(Path)}. Immutable.
 *
 * @since 0.1
 */
public final class LangBridgeAdapter implements Adapter {
    private final Path path;
    private final @Nullable Path vocabulary;
    private final boolean softmax;
    private final @Nullable Integer topK;
    private final MissingTokens missingTokens;
    private final @Nullable Precision precision;

    LangBridgeAdapter(
            Path path,
            @Nullable Path vocabulary,
            boolean softmax,
            @Nullable Integer topK,
            MissingTokens missingTokens,
            @Nullable Precision precision) {
        this.path = Objects.requireNonNull(path, "path");
        this.vocabulary = vocabulary;
        this.softmax = softmax;
        this.topK = topK;
        this.missingTokens = Objects.requireNonNull(missingTokens, "missingTokens");
        this.precision = precision;
    }

    /**
     * Puts a softmax over the shared vocabulary, as the paper's text describes. Default is none, as in the published
     * code and weights, unless the adapter's {@code config.json} says so.
     *
     * @return the adapter
     */
    public LangBridgeAdapter softmax() {
        return new LangBridgeAdapter(path, vocabulary, true, null, missingTokens, precision);
    }

    /**
     * Puts a softmax over the shared vocabulary and keeps only the strongest shared tokens of each patch, scaled up to
     * sum to one again. An approximation; what it costs in a picture is measured by {@link LangBridgeModel#softmaxCut}.
     *
     * @param topK shared tokens kept per patch, at least 1
     * @return the adapter
     */
    public LangBridgeAdapter softmax(int topK) {
        if (topK < 1) {
            throw new IllegalArgumentException("topK must be at least 1, not " + topK);
        }
        return new LangBridgeAdapter(path, vocabulary, true, topK, missingTokens, precision);
    }

    /**
     * Chooses what happens where the language model lacks tokens of the vocabulary. Default is
     * {@link MissingTokens#REFUSE}.
     *
     * @param policy the choice
     * @return the adapter
     */
    public LangBridgeAdapter missingTokens(MissingTokens policy) {
        return new LangBridgeAdapter(path, vocabulary, softmax, topK, policy, precision);
    }

    @Override
    public LangBridgeAdapter precision(Precision precision) {
        return new LangBridgeAdapter(
                path, vocabulary, softmax, topK, missingTokens, Objects.requireNonNull(precision, "precision"));
    }

    @Override
    public Path path() {
        return path;
    }

    /** {@return the shared vocabulary's file, or null if it is looked for beside the weights} */
    public @Nullable Path vocabulary() {
        return vocabulary;
    }

    /** {@return whether a softmax was asked for} */
    public boolean hasSoftmax() {
        return softmax;
    }

    /** {@return shared tokens kept of the softmax, or null for all} */
    public @Nullable Integer topK() {
        return topK;
    }

    /** {@return what happens where the language model lacks tokens of the vocabulary} */
    public MissingTokens missingTokens() {
        return missingTokens;
    }

    @Override
    public @Nullable Precision precision() {
        return precision;
    }

    @Override
    public String toString() {
        return "Adapter[LangBridge, " + path + (softmax ? ", softmax" : "") + (topK == null ? "" : ", top " + topK)
                + "]";
    }
}
