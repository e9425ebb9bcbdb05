package io.langbridge.runtime.core.network;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** An adapter's shape. */
public sealed interface AdapterConfig {
    /** Width of the features that go in. */
    int mmHiddenSize();

    /** Key as in {@code mm_projector_type}. */
    String type();

    /** Width of the visual tokens; null if they are as wide as any language model, as LangBridge's are. */
    default @Nullable Integer outputWidth() {
        return null;
    }

    /**
     * {@code mm_vocab}: Linear, GELU (erf), Linear, Linear gives one coefficient per shared token (LangBridge, figure
     * 3).
     *
     * @param softmax whether the coefficients go through a softmax, as the paper's text says and its code does not
     */
    record LangBridge(int mmHiddenSize, int mlpHiddenSize, int mmVocabSize, boolean softmax) implements AdapterConfig {
        @Override
        public String type() {
            return "mm_vocab";
        }

        /** The same with a softmax. */
        public LangBridge withSoftmax() {
            return new LangBridge(mmHiddenSize, mlpHiddenSize, mmVocabSize, true);
        }
    }

    /**
     * {@code mlp{depth}x_gelu}: {@code depth} linear layers with GELU (erf) between; weights {@code 0.}, {@code 2.}, ..
     *
     * @param mlpHiddenSize width between the layers; LLaVA's have the language model's there, a folded LangBridge
     *     adapter its own
     */
    record Mlp(int mmHiddenSize, int mlpHiddenSize, int llmHiddenSize, int depth, boolean bias)
            implements AdapterConfig {
        /** As wide between the layers as the language model. */
        public Mlp(int mmHiddenSize, int llmHiddenSize, int depth, boolean bias) {
            this(mmHiddenSize, llmHiddenSize, llmHiddenSize, depth, bias);
        }

        @Override
        public Integer outputWidth() {
            return llmHiddenSize;
        }

        /** Width that layer {@code i} gives, from 0. */
        public int width(int i) {
            return i == depth - 1 ? llmHiddenSize : mlpHiddenSize;
        }

        @Override
        public String type() {
            return "mlp" + depth + "x_gelu";
        }
    }

    /** {@code linear}: one linear layer; weights without an index. */
    record Linear(int mmHiddenSize, int llmHiddenSize) implements AdapterConfig {
        @Override
        public Integer outputWidth() {
            return llmHiddenSize;
        }

        @Override
        public String type() {
            return "linear";
        }
    }

    /**
     * The connector of one family of models, which belongs to them alone.
     *
     * @param type what to call it
     * @param text from features {@code [patches, mm_hidden]} to visual tokens {@code [n, llm_hidden]}
     */
    record Connector(String type, int mmHiddenSize, int llmHiddenSize, Function<Net, Net.Value> text)
            implements AdapterConfig {
        @Override
        public Integer outputWidth() {
            return llmHiddenSize;
        }
    }
}
