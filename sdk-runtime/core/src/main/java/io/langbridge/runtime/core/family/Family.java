package io.langbridge.runtime.core.family;

import io.langbridge.runtime.core.checkpoint.Json;
import io.langbridge.runtime.core.text.template.ChatTemplate;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A layout in which whole models are published: how a folder is recognised, and what is in it. One class says all that
 * a family is: its networks, how it takes pictures, and how they enter the prompt.
 */
interface Family {
    /** What {@code architectures} or {@code model_type} of {@code config.json} says. */
    Set<String> names();

    /**
     * Describes a folder and opens its parts; what is opened goes into the checkpoint's closing.
     *
     * @throws io.langbridge.CheckpointException if a file is missing, damaged or does not fit the others
     * @throws io.langbridge.UnsupportedModelException if it is a variant that is not read
     */
    ModelFolder open(Checkpoint checkpoint);

    /**
     * How questions are put to its language model; some authors keep that in their code.
     *
     * @param config of a folder with one of the {@link #names}
     * @return null if nothing says how
     * @throws io.langbridge.CheckpointException if a file or the template is damaged
     * @throws io.langbridge.UnsupportedModelException if it is in the code and not known
     */
    default @Nullable ChatTemplate chatTemplate(Json config, Path folder) {
        return ChatTemplate.of(folder);
    }

    /**
     * The text of a token that ends an answer in the code of its authors, beside those that the files name.
     *
     * @return null if the files name all
     */
    default @Nullable String endToken(Json config) {
        return null;
    }
}
