package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.jni.IValue;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.engine.LookAhead;
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
final class PyTorchDecoderSession implements DecoderSession {
    private final PyTorchDecoder network;
    private final int capacity;
    private final Scope scope = new Scope();
    private final IValue cache;
    /** Where positions have several axes; otherwise null. */
    private final @Nullable Places places;

    /** Where tokens may see some behind them; otherwise null. */
    private final @Nullable LookAhead ahead;

    private final FloatTensor logits;
    private final IValue logitsValue;

    /** In the order of their positions; only where something cannot be cut. */
    private final List<Mark> marks = new ArrayList<>();

    private int length;
    /** Whether a run failed, so that what cannot be cut is of no known position. */
    private boolean lost;

    private boolean closed;

    /** A copy of what cannot be cut as it was at a position. */
    private record Mark(int length, IValue copies) {}

    /** @param index which of the sequences of {@code caches} it is */
    PyTorchDecoderSession(PyTorchDecoder network, IValue caches, int index, int capacity) {
        this.network = network;
        this.capacity = capacity;
        try (Scope call = new Scope()) {
            cache = scope.own(network.run("sequence", caches, call.of(index)));
        }
        places = network.places(cache, capacity);
        ahead = network.config().opensPictures() ? new LookAhead(capacity) : null;
        Scope.Output output = scope.output(network.config().vocabSize());
        logits = output.floats;
        logitsValue = output.value();
    }

    @Override
    public synchronized int length() {
        return length;
    }

    @Override
    public int capacity() {
        return capacity;
    }

    @Override
    public int chunk() {
        return network.prefillChunk;
    }

    @Override
    public synchronized void place(int[][] positions) {
        requireRoom(0);
        if (places == null) {
            DecoderSession.super.place(positions);
        } else {
            places.place(length, positions);
        }
    }

    @Override
    public synchronized void lookAhead(int... of) {
        requireRoom(0);
        if (ahead == null) {
            DecoderSession.super.lookAhead(of);
        } else {
            ahead.say(length, of);
        }
    }

    @Override
    public synchronized int portion(int tokens) {
        int portion = ahead == null ? 0 : ahead.portion(length, tokens, network.prefillChunk);
        return ahead == null ? Math.min(tokens, network.prefillChunk) : portion == 0 ? tokens : portion;
    }

    /** How many behind them the next tokens see; empty if none does. */
    private int[] seenAhead(int tokens) {
        int[] seen = ahead == null ? new int[0] : ahead.of(length, tokens);
        return Arrays.stream(seen).allMatch(count -> count == 0) ? new int[0] : seen;
    }

    /** Makes room for so many more tokens. */
    synchronized void reach(int tokens) {
        requireRoom(tokens);
        if (places != null) {
            places.reach(length + tokens);
        }
    }

    @Override
    public synchronized FloatBuffer prefill(FloatTensor inputsEmbeds) {
        int tokens = DecoderNetwork.tokens(inputsEmbeds, network.config());
        reach(tokens);
        try (Scope call = new Scope()) {
            IValue inputs = call.of(call.tensor(inputsEmbeds));
            runBegins();
            IValue seen = call.of(call.tensor(seenAhead(tokens)));
            call.own(network.run("prefill", cache, inputs, seen, call.of(length), logitsValue));
        }
        appended(tokens);
        return logits.data();
    }

    @Override
    public synchronized FloatBuffer step(int tokenId) {
        reach(1);
        DecoderNetwork.requireToken(tokenId, network.config());
        try (Scope call = new Scope()) {
            runBegins();
            call.own(network.run("step", cache, call.of(tokenId), call.of(length), logitsValue));
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
        reach(tokens);
        try (Scope call = new Scope()) {
            IValue inputs = call.of(call.tensor(inputsEmbeds));
            IValue seen = call.of(call.tensor(seenAhead(tokens)));
            return choose(sampler, call, "prefill_and_choose", List.of(inputs, seen), tokens);
        }
    }

    @Override
    public synchronized int step(int tokenId, Sampler sampler) {
        if (sampler.needsScores()) {
            return sampler.next(step(tokenId));
        }
        reach(1);
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
            arguments.addAll(List.of(call.of(length), how, seenIds, logitsValue));
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

    /** Notes that a run begins, which may fail. */
    synchronized void runBegins() {
        lost = network.sumsUp();
    }

    /** Notes what was appended in it. */
    synchronized void appended(int tokens) {
        lost = false;
        length += tokens;
    }

    private void requireRoom(int tokens) {
        if (closed) {
            throw new IllegalStateException("The decoder session is closed");
        }
        if (lost) {
            throw new IllegalStateException("A run of this sequence failed; rewind it before the next");
        }
        if (tokens > capacity - length) {
            throw new IllegalStateException("The cache holds " + length + " of at most " + capacity
                    + " positions; there is no room for " + tokens + " more");
        }
    }

    @Override
    public boolean cutsAnywhere() {
        return !network.sumsUp();
    }

    @Override
    public synchronized void mark() {
        requireRoom(0);
        if (!network.sumsUp() || !marks.isEmpty() && last().length == length) {
            return;
        }
        if (marks.size() == MARKS) {
            // The first is often behind the pictures, which all that follows is about.
            marks.remove(1).copies.close();
        }
        marks.add(new Mark(length, network.run("copied", cache)));
    }

    @Override
    public synchronized int rewind(int position) {
        if (closed) {
            throw new IllegalStateException("The decoder session is closed");
        }
        if (position < 0 || position > length) {
            throw new IllegalArgumentException(
                    "The cache holds " + length + " positions and cannot go back to " + position);
        }
        int wanted = ahead == null ? position : ahead.rewind(position);
        boolean restores = network.sumsUp() && (lost || wanted < length);
        length = restores ? restored(wanted) : wanted;
        if (places != null) {
            places.rewind(length);
        }
        return length;
    }

    private Mark last() {
        return marks.get(marks.size() - 1);
    }

    /** Goes to the latest mark up to there. */
    private int restored(int position) {
        while (!marks.isEmpty() && last().length > position) {
            marks.remove(marks.size() - 1).copies.close();
        }
        lost = false;
        try (Scope call = new Scope()) {
            if (marks.isEmpty()) {
                call.own(network.run("clear", cache));
                return 0;
            }
            call.own(network.run("restore", cache, last().copies));
            return last().length;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        marks.forEach(mark -> mark.copies.close());
        marks.clear();
        scope.close();
    }
}
