package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.jni.IValue;
import io.langbridge.runtime.core.engine.DecoderBatch;
import io.langbridge.runtime.core.engine.DecoderNetwork;
import io.langbridge.runtime.core.engine.DecoderSession;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Sequences with caches on the device. In a step each attends alone, and all else is one product for those that take
 * part. The methods are synchronized only so that closing from another thread waits for what runs.
 */
final class PyTorchDecoderBatch implements DecoderBatch {
    private final PyTorchDecoder network;
    private final Scope scope = new Scope();
    private final List<PyTorchDecoderSession> sessions = new ArrayList<>();
    private final IValue caches;
    private final FloatTensor logits;
    private final IValue logitsValue;

    PyTorchDecoderBatch(PyTorchDecoder network, int sequences, int capacity) {
        this.network = network;
        caches = scope.own(network.newCaches(sequences, capacity));
        Scope.Output output = scope.output(sequences, network.config().vocabSize());
        logits = output.floats;
        logitsValue = output.value();
        for (int i = 0; i < sequences; i++) {
            sessions.add(new PyTorchDecoderSession(network, caches, i, capacity));
        }
    }

    @Override
    public int sequences() {
        return sessions.size();
    }

    @Override
    public DecoderSession sequence(int index) {
        return sessions.get(index);
    }

    @Override
    public synchronized FloatTensor step(int... tokenIds) {
        requireOneEach(tokenIds);
        int[] taking = new int[tokenIds.length];
        int count = 0;
        for (int i = 0; i < tokenIds.length; i++) {
            if (tokenIds[i] != NONE) {
                sessions.get(i).requireRoom(1);
                sessions.get(i).reach(1);
                DecoderNetwork.requireToken(tokenIds[i], network.config());
                taking[count++] = i;
            }
        }
        if (count > 0) {
            run(tokenIds, Arrays.copyOf(taking, count));
        }
        return logits;
    }

    private void run(int[] tokenIds, int[] taking) {
        int[] tokens = Arrays.stream(taking).map(i -> tokenIds[i]).toArray();
        int[] positions =
                Arrays.stream(taking).map(i -> sessions.get(i).length()).toArray();
        int[] angles = new int[taking.length];
        for (int i = 0; i < angles.length; i++) {
            angles[i] = network.firstAngle(taking[i], sessions.get(taking[i]).capacity()) + positions[i];
        }
        for (int i : taking) {
            sessions.get(i).runBegins();
        }
        try (Scope call = new Scope()) {
            call.own(network.run(
                    "step_together",
                    caches,
                    call.of(call.tensor(tokens)),
                    call.of(Arrays.stream(taking).asLongStream().toArray()),
                    call.of(Arrays.stream(positions).asLongStream().toArray()),
                    call.of(call.tensor(angles)),
                    logitsValue));
        }
        for (int i : taking) {
            sessions.get(i).appended(1);
        }
    }

    @Override
    public synchronized void close() {
        sessions.forEach(PyTorchDecoderSession::close);
        scope.close();
    }
}
