package io.langbridge.runtime.pytorch;

import io.langbridge.Device;
import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A network that keeps nothing between runs. */
final class PyTorchRunning implements Running {
    /** Few enough to take little time on a GPU, which one tile does not keep busy. */
    private static final int CUDA_TILES = 8;

    private final TorchNetwork network;
    private final Inventory inventory;
    private final int together;

    PyTorchRunning(Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options) {
        inventory = Inventory.of(network);
        boolean pixels = inventory.input().length == 3;
        together = pixels && options.device().kind() == Device.Kind.CUDA ? CUDA_TILES : 1;
        this.network = new TorchNetwork(network, weights, constants, options);
    }

    @Override
    public int together() {
        return together;
    }

    @Override
    public FloatTensor run(FloatTensor inputs) {
        Running.count(inventory, inputs);
        try (Scope scope = new Scope()) {
            return scope.floats(scope.own(network.run("run", scope.of(scope.tensor(inputs)))));
        }
    }

    @Override
    public Map<String, FloatTensor> trace(FloatTensor inputs) {
        Running.count(inventory, inputs);
        return network.trace((names, traced) -> {
            try (Scope scope = new Scope()) {
                List<FloatTensor> shown =
                        scope.allFloats(scope.own(traced.run("trace", scope.of(scope.tensor(inputs)))));
                Map<String, FloatTensor> byName = new LinkedHashMap<>();
                for (int i = 0; i < names.size(); i++) {
                    byName.put(names.get(i), shown.get(i));
                }
                return byName;
            }
        });
    }

    @Override
    public void close() {
        network.close();
    }
}
