package io.langbridge.runtime.core.adapter;

import io.langbridge.CheckpointException;
import io.langbridge.MissingTokens;
import io.langbridge.runtime.core.checkpoint.ContentHash;
import io.langbridge.runtime.core.checkpoint.Finite;
import io.langbridge.runtime.core.checkpoint.StoredTensor;
import io.langbridge.runtime.core.tensor.FloatTensor;
import io.langbridge.runtime.core.vocabulary.SharedVocabulary;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The embedding rows of the shared tokens in one language model, {@code [mm_vocab, llm_hidden]}: what a LangBridge
 * adapter's coefficients are multiplied with. Rows stay in their file until they are read. Safe for use by several
 * threads as long as the file is open.
 */
public final class VocabularyMatrix {
    private static final Logger LOG = LoggerFactory.getLogger(VocabularyMatrix.class);

    private final StoredTensor table;
    /** Row of the table for each shared token, -1 for one that is missing. */
    private final int[] rows;

    private final int width;
    /** What stands for a missing token. */
    private final float[] substitute;

    private VocabularyMatrix(StoredTensor table, int[] rows, boolean mean) {
        this.table = table;
        this.rows = rows;
        this.width = Math.toIntExact(table.shape()[1]);
        this.substitute = mean ? mean() : new float[width];
    }

    /**
     * Rows of a language model's input embeddings.
     *
     * @param embeddings {@code model.embed_tokens.weight}, {@code [vocab, llm_hidden]}
     * @param transfer the shared tokens in that model's tokenizer
     * @param policy what to do with those that are missing
     * @throws CheckpointException if an id is not a row, or tokens are missing and {@code policy} refuses that or no
     *     token is there at all
     */
    public static VocabularyMatrix of(
            StoredTensor embeddings, SharedVocabulary.Transfer transfer, MissingTokens policy) {
        requireMatrix(embeddings);
        long count = embeddings.shape()[0];
        int[] ids = transfer.idsOrMinusOne();
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] >= count) {
                throw new CheckpointException("The shared token at position " + i + " has the id " + ids[i]
                        + " in the tokenizer, but tensor " + embeddings.name() + " in " + embeddings.file()
                        + " has only " + count + " rows; tokenizer and weights belong to different models.");
            }
        }
        int missing = transfer.missing().size();
        if (missing == ids.length) {
            throw new CheckpointException("None of the " + missing + " shared tokens, the first are "
                    + transfer.missing().subList(0, Math.min(5, missing)) + ", is in the tokenizer of the language"
                    + " model with the embeddings " + embeddings.file() + "; the adapter cannot say anything to it.");
        }
        if (policy == MissingTokens.REFUSE) {
            transfer.complete();
        } else if (missing > 0) {
            LOG.warn(
                    "{} of {} shared tokens are not in the language model with the embeddings {} and are {}; the first"
                            + " are {}",
                    missing,
                    ids.length,
                    embeddings.file(),
                    policy == MissingTokens.DROP ? "dropped" : "replaced by the mean embedding of the others",
                    transfer.missing().subList(0, Math.min(5, missing)));
        }
        return new VocabularyMatrix(embeddings, ids, missing > 0 && policy == MissingTokens.MEAN);
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
        return new VocabularyMatrix(embeddings, vocabulary.ids(), false);
    }

    /** The matrix as the authors saved it, for one language model. */
    public static VocabularyMatrix of(StoredTensor saved) {
        requireMatrix(saved);
        int[] rows = new int[Math.toIntExact(saved.shape()[0])];
        Arrays.setAll(rows, row -> row);
        return new VocabularyMatrix(saved, rows, false);
    }

    private float[] mean() {
        double[] sum = new double[width];
        int found = 0;
        FloatTensor row = FloatTensor.allocate(width);
        for (int i = 0; i < rows.length; i++) {
            if (rows[i] >= 0) {
                table.read((long) rows[i] * width, row.data());
                for (int k = 0; k < width; k++) {
                    sum[k] += row.data().get(k);
                }
                found++;
            }
        }
        float[] mean = new float[width];
        for (int k = 0; k < width; k++) {
            mean[k] = (float) (sum[k] / found);
        }
        return mean;
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

    /** The tensor and file that the rows come from, for messages. */
    String source() {
        return "tensor " + table.name() + " of " + table.file();
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
        read(from, part);
        return part;
    }

    /**
     * Reads rows from {@code from} on, as many as {@code target} has.
     *
     * @param target {@code [n, width]}
     * @throws CheckpointException if a value is not a finite number
     */
    public void read(int from, FloatTensor target) {
        for (int i = 0; i < target.size(0); i++) {
            FloatBuffer row = target.rows(i, i + 1).data();
            int id = rows[from + i];
            if (id < 0) {
                row.put(substitute);
                continue;
            }
            table.read((long) id * width, row.duplicate());
            Finite.require(table, (long) id * width, row);
        }
    }

    /** See {@link StoredTensor#requireInPlace}. */
    void requireInPlace() {
        table.requireInPlace();
    }

    /** A hash of its values; two that are equal hold the same ones. */
    String hash() {
        int[] found = Arrays.stream(rows).filter(row -> row >= 0).toArray();
        int[] missing = IntStream.range(0, rows.length).filter(i -> rows[i] < 0).toArray();
        return new ContentHash()
                .addRows(table, found)
                .add(Arrays.toString(missing))
                .add(FloatBuffer.wrap(substitute))
                .hex();
    }
}
