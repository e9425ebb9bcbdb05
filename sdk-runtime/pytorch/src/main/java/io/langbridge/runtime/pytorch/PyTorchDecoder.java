package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.Device;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.network.DecoderConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A decoder with its weights; {@code decoder.py} is the network. */
final class PyTorchDecoder implements DecoderNetwork {
    private static final String EMBED_TOKENS = "model.embed_tokens.weight";

    /** On a GPU a chunk this long takes little time, and shorter ones do not keep it busy. */
    private static final int CUDA_CHUNK = 2048;

    private final DecoderConfig config;
    /** Most positions of a prompt that run at a time. */
    final int prefillChunk;

    private final TorchScript script;
    private final Scope values = new Scope();
    /** All weights. */
    private final IValue model;

    PyTorchDecoder(DecoderConfig config, Weights weights, EngineOptions options) {
        check(config);
        this.config = config;
        prefillChunk = options.device().kind() == Device.Kind.CUDA
                ? Math.max(CUDA_CHUNK, options.prefillChunk())
                : options.prefillChunk();
        Placement placement = Placement.of(options, weights.get(EMBED_TOKENS, config.vocabSize(), config.hiddenSize()));
        script = new TorchScript(config.modelType() + " decoder", "decoder.py", "Decoder", options.threads());
        boolean complete = false;
        try (WeightLoader loader = new WeightLoader(weights, placement, options.threads())) {
            model = values.own(load(loader));
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    static void check(DecoderConfig config) {
        if (config.headDim() % 2 != 0) {
            throw new UnsupportedModelException("The " + config.modelType() + " decoder has head_dim "
                    + config.headDim() + "; rotation needs an even number");
        }
        if (config.numKeyValueHeads() < 1 || config.numAttentionHeads() % config.numKeyValueHeads() != 0) {
            throw new UnsupportedModelException("The " + config.modelType() + " decoder has "
                    + config.numAttentionHeads() + " attention heads, which " + config.numKeyValueHeads()
                    + " key-value heads do not divide");
        }
    }

    private IValue load(WeightLoader loader) {
        try (Scope scope = new Scope()) {
            IValue shape = scope.own(script.run(
                    "config",
                    scope.of(config.numAttentionHeads()),
                    scope.of(config.numKeyValueHeads()),
                    scope.of(config.headDim()),
                    scope.of(config.rmsNormEps()),
                    scope.of(config.slidingWindow())));
            IValue[] layers = new IValue[config.numHiddenLayers()];
            for (int i = 0; i < layers.length; i++) {
                // What was fused is freed before the next layer is read.
                try (Scope layer = new Scope()) {
                    boolean sliding = isSliding(config, i);
                    Map<String, PtNDArray> tensors = layer(config, loader, layer, i);
                    layers[i] = scope.own(script.run("layer", shape, layer.of(sliding), layer.of(tensors)));
                }
            }
            return script.run("model", shape, scope.of(layers), scope.of(rest(config, loader, scope)));
        }
    }

    /** What does not belong to a layer, by the names in the checkpoint. */
    static Map<String, PtNDArray> rest(DecoderConfig config, WeightLoader loader, Scope scope) {
        Map<String, PtNDArray> tensors = new LinkedHashMap<>();
        loader.get(scope, tensors, "", EMBED_TOKENS, config.vocabSize(), config.hiddenSize());
        loader.get(scope, tensors, "", "model.norm.weight", config.hiddenSize());
        if (!config.tieWordEmbeddings()) {
            loader.get(scope, tensors, "", "lm_head.weight", config.vocabSize(), config.hiddenSize());
        }
        return tensors;
    }

    static boolean isSliding(DecoderConfig config, int layer) {
        return config.slidingWindow() > 0 && config.slidingLayer()[layer];
    }

    /** A layer, by the names after its prefix. */
    static Map<String, PtNDArray> layer(DecoderConfig config, WeightLoader loader, Scope scope, int index) {
        String prefix = "model.layers." + index + ".";
        Map<String, PtNDArray> tensors = new LinkedHashMap<>();
        long hidden = config.hiddenSize();
        long intermediate = config.intermediateSize();
        long queries = (long) config.numAttentionHeads() * config.headDim();
        long keys = (long) config.numKeyValueHeads() * config.headDim();
        loader.get(scope, tensors, prefix, "input_layernorm.weight", hidden);
        linear(loader, scope, tensors, prefix, "self_attn.q_proj", hidden, queries, config.qkvBias());
        linear(loader, scope, tensors, prefix, "self_attn.k_proj", hidden, keys, config.qkvBias());
        linear(loader, scope, tensors, prefix, "self_attn.v_proj", hidden, keys, config.qkvBias());
        linear(loader, scope, tensors, prefix, "self_attn.o_proj", queries, hidden, config.outputBias());
        if (config.qkNorm()) {
            loader.get(scope, tensors, prefix, "self_attn.q_norm.weight", config.headDim());
            loader.get(scope, tensors, prefix, "self_attn.k_norm.weight", config.headDim());
        }
        loader.get(scope, tensors, prefix, "post_attention_layernorm.weight", hidden);
        linear(loader, scope, tensors, prefix, "mlp.gate_proj", hidden, intermediate, config.mlpBias());
        linear(loader, scope, tensors, prefix, "mlp.up_proj", hidden, intermediate, config.mlpBias());
        linear(loader, scope, tensors, prefix, "mlp.down_proj", intermediate, hidden, config.mlpBias());
        return tensors;
    }

    private static void linear(
            WeightLoader loader,
            Scope scope,
            Map<String, PtNDArray> tensors,
            String prefix,
            String name,
            long in,
            long out,
            boolean bias) {
        loader.get(scope, tensors, prefix, name + ".weight", out, in);
        if (bias) {
            loader.get(scope, tensors, prefix, name + ".bias", out);
        }
    }

    @Override
    public DecoderConfig config() {
        return config;
    }

    @Override
    public FloatTensor embed(int... ids) {
        for (int id : ids) {
            requireToken(id);
        }
        try (Scope scope = new Scope()) {
            Scope.Output embeddings = scope.output(ids.length, config.hiddenSize());
            scope.own(script.run("embed", model, scope.of(scope.tensor(ids)), embeddings.value()));
            return embeddings.floats;
        }
    }

    void requireToken(int id) {
        if (id < 0 || id >= config.vocabSize()) {
            throw new IndexOutOfBoundsException(
                    "Token id " + id + " is not in the vocabulary of " + config.vocabSize() + " entries");
        }
    }

    /** Runs a method of the network; the caller closes the result. */
    IValue run(String method, IValue... afterModel) {
        IValue[] arguments = new IValue[afterModel.length + 1];
        arguments[0] = model;
        System.arraycopy(afterModel, 0, arguments, 1, afterModel.length);
        return script.run(method, arguments);
    }

    /** Makes a cache; the caller closes it. */
    IValue newCache(int capacity) {
        if (capacity < 1 || capacity > config.maxPositionEmbeddings()) {
            throw new IllegalArgumentException("capacity must be 1 to " + config.maxPositionEmbeddings()
                    + " (max_position_embeddings), not " + capacity);
        }
        float[] frequencies = config.rope().inverseFrequencies(config.headDim());
        try (Scope scope = new Scope()) {
            PtNDArray tensor = scope.tensor(FloatTensor.of(frequencies, frequencies.length));
            return run("open", scope.of(capacity), scope.of(tensor));
        }
    }

    @Override
    public DecoderSession open(int capacity) {
        return new PyTorchDecoderSession(this, capacity);
    }

    @Override
    public Trace trace(FloatTensor inputsEmbeds) {
        int tokens = PyTorchDecoderSession.tokens(inputsEmbeds, config.hiddenSize());
        int layers = config.numHiddenLayers();
        try (Scope scope = new Scope()) {
            IValue cache = scope.own(newCache(tokens));
            Scope.Output states = scope.output(layers + 1, tokens, config.hiddenSize());
            Scope.Output logits = scope.output(tokens, config.vocabSize());
            Scope.Output keys = scope.output(layers, config.numKeyValueHeads(), tokens, config.headDim());
            Scope.Output cachedValues = scope.output(layers, config.numKeyValueHeads(), tokens, config.headDim());
            scope.own(run(
                    "trace",
                    cache,
                    scope.of(scope.tensor(inputsEmbeds)),
                    states.value(),
                    logits.value(),
                    keys.value(),
                    cachedValues.value()));
            List<FloatTensor> hiddenStates = new ArrayList<>();
            for (int i = 0; i <= layers; i++) {
                hiddenStates.add(states.floats.rows(i, i + 1).reshape(tokens, config.hiddenSize()));
            }
            return new Trace(hiddenStates, logits.floats, keys.floats, cachedValues.floats);
        }
    }

    @Override
    public synchronized void close() {
        script.close();
        values.close();
    }
}
