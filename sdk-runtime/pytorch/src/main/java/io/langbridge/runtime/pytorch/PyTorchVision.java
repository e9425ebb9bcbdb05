package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.Device;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.engine.VisionNetwork;
import io.langbridge.runtime.core.network.Activation;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.VisionConfig.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** CLIP's and SigLIP's vision tower; {@code vision.py} is the network. Only the layers that are needed are loaded. */
final class PyTorchVision implements VisionNetwork {
    static final String PATCH_EMBEDDING = "embeddings.patch_embedding.weight";

    /** Few enough to take little time on a GPU, which one tile does not keep busy. */
    private static final int CUDA_TILES = 8;

    private final VisionConfig config;
    private final int tilesAtOnce;
    private final Weights weights;
    private final Placement placement;
    private final int threads;
    private final TorchScript script;
    private final Scope values = new Scope();
    /** The weights of the layers up to the selected one. */
    private final IValue tower;

    PyTorchVision(VisionConfig config, Weights weights, EngineOptions options) {
        if (config.layersToRun() < 1 || config.layersToRun() > config.numHiddenLayers()) {
            throw new UnsupportedModelException("The selected layer " + config.selectLayer() + " of the vision encoder"
                    + " with " + config.numHiddenLayers() + " layers leaves no layer to run or does not exist");
        }
        this.config = config;
        tilesAtOnce = options.device().kind() == Device.Kind.CUDA ? CUDA_TILES : 1;
        this.weights = weights;
        threads = options.threads();
        placement = Placement.of(
                options, weights.get(PATCH_EMBEDDING, config.hiddenSize(), 3, config.patchSize(), config.patchSize()));
        script = new TorchScript("vision encoder", "vision.py", "Vision", threads);
        boolean complete = false;
        try (WeightLoader loader = new WeightLoader(weights, placement, threads)) {
            tower = values.own(load(loader, config.layersToRun()));
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private IValue load(WeightLoader loader, int numberOfLayers) {
        try (Scope scope = new Scope()) {
            IValue shape = scope.own(script.run(
                    "config",
                    scope.of(config.kind() == Kind.CLIP),
                    scope.of(config.numAttentionHeads()),
                    scope.of(config.patchSize()),
                    scope.of(name(config.hiddenAct())),
                    scope.of(config.layerNormEps())));
            IValue[] layers = new IValue[numberOfLayers];
            for (int i = 0; i < numberOfLayers; i++) {
                try (Scope layer = new Scope()) {
                    Map<String, PtNDArray> tensors = layer(config, loader, layer, i);
                    layers[i] = scope.own(script.run("layer", layer.of(tensors)));
                }
            }
            return script.run("tower", shape, scope.of(layers), scope.of(rest(config, loader, scope)));
        }
    }

    /** What comes before the layers, by the names in the checkpoint. */
    static Map<String, PtNDArray> rest(VisionConfig config, WeightLoader loader, Scope scope) {
        Map<String, PtNDArray> tensors = new LinkedHashMap<>();
        long hidden = config.hiddenSize();
        long patch = config.patchSize();
        loader.get(scope, tensors, "", PATCH_EMBEDDING, hidden, 3, patch, patch);
        loader.get(scope, tensors, "", "embeddings.position_embedding.weight", config.tokens(), hidden);
        if (config.kind() == Kind.CLIP) {
            loader.get(scope, tensors, "", "embeddings.class_embedding", hidden);
            norm(config, loader, scope, tensors, "", "pre_layrnorm");
        } else {
            loader.get(scope, tensors, "", "embeddings.patch_embedding.bias", hidden);
        }
        return tensors;
    }

    /** A layer, by the names after its prefix. */
    static Map<String, PtNDArray> layer(VisionConfig config, WeightLoader loader, Scope scope, int index) {
        String prefix = "encoder.layers." + index + ".";
        Map<String, PtNDArray> tensors = new LinkedHashMap<>();
        long hidden = config.hiddenSize();
        long intermediate = config.intermediateSize();
        norm(config, loader, scope, tensors, prefix, "layer_norm1");
        for (String projection : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
            linear(loader, scope, tensors, prefix, "self_attn." + projection, hidden, hidden);
        }
        norm(config, loader, scope, tensors, prefix, "layer_norm2");
        linear(loader, scope, tensors, prefix, "mlp.fc1", hidden, intermediate);
        linear(loader, scope, tensors, prefix, "mlp.fc2", intermediate, hidden);
        return tensors;
    }

    /** What comes after the layers, as far as the checkpoint has it. */
    private Map<String, PtNDArray> poolingHead(WeightLoader loader, Scope scope) {
        Map<String, PtNDArray> tensors = new LinkedHashMap<>();
        long hidden = config.hiddenSize();
        if (config.kind() == Kind.SIGLIP || pools()) {
            norm(config, loader, scope, tensors, "", "post_layernorm");
        }
        if (config.kind() == Kind.SIGLIP && pools()) {
            loader.get(scope, tensors, "", "head.probe", 1, 1, hidden);
            loader.get(scope, tensors, "", "head.attention.in_proj_weight", 3 * hidden, hidden);
            loader.get(scope, tensors, "", "head.attention.in_proj_bias", 3 * hidden);
            linear(loader, scope, tensors, "", "head.attention.out_proj", hidden, hidden);
            norm(config, loader, scope, tensors, "", "head.layernorm");
            linear(loader, scope, tensors, "", "head.mlp.fc1", hidden, config.intermediateSize());
            linear(loader, scope, tensors, "", "head.mlp.fc2", config.intermediateSize(), hidden);
        }
        return tensors;
    }

    private boolean pools() {
        return weights.contains(config.kind() == Kind.CLIP ? "post_layernorm.weight" : "head.probe");
    }

    private static void norm(
            VisionConfig config,
            WeightLoader loader,
            Scope scope,
            Map<String, PtNDArray> tensors,
            String prefix,
            String name) {
        loader.get(scope, tensors, prefix, name + ".weight", config.hiddenSize());
        loader.get(scope, tensors, prefix, name + ".bias", config.hiddenSize());
    }

    private static void linear(
            WeightLoader loader,
            Scope scope,
            Map<String, PtNDArray> tensors,
            String prefix,
            String name,
            long in,
            long out) {
        loader.get(scope, tensors, prefix, name + ".weight", out, in);
        loader.get(scope, tensors, prefix, name + ".bias", out);
    }

    static String name(Activation activation) {
        switch (activation) {
            case GELU:
                return "gelu";
            case GELU_TANH:
                return "gelu_pytorch_tanh";
            case QUICK_GELU:
                return "quick_gelu";
            case SILU:
                return "silu";
            default:
                throw new AssertionError(activation);
        }
    }

    @Override
    public VisionConfig config() {
        return config;
    }

    /** The first token that is kept: 1 leaves out the class token. */
    static int first(VisionConfig config) {
        return config.tokens() - (config.selectPatches() ? config.patches() : config.tokens());
    }

    @Override
    public int tilesAtOnce() {
        return tilesAtOnce;
    }

    @Override
    public FloatTensor features(FloatTensor pixels) {
        int tiles = tiles(pixels);
        int first = first(config);
        try (Scope scope = new Scope()) {
            Scope.Output features = scope.output(tiles, config.tokens() - first, config.hiddenSize());
            scope.own(script.run("forward", tower, scope.of(scope.tensor(pixels)), scope.of(first), features.value()));
            return features.floats;
        }
    }

    /** Loads the whole tower for this one run. */
    @Override
    public Trace trace(FloatTensor pixels) {
        int tiles = tiles(pixels);
        int layers = config.numHiddenLayers();
        int tokens = config.tokens();
        int hidden = config.hiddenSize();
        try (Scope scope = new Scope();
                WeightLoader loader = new WeightLoader(weights, placement, threads)) {
            IValue whole = scope.own(load(loader, layers));
            IValue head = scope.of(poolingHead(loader, scope));
            Scope.Output states = scope.output(layers + 1, tiles, tokens, hidden);
            Scope.Output last = scope.output(tiles, tokens, hidden);
            Scope.Output pooled = scope.output(tiles, hidden);
            scope.own(script.run(
                    "trace",
                    whole,
                    head,
                    scope.of(scope.tensor(pixels)),
                    states.value(),
                    last.value(),
                    pooled.value()));
            List<FloatTensor> hiddenStates = new ArrayList<>();
            for (int i = 0; i <= layers; i++) {
                hiddenStates.add(states.floats.rows(i, i + 1).reshape(tiles, tokens, hidden));
            }
            return new Trace(hiddenStates, last.floats, pools() ? pooled.floats : null);
        }
    }

    private int tiles(FloatTensor pixels) {
        int[] shape = pixels.shape();
        int size = config.imageSize();
        if (shape.length != 4 || shape[0] < 1 || shape[1] != 3 || shape[2] != size || shape[3] != size) {
            throw new IllegalArgumentException("Pixels must have the shape [tiles, 3, " + size + ", " + size
                    + "] with at least one tile, not " + Arrays.toString(shape));
        }
        return shape[0];
    }

    @Override
    public synchronized void close() {
        script.close();
        values.close();
    }
}
