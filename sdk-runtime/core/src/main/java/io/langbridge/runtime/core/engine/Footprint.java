package io.langbridge.runtime.core.engine;

import io.langbridge.runtime.core.network.Inventory;

/**
 * What a network takes of the memory, in bytes, found out without its weights.
 *
 * @param weights as long as it is open
 * @param work for what is between its input and its result; stays taken once it has run
 * @param opening beside the weights while it is opened from weights that an engine can take as they are
 * @param converting beside the weights while those are made, the first time
 */
public record Footprint(long weights, long work, long opening, long converting) {
    /** In float32, each value once. */
    public static Footprint plain(Inventory network, int rows) {
        return new Footprint(
                network.elements() * Float.BYTES,
                network.activations(rows) * Float.BYTES,
                network.largest() * Float.BYTES,
                0);
    }
}
