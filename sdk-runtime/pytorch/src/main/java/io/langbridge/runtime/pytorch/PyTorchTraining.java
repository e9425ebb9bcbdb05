package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.UnsupportedModelException;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.AdapterConfig;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.network.Projector;
import io.langbridge.runtime.core.network.VisionConfig;
import io.langbridge.runtime.core.network.Vit;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.pytorch.TorchScriptArchive.Source;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
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
    /** In place of one that is not there. */
    private static final Network NONE = new Network("none", net -> net.embedded(new Net.Table("none", 1, 1, 1)));

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
        SECOND_MOMENT("second_moment"),
        /** Its running mean, see {@link PyTorchTraining#average}; its value where there was none yet. */
        AVERAGE("average");

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
        if (networks.llm != null && networks.llm.secondTable() != null && networks.trainLlm) {
            throw new UnsupportedModelException("A language model of the kind " + networks.llm.modelType()
                    + " has a second table of embeddings, larger than all else, which is not trained; train the adapter"
                    + " alone");
        }
        this.networks = networks;
        this.weightDecay = weightDecay;
        this.muon = muon;
        VisionConfig encoder = networks.encoder;
        AdapterConfig adapter = networks.adapter;
        DecoderConfig llm = networks.llm;
        Network encoderText = encoder == null ? NONE : Vit.network(encoder, false);
        Network llmText = llm == null ? NONE : llm.network();
        TorchNet encoderNet = TorchNet.of(encoderText);
        TorchNet adapterNet = TorchNet.of(adapter == null ? NONE : run(adapter, llm));
        TorchNet llmNet = TorchNet.of(llmText);
        Weights any = Objects.requireNonNull(llm == null ? networks.encoderWeights : networks.llmWeights);
        String example =
                (llm == null ? encoderNet : llmNet).slots().get(0).tensors().get(0);
        Placement frozen = Placement.of(options, any.get(example));
        Placement trained = new Placement(frozen.device(), ScalarType.FLOAT);
        Map<String, Source> parts =
                Map.of("vision", encoderNet.source(), "adapter", adapterNet.source(), "decoder", llmNet.source());
        script = new TorchScript("training", Source.of("training.py", "Training"), parts, options.threads());
        boolean complete = false;
        try (Scope scope = new Scope();
                WeightLoader like = new WeightLoader(any, frozen, options.threads())) {
            scope.own(script.run(
                    "start",
                    scope.of(like.upload(scope, FloatTensor.allocate(1))),
                    scope.of(adapter instanceof AdapterConfig.LangBridge langBridge && langBridge.softmax()),
                    PyTorchDecoder.rotaries(
                            scope,
                            llm == null ? List.of() : Inventory.of(llmText).rotaries()),
                    scope.of(like.upload(scope, besideVisualTokens(llm, networks.llmWeights)))));
            if (adapter != null) {
                addEmpty(Inventory.of(Projector.network(adapter, width(llm))).tensors());
                if (networks.imageNewline) {
                    addEmpty(Map.of("image_newline", new long[] {width(llm)}));
                }
                addSlots(Part.ADAPTER, adapterNet);
            }
            if (networks.llmWeights != null && networks.trainLlm) {
                addParameters(Part.LLM, llmText, llmNet, networks.llmWeights, trained, options);
            } else if (networks.llmWeights != null) {
                addFrozen(llmText, llmNet, networks.llmWeights, frozen, options);
            }
            if (networks.encoderWeights != null) {
                addParameters(Part.ENCODER, encoderText, encoderNet, networks.encoderWeights, trained, options);
            }
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

    /** The adapter as it is run: of LangBridge without a softmax what a fold gives. */
    private static Network run(AdapterConfig adapter, @Nullable DecoderConfig llm) {
        boolean folds = adapter instanceof AdapterConfig.LangBridge langBridge && !langBridge.softmax();
        AdapterConfig config = folds
                ? new AdapterConfig.Mlp(
                        adapter.mmHiddenSize(),
                        ((AdapterConfig.LangBridge) adapter).mlpHiddenSize(),
                        width(llm),
                        2,
                        true)
                : adapter;
        return Projector.network(config, width(llm));
    }

    /** The language model's; others have one of their own. */
    private static int width(@Nullable DecoderConfig llm) {
        return llm == null ? 0 : llm.hiddenSize();
    }

    /** What stands beside them, {@code [1, width]}; the width may be 0. */
    private static FloatTensor besideVisualTokens(@Nullable DecoderConfig llm, @Nullable Weights weights) {
        Net.Table second = llm == null ? null : llm.secondTable();
        if (llm == null || weights == null || second == null) {
            return FloatTensor.allocate(1, 0);
        }
        FloatTensor beside = FloatTensor.allocate(1, second.width());
        StoredTensor rows = Objects.requireNonNull(llm.secondEmbeddings(weights));
        rows.read((long) llm.padTokenId() * second.width(), beside.data());
        return beside;
    }

    private void addEmpty(Map<String, long[]> shapes) {
        FloatTensor train = FloatTensor.of(new float[] {networks.trainAdapter ? 1 : 0}, 1);
        shapes.forEach((name, shape) -> {
            Parameter parameter = new Parameter(Part.ADAPTER, name, shape);
            parameters.add(parameter);
            try (Scope call = new Scope()) {
                PtNDArray sizes = call.tensor(
                        Arrays.stream(shape).mapToInt(Math::toIntExact).toArray());
                sizes.setName("shapes." + parameter.key());
                script.differentiate(call, "add_empty_parameters", sizes, call.tensor(train));
            }
        });
    }

    private void addParameters(
            Part part, Network text, TorchNet net, Weights weights, Placement placement, EngineOptions options) {
        try (WeightLoader loader = new WeightLoader(weights, placement, options.threads())) {
            Inventory.of(text).tensors().forEach((name, shape) -> {
                Parameter parameter = new Parameter(part, name, shape);
                parameters.add(parameter);
                try (Scope scope = new Scope()) {
                    PtNDArray tensor = loader.get(scope, name, shape);
                    tensor.setName("w." + parameter.key());
                    script.differentiate(scope, "add_parameters", tensor);
                }
            });
        }
        addSlots(part, net);
    }

    private void addSlots(Part part, TorchNet net) {
        for (Slot slot : net.slots()) {
            try (Scope scope = new Scope()) {
                scope.own(script.run(
                        "add_slot",
                        scope.of(part.name().toLowerCase(Locale.ROOT)),
                        scope.of(slot.tensors().stream()
                                .map(name -> part.prefix + name)
                                .toList()),
                        TorchNetwork.repeats(scope, slot),
                        scope.of(slot.access() == Slot.Access.WHOLE)));
            }
        }
    }

    private void addFrozen(Network text, TorchNet net, Weights weights, Placement placement, EngineOptions options) {
        Map<String, long[]> shapes = Inventory.of(text).tensors();
        try (WeightLoader loader = new WeightLoader(weights, placement, options.threads())) {
            for (Slot slot : net.slots()) {
                try (Scope scope = new Scope()) {
                    PtNDArray[] arguments = new PtNDArray[slot.tensors().size() + 1];
                    for (int i = 0; i < slot.tensors().size(); i++) {
                        String name = slot.tensors().get(i);
                        long[] shape = Objects.requireNonNull(shapes.get(name));
                        arguments[i] = slot.access() == Slot.Access.SELDOM
                                ? loader.stored(scope, name, shape)
                                : loader.get(scope, name, shape);
                        arguments[i].setName("w." + i);
                    }
                    arguments[slot.tensors().size()] = scope.tensor(
                            slot.repeats().stream().mapToInt(Integer::intValue).toArray());
                    script.differentiate(scope, "add_frozen_slot", arguments);
                }
            }
        }
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

    /**
     * Moves the running mean of every parameter towards its value.
     *
     * @param share how far, 0 to 1; with 1 the mean begins
     */
    public void average(double share) {
        try (Scope scope = new Scope()) {
            scope.own(script.run("average", scope.of(share)));
        }
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
