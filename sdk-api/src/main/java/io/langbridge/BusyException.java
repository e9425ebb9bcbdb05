package io.langbridge;

/**
 * The model answers as many requests as {@link VisionLanguageModel.Builder#maxConcurrentRequests} allows, and as many
 * wait as {@link VisionLanguageModel.Builder#maxQueuedRequests} allows. Nothing was done; asking again later may help.
 *
 * @since 0.1
 */
public final class BusyException extends LangBridgeException {
    private static final long serialVersionUID = 1L;

    /** Requests that were being answered. */
    private final int running;
    /** Requests that waited for their turn. */
    private final int waiting;

    /**
     * Made by a runtime.
     *
     * @param running requests that are being answered
     * @param waiting requests that wait
     */
    public BusyException(int running, int waiting) {
        super("The model is busy: " + running + (running == 1 ? " request is" : " requests are")
                + " being answered and " + waiting + (waiting == 1 ? " waits" : " wait")
                + ", and no more may; ask again later (over HTTP: status 503 with Retry-After), or raise"
                + " maxQueuedRequests(..) or maxConcurrentRequests(..)");
        this.running = running;
        this.waiting = waiting;
    }

    /** {@return requests that were being answered} */
    public int running() {
        return running;
    }

    /** {@return requests that were waiting} */
    public int waiting() {
        return waiting;
    }
}
