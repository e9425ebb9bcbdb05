package io.langbridge.runtime.onnx;

import io.langbridge.runtime.core.checkpoint.Weights;
import io.langbridge.runtime.core.engine.EngineOptions;
import io.langbridge.runtime.core.engine.Running;
import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.network.Network;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A network without a state. A graph takes one input at a time: the memory it needs does not grow with their number,
 * and several at a time would not be faster, as the products of one tile keep a processor busy (measured: 196 and 577
 * rows against two and four times as many).
 */
final class OnnxRunning implements Running {
    private static final String RESULT = "result";

    private final Inventory inventory;
    private final Map<String, FloatTensor> constants;
    private final LoadedGraph graph;
    private final LazyGraph traceGraph;

    OnnxRunning(Network network, Weights weights, Map<String, FloatTensor> constants, EngineOptions options) {
        this.constants = constants;
        inventory = Inventory.of(network);
        OnnxNet net = net(network, weights, options, false);
        net.output(RESULT, network.text().apply(net));
        graph = net.load(options);
        traceGraph = new LazyGraph(network.name(), () -> {
            OnnxNet all = net(network, weights, options, true);
            Net.Value unused = network.trace().apply(all);
            return all.load(options);
        });
    }

    private static OnnxNet net(Network network, Weights weights, EngineOptions options, boolean shows) {
        StoredWeights stored = new StoredWeights(network.name(), weights, options.precision());
        Products products = new Products(stored, weight -> true, weight -> false, new Scratch());
        return new OnnxNet(stored, products, shows, OnnxGraph.Type.FLOAT);
    }

    @Override
    public FloatTensor run(Map<String, FloatTensor> inputs) {
        int count = Running.count(inventory, inputs);
        return Objects.requireNonNull(run(graph, inputs, count).get(RESULT));
    }

    @Override
    public Map<String, FloatTensor> trace(Map<String, FloatTensor> inputs) {
        int count = Running.count(inventory, inputs);
        return run(traceGraph.get(), inputs, count);
    }

    private Map<String, FloatTensor> run(LoadedGraph loaded, Map<String, FloatTensor> inputs, int count) {
        String first = inventory.inputs().keySet().iterator().next();
        int given = Objects.requireNonNull(inputs.get(first)).size(1);
        Map<String, FloatTensor> results = new LinkedHashMap<>();
        loaded.outputs().forEach((name, dims) -> {
            Net.Value result = inventory.result();
            int rows = dims[0] < 0 ? (name.equals(RESULT) ? result.rows(given) : given) : (int) dims[0];
            results.put(name, FloatTensor.allocate(count, rows, (int) dims[1]));
        });
        for (int i = 0; i < count; i++) {
            int row = i;
            try (Bindings bindings = new Bindings()) {
                loaded.inputs().forEach(name -> {
                    FloatTensor input = inputs.get(name);
                    FloatTensor values = input == null ? Objects.requireNonNull(constants.get(name)) : one(input, row);
                    bindings.input(name, values, dims(values));
                });
                results.forEach((name, result) ->
                        bindings.output(name, result.rows(row, row + 1), result.size(1), result.size(2)));
                bindings.run(loaded);
            }
        }
        return results;
    }

    /** Pixels keep their first dimension, of one tile. */
    private static FloatTensor one(FloatTensor inputs, int index) {
        FloatTensor one = inputs.rows(index, index + 1);
        return inputs.shape().length == 4 ? one : one.reshape(inputs.size(1), inputs.size(2));
    }

    private static long[] dims(FloatTensor values) {
        return Arrays.stream(values.shape()).asLongStream().toArray();
    }

    @Override
    public void close() {
        try {
            graph.close();
        } finally {
            traceGraph.close();
        }
    }
}
