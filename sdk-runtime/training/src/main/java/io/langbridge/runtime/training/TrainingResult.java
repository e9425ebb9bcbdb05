package io.langbridge.runtime.training;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What came out of a training, ready to be used:
 *
 * <pre>{@code
 * VisionLanguageModel.builder().encoder(result.encoder()).adapter(result.adapter()).llm(result.llm()).build();
 * }</pre>
 *
 * @param encoder the trained one, or the one that was given
 * @param adapter the trained one, in the folder {@code adapter}: {@code mm_projector.safetensors}, {@code config.json}
 *     and, for LangBridge, {@code vocabulary.json}
 * @param llm the trained one, or the one that was given
 * @param curves loss, learning rate and gradient norm of every update, as CSV; {@code curves.png} beside it shows them
 * @param steps updates in all
 * @param loss mean of the last updates, a twentieth of all
 * @param badRecords what was left out and why, the first hundred
 * @param badRecordCount how many were left out
 * @since 0.1
 */
public record TrainingResult(
        @Nullable Encoder encoder,
        @Nullable Adapter adapter,
        @Nullable Llm llm,
        Path curves,
        int steps,
        double loss,
        List<String> badRecords,
        int badRecordCount) {
    /**
     * The trained encoder, or the one that was given.
     *
     * @throws IllegalStateException if the training had none
     */
    @Override
    public Encoder encoder() {
        return present(encoder, "encoder");
    }

    /**
     * The trained adapter.
     *
     * @throws IllegalStateException if the training had none
     */
    @Override
    public Adapter adapter() {
        return present(adapter, "adapter");
    }

    /**
     * The trained language model, or the one that was given.
     *
     * @throws IllegalStateException if the training had none
     */
    @Override
    public Llm llm() {
        return present(llm, "language model");
    }

    private static <T> T present(@Nullable T part, String name) {
        if (part == null) {
            throw new IllegalStateException("This training had no " + name);
        }
        return part;
    }
}
