package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/** A network's text with its weights. Safe for use by several threads; closing waits for what runs. */
final class TorchNetwork implements AutoCloseable {
    private final Network network;
    private final Weights weights;
    private final Map<String, FloatTensor> constants;
    private final EngineOptions options;
    private final TorchScript script;
    private final Scope values = new Scope();
    private final Map<Slot, PtNDArray> tensors = new LinkedHashMap<>();
    /** Those that stay mapped from their files. */
    private final List<StoredTensor> mapped = new ArrayList<>();
    /** The same as a list. */
    private final IValue list;

    /**
     * Loads a network.
     *
     * @param constants what the text takes beside its input, by name
     */
    TorchNetwork(Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options) {
        this(network, TorchNet.of(network), Inventory.of(network), weights, constants, options, Map.of());
    }

    /** @param loaded weights that are there already; they stay open as long */
    private TorchNetwork(
            Network network,
            TorchNet net,
            Inventory inventory,
            Weights weights,
            Map<String, FloatTensor> constants,
            EngineOptions options,
            Map<Slot, PtNDArray> loaded) {
        this.network = network;
        this.weights = weights;
        this.constants = constants;
        this.options = options;
        Map<String, long[]> shapes = inventory.tensors();
        String first = net.slots().get(0).tensors().get(0);
        Placement placement = Placement.of(options, weights.get(first, shape(shapes, first)));
        script = new TorchScript(network.name(), net.source(), options.threads());
        boolean complete = false;
        try (WeightLoader loader = new WeightLoader(weights, placement, options.threads())) {
            for (Slot slot : net.slots()) {
                PtNDArray known = loaded.get(slot);
                tensors.put(slot, known == null ? load(slot, loader, shapes) : known);
            }
            list = values.of(tensors.values().toArray(new PtNDArray[0]));
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private static long[] shape(Map<String, long[]> shapes, String name) {
        long[] shape = shapes.get(name);
        if (shape == null) {
            throw new IllegalStateException("The text of the network has no tensor " + name);
        }
        return shape;
    }

    private PtNDArray load(Slot slot, WeightLoader loader, Map<String, long[]> shapes) {
        if (slot.isPlain()) {
            String name = slot.tensors().get(0);
            FloatTensor constant = constants.get(name);
            if (constant != null) {
                return loader.upload(values, constant);
            }
            if (slot.access() != Slot.Access.SELDOM) {
                return loader.get(values, name, shape(shapes, name));
            }
            mapped.add(weights.get(name));
            return loader.stored(values, name, shape(shapes, name));
        }
        // What was put together is freed before the next is read.
        try (Scope parts = new Scope()) {
            PtNDArray[] all = slot.tensors().stream()
                    .map(name -> loader.get(parts, name, shape(shapes, name)))
                    .toArray(PtNDArray[]::new);
            return values.tensor(parts.own(script.run("arrange", parts.of(all), repeats(parts, slot))));
        }
    }

    /** For {@code arrange} in {@code ops.py}. */
    static IValue repeats(Scope scope, Slot slot) {
        return scope.of(slot.repeats().stream().mapToLong(Integer::longValue).toArray());
    }

    /** Runs a method, given the weights and then {@code arguments}; the caller closes the result. */
    IValue run(String method, IValue... arguments) {
        mapped.forEach(StoredTensor::requireUnchanged);
        IValue[] all = new IValue[arguments.length + 1];
        all[0] = list;
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return script.run(method, all);
    }

    /**
     * Loads what the network shows, and of the weights what is not here yet, for one run.
     *
     * @param method gives a list; the last of it is what is shown
     * @return what {@code run} makes of the names and that list
     */
    <T> T trace(BiFunction<List<String>, TorchNetwork, T> run) {
        TorchNet net = TorchNet.ofTrace(network);
        return script.whileOpen(() -> {
            try (TorchNetwork traced =
                    new TorchNetwork(network, net, Inventory.ofTrace(network), weights, constants, options, tensors)) {
                return run.apply(new ArrayList<>(net.shown()), traced);
            }
        });
    }

    @Override
    public synchronized void close() {
        script.close();
        values.close();
    }
}
