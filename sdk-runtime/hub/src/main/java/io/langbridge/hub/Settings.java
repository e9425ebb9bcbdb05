package io.langbridge.hub;

import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a hub is asked with. The last four are the machine's; tests replace them. Immutable.
 *
 * @param token never shown
 * @param links the best kind of link that may be tried
 * @param clock nanoseconds since some moment
 */
record Settings(
        URI endpoint,
        @Nullable String token,
        Path cache,
        boolean offline,
        @Nullable ProxySelector proxy,
        Duration connectTimeout,
        Duration stallTimeout,
        Duration retryFor,
        Links links,
        Pause pause,
        LongSupplier clock,
        FreeSpace freeSpace) {
    /** How a snapshot names a blob, from the best kind to what works everywhere. */
    enum Links {
        SYMBOLIC,
        HARD,
        /** The blob itself is moved there, as Python does where there are no links. */
        NONE
    }

    /** Waits. */
    interface Pause {
        void sleep(Duration time) throws InterruptedException;
    }

    /** Asks a disk. */
    interface FreeSpace {
        /** The bytes that can be written to an existing folder. */
        long at(Path folder) throws IOException;
    }

    @Override
    public String toString() {
        return "Settings[endpoint=" + endpoint + ", cache=" + cache + ", offline=" + offline + "]";
    }
}
