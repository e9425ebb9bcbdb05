package io.langbridge.hub;

/**
 * Hears how a download goes on: at the beginning and end of each file, and about ten times a second between. Called on
 * the thread that downloads. What it throws ends the download; what has arrived is kept for the next time.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface DownloadListener {
    /**
     * Some bytes have arrived.
     *
     * @param progress how far it is
     */
    void progress(DownloadProgress progress);
}
