package io.langbridge;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which adapter stands between encoder and language model. An immutable description; nothing is read before
 * {@link VisionLanguageModel.Builder#build()}.
 *
 * <pre>{@code
 * Adapter.langBridge(Path.of("langbridge-qwen2-0.5b"));                      // folder: projector and vocabulary
 * Adapter.langBridge(Path.of("mm_projector.bin"), Path.of("19200.json"));    // the two files
 * Adapter.projector(Path.of("llava/mm_projector.bin"));                      // LLaVA's mlp2x_gelu or linear
 * }</pre>
 *
 * @since 0.1
 */
public final class Adapter {
    private final Path path;
    private final @Nullable Path vocabulary;
    private final boolean langBridge;
    private final boolean softmax;
    private final @Nullable Integer topK;
    private final MissingTokens missingTokens;
    private final @Nullable Precision precision;

    private Adapter(
            Path path,
            @Nullable Path vocabulary,
            boolean langBridge,
            boolean softmax,
            @Nullable Integer topK,
            MissingTokens missingTokens,
            @Nullable Precision precision) {
        this.path = Objects.requireNonNull(path, "path");
        this.vocabulary = vocabulary;
        this.langBridge = langBridge;
        this.softmax = softmax;
        this.topK = topK;
        this.missingTokens = Objects.requireNonNull(missingTokens, "missingTokens");
        this.precision = precision;
    }

    /**
     * A LangBridge adapter in a folder: {@code mm_projector.bin} or {@code .safetensors}, and the shared vocabulary as
     * JSON.
     *
     * @param folder the folder
     * @return the adapter
     */
    public static Adapter langBridge(Path folder) {
        return new Adapter(folder, null, true, false, null, MissingTokens.REFUSE, null);
    }

    /**
     * A LangBridge adapter from its two files.
     *
     * @param projector weights, {@code mm_projector.bin} or safetensors, or the folder they lie in
     * @param vocabulary the shared vocabulary, {@code {token: id}} in the order of the projector's columns
     * @return the adapter
     */
    public static Adapter langBridge(Path projector, Path vocabulary) {
        return new Adapter(
                projector,
                Objects.requireNonNull(vocabulary, "vocabulary"),
                true,
                false,
                null,
                MissingTokens.REFUSE,
                null);
    }

    /**
     * LLaVA's own kinds of adapter: {@code linear} and {@code mlp{n}x_gelu}. Which one it is is read from the weights.
     *
     * @param projector weights, {@code mm_projector.bin} or safetensors, or the folder they lie in
     * @return the adapter
     */
    public static Adapter projector(Path projector) {
        return new Adapter(projector, null, false, false, null, MissingTokens.REFUSE, null);
    }

    /**
     * Puts a softmax over the shared vocabulary, as the paper's text describes. Default is none, as in the published
     * code and weights.
     *
     * @return the adapter
     * @throws IllegalStateException if this is not a LangBridge adapter
     */
    public Adapter softmax() {
        if (!langBridge) {
            throw new IllegalStateException("Only a LangBridge adapter has a vocabulary to put a softmax over");
        }
        return new Adapter(path, vocabulary, true, true, topK, missingTokens, precision);
    }

    /**
     * Keeps of the softmax only the strongest shared tokens of each patch, scaled up to sum to one again. An
     * approximation; what it costs in a picture is measured by {@link VisionLanguageModel#softmaxCut}. Default is the
     * whole vocabulary.
     *
     * @param k shared tokens kept per patch, at least 1
     * @return the adapter
     * @throws IllegalStateException if this adapter has no {@link #softmax()}
     */
    public Adapter topK(int k) {
        if (!softmax) {
            throw new IllegalStateException("Only a softmax can be cut: call softmax() before topK(..)");
        }
        if (k < 1) {
            throw new IllegalArgumentException("topK must be at least 1, not " + k);
        }
        return new Adapter(path, vocabulary, true, true, k, missingTokens, precision);
    }

    /**
     * Chooses what happens where the language model lacks tokens of the vocabulary. Default is
     * {@link MissingTokens#REFUSE}.
     *
     * @param policy the choice
     * @return the adapter
     * @throws IllegalStateException if this is not a LangBridge adapter
     */
    public Adapter missingTokens(MissingTokens policy) {
        if (!langBridge) {
            throw new IllegalStateException("Only a LangBridge adapter has a vocabulary that tokens can miss from");
        }
        return new Adapter(path, vocabulary, true, softmax, topK, policy, precision);
    }

    /**
     * Puts a LangBridge adapter into a small folder of its own, which {@link #langBridge(Path)} reads anywhere: the
     * tensors bit for bit, the shared vocabulary, and in {@code config.json} which features and pictures it was trained
     * on and where it comes from (SHA-256 of the source files, the language model of its training).
     *
     * @param folder made if it does not exist; must not hold an adapter yet
     * @param trainedWith the language model it was trained with, for the record; null if the adapter lies in the folder
     *     of a whole model, which is then named, or if it is not known
     * @return the adapter in its new place
     * @throws IllegalStateException if this is not a LangBridge adapter
     * @throws CheckpointException if a file is missing or damaged, there is no shared vocabulary, the language model
     *     has other token ids than the vocabulary, or the folder cannot be written
     */
    public Adapter save(Path folder, @Nullable Llm trainedWith) {
        Objects.requireNonNull(folder, "folder");
        requireLangBridge("saved");
        Runtimes.loader().save(this, trainedWith, folder);
        return new Adapter(folder, null, true, softmax, topK, missingTokens, precision);
    }

    /**
     * Folds a LangBridge adapter for one language model and writes the result as a projector of two layers, with the
     * adapter's own width between them. Exact for every size. {@link #projector(Path)} reads it; transformers does not,
     * because its projectors have the language model's width there.
     *
     * @param llm the language model
     * @param folder made if it does not exist; must not hold an adapter yet
     * @return the projector
     * @throws IllegalStateException if this is not a LangBridge adapter, or it has a softmax, which cannot be folded
     * @throws CheckpointException if a file is missing or damaged or does not fit the others, or the folder cannot be
     *     written
     * @throws RuntimeUnavailableException if no engine is on the path
     */
    public Adapter fold(Llm llm, Path folder) {
        Objects.requireNonNull(llm, "llm");
        Objects.requireNonNull(folder, "folder");
        requireFoldable();
        Runtimes.loader().fold(this, llm, false, folder);
        return projector(folder);
    }

    /**
     * Folds a LangBridge adapter for one language model and writes the result as LLaVA's standard {@code mlp2x_gelu}
     * projector, tensors named as transformers names them. Such a projector is as wide between its layers as the
     * language model; a narrower adapter is filled up with zeros, which changes nothing.
     *
     * @param llm the language model
     * @param folder made if it does not exist; must not hold an adapter yet
     * @return the projector
     * @throws IllegalStateException if this is not a LangBridge adapter, or it has a softmax, which cannot be folded
     * @throws UnsupportedModelException if the adapter is wider between its layers than the language model, so that no
     *     standard projector computes the same; {@link #fold} then still does
     * @throws CheckpointException if a file is missing or damaged or does not fit the others, or the folder cannot be
     *     written
     * @throws RuntimeUnavailableException if no engine is on the path
     */
    public Adapter export(Llm llm, Path folder) {
        Objects.requireNonNull(llm, "llm");
        Objects.requireNonNull(folder, "folder");
        requireFoldable();
        Runtimes.loader().fold(this, llm, true, folder);
        return projector(folder);
    }

    private void requireLangBridge(String verb) {
        if (!langBridge) {
            throw new IllegalStateException("Only a LangBridge adapter can be " + verb + ", not " + this);
        }
    }

    private void requireFoldable() {
        requireLangBridge("folded");
        if (softmax) {
            throw new IllegalStateException("An adapter with a softmax cannot be folded: " + this);
        }
    }

    /**
     * Sets the precision of this part, whatever the builder's own says.
     *
     * @param precision the precision
     * @return the adapter
     */
    public Adapter precision(Precision precision) {
        return new Adapter(
                path,
                vocabulary,
                langBridge,
                softmax,
                topK,
                missingTokens,
                Objects.requireNonNull(precision, "precision"));
    }

    /** {@return folder or weight file} */
    public Path path() {
        return path;
    }

    /** {@return the shared vocabulary's file, or null if it is looked for beside the weights} */
    public @Nullable Path vocabulary() {
        return vocabulary;
    }

    /** {@return whether this is a LangBridge adapter} */
    public boolean isLangBridge() {
        return langBridge;
    }

    /** {@return whether a softmax was asked for} */
    public boolean hasSoftmax() {
        return softmax;
    }

    /** {@return shared tokens kept of the softmax, or null for all} */
    public @Nullable Integer topK() {
        return topK;
    }

    /** {@return what happens where the language model lacks tokens of the vocabulary} */
    public MissingTokens missingTokens() {
        return missingTokens;
    }

    /** {@return the precision of this part, or null for the builder's} */
    public @Nullable Precision precision() {
        return precision;
    }

    @Override
    public String toString() {
        return "Adapter[" + (langBridge ? "LangBridge, " : "") + path + (softmax ? ", softmax" : "")
                + (topK == null ? "" : ", top " + topK) + "]";
    }
}
