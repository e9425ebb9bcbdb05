package io.langbridge.runtime.pytorch;

import java.util.List;

/**
 * One of the weights of a {@link TorchNet}: tensors of the checkpoint under each other.
 *
 * @param tensors their names
 * @param repeats for each, how many rows are made of one; 0 leaves it as it is
 */
record Slot(List<String> tensors, List<Integer> repeats, Access access) {
    /** How a network uses such a weight. */
    enum Access {
        /** As a whole, where and as it computes. */
        WHOLE,
        /** Part by part. */
        PARTS,
        /** Part by part and not at every picture: it may stay in its file. */
        SELDOM
    }

    static Slot of(String tensor, Access access) {
        return new Slot(List.of(tensor), List.of(0), access);
    }

    /** Tensors as they are. */
    static Slot under(List<String> tensors) {
        return new Slot(tensors, tensors.stream().map(name -> 0).toList(), Access.WHOLE);
    }

    /** Whether it is a tensor as it is. */
    boolean isPlain() {
        return tensors.size() == 1 && repeats.get(0) == 0;
    }
}
