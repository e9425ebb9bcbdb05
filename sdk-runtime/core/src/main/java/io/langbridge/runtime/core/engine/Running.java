package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;

/** A network with its weights, ready to run. Safe for use by several threads; closing waits for what runs. */
public interface Running extends AutoCloseable {
    /**
     * Runs the network on each of several inputs.
     *
     * @param inputs by the names of the network's text: {@code [count, 3, height, width]} or {@code [count, rows,
     *     width]}; a network with several takes one of each at a time
     * @return {@code [count, rows, width]} of its result; not read or written by later runs
     */
    FloatTensor run(Map<String, FloatTensor> inputs);

    /** How many inputs to hand over at a time: between two such calls a run can be given up. */
    default int together() {
        return 1;
    }

    /**
     * Runs the network with all that it shows on the way, for verification and analysis. Slow: it may load the network
     * again.
     *
     * @param inputs as for {@link #run}
     * @return {@code [count, rows, width]} each, by the names that the text gives them
     */
    Map<String, FloatTensor> trace(Map<String, FloatTensor> inputs);

    /**
     * Makes sure that inputs are what a network takes.
     *
     * @return how many there are of each
     * @throws IllegalArgumentException if they are not
     */
    static int count(Inventory inventory, Map<String, FloatTensor> inputs) {
        if (!inputs.keySet().equals(inventory.inputs().keySet())) {
            throw new IllegalArgumentException(
                    "Inputs must be " + inventory.inputs().keySet() + ", not " + inputs.keySet());
        }
        inputs.forEach((name, values) -> {
            int[] one = Objects.requireNonNull(inventory.inputs().get(name));
            int[] shape = values.shape();
            boolean fits = shape.length == one.length + 1 && shape[0] > 0 && (inputs.size() == 1 || shape[0] == 1);
            for (int i = 0; fits && i < one.length; i++) {
                fits = one[i] == Net.ANY ? shape[i + 1] > 0 : shape[i + 1] == one[i];
            }
            if (!fits) {
                StringJoiner wanted = new StringJoiner(", ", "[tiles, ", "]");
                for (int dim : one) {
                    wanted.add(dim == Net.ANY ? "rows" : String.valueOf(dim));
                }
                throw new IllegalArgumentException(name + " must have the shape " + wanted
                        + " with at least one of each, not " + Arrays.toString(shape));
            }
        });
        return inputs.values().iterator().next().size(0);
    }

    @Override
    void close();
}
