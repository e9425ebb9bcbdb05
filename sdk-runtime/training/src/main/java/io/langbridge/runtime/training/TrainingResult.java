package io.langbridge.runtime.training;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import java.nio.file.Path;
import java.util.List;

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
        Encoder encoder,
        Adapter adapter,
        Llm llm,
        Path curves,
        int steps,
        double loss,
        List<String> badRecords,
        int badRecordCount) {}
