package io.langbridge.runtime.core.adapter;

import io.langbridge.CheckpointException;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.engine.FloatTensor;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.util.Arrays;

/**
 * The embedding rows of the shared tokens in one language model, {@code [mm_vocab, llm_hidden]}: what a LangBridge
 * adapter's coefficients are multiplied with. Rows stay in their file until they are read. Safe for use by several
 * threads as long as the file is open.
 */
public final class VocabularyMatrix {
    private final StoredTensor table;
    private final int[] rows;
    private final int width;

    private VocabularyMatrix(StoredTensor table, int[] rows) {
        this.table = table;
        this.rows = rows;
        this.width = Math.toIntExact(table.shape()[1]);
    }

    /**
     * Rows of a language model's input embeddings.
     *
     * @param embeddings {@code model.embed_tokens.weight}, {@code [vocab, llm_hidden]}
     * @param vocabulary with that model's ids
     * @throws CheckpointException if an id is not a row
     */
    public static VocabularyMatrix of(StoredTensor embeddings, SharedVocabulary vocabulary) {
        requireMatrix(embeddings);
        vocabulary.requireRows(Math.toIntExact(embeddings.shape()[0]));
        return new VocabularyMatrix(embeddings, vocabulary.ids());
    }

    /** The matrix as the authors saved it, for one language model. */
    public static VocabularyMatrix of(StoredTensor saved) {
        requireMatrix(saved);
        int[] rows = new int[Math.toIntExact(saved.shape()[0])];
        Arrays.setAll(rows, row -> row);
        return new VocabularyMatrix(saved, rows);
    }

    private static void requireMatrix(StoredTensor table) {
        if (table.shape().length != 2) {
            throw new CheckpointException("Tensor " + table.name() + " in " + table.file() + " has shape "
                    + Arrays.toString(table.shape()) + "; embeddings are a matrix [tokens, hidden].");
        }
    }

    /** Number of shared tokens. */
    public int rows() {
        return rows.length;
    }

    /** Width of the language model. */
    public int width() {
        return width;
    }

    /**
     * Rows {@code from} to {@code to} (exclusive), {@code [to - from, width]}.
     *
     * @throws CheckpointException if a value is not a finite number
     */
    public FloatTensor read(int from, int to) {
        FloatTensor part = FloatTensor.allocate(to - from, width);
        for (int i = from; i < to; i++) {
            FloatTensor row = part.rows(i - from, i - from + 1);
            table.read((long) rows[i] * width, row.data());
            Finite.require(table, (long) rows[i] * width, row.data());
        }
        return part;
    }
}
