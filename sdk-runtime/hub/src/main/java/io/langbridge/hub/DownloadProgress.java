package io.langbridge.hub;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How far a download is.
 *
 * @param file the path of the file inside the model
 * @param fileBytes bytes of the file that are here
 * @param fileSize bytes of the whole file
 * @param bytes bytes of all files that are here, those of an earlier run included
 * @param totalBytes bytes of all files
 * @param bytesPerSecond what came over the network in the last ten seconds; 0 while there is nothing to tell it from
 * @param timeLeft what the rest would take at that rate; null while the rate is 0
 * @since 0.1
 */
public record DownloadProgress(
        String file,
        long fileBytes,
        long fileSize,
        long bytes,
        long totalBytes,
        double bytesPerSecond,
        @Nullable Duration timeLeft) {}
