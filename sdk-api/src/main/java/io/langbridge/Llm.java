package io.langbridge;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which language model to use: a Hugging Face folder with {@code config.json}, weights and {@code tokenizer.json}, as
 * downloaded. Qwen2, Qwen2.5, Qwen3, Llama 3 to 3.2, SmolLM2 and Mistral are supported. An immutable description;
 * nothing is read before {@link VisionLanguageModel.Builder#build()}.
 *
 * @since 0.1
 */
public final class Llm {
    private final Path folder;
    private final @Nullable Precision precision;

    private Llm(Path folder, @Nullable Precision precision) {
        this.folder = Objects.requireNonNull(folder, "folder");
        this.precision = precision;
    }

    /**
     * The language model in a folder.
     *
     * @param folder the Hugging Face folder
     * @return the language model
     */
    public static Llm of(Path folder) {
        return new Llm(folder, null);
    }

    /**
     * Sets the precision of this part, whatever the builder's own says.
     *
     * @param precision the precision
     * @return the language model
     */
    public Llm precision(Precision precision) {
        return new Llm(folder, Objects.requireNonNull(precision, "precision"));
    }

    /** {@return the Hugging Face folder} */
    public Path folder() {
        return folder;
    }

    /** {@return the precision of this part, or null for the builder's} */
    public @Nullable Precision precision() {
        return precision;
    }

    @Override
    public String toString() {
        return "Llm[" + folder + "]";
    }
}
