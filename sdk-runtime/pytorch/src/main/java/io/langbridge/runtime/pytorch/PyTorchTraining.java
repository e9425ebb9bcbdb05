package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.pytorch.TorchScriptArchive.Source;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The networks with gradients, and AdamW; {@code training.py} puts together the texts that the engine runs. Adapter,
 * language model and encoder are trained if asked for. What is trained is float32 everywhere; networks compute as the
 * engine does, in float32 on the CPU and in bfloat16 on CUDA, losses in float32.
 *
 * <p>Between two updates {@link #accumulate} adds up gradients; nothing is kept of a batch but its share in them. On
 * the CPU and with the same number of threads, equal calls give equal bits.
 *
 * <p>Not thread-safe. Whoever made it closes it; the weights must stay open as long.
 *
 * @since 0.1
 */
public final class PyTorchTraining implements AutoCloseable {
    private static final Map<String, Source> NETWORKS = Map.of(
            "vision", new Source("vision.py", "Vision"),
            "adapter", new Source("adapter.py", "Adapter"),
            "decoder", new Source("decoder.py", "Decoder"));

    private final TorchScript script;
    private final Networks networks;
    private final List<Parameter> parameters = new ArrayList<>();
    private final double weightDecay;
    private final boolean muon;
    private boolean stale = true;
    private int updates;

    /**
     * What is trained, and with what. Without a language model an encoder learns to label patches: the adapter, a
     * linear one, gives a logit for each label. Without an adapter a language model learns from text.
     *
     * @param adapter its weights begin as zeros, see {@link #write}; null for text alone
     * @param vocabulary ids of the shared tokens, for LangBridge adapters and only for them. The vocabulary matrix is
     *     made of their rows of {@code embed_tokens}, which change if the language model is trained
     * @param imageNewline whether there is a vector that ends the rows of a grid of tiles, trained with the adapter
     * @param trainAdapter otherwise it stays as it was written
     * @param llm null to label patches
     * @param llmWeights named as the engine asks for them; null where {@code llm} is
     * @param trainLlm whether all of the language model is trained, its embeddings too
     * @param encoder null if it is not trained: batches then bring features
     * @param encoderWeights null where {@code encoder} is
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Networks(
            @Nullable AdapterConfig adapter,
            int @Nullable [] vocabulary,
            boolean imageNewline,
            boolean trainAdapter,
            @Nullable DecoderConfig llm,
            @Nullable Weights llmWeights,
            boolean trainLlm,
            @Nullable VisionConfig encoder,
            @Nullable Weights encoderWeights) {}

    /** A part that has a learning rate of its own. */
    public enum Part {
        /** The adapter. */
        ADAPTER("adapter."),
        /** The language model. */
        LLM("llm."),
        /** The vision encoder. */
        ENCODER("encoder.");

        private final String prefix;

        Part(String prefix) {
            this.prefix = prefix;
        }
    }

    /** What is kept for every parameter. */
    public enum Kind {
        /** Its value. */
        PARAMETER("parameter"),
        /** The gradient since the last update. */
        GRADIENT("gradient"),
        /** AdamW's running mean of the gradient. */
        FIRST_MOMENT("first_moment"),
        /** AdamW's running mean of its square. */
        SECOND_MOMENT("second_moment");

        private final String key;

        Kind(String key) {
            this.key = key;
        }
    }

    /**
     * A trained tensor.
     *
     * @param part the network it belongs to
     * @param name as the engine asks for it
     * @param shape sizes of its dimensions
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Parameter(Part part, String name, long[] shape) {
        /** Number of values. */
        public long elements() {
            long count = 1;
            for (long size : shape) {
                count = Math.multiplyExact(count, size);
            }
            return count;
        }

        /** Its name with the part's in front, which no other has. */
        public String key() {
            return part.prefix + name;
        }
    }

    /**
     * Sequences one after the other, none of which sees the others.
     *
     * @param pictures all tiles of all pictures, in order: features {@code [tiles, patches, mm_hidden]}, or pixels
     *     {@code [tiles, 3, image_size, image_size]} if the encoder is trained; null if there is no picture
     * @param sources for each visual token which row of the adapter's output it is, {@code tile * patches + patch}; the
     *     number of rows stands for the newline
     * @param places for each visual token its position in {@code ids}
     * @param ids of all sequences; any valid id where a visual token is
     * @param lengths of the sequences, which add up to that of {@code ids}
     * @param answers positions whose next token is learnt, at least one; without a language model patches whose label
     *     is learnt, {@code tile * patches + patch}
     * @param labels for each of them the token or label
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Batch(
            @Nullable FloatTensor pictures,
            int[] sources,
            int[] places,
            int[] ids,
            int[] lengths,
            int[] answers,
            int[] labels) {}

    /**
     * Loads the networks.
     *
     * @param weightDecay on matrices; 0 for none
     * @param muon whether the matrices in layers are updated by Muon; all else is by AdamW
     * @throws io.langbridge.CheckpointException if a tensor is missing or has another shape
     * @throws io.langbridge.InsufficientMemoryException if PyTorch runs out of memory
     * @throws io.langbridge.RuntimeUnavailableException if PyTorch's natives or the device are missing
     */
    public PyTorchTraining(Networks networks, double weightDecay, boolean muon, EngineOptions options) {
        if (networks.llm != null) {
            PyTorchDecoder.check(networks.llm);
        }
        if ((networks.adapter instanceof AdapterConfig.LangBridge) != (networks.vocabulary != null)) {
            throw new IllegalArgumentException("A shared vocabulary belongs to a LangBridge adapter and to no other");
        }
        if ((networks.encoder == null) != (networks.encoderWeights == null)) {
            throw new IllegalArgumentException("An encoder and its weights belong together");
        }
        if ((networks.llm == null) != (networks.llmWeights == null)) {
            throw new IllegalArgumentException("A language model and its weights belong together");
        }
        if (networks.llm == null && (networks.encoder == null || !(networks.adapter instanceof AdapterConfig.Linear))) {
            throw new IllegalArgumentException("Labels of patches need an encoder and a linear adapter");
        }
        this.networks = networks;
        this.weightDecay = weightDecay;
        this.muon = muon;
        Weights any = Objects.requireNonNull(networks.llm == null ? networks.encoderWeights : networks.llmWeights);
        Placement frozen = Placement.of(
                options, any.get(networks.llm == null ? PyTorchVision.PATCH_EMBEDDING : "model.embed_tokens.weight"));
        Placement trained = new Placement(frozen.device(), ScalarType.FLOAT);
        script = new TorchScript("training", new Source("training.py", "Training"), NETWORKS, options.threads());
        boolean complete = false;
        try (Scope scope = new Scope();
                WeightLoader like = new WeightLoader(any, frozen, options.threads())) {
            start(scope, like.upload(scope, FloatTensor.allocate(1), frozen.type()));
            addAdapter();
            if (networks.llm != null && networks.llmWeights != null) {
                Placement placement = networks.trainLlm ? trained : frozen;
                try (WeightLoader loader = new WeightLoader(networks.llmWeights, placement, options.threads())) {
                    addLlm(networks.llm, loader);
                }
            }
            if (networks.encoder != null && networks.encoderWeights != null) {
                try (WeightLoader loader = new WeightLoader(networks.encoderWeights, trained, options.threads())) {
                    addEncoder(networks.encoder, loader);
                }
            }
            scope.own(script.run("arrange"));
            if (networks.vocabulary != null) {
                script.differentiate(scope, "add_vocabulary", scope.tensor(networks.vocabulary));
            }
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private void start(Scope scope, PtNDArray like) {
        DecoderConfig llm = networks.llm;
        boolean[] sliding = new boolean[llm == null ? 0 : llm.numHiddenLayers()];
        for (int i = 0; llm != null && i < sliding.length; i++) {
            sliding[i] = PyTorchDecoder.isSliding(llm, i);
        }
        float[] frequencies = llm == null ? new float[1] : llm.rope().inverseFrequencies(llm.headDim());
        VisionConfig encoder = networks.encoder;
        scope.own(script.run(
                "start",
                scope.of(like),
                scope.of(networks.adapter instanceof AdapterConfig.LangBridge langBridge && langBridge.softmax()),
                scope.of(llm == null ? 1 : llm.numAttentionHeads()),
                scope.of(llm == null ? 1 : llm.numKeyValueHeads()),
                scope.of(llm == null ? 1 : llm.headDim()),
                scope.of(llm == null ? 1.0 : llm.rmsNormEps()),
                scope.of(llm == null ? 0 : llm.slidingWindow()),
                scope.of(sliding),
                scope.of(scope.tensor(FloatTensor.of(frequencies, frequencies.length))),
                scope.of(encoder == null ? 0 : PyTorchVision.first(encoder))));
        if (encoder != null) {
            scope.own(script.run(
                    "train_encoder",
                    scope.of(encoder.kind() == VisionConfig.Kind.CLIP),
                    scope.of(encoder.numAttentionHeads()),
                    scope.of(encoder.patchSize()),
                    scope.of(PyTorchVision.name(encoder.hiddenAct())),
                    scope.of(encoder.layerNormEps())));
        }
    }

    private void addAdapter() {
        AdapterConfig adapter = networks.adapter;
        if (adapter == null) {
            return;
        }
        Map<String, long[]> shapes = new LinkedHashMap<>();
        long features = adapter.mmHiddenSize();
        if (adapter instanceof AdapterConfig.LangBridge c) {
            linear(shapes, "0.", features, c.mlpHiddenSize(), true);
            linear(shapes, "2.", c.mlpHiddenSize(), c.mlpHiddenSize(), true);
            linear(shapes, "3.", c.mlpHiddenSize(), c.mmVocabSize(), true);
        } else if (adapter instanceof AdapterConfig.Mlp c) {
            for (int i = 0; i < c.depth(); i++) {
                linear(shapes, 2 * i + ".", i == 0 ? features : c.mlpHiddenSize(), c.width(i), c.bias());
            }
        } else if (adapter instanceof AdapterConfig.Linear c) {
            linear(shapes, "", features, c.llmHiddenSize(), true);
        }
        if (networks.imageNewline) {
            shapes.put(
                    "image_newline",
                    new long[] {Objects.requireNonNull(networks.llm).hiddenSize()});
        }
        FloatTensor train = FloatTensor.of(new float[] {networks.trainAdapter ? 1 : 0}, 1);
        shapes.forEach((name, shape) -> {
            Parameter parameter = new Parameter(Part.ADAPTER, name, shape);
            parameters.add(parameter);
            int[] sizes = new int[shape.length];
            for (int i = 0; i < sizes.length; i++) {
                sizes[i] = Math.toIntExact(shape[i]);
            }
            try (Scope call = new Scope()) {
                PtNDArray tensor = call.tensor(sizes);
                tensor.setName("shapes." + parameter.key());
                script.differentiate(call, "add_empty_parameters", tensor, call.tensor(train));
            }
        });
    }

    private static void linear(Map<String, long[]> shapes, String prefix, long in, long out, boolean bias) {
        shapes.put(prefix + "weight", new long[] {out, in});
        if (bias) {
            shapes.put(prefix + "bias", new long[] {out});
        }
    }

    private void addLlm(DecoderConfig llm, WeightLoader loader) {
        for (int i = 0; i < llm.numHiddenLayers(); i++) {
            try (Scope layer = new Scope()) {
                Map<String, PtNDArray> tensors = PyTorchDecoder.layer(llm, loader, layer, i);
                if (networks.trainLlm) {
                    addParameters(layer, Part.LLM, "model.layers." + i + ".", tensors);
                } else {
                    script.differentiate(layer, "add_frozen_layer", dictionary(tensors));
                }
            }
        }
        try (Scope scope = new Scope()) {
            Map<String, PtNDArray> tensors = PyTorchDecoder.rest(llm, loader, scope);
            if (networks.trainLlm) {
                addParameters(scope, Part.LLM, "", tensors);
            } else {
                script.differentiate(scope, "add_frozen_rest", dictionary(tensors));
            }
        }
    }

    private void addEncoder(VisionConfig config, WeightLoader loader) {
        for (int i = 0; i < config.layersToRun(); i++) {
            try (Scope layer = new Scope()) {
                Map<String, PtNDArray> tensors = PyTorchVision.layer(config, loader, layer, i);
                addParameters(layer, Part.ENCODER, "encoder.layers." + i + ".", tensors);
            }
        }
        try (Scope scope = new Scope()) {
            addParameters(scope, Part.ENCODER, "", PyTorchVision.rest(config, loader, scope));
        }
    }

    /** One by one, because the order within a dictionary is not kept. */
    private void addParameters(Scope scope, Part part, String prefix, Map<String, PtNDArray> tensors) {
        tensors.forEach((name, tensor) -> {
            Parameter parameter =
                    new Parameter(part, prefix + name, tensor.getShape().getShape());
            parameters.add(parameter);
            tensor.setName("w." + parameter.key());
            script.differentiate(scope, "add_parameters", tensor);
        });
    }

    private static PtNDArray[] dictionary(Map<String, PtNDArray> tensors) {
        tensors.forEach((name, tensor) -> tensor.setName("w." + name));
        return tensors.values().toArray(new PtNDArray[0]);
    }

    /** {@return all that is trained, in a fixed order} */
    public List<Parameter> parameters() {
        return Collections.unmodifiableList(parameters);
    }

    /**
     * Adds the gradients of {@code factor} times the sum of losses.
     *
     * @param factor usually one over the number of learnt tokens between two updates
     * @return the sum over the batch's answers of the negative logarithm of the probability of their token
     */
    public double accumulate(Batch batch, double factor) {
        try (Scope scope = new Scope()) {
            fold();
            PtNDArray[] inputs = inputs(scope, batch, 8);
            inputs[7] = scope.tensor(FloatTensor.of(new float[] {(float) factor}, 1));
            return script.differentiate(scope, "accumulate", inputs).toFloatArray()[0];
        }
    }

    /** {@return the sum of losses as {@link #accumulate} gives it; changes nothing} */
    public double evaluate(Batch batch) {
        try (Scope scope = new Scope()) {
            fold();
            PtNDArray[] inputs = inputs(scope, batch, 7);
            IValue[] values = new IValue[inputs.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = scope.of(inputs[i]);
            }
            return scope.own(script.run("evaluate", values)).toDouble();
        }
    }

    private PtNDArray[] inputs(Scope scope, Batch batch, int count) {
        if (batch.answers.length == 0 || batch.answers.length != batch.labels.length) {
            throw new IllegalArgumentException("A batch needs answers, and as many labels: " + batch.answers.length
                    + " and " + batch.labels.length);
        }
        PtNDArray[] inputs = new PtNDArray[count];
        inputs[0] = scope.tensor(pictures(batch));
        inputs[1] = scope.tensor(batch.sources);
        inputs[2] = scope.tensor(batch.places);
        inputs[3] = scope.tensor(batch.ids);
        inputs[4] = scope.tensor(batch.lengths);
        inputs[5] = scope.tensor(batch.answers);
        inputs[6] = scope.tensor(batch.labels);
        return inputs;
    }

    private FloatTensor pictures(Batch batch) {
        FloatTensor pictures = batch.pictures;
        if (pictures == null) {
            return FloatTensor.allocate(1);
        }
        return networks.encoder != null
                ? pictures
                : pictures.reshape(pictures.size(0) * pictures.size(1), pictures.size(2));
    }

    /** Makes the folded layers anew if the parameters have changed. */
    private void fold() {
        if (stale) {
            call("fold");
            stale = false;
        }
    }

    private void call(String method) {
        try (Scope scope = new Scope()) {
            script.differentiate(scope, method);
        }
    }

    private void unfold() {
        call("unfold");
        // The way back from the folded layers can be gone once only.
        stale = true;
    }

    /** {@return the L2 norm over all gradients since the last update} */
    public double gradientNorm() {
        unfold();
        try (Scope scope = new Scope()) {
            return scope.own(script.run("gradient_norm")).toDouble();
        }
    }

    /**
     * One step of AdamW with beta 0.9 and 0.999 and epsilon 1e-8, PyTorch's and the published ones, or where it was
     * asked for of Muon; then there are no gradients.
     *
     * @param learningRates of the trained parts
     * @param factor on all gradients, to clip them
     */
    public void update(Map<Part, Double> learningRates, double factor) {
        unfold();
        updates++;
        for (Part part : Part.values()) {
            if (parameters.stream().anyMatch(parameter -> parameter.part == part)) {
                double rate = Objects.requireNonNull(learningRates.get(part), () -> "No learning rate for " + part);
                try (Scope scope = new Scope()) {
                    scope.own(script.run(
                            "update",
                            scope.of(part.prefix),
                            scope.of(rate),
                            scope.of(factor),
                            scope.of(updates),
                            scope.of(0.9),
                            scope.of(0.999),
                            scope.of(1e-8),
                            scope.of(weightDecay),
                            scope.of(muon)));
                }
            }
        }
        stale = true;
        discardGradients();
    }

    /** Forgets the gradients since the last update. */
    public void discardGradients() {
        try (Scope scope = new Scope()) {
            scope.own(script.run("discard_gradients"));
        }
    }

    /** {@return how many updates there were, which AdamW's moments depend on} */
    public int updates() {
        return updates;
    }

    /**
     * Goes on where another training stopped; its parameters and moments are written with {@link #write}.
     *
     * @param updates as {@link #updates()} gave it
     */
    public void continueAfter(int updates) {
        this.updates = updates;
    }

    /**
     * Copies values out.
     *
     * @param first index of the first value, in row order
     * @param target as many as it holds
     */
    public void read(Kind kind, Parameter parameter, long first, FloatTensor target) {
        if (kind == Kind.GRADIENT) {
            unfold();
        }
        try (Scope scope = new Scope()) {
            Scope.Output values = scope.output(target.count());
            scope.own(
                    script.run("read", scope.of(kind.key), scope.of(parameter.key()), scope.of(first), values.value()));
            target.data().put(values.floats.data());
        }
    }

    /**
     * Replaces values.
     *
     * @param first index of the first value, in row order
     */
    public void write(Kind kind, Parameter parameter, long first, FloatTensor source) {
        try (Scope scope = new Scope()) {
            PtNDArray values = scope.tensor(source.reshape(source.count()));
            scope.own(script.run(
                    "write", scope.of(kind.key), scope.of(parameter.key()), scope.of(first), scope.of(values)));
        }
        stale = true;
    }

    @Override
    public void close() {
        script.close();
    }
}
