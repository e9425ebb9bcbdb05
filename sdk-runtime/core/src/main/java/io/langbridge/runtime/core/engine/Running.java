package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.network.Inventory;
import io.langbridge.runtime.core.network.Net;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;
import java.util.Map;

/** A network with its weights, ready to run. Safe for use by several threads; closing waits for what runs. */
public interface Running extends AutoCloseable {
    /**
     * Runs the network on each of several inputs.
     *
     * @param inputs {@code [count, 3, height, width]} or {@code [count, rows, width]}, as the network's text says
     * @return {@code [count, rows, width]} of its result; not read or written by later runs
     */
    FloatTensor run(FloatTensor inputs);

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
    Map<String, FloatTensor> trace(FloatTensor inputs);

    /**
     * Makes sure that inputs are what a network takes.
     *
     * @return how many there are
     * @throws IllegalArgumentException if they are not
     */
    static int count(Inventory inventory, FloatTensor inputs) {
        int[] one = inventory.input();
        int[] shape = inputs.shape();
        boolean fits = shape.length == one.length + 1 && shape[0] > 0;
        for (int i = 0; fits && i < one.length; i++) {
            fits = one[i] == Net.ANY ? shape[i + 1] > 0 : shape[i + 1] == one[i];
        }
        if (!fits) {
            String rows = one[0] == Net.ANY ? "patches" : String.valueOf(one[0]);
            String wanted = one.length == 3
                    ? "Pixels must have the shape [tiles, 3, " + one[1] + ", " + one[2] + "] with at least one tile"
                    : "Features must have the shape [tiles, " + rows + ", " + one[1] + "] with at least one patch";
            throw new IllegalArgumentException(wanted + ", not " + Arrays.toString(shape));
        }
        return shape[0];
    }

    @Override
    void close();
}
