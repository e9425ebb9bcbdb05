package io.langbridge.runtime.onnx;

import io.langbridge.Precision;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.AdapterConfig;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** An adapter. The graphs take one tile, so that the coefficients of many tiles are never in memory together. */
final class OnnxAdapter implements AdapterNetwork {
    private static final String FEATURES = "features";
    private static final String COEFFICIENTS = "coefficients";
    private static final String VOCABULARY_MATRIX = "vocabulary_matrix";
    private static final String VISUAL_TOKENS = "visual_tokens";

    private final AdapterConfig config;
    private final int llmHidden;
    private final @Nullable FloatTensor vocabularyMatrix;
    /** Null for a LangBridge adapter without a vocabulary matrix, which only gives coefficients. */
    private final @Nullable LoadedGraph graph;

    private final LazyGraph coefficientGraph;

    OnnxAdapter(AdapterConfig config, Weights weights, @Nullable FloatTensor vocabularyMatrix, EngineOptions options) {
        this.config = config;
        this.vocabularyMatrix = vocabularyMatrix;
        llmHidden = llmHidden(config, vocabularyMatrix);
        graph = llmHidden == 0
                ? null
                : new Projector(config, weights, options.precision())
                        .visualTokens(llmHidden)
                        .load(options);
        coefficientGraph = new LazyGraph(
                "adapter",
                () -> new Projector(config, weights, options.precision())
                        .coefficients()
                        .load(options));
    }

    private static int llmHidden(AdapterConfig config, @Nullable FloatTensor matrix) {
        if (config instanceof AdapterConfig.LangBridge langBridge) {
            if (matrix == null) {
                return 0;
            }
            int[] shape = matrix.shape();
            if (shape.length != 2 || shape[0] != langBridge.mmVocabSize()) {
                throw new IllegalArgumentException("The vocabulary matrix must have the shape ["
                        + langBridge.mmVocabSize() + ", llm_hidden], not " + Arrays.toString(shape));
            }
            return shape[1];
        }
        if (matrix != null) {
            throw new IllegalArgumentException(
                    "Only LangBridge adapters take a vocabulary matrix, not " + config.type());
        }
        return config instanceof AdapterConfig.Mlp mlp
                ? mlp.llmHiddenSize()
                : ((AdapterConfig.Linear) config).llmHiddenSize();
    }

    @Override
    public AdapterConfig config() {
        return config;
    }

    @Override
    public FloatTensor visualTokens(FloatTensor features) {
        if (graph == null) {
            throw new UnsupportedOperationException(
                    "This adapter was opened without a vocabulary matrix; it only gives coefficients");
        }
        return run(graph, features, VISUAL_TOKENS, llmHidden, vocabularyMatrix);
    }

    @Override
    public FloatTensor coefficients(FloatTensor features) {
        if (config instanceof AdapterConfig.LangBridge langBridge) {
            return run(coefficientGraph.get(), features, COEFFICIENTS, langBridge.mmVocabSize(), null);
        }
        throw new UnsupportedOperationException(
                "An adapter of type " + config.type() + " has no coefficients; only LangBridge adapters have");
    }

    private FloatTensor run(
            LoadedGraph loaded, FloatTensor features, String output, int width, @Nullable FloatTensor matrix) {
        int[] shape = features.shape();
        if (shape.length != 3 || shape[0] < 1 || shape[1] < 1 || shape[2] != config.mmHiddenSize()) {
            throw new IllegalArgumentException("Features must have the shape [tiles, patches, " + config.mmHiddenSize()
                    + "] with at least one patch, not " + Arrays.toString(shape));
        }
        int patches = shape[1];
        FloatTensor result = FloatTensor.allocate(shape[0], patches, width);
        for (int tile = 0; tile < shape[0]; tile++) {
            try (Bindings bindings = new Bindings()) {
                bindings.input(FEATURES, features.rows(tile, tile + 1), patches, config.mmHiddenSize());
                bindings.output(output, result.rows(tile, tile + 1), patches, width);
                if (matrix != null) {
                    bindings.input(VOCABULARY_MATRIX, matrix, matrix.size(0), matrix.size(1));
                }
                bindings.run(loaded);
            }
        }
        return result;
    }

    @Override
    public void close() {
        try {
            if (graph != null) {
                graph.close();
            }
        } finally {
            coefficientGraph.close();
        }
    }

    /** The network from top to bottom. Shapes are {@code [patches, width]}. */
    private static final class Projector {
        private final AdapterConfig config;
        private final Precision precision;
        private final NetworkBuilder network;
        private final OnnxGraph graph;

        Projector(AdapterConfig config, Weights weights, Precision precision) {
            this.config = config;
            this.precision = precision;
            network = new NetworkBuilder(config.type() + " adapter", weights, precision, true, name -> false);
            graph = network.graph;
            graph.input(FEATURES, OnnxGraph.Type.FLOAT, "patches", config.mmHiddenSize());
        }

        /**
         * Features to visual tokens. LangBridge without softmax is here as the authors compute it; a model runs it
         * folded, as an MLP.
         */
        NetworkBuilder visualTokens(int llmHidden) {
            String x;
            if (config instanceof AdapterConfig.LangBridge langBridge) {
                x = timesVocabularyMatrix(vocabularyProjection(langBridge), langBridge.mmVocabSize(), llmHidden);
            } else if (config instanceof AdapterConfig.Mlp mlp) {
                x = mlp(mlp);
            } else {
                x = network.product(
                        FEATURES, "weight", config.mmHiddenSize(), llmHidden, "bias", "linear", Change.NONE, precision);
            }
            graph.node("Identity", x).to(VISUAL_TOKENS);
            graph.output(VISUAL_TOKENS, OnnxGraph.Type.FLOAT, "patches", llmHidden);
            return network;
        }

        NetworkBuilder coefficients() {
            AdapterConfig.LangBridge langBridge = (AdapterConfig.LangBridge) config;
            graph.node("Identity", vocabularyProjection(langBridge)).to(COEFFICIENTS);
            graph.output(COEFFICIENTS, OnnxGraph.Type.FLOAT, "patches", langBridge.mmVocabSize());
            return network;
        }

        /** One coefficient per shared token. There is no activation between the last two layers. */
        private String vocabularyProjection(AdapterConfig.LangBridge c) {
            String x = network.linear(FEATURES, "0", c.mmHiddenSize(), c.mlpHiddenSize(), true);
            x = network.activation(Activation.GELU, x);
            x = network.linear(x, "2", c.mlpHiddenSize(), c.mlpHiddenSize(), true);
            x = network.linear(x, "3", c.mlpHiddenSize(), c.mmVocabSize(), true);
            return c.softmax() ? graph.node("Softmax", x).with("axis", -1).to("softmax") : x;
        }

        /** The matrix is an input: it is in memory already, and ONNX Runtime would copy a constant. */
        private String timesVocabularyMatrix(String coefficients, int mmVocab, int llmHidden) {
            graph.input(VOCABULARY_MATRIX, OnnxGraph.Type.FLOAT, mmVocab, llmHidden);
            return graph.node("MatMul", coefficients, VOCABULARY_MATRIX).to("weighted_sum");
        }

        private String mlp(AdapterConfig.Mlp c) {
            String x = network.linear(FEATURES, "0", c.mmHiddenSize(), c.width(0), c.bias());
            for (int i = 1; i < c.depth(); i++) {
                x = network.activation(Activation.GELU, x);
                x = network.linear(x, Integer.toString(2 * i), c.mlpHiddenSize(), c.width(i), c.bias());
            }
            return x;
        }
    }
}
