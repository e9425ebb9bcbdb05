package io.langbridge.runtime.training;

import java.nio.file.Path;
import java.util.Objects;

/**
 * An adapter that does not exist yet: its kind and size. It begins with random weights, uniform between plus and minus
 * one over the square root of a layer's inputs, PyTorch's default for linear layers. An immutable description.
 *
 * @since 0.1
 */
public sealed interface NewAdapter {
    /**
     * LangBridge: coefficients over a shared vocabulary, times the language model's embeddings of its tokens. Without a
     * softmax, as in the published code, and with 5120 hidden units unless changed.
     *
     * @param vocabulary the shared vocabulary as JSON, {@code {token: id}}
     * @return the adapter
     */
    static LangBridge langBridge(Path vocabulary) {
        return new LangBridge(vocabulary, false, LangBridge.PUBLISHED_HIDDEN_SIZE);
    }

    /**
     * LLaVA's {@code mlp{layers}x_gelu}; LLaVA 1.5 has two layers.
     *
     * @param layers linear layers, 1 to 99
     * @return the adapter
     */
    static Mlp mlp(int layers) {
        return new Mlp(layers);
    }

    /**
     * LLaVA's {@code linear}: one linear layer.
     *
     * @return the adapter
     */
    static Linear linear() {
        return new Linear();
    }

    /**
     * See {@link NewAdapter#langBridge}.
     *
     * @param vocabulary the shared vocabulary as JSON, {@code {token: id}}
     * @param hasSoftmax whether there is a softmax over it
     * @param hiddenSize units of the hidden layers, at least 1
     */
    record LangBridge(Path vocabulary, boolean hasSoftmax, int hiddenSize) implements NewAdapter {
        /** Width of LangBridge's projector in the paper and in the published weights. */
        private static final int PUBLISHED_HIDDEN_SIZE = 5120;

        /**
         * Checks the values.
         *
         * @throws IllegalArgumentException if there are no hidden units
         */
        public LangBridge {
            Objects.requireNonNull(vocabulary, "vocabulary");
            if (hiddenSize < 1) {
                throw new IllegalArgumentException("hiddenSize must be at least 1, not " + hiddenSize);
            }
        }

        /**
         * Puts a softmax over the shared vocabulary, as the paper's text describes.
         *
         * @return the adapter
         */
        public LangBridge softmax() {
            return new LangBridge(vocabulary, true, hiddenSize);
        }

        /**
         * Sets the width of the hidden layers.
         *
         * @param units at least 1; 5120 if not set
         * @return the adapter
         */
        public LangBridge hiddenSize(int units) {
            return new LangBridge(vocabulary, hasSoftmax, units);
        }
    }

    /**
     * See {@link NewAdapter#mlp}.
     *
     * @param layers linear layers, 1 to 99
     */
    record Mlp(int layers) implements NewAdapter {
        /**
         * Checks the number.
         *
         * @throws IllegalArgumentException if it is none of these
         */
        public Mlp {
            if (layers < 1 || layers > 99) {
                throw new IllegalArgumentException("layers must be 1 to 99, not " + layers);
            }
        }
    }

    /** See {@link NewAdapter#linear}. */
    record Linear() implements NewAdapter {}
}
