package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.network.AdapterConfig;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An adapter; {@code adapter.py} holds the networks. */
final class PyTorchAdapter implements AdapterNetwork {
    private final AdapterConfig config;
    private final int llmHidden;
    private final TorchScript script;
    private final Scope values = new Scope();
    private final Network network;
    /** LangBridge: weights of all layers, and a tensor where and as the network computes. */
    private @Nullable IValue projector;

    private @Nullable IValue like;

    /** How features become visual tokens; the caller closes the result. */
    private interface Network {
        IValue run(IValue features, IValue visualTokens);
    }

    PyTorchAdapter(
            AdapterConfig config, Weights weights, @Nullable FloatTensor vocabularyMatrix, EngineOptions options) {
        this.config = config;
        llmHidden = llmHidden(config, vocabularyMatrix);
        Placement placement = Placement.of(options, weights.get(firstLayer(config) + "weight"));
        script = new TorchScript(config.type() + " adapter", "adapter.py", "Adapter", options.threads());
        boolean complete = false;
        try (WeightLoader loader = new WeightLoader(weights, placement, options.threads())) {
            if (config instanceof AdapterConfig.LangBridge langBridge) {
                network = langBridge(langBridge, loader, placement, vocabularyMatrix);
            } else {
                network = mlp(loader);
            }
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private static String firstLayer(AdapterConfig config) {
        return config instanceof AdapterConfig.Linear ? "" : "0.";
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

    /** Without a softmax it is for analysis and stays in its file; with one it runs at every picture. */
    private Network langBridge(
            AdapterConfig.LangBridge c,
            WeightLoader loader,
            Placement placement,
            @Nullable FloatTensor vocabularyMatrix) {
        long mlp = c.mlpHiddenSize();
        long vocabulary = c.mmVocabSize();
        try (Scope scope = new Scope()) {
            Map<String, PtNDArray> tensors = new HashMap<>();
            tensors.put("0.weight", load(scope, loader, c, "0.weight", mlp, c.mmHiddenSize()));
            tensors.put("0.bias", load(scope, loader, c, "0.bias", mlp));
            tensors.put("2.weight", load(scope, loader, c, "2.weight", mlp, mlp));
            tensors.put("2.bias", load(scope, loader, c, "2.bias", mlp));
            tensors.put("3.weight", load(scope, loader, c, "3.weight", vocabulary, mlp));
            tensors.put("3.bias", load(scope, loader, c, "3.bias", vocabulary));
            IValue weights = values.own(script.run("projector", scope.of(tensors)));
            projector = weights;
            like = values.of(loader.get(scope, "0.bias", mlp));
            if (vocabularyMatrix == null) {
                return (input, output) -> {
                    throw new UnsupportedOperationException(
                            "This adapter was opened without a vocabulary matrix; it only gives coefficients");
                };
            }
            IValue matrix = values.of(loader.upload(scope, vocabularyMatrix, placement.type()));
            String method = c.softmax() ? "softmax" : "unfolded";
            return (input, output) -> script.run(method, weights, matrix, input, output);
        }
    }

    private static PtNDArray load(
            Scope scope, WeightLoader loader, AdapterConfig.LangBridge c, String name, long... shape) {
        return c.softmax() ? loader.get(scope, name, shape) : loader.stored(scope, name, shape);
    }

    private Network mlp(WeightLoader loader) {
        int depth = config instanceof AdapterConfig.Mlp mlp ? mlp.depth() : 1;
        boolean bias = !(config instanceof AdapterConfig.Mlp mlp) || mlp.bias();
        try (Scope scope = new Scope()) {
            PtNDArray[] weights = new PtNDArray[depth];
            PtNDArray[] biases = new PtNDArray[bias ? depth : 0];
            for (int i = 0; i < depth; i++) {
                String name = config instanceof AdapterConfig.Linear ? "" : 2 * i + ".";
                int in = i > 0 && config instanceof AdapterConfig.Mlp mlp ? mlp.mlpHiddenSize() : config.mmHiddenSize();
                int out = config instanceof AdapterConfig.Mlp mlp ? mlp.width(i) : llmHidden;
                weights[i] = loader.get(scope, name + "weight", out, in);
                if (bias) {
                    biases[i] = loader.get(scope, name + "bias", out);
                }
            }
            IValue weightList = values.of(weights);
            IValue biasList = values.of(biases);
            return (input, output) -> script.run("mlp", weightList, biasList, input, output);
        }
    }

    @Override
    public AdapterConfig config() {
        return config;
    }

    @Override
    public FloatTensor visualTokens(FloatTensor features) {
        return perPatch(features, llmHidden, network);
    }

    @Override
    public FloatTensor coefficients(FloatTensor features) {
        IValue weights = projector;
        IValue example = like;
        if (config instanceof AdapterConfig.LangBridge langBridge && weights != null && example != null) {
            return perPatch(features, langBridge.mmVocabSize(), (input, output) -> {
                try (Scope scope = new Scope()) {
                    IValue softmax = scope.of(langBridge.softmax());
                    return script.run("coefficients", weights, softmax, input, example, output);
                }
            });
        }
        throw new UnsupportedOperationException(
                "An adapter of type " + config.type() + " has no coefficients; only LangBridge adapters have");
    }

    /** All tiles in one run: for the network they are only more patches. */
    private FloatTensor perPatch(FloatTensor features, int width, Network run) {
        int[] shape = features.shape();
        if (shape.length != 3 || shape[0] < 1 || shape[1] < 1 || shape[2] != config.mmHiddenSize()) {
            throw new IllegalArgumentException("Features must have the shape [tiles, patches, " + config.mmHiddenSize()
                    + "] with at least one patch, not " + Arrays.toString(shape));
        }
        int patches = Math.multiplyExact(shape[0], shape[1]);
        try (Scope scope = new Scope()) {
            IValue input = scope.of(scope.tensor(features.reshape(patches, shape[2])));
            Scope.Output output = scope.output(patches, width);
            scope.own(run.run(input, output.value()));
            return output.floats.reshape(shape[0], shape[1], width);
        }
    }

    @Override
    public synchronized void close() {
        script.close();
        values.close();
    }
}
