package io.langbridge.runtime.core.engine;

import java.nio.file.Path;

/**
 * How an engine runs its networks.
 *
 * @param threads computing threads, at least 1
 * @param spinning whether idle threads burn cycles waiting for work: a little faster alone, slower beside neighbours
 * @param cacheDirectory where converted weights are kept between starts
 * @param device where to compute, not {@link Device#AUTO}; an engine that cannot compute there throws
 *     {@link io.langbridge.RuntimeUnavailableException}
 * @param allowDownloads whether an engine may download native libraries that are missing
 */
public record EngineOptions(int threads, boolean spinning, Path cacheDirectory, Device device, boolean allowDownloads) {
    public EngineOptions {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, not " + threads);
        }
        if (device.kind() == Device.Kind.AUTO) {
            throw new IllegalArgumentException("An engine computes on one device; choose it before");
        }
    }

    /** Computes on the CPU and downloads nothing. */
    public EngineOptions(int threads, boolean spinning, Path cacheDirectory) {
        this(threads, spinning, cacheDirectory, Device.CPU, false);
    }
}
