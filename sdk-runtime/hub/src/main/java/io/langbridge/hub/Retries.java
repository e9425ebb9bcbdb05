package io.langbridge.hub;

import io.langbridge.hub.HubException.Reason;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How often and how long something is tried again. What gets further begins to count anew. Not thread-safe. */
final class Retries {
    private static final Logger LOG = LoggerFactory.getLogger(Hub.class);
    private static final Duration FIRST_WAIT = Duration.ofMillis(500);

    private final Settings settings;
    private final int tries;
    private final Duration limit;
    private int failures;
    private long begun;

    Retries(Settings settings) {
        this(settings, 5, settings.retryFor());
    }

    Retries(Settings settings, int tries, Duration limit) {
        this.settings = settings;
        this.tries = tries;
        this.limit = limit;
        this.begun = settings.clock().getAsLong();
    }

    /** Something was reached that was not before. */
    void progressed() {
        failures = 0;
        begun = settings.clock().getAsLong();
    }

    /**
     * Waits before the next try.
     *
     * @throws HubException if there is none
     */
    void failed(Retryable failure) {
        failures++;
        Duration spent = Duration.ofNanos(settings.clock().getAsLong() - begun);
        Duration after = failure.after();
        Duration wait = after != null ? after : FIRST_WAIT.multipliedBy(1L << (failures - 1));
        if (failures >= tries || spent.plus(wait).compareTo(limit) > 0) {
            throw failure.error();
        }
        LOG.info("{} Trying again in {} ms.", failure.getMessage(), wait.toMillis());
        try {
            settings.pause().sleep(wait);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    static HubException interrupted(Exception e) {
        Thread.currentThread().interrupt();
        return new HubException(
                Reason.INTERRUPTED,
                "The thread was interrupted. What has been downloaded is kept; call again to go on from there.",
                e);
    }
}
