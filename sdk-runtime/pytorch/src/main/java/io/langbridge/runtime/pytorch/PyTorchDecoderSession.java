package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.jni.IValue;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.KeptSession;
import io.langbridge.runtime.core.engine.Places;
import io.langbridge.runtime.core.generate.Sampler;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A sequence, with its cache on the device that the network updates in place. The methods are synchronized only so that
 * closing from another thread waits for what runs.
 */
final class PyTorchDecoderSession extends KeptSession<IValue> {
    private final PyTorchDecoder network;
    private final Scope scope = new Scope();
    private final IValue cache;
    /** Where positions have several axes; otherwise null. */
    private final @Nullable Places places;

    private final FloatTensor logits;
    private final IValue logitsValue;

    /** @param index which of the sequences of {@code caches} it is */
    PyTorchDecoderSession(PyTorchDecoder network, IValue caches, int index, int capacity) {
        super(capacity, network.prefillChunk, network.sumsUp(), network.config().opensPictures());
        this.network = network;
        try (Scope call = new Scope()) {
            cache = scope.own(network.run("sequence", caches, call.of(index)));
        }
        places = network.places(cache, capacity);
        Scope.Output output = scope.output(network.config().vocabSize());
        logits = output.floats;
        logitsValue = output.value();
    }

    @Override
    protected @Nullable Places places() {
        return places;
    }

    /** How many behind them the next tokens see, {@code [tokens]}; empty if none does. */
    private IValue seen(Scope call, int tokens) {
        int[] seen = seenAhead(tokens);
        if (seen == null || Arrays.stream(seen).allMatch(count -> count == 0)) {
            seen = new int[0];
        }
        return call.of(call.tensor(seen));
    }

    /** Makes room for so many more tokens. */
    private void makeRoom(int tokens) {
        requireRoom(tokens);
        reach(tokens);
    }

    @Override
    protected IValue copied(@Nullable IValue old) {
        if (old != null) {
            old.close();
        }
        return network.run("copied", cache);
    }

    @Override
    protected void restore(IValue copy) {
        try (Scope call = new Scope()) {
            call.own(network.run("restore", cache, copy));
        }
    }

    @Override
    protected void clear() {
        try (Scope call = new Scope()) {
            call.own(network.run("clear", cache));
        }
    }

    @Override
    protected void copy(KeptSession<IValue> other, int first, int end) {
        try (Scope call = new Scope()) {
            IValue from = ((PyTorchDecoderSession) other).cache;
            call.own(network.run("take_over", cache, from, call.of(first), call.of(end)));
        }
    }

    @Override
    protected void free(IValue copy) {
        copy.close();
    }

    @Override
    public synchronized FloatBuffer prefill(FloatTensor inputsEmbeds) {
        int tokens = DecoderNetwork.tokens(inputsEmbeds, network.config());
        makeRoom(tokens);
        try (Scope call = new Scope()) {
            IValue inputs = call.of(call.tensor(inputsEmbeds));
            runBegins();
            IValue seen = seen(call, tokens);
            call.own(network.run("prefill", cache, inputs, seen, call.of(length()), logitsValue));
        }
        appended(tokens);
        return logits.data();
    }

    @Override
    public synchronized FloatBuffer step(int tokenId) {
        makeRoom(1);
        DecoderNetwork.requireToken(tokenId, network.config());
        try (Scope call = new Scope()) {
            runBegins();
            call.own(network.run("step", cache, call.of(tokenId), call.of(length()), logitsValue));
        }
        appended(1);
        return logits.data();
    }

    @Override
    public synchronized int prefill(FloatTensor inputsEmbeds, Sampler sampler) {
        if (sampler.needsScores()) {
            return sampler.next(prefill(inputsEmbeds));
        }
        int tokens = DecoderNetwork.tokens(inputsEmbeds, network.config());
        makeRoom(tokens);
        try (Scope call = new Scope()) {
            IValue inputs = call.of(call.tensor(inputsEmbeds));
            IValue seen = seen(call, tokens);
            return choose(sampler, call, "prefill_and_choose", List.of(inputs, seen), tokens);
        }
    }

    @Override
    public synchronized int step(int tokenId, Sampler sampler) {
        if (sampler.needsScores()) {
            return sampler.next(step(tokenId));
        }
        makeRoom(1);
        DecoderNetwork.requireToken(tokenId, network.config());
        try (Scope call = new Scope()) {
            return choose(sampler, call, "step_and_choose", List.of(call.of(tokenId)), 1);
        }
    }

    private int choose(Sampler sampler, Scope call, String method, List<IValue> inputs, int tokens) {
        int next = sampler.next((settings, seen, point) -> {
            IValue how = call.tuple(
                    call.of(settings.temperature()),
                    call.of(settings.topK()),
                    call.of(settings.topP()),
                    call.of(settings.minP()),
                    call.of(settings.repetitionPenalty()),
                    call.of(point));
            // Without a penalty nobody asks for them.
            int[] ids = settings.repetitionPenalty() == 1
                    ? new int[0]
                    : seen.stream().mapToInt(Integer::intValue).toArray();
            IValue seenIds = call.of(call.tensor(ids));
            runBegins();
            List<IValue> arguments = new ArrayList<>(List.of(cache));
            arguments.addAll(inputs);
            arguments.addAll(List.of(call.of(length()), how, seenIds, logitsValue));
            long id = call.own(network.run(method, arguments.toArray(new IValue[0])))
                    .toLong();
            if (id < 0) {
                throw Sampler.notNumbers(logits.data());
            }
            return (int) id;
        });
        appended(tokens);
        return next;
    }

    @Override
    public synchronized void close() {
        super.close();
        scope.close();
    }
}
