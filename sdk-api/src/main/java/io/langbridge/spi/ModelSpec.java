package io.langbridge.spi;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a builder collected: either {@code folder}, with the encoder if that lies elsewhere, or the three parts. Null
 * options mean the default.
 *
 * @param encoder the vision encoder
 * @param adapter the adapter
 * @param llm the language model
 * @param folder a folder that holds all three
 * @param threads computing threads
 * @param spinning whether idle threads spin
 * @param contextLength most positions of prompt and answer
 * @param cacheDirectory where converted weights are kept
 * @param memoryLimit bytes the model may need
 * @param engine name of the engine
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param allowDownloads whether native libraries may be downloaded
 * @since 0.1
 */
public record ModelSpec(
        @Nullable Encoder encoder,
        @Nullable Adapter adapter,
        @Nullable Llm llm,
        @Nullable Path folder,
        @Nullable Integer threads,
        boolean spinning,
        @Nullable Integer contextLength,
        @Nullable Path cacheDirectory,
        @Nullable Long memoryLimit,
        @Nullable String engine,
        @Nullable String device,
        boolean allowDownloads) {}
