package io.langbridge.spi;

import io.langbridge.Adapter;
import io.langbridge.Encoder;
import io.langbridge.Llm;
import io.langbridge.ModelListener;
import io.langbridge.Precision;
import java.nio.file.Path;
import java.util.List;
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
 * @param precision of the parts that do not set their own
 * @param withoutCache whether converted weights are kept only as long as the model
 * @param prefillChunk most positions of a prompt that run at a time
 * @param halfKvCache whether the KV cache has 16 bits for a value
 * @param affinity processors that computing threads stay on; empty leaves it to the operating system
 * @param maxConcurrentRequests most requests that are answered at a time
 * @param maxQueuedRequests most requests that wait for their turn
 * @param listeners who is told what happens
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
        boolean allowDownloads,
        @Nullable Precision precision,
        boolean withoutCache,
        @Nullable Integer prefillChunk,
        boolean halfKvCache,
        List<Integer> affinity,
        @Nullable Integer maxConcurrentRequests,
        @Nullable Integer maxQueuedRequests,
        List<ModelListener> listeners) {

    /**
     * Without a limit on requests, and nobody is told what happens.
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
     * @param precision of the parts that do not set their own
     * @param withoutCache whether converted weights are kept only as long as the model
     * @param prefillChunk most positions of a prompt that run at a time
     * @param halfKvCache whether the KV cache has 16 bits for a value
     * @param affinity processors that computing threads stay on; empty leaves it to the operating system
     */
    public ModelSpec(
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
            boolean allowDownloads,
            @Nullable Precision precision,
            boolean withoutCache,
            @Nullable Integer prefillChunk,
            boolean halfKvCache,
            List<Integer> affinity) {
        this(
                encoder,
                adapter,
                llm,
                folder,
                threads,
                spinning,
                contextLength,
                cacheDirectory,
                memoryLimit,
                engine,
                device,
                allowDownloads,
                precision,
                withoutCache,
                prefillChunk,
                halfKvCache,
                affinity,
                null,
                null,
                List.of());
    }

    /**
     * In full precision, with a cache, the prompt in chunks of the default length.
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
     */
    public ModelSpec(
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
            boolean allowDownloads) {
        this(
                encoder,
                adapter,
                llm,
                folder,
                threads,
                spinning,
                contextLength,
                cacheDirectory,
                memoryLimit,
                engine,
                device,
                allowDownloads,
                null,
                false,
                null,
                false,
                List.of());
    }

    /**
     * The precision of a part.
     *
     * @param ofPart what the part asks for itself, or null
     * @return that, or the builder's, or {@link Precision#FULL}
     */
    public Precision precisionOf(@Nullable Precision ofPart) {
        if (ofPart != null) {
            return ofPart;
        }
        return precision != null ? precision : Precision.FULL;
    }

    /** {@return whether a part has a precision other than {@link Precision#FULL}} */
    public boolean quantises() {
        return precisionOf(encoder == null ? null : encoder.precision()) != Precision.FULL
                || precisionOf(adapter == null ? null : adapter.precision()) != Precision.FULL
                || precisionOf(llm == null ? null : llm.precision()) != Precision.FULL;
    }
}
