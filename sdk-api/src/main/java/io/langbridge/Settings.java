package io.langbridge;

import io.langbridge.spi.ModelSpec;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a {@link VisionLanguageModel.Builder} holds, and a copy of which it hands over. */
final class Settings implements ModelSpec, Cloneable {
    @Nullable
    Encoder encoder;

    @Nullable
    Adapter adapter;

    @Nullable
    Llm llm;

    @Nullable
    Path folder;

    @Nullable
    String chatTemplate;

    @Nullable
    Integer threads;

    boolean spinning;

    @Nullable
    Integer contextLength;

    @Nullable
    Integer maxVisualTokens;

    @Nullable
    Path cacheDirectory;

    @Nullable
    Long cacheLimit;

    boolean withoutCache;

    @Nullable
    Long memoryLimit;

    @Nullable
    EngineName engine;

    Device device = Device.AUTO;

    boolean allowDownloads;
    Precision precision = Precision.FULL;

    @Nullable
    Precision encoderPrecision;

    @Nullable
    Integer prefillChunk;

    @Nullable
    Boolean twoForms;

    boolean halfKvCache;
    List<Integer> affinity = List.of();

    @Nullable
    Integer maxConcurrentRequests;

    @Nullable
    Integer maxQueuedRequests;

    @Nullable
    Integer keptPrefixes;

    int sharedImages;
    List<ModelListener> listeners = List.of();

    /** A blank one would put no question at all. */
    static String requireTemplate(String chatTemplate) {
        if (chatTemplate.trim().isEmpty()) {
            throw new IllegalArgumentException("chatTemplate is empty");
        }
        return chatTemplate;
    }

    /** As they are now. */
    Settings copy() {
        try {
            return (Settings) clone();
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public @Nullable Encoder encoder() {
        return encoder;
    }

    @Override
    public @Nullable Adapter adapter() {
        return adapter;
    }

    @Override
    public @Nullable Llm llm() {
        return llm;
    }

    @Override
    public @Nullable Path folder() {
        return folder;
    }

    @Override
    public @Nullable String chatTemplate() {
        return chatTemplate;
    }

    @Override
    public @Nullable Integer threads() {
        return threads;
    }

    @Override
    public boolean spinning() {
        return spinning;
    }

    @Override
    public @Nullable Integer contextLength() {
        return contextLength;
    }

    @Override
    public @Nullable Integer maxVisualTokens() {
        return maxVisualTokens;
    }

    @Override
    public @Nullable Path cacheDirectory() {
        return cacheDirectory;
    }

    @Override
    public @Nullable Long cacheLimit() {
        return cacheLimit;
    }

    @Override
    public boolean withoutCache() {
        return withoutCache;
    }

    @Override
    public @Nullable Long memoryLimit() {
        return memoryLimit;
    }

    @Override
    public @Nullable EngineName engine() {
        return engine;
    }

    @Override
    public Device device() {
        return device;
    }

    @Override
    public boolean allowDownloads() {
        return allowDownloads;
    }

    @Override
    public Precision precision() {
        return precision;
    }

    @Override
    public Precision encoderPrecision() {
        return encoderPrecision != null ? encoderPrecision : precision.ofEncoder();
    }

    @Override
    public @Nullable Integer prefillChunk() {
        return prefillChunk;
    }

    @Override
    public @Nullable Boolean twoForms() {
        return twoForms;
    }

    @Override
    public boolean halfKvCache() {
        return halfKvCache;
    }

    @Override
    public List<Integer> affinity() {
        return affinity;
    }

    @Override
    public @Nullable Integer maxConcurrentRequests() {
        return maxConcurrentRequests;
    }

    @Override
    public @Nullable Integer maxQueuedRequests() {
        return maxQueuedRequests;
    }

    @Override
    public @Nullable Integer keptPrefixes() {
        return keptPrefixes;
    }

    @Override
    public int sharedImages() {
        return sharedImages;
    }

    @Override
    public List<ModelListener> listeners() {
        return listeners;
    }
}
