package io.langbridge;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes LangBridge adapters into folders of their own: as they are, or folded for one language model. Reads files,
 * computes and writes in the calling thread, and leaves nothing open. Safe for use by several threads, each with a
 * folder of its own.
 *
 * @since 0.1
 */
public final class AdapterWriter {
    private AdapterWriter() {}

    /**
     * Puts an adapter into a small folder of its own, which {@link Adapter#langBridge(Path)} reads anywhere: the
     * tensors bit for bit, the shared vocabulary, and in {@code config.json} which features and pictures it was trained
     * on and where it comes from (SHA-256 of the source files, the language model of its training).
     *
     * @param adapter the adapter
     * @param trainedWith the language model it was trained with, for the record; null if the adapter lies in the folder
     *     of a whole model, which is then named, or if it is not known
     * @param folder made if it does not exist; must not hold an adapter yet
     * @return the adapter in its new place
     * @throws CheckpointException if a file is missing or damaged, there is no shared vocabulary, the language model
     *     has other token ids than the vocabulary, or the folder cannot be written
     */
    public static LangBridgeAdapter save(LangBridgeAdapter adapter, @Nullable Llm trainedWith, Path folder) {
        Objects.requireNonNull(adapter, "adapter");
        Objects.requireNonNull(folder, "folder");
        Runtimes.loader().save(adapter, trainedWith, folder);
        return new LangBridgeAdapter(
                folder, null, adapter.hasSoftmax(), adapter.topK(), adapter.missingTokens(), adapter.precision());
    }

    /**
     * Folds an adapter for one language model and writes the result as a projector of two layers, with the adapter's
     * own width between them. Exact for every size. {@link Adapter#projector(Path)} reads it; transformers does not,
     * because its projectors have the language model's width there.
     *
     * @param adapter without a softmax
     * @param llm the language model
     * @param folder made if it does not exist; must not hold an adapter yet
     * @return the projector
     * @throws UnsupportedModelException if the adapter has a softmax, which cannot be folded
     * @throws CheckpointException if a file is missing or damaged or does not fit the others, or the folder cannot be
     *     written
     * @throws RuntimeUnavailableException if no engine is on the path
     */
    public static ProjectorAdapter fold(LangBridgeAdapter adapter, Llm llm, Path folder) {
        return fold(adapter, llm, false, folder);
    }

    /**
     * Folds an adapter for one language model and writes the result as LLaVA's standard {@code mlp2x_gelu} projector,
     * tensors named as transformers names them. Such a projector is as wide between its layers as the language model; a
     * narrower adapter is filled up with zeros, which changes nothing.
     *
     * @param adapter without a softmax
     * @param llm the language model
     * @param folder made if it does not exist; must not hold an adapter yet
     * @return the projector
     * @throws UnsupportedModelException if the adapter has a softmax, or is wider between its layers than the language
     *     model, so that no standard projector computes the same; {@link #fold} then still does
     * @throws CheckpointException if a file is missing or damaged or does not fit the others, or the folder cannot be
     *     written
     * @throws RuntimeUnavailableException if no engine is on the path
     */
    public static ProjectorAdapter export(LangBridgeAdapter adapter, Llm llm, Path folder) {
        return fold(adapter, llm, true, folder);
    }

    private static ProjectorAdapter fold(LangBridgeAdapter adapter, Llm llm, boolean standard, Path folder) {
        Objects.requireNonNull(adapter, "adapter");
        Objects.requireNonNull(llm, "llm");
        Objects.requireNonNull(folder, "folder");
        Runtimes.loader().fold(adapter, llm, standard, folder);
        return Adapter.projector(folder);
    }
}
