package io.langbridge.runtime.core.engine;

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

    @Override
    void close();
}
