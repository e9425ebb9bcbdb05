package io.langbridge.spring.boot;

import io.langbridge.hub.DownloadListener;
import io.langbridge.hub.DownloadProgress;
import java.util.function.Consumer;

/** A line of the log for each tenth of a download. */
final class DownloadLog implements DownloadListener {
    private final String name;
    private final Consumer<String> log;
    private long lastTenth = -1;

    DownloadLog(String name, Consumer<String> log) {
        this.name = name;
        this.log = log;
    }

    @Override
    public void progress(DownloadProgress progress) {
        long tenth = progress.totalBytes() == 0 ? 10 : 10 * progress.bytes() / progress.totalBytes();
        if (tenth > lastTenth) {
            lastTenth = tenth;
            log.accept("Downloading %s: %d %% of %d MB, %.1f MB/s"
                    .formatted(
                            name,
                            10 * tenth,
                            (progress.totalBytes() + 999_999) / 1_000_000,
                            progress.bytesPerSecond() / 1e6));
        }
    }
}
