package io.langbridge.runtime.training;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An adapter that does not exist yet: its kind and size. It begins with random weights, uniform between plus and minus
 * one over the square root of a layer's inputs, PyTorch's default for linear layers. An immutable description.
 *
 * @since 0.1
 */
public final class NewAdapter {
    /** Width of LangBridge's projector in the paper and in the published weights. */
    private static final int PUBLISHED_HIDDEN_SIZE = 5120;

    private final int layers;
    private final @Nullable Path vocabulary;
    private final boolean softmax;
    private final int hiddenSize;

    private NewAdapter(int layers, @Nullable Path vocabulary, boolean softmax, int hiddenSize) {
        this.layers = layers;
        this.vocabulary = vocabulary;
        this.softmax = softmax;
        this.hiddenSize = hiddenSize;
    }

    /**
     * LangBridge: coefficients over a shared vocabulary, times the language model's embeddings of its tokens. Without a
     * softmax, as in the published code, and with 5120 hidden units unless changed.
     *
     * @param vocabulary the shared vocabulary as JSON, {@code {token: id}}
     * @return the adapter
     */
    public static NewAdapter langBridge(Path vocabulary) {
        return new NewAdapter(0, Objects.requireNonNull(vocabulary, "vocabulary"), false, PUBLISHED_HIDDEN_SIZE);
    }

    /**
     * LLaVA's {@code mlp{layers}x_gelu}; LLaVA 1.5 has two layers.
     *
     * @param layers linear layers, 1 to 99
     * @return the adapter
     */
    public static NewAdapter mlp(int layers) {
        if (layers < 1 || layers > 99) {
            throw new IllegalArgumentException("layers must be 1 to 99, not " + layers);
        }
        return new NewAdapter(layers, null, false, 0);
    }

    /**
     * LLaVA's {@code linear}: one linear layer.
     *
     * @return the adapter
     */
    public static NewAdapter linear() {
        return new NewAdapter(0, null, false, 0);
    }

    /**
     * Puts a softmax over the shared vocabulary, as the paper's text describes.
     *
     * @return the adapter
     * @throws IllegalStateException if this is not a LangBridge adapter
     */
    public NewAdapter softmax() {
        requireLangBridge("softmax");
        return new NewAdapter(layers, vocabulary, true, hiddenSize);
    }

    /**
     * Sets the width of LangBridge's hidden layers.
     *
     * @param hiddenSize units, at least 1; 5120 if not set
     * @return the adapter
     * @throws IllegalStateException if this is not a LangBridge adapter
     */
    public NewAdapter hiddenSize(int hiddenSize) {
        requireLangBridge("hiddenSize");
        if (hiddenSize < 1) {
            throw new IllegalArgumentException("hiddenSize must be at least 1, not " + hiddenSize);
        }
        return new NewAdapter(layers, vocabulary, softmax, hiddenSize);
    }

    private void requireLangBridge(String setting) {
        if (vocabulary == null) {
            throw new IllegalStateException("Only a LangBridge adapter has " + setting);
        }
    }

    /** Linear layers of an MLP; 0 for another kind. */
    int layers() {
        return layers;
    }

    /** Null unless this is a LangBridge adapter. */
    @Nullable
    Path vocabulary() {
        return vocabulary;
    }

    boolean hasSoftmax() {
        return softmax;
    }

    /** Of LangBridge. */
    int hiddenSize() {
        return hiddenSize;
    }
}
