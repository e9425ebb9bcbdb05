package io.langbridge.hub;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Counts bytes and tells a listener, not too often. Not thread-safe. */
final class Progress {
    private static final long BETWEEN = Duration.ofMillis(100).toNanos();
    private static final long WINDOW = Duration.ofSeconds(10).toNanos();

    private final @Nullable DownloadListener listener;
    private final LongSupplier clock;
    private final long total;
    private final Deque<long[]> samples = new ArrayDeque<>();
    private long done;
    private long received;
    private long told;
    private String file = "";
    private long fileBytes;
    private long fileSize;

    Progress(@Nullable DownloadListener listener, LongSupplier clock, long total) {
        this.listener = listener;
        this.clock = clock;
        this.total = total;
        samples.add(new long[] {clock.getAsLong(), 0});
    }

    void begin(RepoFile next) {
        file = next.path();
        fileSize = next.size();
        fileBytes = 0;
        tell();
    }

    /** So much of the file is here, from an earlier run or because it begins anew. */
    void at(long bytes) {
        done += bytes - fileBytes;
        fileBytes = bytes;
    }

    void received(int count) {
        done += count;
        fileBytes += count;
        received += count;
        if (clock.getAsLong() - told >= BETWEEN) {
            tell();
        }
    }

    void end() {
        at(fileSize);
        tell();
    }

    private void tell() {
        long now = clock.getAsLong();
        told = now;
        samples.add(new long[] {now, received});
        while (samples.size() > 2 && now - samples.element()[0] > WINDOW) {
            samples.remove();
        }
        if (listener == null) {
            return;
        }
        double seconds = (now - samples.element()[0]) / 1e9;
        double rate = seconds > 0 ? (received - samples.element()[1]) / seconds : 0;
        Duration left = rate > 0 ? Duration.ofMillis((long) ((total - done) * 1000 / rate)) : null;
        listener.progress(new DownloadProgress(file, fileBytes, fileSize, done, total, rate, left));
    }
}
