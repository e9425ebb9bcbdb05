package io.langbridge.runtime.core.network;

/**
 * What a layer keeps between tokens. Whoever keeps it goes through all kinds: what a session takes, and how far it can
 * go back, follows from the list of them, see {@link Inventory#states()}.
 */
public sealed interface State {
    /** How many values it takes for so many positions. */
    long values(int positions);

    /**
     * Keys and values of every position, so that any position can be gone back to.
     *
     * @param window position i sees {@code i - window + 1 .. i}; 0 if there is no window
     * @param layers how many layers look at them, most often one
     */
    record Keys(int kvHeads, int headDim, int window, int layers) implements State {
        @Override
        public long values(int positions) {
            return 2L * kvHeads * headDim * positions;
        }
    }

    /**
     * The last inputs of a short convolution, always in float32. It does not grow, and cannot be cut.
     *
     * @param width channels
     * @param rows how many inputs, oldest first
     */
    record Window(int width, int rows) implements State {
        @Override
        public long values(int positions) {
            return (long) width * rows;
        }
    }

    /**
     * What a recurrent layer has summed up, a matrix for each head, always in float32. It does not grow, and cannot be
     * cut.
     */
    record Matrix(int heads, int keys, int values) implements State {
        @Override
        public long values(int positions) {
            return (long) heads * keys * values;
        }
    }
}
