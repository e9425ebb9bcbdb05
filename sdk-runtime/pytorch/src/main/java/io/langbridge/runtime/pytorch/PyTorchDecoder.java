package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.Device;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Places;
import io.langbridge.runtime.core.network.DecoderConfig;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.network.Rope;
import io.langbridge.runtime.core.network.Rotary;
import io.langbridge.runtime.core.network.State;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** A decoder with its weights; {@code decoder.py} is what a session consists of. */
final class PyTorchDecoder implements DecoderNetwork {
    /** On a GPU a chunk this long takes little time, and shorter ones do not keep it busy. */
    private static final int CUDA_CHUNK = 2048;

    private final DecoderConfig config;
    /** Most positions of a prompt that run at a time. */
    final int prefillChunk;

    private final TorchNetwork network;
    /** What the layers keep between tokens. */
    private final List<State> states;

    private final List<Rotary> rotaries;
    /** How positions of several axes are shared among the frequencies; null if they have one. */
    private final Rope.@Nullable Sections sections;

    PyTorchDecoder(DecoderConfig config, Weights weights, EngineOptions options) {
        this.config = config;
        prefillChunk = options.device().kind() == Device.Kind.CUDA
                ? Math.max(CUDA_CHUNK, options.prefillChunk())
                : options.prefillChunk();
        Network text = config.network();
        Inventory inventory = Inventory.of(text);
        states = inventory.states();
        rotaries = inventory.rotaries();
        sections = Places.sections(rotaries);
        network = new TorchNetwork(text, weights, Map.of(), options);
    }

    @Override
    public DecoderConfig config() {
        return config;
    }

    @Override
    public FloatTensor embed(int... ids) {
        for (int id : ids) {
            DecoderNetwork.requireToken(id, config);
        }
        try (Scope scope = new Scope()) {
            Scope.Output embeddings = scope.output(ids.length, config.inputWidth());
            scope.own(network.run("embed", scope.of(scope.tensor(ids)), embeddings.value()));
            return embeddings.floats;
        }
    }

    /** Runs a method of the network; the caller closes the result. */
    IValue run(String method, IValue... arguments) {
        return network.run(method, arguments);
    }

    /** Makes the caches of so many sequences; the caller closes it. */
    IValue newCaches(int sequences, int capacity) {
        DecoderNetwork.requireCapacity(sequences, capacity, config);
        return newCaches(network, sequences, capacity);
    }

    private IValue newCaches(TorchNetwork decoder, int sequences, int capacity) {
        try (Scope scope = new Scope()) {
            return decoder.run(
                    "open",
                    scope.of(sizes(State.Keys.class, of -> LongStream.of(of.kvHeads(), of.headDim()))),
                    scope.of(sizes(State.Window.class, of -> LongStream.of(of.width(), of.rows()))),
                    scope.of(sizes(State.Matrix.class, of -> LongStream.of(of.heads(), of.keys(), of.values()))),
                    scope.of(sequences),
                    scope.of(capacity),
                    scope.of(sections != null),
                    rotaries(scope, rotaries));
        }
    }

    private <T extends State> long[] sizes(Class<T> kind, Function<T, LongStream> sizes) {
        return states.stream()
                .filter(kind::isInstance)
                .map(kind::cast)
                .flatMapToLong(sizes)
                .toArray();
    }

    /** Whether a sequence keeps something that cannot be cut. */
    boolean sumsUp() {
        return states.stream().anyMatch(state -> !(state instanceof State.Keys));
    }

    /** Fills the angles of a sequence; null if they are those of all positions. */
    @Nullable
    Places places(IValue cache, int capacity) {
        return places(network, cache, capacity);
    }

    private @Nullable Places places(TorchNetwork decoder, IValue cache, int capacity) {
        if (sections == null) {
            return null;
        }
        int frequencies = rotaries.get(0).width() / 2;
        return new Places(sections, frequencies, capacity, (first, positions) -> {
            try (Scope scope = new Scope()) {
                float[] values = new float[positions.length];
                for (int i = 0; i < values.length; i++) {
                    values[i] = positions[i];
                }
                FloatTensor places = FloatTensor.of(values, values.length / frequencies, frequencies);
                scope.own(decoder.run(
                        "place", cache, scope.of(first), scope.of(scope.tensor(places)), rotaries(scope, rotaries)));
            }
        });
    }

    /** Where the angles of a sequence begin. */
    int firstAngle(int sequence, int capacity) {
        return sections == null ? 0 : sequence * capacity;
    }

    /** Each way of rotating that a decoder has, as {@code rotation} of {@code decoder.py} takes it. */
    static IValue rotaries(Scope scope, List<Rotary> rotaries) {
        return scope.of(rotaries.stream()
                .map(PyTorchDecoder::numbers)
                .map(numbers -> scope.tensor(FloatTensor.of(numbers, numbers.length)))
                .toArray(PtNDArray[]::new));
    }

    private static float[] numbers(Rotary rotary) {
        float[] frequencies = rotary.inverseFrequencies();
        float[] numbers = Arrays.copyOf(frequencies, frequencies.length + 3);
        Rotary.Growth growth = rotary.growth();
        numbers[frequencies.length] = (float) rotary.rope().attentionFactor();
        numbers[frequencies.length + 1] = growth == null ? 0 : (float) growth.beta();
        numbers[frequencies.length + 2] = growth == null ? 1 : growth.length();
        return numbers;
    }

    @Override
    public DecoderSession open(int capacity) {
        try (Scope scope = new Scope()) {
            return new PyTorchDecoderSession(this, scope.own(newCaches(1, capacity)), 0, capacity);
        }
    }

    @Override
    public DecoderBatch open(int sequences, int capacity) {
        return new PyTorchDecoderBatch(this, sequences, capacity);
    }

    @Override
    public Trace trace(FloatTensor inputsEmbeds, int @Nullable [][] positions, int @Nullable [] ahead) {
        int tokens = DecoderNetwork.tokens(inputsEmbeds, config);
        return network.trace((names, traced) -> {
            try (Scope scope = new Scope()) {
                IValue inputs = scope.of(scope.tensor(inputsEmbeds));
                IValue caches = scope.own(newCaches(traced, 1, tokens));
                IValue cache = scope.own(traced.run("sequence", caches, scope.of(0)));
                Places places = places(traced, cache, tokens);
                if (places != null && positions != null) {
                    places.place(0, positions);
                }
                IValue seen = scope.of(scope.tensor(ahead == null ? new int[0] : ahead));
                List<FloatTensor> results = scope.allFloats(scope.own(traced.run("trace_prompt", cache, inputs, seen)));
                return new Trace(results.subList(3, results.size()), results.get(0), results.get(1), results.get(2));
            }
        });
    }

    @Override
    public void close() {
        network.close();
    }
}
