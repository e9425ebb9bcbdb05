package io.langbridge.runtime.core.explain;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.tensor.FloatTensor;
import java.util.Arrays;

/**
 * The input embeddings of a language model, one row for each token. They stay in their file and are read block by
 * block: the whole is large. Safe for use by several threads as long as the file is open.
 */
public final class Embeddings {
    private final StoredTensor table;
    private final int rows;
    private final int width;

    /**
     * Takes a table.
     *
     * @param table {@code model.embed_tokens.weight}, {@code [vocab, llm_hidden]}
     */
    public Embeddings(StoredTensor table) {
        long[] shape = table.shape();
        if (shape.length != 2) {
            throw new CheckpointException("Tensor " + table.name() + " in " + table.file() + " has shape "
                    + Arrays.toString(shape) + "; embeddings are a matrix [tokens, hidden].");
        }
        this.table = table;
        this.rows = Math.toIntExact(shape[0]);
        this.width = Math.toIntExact(shape[1]);
    }

    int rows() {
        return rows;
    }

    public int width() {
        return width;
    }

    /** Rows {@code from} to {@code to} (exclusive), {@code [to - from, llm_hidden]}. */
    public FloatTensor read(int from, int to) {
        FloatTensor block = FloatTensor.allocate(to - from, width);
        table.read((long) from * width, block.data());
        return block;
    }
}
