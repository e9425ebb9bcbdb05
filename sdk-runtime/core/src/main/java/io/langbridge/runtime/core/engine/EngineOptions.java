package io.langbridge.runtime.core.engine;

import io.langbridge.Device;
import io.langbridge.Precision;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How an engine runs its networks.
 *
 * @param threads computing threads, at least 1
 * @param spinning whether idle threads burn cycles waiting for work: a little faster alone, slower beside neighbours
 * @param cacheDirectory where converted weights are kept between starts
 * @param device where to compute, not {@link Device#AUTO}; an engine that cannot compute there throws
 *     {@link io.langbridge.RuntimeUnavailableException}
 * @param allowDownloads whether an engine may download native libraries that are missing
 * @param precision of the weights; an engine that does not have it throws
 *     {@link io.langbridge.RuntimeUnavailableException}
 * @param prefillChunk most positions of a prompt that a decoder should run at a time, at least 1
 * @param halfKvCache whether a decoder should keep 16 bits for a value of its KV cache instead of 32
 * @param affinity processors for the computing threads but the calling one, counted from 0, {@code threads - 1} of
 *     them; or empty
 * @param twoForms whether a decoder should hold its quantised layers twice, in the form that is fast for a prompt and
 *     in the one that is fast for a token; null is the usual, see {@link #inTwoForms()}
 * @param cacheLimit bytes that converted weights in the cache directory may have together, or null
 */
public record EngineOptions(
        int threads,
        boolean spinning,
        Path cacheDirectory,
        Device device,
        boolean allowDownloads,
        Precision precision,
        int prefillChunk,
        boolean halfKvCache,
        List<Integer> affinity,
        @Nullable Boolean twoForms,
        @Nullable Long cacheLimit) {
    /** The default of {@code prefillChunk}. */
    public static final int PREFILL_CHUNK = 256;

    public EngineOptions {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, not " + threads);
        }
        if (prefillChunk < 1) {
            throw new IllegalArgumentException("prefillChunk must be at least 1, not " + prefillChunk);
        }
        affinity = List.copyOf(affinity);
        if (!affinity.isEmpty() && affinity.size() != threads - 1) {
            throw new IllegalArgumentException(
                    threads + " threads need " + (threads - 1) + " processors as affinity, not " + affinity.size());
        }
        if (device.kind() == Device.Kind.AUTO) {
            throw new IllegalArgumentException("An engine computes on one device; choose it before");
        }
    }

    /** In as many forms as is usual, with a cache that grows at will. */
    public EngineOptions(
            int threads,
            boolean spinning,
            Path cacheDirectory,
            Device device,
            boolean allowDownloads,
            Precision precision,
            int prefillChunk,
            boolean halfKvCache,
            List<Integer> affinity) {
        this(
                threads,
                spinning,
                cacheDirectory,
                device,
                allowDownloads,
                precision,
                prefillChunk,
                halfKvCache,
                affinity,
                null,
                null);
    }

    /** Computes on the CPU in full precision and downloads nothing. */
    public EngineOptions(int threads, boolean spinning, Path cacheDirectory) {
        this(threads, spinning, cacheDirectory, Device.CPU);
    }

    /** Computes in full precision and downloads nothing. */
    public EngineOptions(int threads, boolean spinning, Path cacheDirectory, Device device) {
        this(threads, spinning, cacheDirectory, device, false, Precision.FULL, PREFILL_CHUNK, false, List.of());
    }

    /** The same in another precision. */
    public EngineOptions with(Precision wanted) {
        return with(wanted, twoForms);
    }

    /** The same in another precision and in one form or two. */
    public EngineOptions with(Precision wanted, @Nullable Boolean inTwoForms) {
        return new EngineOptions(
                threads,
                spinning,
                cacheDirectory,
                device,
                allowDownloads,
                wanted,
                prefillChunk,
                halfKvCache,
                affinity,
                inTwoForms,
                cacheLimit);
    }

    /** Whether a decoder holds its quantised layers twice. */
    public boolean inTwoForms() {
        return inTwoForms(precision, twoForms);
    }

    /** Whether it does in a precision; null is the usual, which is so in 8 bits. */
    public static boolean inTwoForms(Precision precision, @Nullable Boolean asked) {
        return precision != Precision.FULL && (asked == null ? precision == Precision.INT8 : asked);
    }
}
