package io.langbridge;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which language model to use: a Hugging Face folder with {@code config.json}, weights and a tokenizer, as downloaded;
 * the guide on models lists which are supported. An immutable description; nothing is read before
 * {@link VisionLanguageModel.Builder#build()}.
 *
 * @since 0.1
 */
public final class Llm {
    private final Path folder;
    private final @Nullable Precision precision;

    private final @Nullable String chatTemplate;

    private Llm(Path folder, @Nullable Precision precision, @Nullable String chatTemplate) {
        this.folder = Objects.requireNonNull(folder, "folder");
        this.precision = precision;
        this.chatTemplate = chatTemplate;
    }

    /**
     * The language model in a folder.
     *
     * @param folder the Hugging Face folder
     * @return the language model
     */
    public static Llm of(Path folder) {
        return new Llm(folder, null, null);
    }

    /**
     * Sets the precision of this part, whatever the builder's own says.
     *
     * @param precision the precision
     * @return the language model
     */
    public Llm precision(Precision precision) {
        return new Llm(folder, Objects.requireNonNull(precision, "precision"), chatTemplate);
    }

    /**
     * Says how questions are put to it, in place of the chat template of its folder.
     *
     * @param chatTemplate as {@link VisionLanguageModel.Builder#chatTemplate} takes it
     * @return the language model
     */
    public Llm chatTemplate(String chatTemplate) {
        return new Llm(
                folder, precision, Settings.requireTemplate(Objects.requireNonNull(chatTemplate, "chatTemplate")));
    }

    /** {@return the Hugging Face folder} */
    public Path folder() {
        return folder;
    }

    /** {@return the precision of this part, or null for the builder's} */
    public @Nullable Precision precision() {
        return precision;
    }

    /** {@return how questions are put to it, or null for the builder's or its own} */
    public @Nullable String chatTemplate() {
        return chatTemplate;
    }

    @Override
    public String toString() {
        return "Llm[" + folder + "]";
    }
}
