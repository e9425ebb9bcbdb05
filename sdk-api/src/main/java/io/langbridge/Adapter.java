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
    private final MissingTokens missingTokens;

    private Adapter(
            Path path, @Nullable Path vocabulary, boolean langBridge, boolean softmax, MissingTokens missingTokens) {
        this.path = Objects.requireNonNull(path, "path");
        this.vocabulary = vocabulary;
        this.langBridge = langBridge;
        this.softmax = softmax;
        this.missingTokens = Objects.requireNonNull(missingTokens, "missingTokens");
    }

    /**
     * A LangBridge adapter in a folder: {@code mm_projector.bin} or {@code .safetensors}, and the shared vocabulary as
     * JSON.
     *
     * @param folder the folder
     * @return the adapter
     */
    public static Adapter langBridge(Path folder) {
        return new Adapter(folder, null, true, false, MissingTokens.REFUSE);
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
                projector, Objects.requireNonNull(vocabulary, "vocabulary"), true, false, MissingTokens.REFUSE);
    }

    /**
     * LLaVA's own kinds of adapter: {@code linear} and {@code mlp{n}x_gelu}. Which one it is is read from the weights.
     *
     * @param projector weights, {@code mm_projector.bin} or safetensors, or the folder they lie in
     * @return the adapter
     */
    public static Adapter projector(Path projector) {
        return new Adapter(projector, null, false, false, MissingTokens.REFUSE);
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
        return new Adapter(path, vocabulary, true, true, missingTokens);
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
        return new Adapter(path, vocabulary, true, softmax, policy);
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

    /** {@return what happens where the language model lacks tokens of the vocabulary} */
    public MissingTokens missingTokens() {
        return missingTokens;
    }

    @Override
    public String toString() {
        return "Adapter[" + (langBridge ? "LangBridge, " : "") + path + (softmax ? ", softmax" : "") + "]";
    }
}
