package io.langbridge.runtime.core.checkpoint;

import io.langbridge.CheckpointException;
import java.util.Set;

/**
 * Named tensors of one part of a model: a file, a sharded set of files, or the tensors of either whose names start with
 * a prefix. Safe for use by several threads. Closing a view closes nothing; closing the files unmaps them.
 */
public interface Weights extends AutoCloseable {
    /** Names, without the prefix of a view. */
    Set<String> names();

    /** Where these weights come from, for messages: a file or a folder. */
    String source();

    /**
     * Finds a tensor.
     *
     * @throws CheckpointException if there is none; the message names the file and the closest names that exist
     */
    StoredTensor get(String name);

    /**
     * Finds a tensor and checks its shape.
     *
     * @throws CheckpointException if it is missing or has another shape; the message gives both shapes
     */
    default StoredTensor get(String name, long... shape) {
        StoredTensor tensor = get(name);
        if (!java.util.Arrays.equals(tensor.shape(), shape)) {
            throw new CheckpointException("Tensor " + tensor.name() + " in " + tensor.file() + " has shape "
                    + java.util.Arrays.toString(tensor.shape()) + ", but config.json asks for "
                    + java.util.Arrays.toString(shape) + "; the weights and the configuration belong to different"
                    + " models.");
        }
        return tensor;
    }

    /** Whether there is a tensor of this name. */
    default boolean contains(String name) {
        return names().contains(name);
    }

    /** The tensors whose names start with {@code prefix}, under the rest of their names. */
    Weights under(String prefix);

    @Override
    void close();
}
