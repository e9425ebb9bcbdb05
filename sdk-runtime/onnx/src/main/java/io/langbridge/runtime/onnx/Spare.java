package io.langbridge.runtime.onnx;

/**
 * Sessions being made keep a processor busy each. What is done beside one waits for a processor that none of them
 * needs, or for the end of its own. Thread-safe.
 */
final class Spare implements AutoCloseable {
    private static final Object LOCK = new Object();
    private static int busy;

    private boolean ended;

    private Spare() {}

    /** Says that a session is being made, until this is closed. */
    static Spare beside() {
        synchronized (LOCK) {
            busy++;
            return new Spare();
        }
    }

    /** Waits for a processor. Being interrupted ends the wait. */
    void await() {
        synchronized (LOCK) {
            while (!ended && busy >= Runtime.getRuntime().availableProcessors()) {
                try {
                    LOCK.wait();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
    }

    @Override
    public void close() {
        synchronized (LOCK) {
            if (!ended) {
                ended = true;
                busy--;
                LOCK.notifyAll();
            }
        }
    }
}
