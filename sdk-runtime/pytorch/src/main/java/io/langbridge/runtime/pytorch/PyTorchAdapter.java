package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.config.AdapterConfig;
import io.langbridge.runtime.core.engine.AdapterNetwork;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FloatTensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An adapter; {@code adapter.py} holds the networks. A LangBridge adapter without softmax is folded into two layers
 * when it is opened, and its vocabulary projection stays in its file for {@link #coefficients}.
 */
final class PyTorchAdapter implements AdapterNetwork {
    private final AdapterConfig config;
    private final int llmHidden;
    private final TorchScript script;
    private final Scope values = new Scope();
    private final Network network;
    /** LangBridge: mapped weights of all layers, and a tensor where and as the network computes. */
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
            if (config instanceof AdapterConfig.LangBridge langBridge && vocabularyMatrix != null) {
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
                throw new IllegalArgumentException("A LangBridge adapter needs a vocabulary matrix");
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

    private Network langBridge(
            AdapterConfig.LangBridge c, WeightLoader loader, Placement placement, FloatTensor vocabularyMatrix) {
        long features = c.mmHiddenSize();
        long mlp = c.mlpHiddenSize();
        long vocabulary = c.mmVocabSize();
        try (Scope scope = new Scope()) {
            Map<String, PtNDArray> mapped = new HashMap<>();
            mapped.put("0.weight", loader.stored(scope, "0.weight", mlp, features));
            mapped.put("0.bias", loader.stored(scope, "0.bias", mlp));
            mapped.put("2.weight", loader.stored(scope, "2.weight", mlp, mlp));
            mapped.put("2.bias", loader.stored(scope, "2.bias", mlp));
            mapped.put("3.weight", loader.stored(scope, "3.weight", vocabulary, mlp));
            mapped.put("3.bias", loader.stored(scope, "3.bias", vocabulary));
            IValue inFile = values.own(script.run("projector", scope.of(mapped)));
            projector = inFile;

            PtNDArray w0 = loader.get(scope, "0.weight", mlp, features);
            PtNDArray b0 = loader.get(scope, "0.bias", mlp);
            like = values.of(b0);
            if (!c.softmax()) {
                IValue matrix = scope.of(loader.upload(scope, vocabularyMatrix, ScalarType.FLOAT));
                PtNDArray[] folded = scope.tensors(scope.own(script.run("fold", inFile, matrix)));
                IValue weights = values.of(w0, b0, loader.place(scope, folded[0]), loader.place(scope, folded[1]));
                return (input, output) -> script.run("folded", weights, input, output);
            }
            // Computed with at every picture: where the network computes, not in the file.
            Map<String, PtNDArray> placed = new HashMap<>();
            placed.put("0.weight", w0);
            placed.put("0.bias", b0);
            loader.get(scope, placed, "", "2.weight", mlp, mlp);
            loader.get(scope, placed, "", "2.bias", mlp);
            loader.get(scope, placed, "", "3.weight", vocabulary, mlp);
            loader.get(scope, placed, "", "3.bias", vocabulary);
            IValue onDevice = values.own(script.run("projector", scope.of(placed)));
            projector = onDevice;
            IValue matrix = values.of(loader.upload(scope, vocabularyMatrix, placement.type()));
            return (input, output) -> script.run("softmax", onDevice, matrix, input, output);
        }
    }

    private Network mlp(WeightLoader loader) {
        int depth = config instanceof AdapterConfig.Mlp mlp ? mlp.depth() : 1;
        boolean bias = !(config instanceof AdapterConfig.Mlp mlp) || mlp.bias();
        try (Scope scope = new Scope()) {
            PtNDArray[] weights = new PtNDArray[depth];
            PtNDArray[] biases = new PtNDArray[bias ? depth : 0];
            for (int i = 0; i < depth; i++) {
                String name = config instanceof AdapterConfig.Linear ? "" : 2 * i + ".";
                weights[i] = loader.get(scope, name + "weight", llmHidden, i == 0 ? config.mmHiddenSize() : llmHidden);
                if (bias) {
                    biases[i] = loader.get(scope, name + "bias", llmHidden);
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
