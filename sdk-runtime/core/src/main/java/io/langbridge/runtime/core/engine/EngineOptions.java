package io.langbridge.runtime.core.engine;

import java.nio.file.Path;

/**
 * How an engine runs its networks.
 *
 * @param threads computing threads, at least 1
 * @param spinning whether idle threads burn cycles waiting for work: a little faster alone, slower beside neighbours
 * @param cacheDirectory where converted weights are kept between starts
 * @param device where to compute; an engine that cannot compute there throws
 *     {@link io.langbridge.RuntimeUnavailableException}
 */
public record EngineOptions(int threads, boolean spinning, Path cacheDirectory, Device device) {
    public EngineOptions {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, not " + threads);
        }
    }

    /** Computes on the CPU. */
    public EngineOptions(int threads, boolean spinning, Path cacheDirectory) {
        this(threads, spinning, cacheDirectory, Device.CPU);
    }
}
