package io.langbridge.spi;

import io.langbridge.Adapter;
import io.langbridge.Device;
import io.langbridge.Encoder;
import io.langbridge.EngineName;
import io.langbridge.Llm;
import io.langbridge.ModelListener;
import io.langbridge.Precision;
import io.langbridge.VisionLanguageModel;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link VisionLanguageModel.Builder} was told: either {@link #folder}, with the encoder if that lies elsewhere,
 * or the three parts. Null means that the default is wanted. Does not change when the builder does. Not meant to be
 * implemented by others.
 *
 * @since 0.1
 */
public interface ModelSpec {
    /** {@return the vision encoder} */
    @Nullable
    Encoder encoder();

    /** {@return the adapter} */
    @Nullable
    Adapter adapter();

    /** {@return the language model} */
    @Nullable
    Llm llm();

    /** {@return a folder that holds all three} */
    @Nullable
    Path folder();

    /** {@return how questions are put to a language model that does not set its own} */
    @Nullable
    String chatTemplate();

    /** {@return computing threads} */
    @Nullable
    Integer threads();

    /** {@return whether idle threads spin} */
    boolean spinning();

    /** {@return most positions of prompt and answer} */
    @Nullable
    Integer contextLength();

    /** {@return most visual tokens of a picture} */
    @Nullable
    Integer maxVisualTokens();

    /** {@return where converted weights are kept} */
    @Nullable
    Path cacheDirectory();

    /** {@return bytes that converted weights there may have together} */
    @Nullable
    Long cacheLimit();

    /** {@return whether converted weights are kept only as long as the model} */
    boolean withoutCache();

    /** {@return bytes the model may need} */
    @Nullable
    Long memoryLimit();

    /** {@return which engine} */
    @Nullable
    EngineName engine();

    /** {@return where to compute} */
    Device device();

    /** {@return whether native libraries may be downloaded} */
    boolean allowDownloads();

    /** {@return of the language model, if it does not set its own} */
    Precision precision();

    /** {@return of encoder and adapter that do not set their own} */
    Precision encoderPrecision();

    /** {@return most positions of a prompt that run at a time} */
    @Nullable
    Integer prefillChunk();

    /** {@return whether a quantised language model's layers are in memory twice} */
    @Nullable
    Boolean twoForms();

    /** {@return whether the KV cache has 16 bits for a value} */
    boolean halfKvCache();

    /** {@return processors that computing threads stay on; empty leaves it to the operating system} */
    List<Integer> affinity();

    /** {@return most requests that are answered at a time} */
    @Nullable
    Integer maxConcurrentRequests();

    /** {@return most requests that wait for their turn} */
    @Nullable
    Integer maxQueuedRequests();

    /** {@return how many prompts' KV caches are kept for prompts that begin alike} */
    @Nullable
    Integer keptPrefixes();

    /** {@return how many pictures are kept encoded for others of equal pixels} */
    int sharedImages();

    /** {@return who is told what happens} */
    List<ModelListener> listeners();

    /**
     * The precision of a language model.
     *
     * @param llm null where a folder holds all parts
     * @return its own, or the builder's
     */
    default Precision precisionOf(@Nullable Llm llm) {
        return llm == null ? precision() : or(llm.precision(), precision());
    }

    /**
     * The precision of an encoder.
     *
     * @param encoder null where a folder holds all parts
     * @return its own, or the builder's
     */
    default Precision precisionOf(@Nullable Encoder encoder) {
        return encoder == null ? encoderPrecision() : or(encoder.precision(), encoderPrecision());
    }

    /**
     * The precision of an adapter.
     *
     * @param adapter null where a folder holds all parts
     * @return its own, or the builder's
     */
    default Precision precisionOf(@Nullable Adapter adapter) {
        return adapter == null ? encoderPrecision() : or(adapter.precision(), encoderPrecision());
    }

    private static Precision or(@Nullable Precision own, Precision ofBuilder) {
        return own != null ? own : ofBuilder;
    }

    /** {@return whether a part has a precision other than {@link Precision#FULL}} */
    default boolean quantises() {
        return precisionOf(encoder()) != Precision.FULL
                || precisionOf(adapter()) != Precision.FULL
                || precisionOf(llm()) != Precision.FULL;
    }
}
