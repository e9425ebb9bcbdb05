package io.langbridge.runtime.pytorch;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.IValue;
import io.langbridge.Device;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A network that keeps nothing between runs. */
final class PyTorchRunning implements Running {
    /** Few enough to take little time on a GPU, which one tile does not keep busy; a processor it does. */
    private static final int CUDA_TILES = 8;

    private final TorchNetwork network;
    private final Inventory inventory;
    private final int together;

    PyTorchRunning(Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options) {
        inventory = Inventory.of(network);
        boolean pixels = inventory.inputs().values().iterator().next().length == 3;
        together = pixels && options.device().kind() == Device.Kind.CUDA ? CUDA_TILES : 1;
        this.network = new TorchNetwork(network, weights, constants, options);
    }

    @Override
    public int together() {
        return together;
    }

    @Override
    public FloatTensor run(Map<String, FloatTensor> inputs) {
        Running.count(inventory, inputs);
        try (Scope scope = new Scope()) {
            return tiled(scope.floats(scope.own(network.run("run", arguments(scope, inputs)))));
        }
    }

    @Override
    public Map<String, FloatTensor> trace(Map<String, FloatTensor> inputs) {
        Running.count(inventory, inputs);
        return network.trace((names, traced) -> {
            try (Scope scope = new Scope()) {
                List<FloatTensor> shown = scope.allFloats(scope.own(traced.run("trace", arguments(scope, inputs))));
                Map<String, FloatTensor> byName = new LinkedHashMap<>();
                for (int i = 0; i < names.size(); i++) {
                    byName.put(names.get(i), tiled(shown.get(i)));
                }
                return byName;
            }
        });
    }

    /** The first input, and a list of the others; several are of one tile, and have no dimension for tiles then. */
    private IValue[] arguments(Scope scope, Map<String, FloatTensor> inputs) {
        List<PtNDArray> all = new ArrayList<>();
        for (String name : inventory.inputs().keySet()) {
            FloatTensor values = Objects.requireNonNull(inputs.get(name));
            all.add(scope.tensor(inputs.size() == 1 ? values : values.reshape(values.size(1), values.size(2))));
        }
        return new IValue[] {
            scope.of(all.get(0)), scope.of(all.subList(1, all.size()).toArray(new PtNDArray[0]))
        };
    }

    private static FloatTensor tiled(FloatTensor result) {
        return result.shape().length == 2 ? result.reshape(1, result.size(0), result.size(1)) : result;
    }

    @Override
    public void close() {
        network.close();
    }
}
