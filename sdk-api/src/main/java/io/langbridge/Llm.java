package io.langbridge;

import java.nio.file.Path;
import java.util.Objects;

/**
 * Which language model to use: a Hugging Face folder with {@code config.json}, weights and {@code tokenizer.json}, as
 * downloaded. Qwen2, Qwen2.5, Qwen3, Llama 3 to 3.2, SmolLM2 and Mistral are supported. An immutable description;
 * nothing is read before {@link VisionLanguageModel.Builder#build()}.
 *
 * @since 0.1
 */
public final class Llm {
    private final Path folder;

    private Llm(Path folder) {
        this.folder = Objects.requireNonNull(folder, "folder");
    }

    /**
     * The language model in a folder.
     *
     * @param folder the Hugging Face folder
     * @return the language model
     */
    public static Llm of(Path folder) {
        return new Llm(folder);
    }

    /** {@return the Hugging Face folder} */
    public Path folder() {
        return folder;
    }

    @Override
    public String toString() {
        return "Llm[" + folder + "]";
    }
}
